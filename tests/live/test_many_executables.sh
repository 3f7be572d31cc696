#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# On a host of containers every image layer has a node of its own. More distinct files than can be
# watched at the same time run one after the other: each is watched, and the descriptors stay within
# what the limit allows. Nor does the end wait for the kernel to take them all away.
. "$(dirname "$0")/lib.sh"
SUITE=live
NAME=many_executables
LIMIT=$(awk '$2 == "EXECUTABLES_MAX_WATCHED" { print $3 }' "$TOP_DIR/user/source/executables.h")
require_rig
rig_start
BINARY=$(readlink -f "$NODE")
MIB=$(($(stat -c %s "$BINARY") >> 20))
# Uprobes keep the inode, so a file that was removed keeps its room as well.
[ "$(($(df --output=avail -m "$RIG" | tail -n 1)))" -gt $((MIB * (LIMIT + 10))) ] ||
	skip_all "no room for $((LIMIT + 5)) files of $MIB MiB"

hook_fds() {
	find "/proc/$WATCH_PID/fd" \( -lname 'anon_inode:\[perf_event\]' -o -lname 'anon_inode:bpf_link' \
		-o -lname 'anon_inode:bpf_perf_link' \) 2>/dev/null | wc -l
}

exe_of() { # PID: what is recorded of its executable; nothing before it is
	grep -E "\"k\":\"exe\".*\"pid\":$1,.*\"path\":\"$RIG" "$RIG/records.jsonl" | tail -n 1
}

await_exe() { # PID
	local deadline=$((SECONDS + 10 * SLOWNESS))
	while [ -z "$(exe_of "$1")" ]; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.05
	done
}

run_copy() { # NUMBER: sets PID
	start "copy-$1" "$RIG/node-$1" -e 'setTimeout(() => {}, 600000)'
	await_exe "$PID"
}

COPIES=$((LIMIT + 5))
for ((i = 0; i < COPIES; i++)); do cp "$BINARY" "$RIG/node-$i"; done
require_watch --tick 200ms
if grep -q 'hook v8_oom is unavailable' "$RIG/memswell.log"; then
	watch_stop
	skip_all "$(grep -o 'hook v8_oom is unavailable.*' "$RIG/memswell.log")"
fi
FDS=$(hook_fds)
MOST=$FDS UNWATCHED=
MAX_FATAL=$(awk '$2 == "ELF_MAX_V8_FATAL" { print $3 }' "$TOP_DIR/user/source/elf_symbols.h")
MAY=$((FDS + 2 * MAX_FATAL * LIMIT))
for ((i = 0; i < COPIES; i++)); do
	run_copy $i
	exe_of "$PID" | grep -q '"v8_probe":1' || UNWATCHED+=" $i"
	now=$(hook_fds)
	[ "$now" -le "$MOST" ] || MOST=$now
	kill "$PID"
	rm "$RIG/node-$i"
done
echo "# $NAME: $FDS descriptors of hooks at start, $MOST at most"
expect "each of $COPIES files is watched" "not:$UNWATCHED" test -z "$UNWATCHED"
expect "descriptors were taken" "$MOST" test "$MOST" -gt "$FDS"
expect "descriptors stay within the limit" "$MOST of $MAY" test "$MOST" -le "$MAY"
expect "nothing is counted as lost" "$(grep -m 1 uprobe_limit "$RIG/records.jsonl")" \
	test "$(grep -c uprobe_limit "$RIG/records.jsonl")" -eq 0
echo "# $NAME: $(grep -c memswell.gap "$RIG/reports.jsonl") ticks came more than 1 s late"
before=$(now_ms)
watch_stop
took=$(($(now_ms) - before))
echo "# $NAME: the end took $took ms"
expect "the end does not wait for the kernel" "$took ms" test $took -lt $((5000 * SLOWNESS))
check_stream
finish
