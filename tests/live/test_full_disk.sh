#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The disk with the reports is full for a while: memswell goes on, what was dropped is missing in seq line
# by line, and the books say so.
. "$(dirname "$0")/lib.sh"
SUITE=live
NAME=full_disk
require_rig
rig_start

DISK=$RIG/disk
mkdir "$DISK"
mount_namespace "mount -t tmpfs -o size=128k memswell-test $DISK" ||
	skip_all "no mount namespace can be made: $(head -n 1 "$RIG/holder.log")"
start movers "$PYTHON" "$WORKLOADS/movers.py" 60
: >"$RIG/memswell.log"
(rig_exec -- nsenter -t "$HOLDER" -m "$MEMSWELL" run --state none --include-samples --tick 100ms \
	--output "$DISK/out") \
	2>"$RIG/memswell.log" >/dev/null </dev/null &
WATCH_PID=$!
watch_ready
for _ in {1..400}; do grep -q 'No space left' "$RIG/memswell.log" && break; sleep 0.1; done
sleep 20 # the buffer of 1 MiB fills, and then lines are dropped
inside mount -o remount,size=64m "$DISK"
for _ in {1..400}; do grep -q 'can be written again' "$RIG/memswell.log" && break; sleep 0.1; done
sleep 2
watch_stop
expect "memswell goes on and ends in order" "exit status $WATCH_STATUS" test "$WATCH_STATUS" -eq 0
inside cat "$DISK/out" >"$RIG/reports.jsonl"
"$PYTHON" "$LIVE_DIR/check_books.py" "$NAME" "$RIG/reports.jsonl" - --lost output \
	--lines || FAILED=1
check_valid "$RIG/reports.jsonl" --allow-gaps
finish
