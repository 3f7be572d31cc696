#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The reader of stdout falls asleep for some seconds: lines are dropped whole, and each is counted.
. "$(dirname "$0")/lib.sh"
NAME=slow_consumer
require_rig
rig_start

read -r PORT UPSTREAM <<<"$(free_ports 2)"
supervise service 2 "" "$NODE" "$WORKLOADS/healthy.js" --port "$UPSTREAM" --mib 50
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 16

# Samples at the fastest tick of processes whose memory moves: enough lines to fill every buffer.
start movers "$PYTHON" "$WORKLOADS/movers.py" 30
mkfifo "$RIG/stdout"
: >"$RIG/memswell.log"
: >"$RIG/reports.jsonl"
(rig_exec -- "$PYTHON" "$WORKLOADS/slow_reader.py" "$RIG/reports.jsonl" 2 12) <"$RIG/stdout" &
READER_PID=$!
(rig_exec -- "$MEMSWELL" record --state none --include-samples --tick 100ms "$RIG/records.jsonl") \
	>"$RIG/stdout" 2>"$RIG/memswell.log" </dev/null &
WATCH_PID=$!
watch_ready || { not_ok "memswell starts" "$(tail -n 1 "$RIG/memswell.log")"; finish; }
load load "$PORT" 100 12
sleep 28
watch_stop
wait "$READER_PID"

expect "memswell ends in order" "exit status $WATCH_STATUS" test "$WATCH_STATUS" -eq 0
"$MEMSWELL" replay --include-samples "$RIG/records.jsonl" >"$RIG/complete.jsonl" 2>"$RIG/replay.log"
"$PYTHON" "$LIVE_DIR/check_gaps.py" $NAME "$RIG/reports.jsonl" "$RIG/complete.jsonl" || FAILED=1
"$PYTHON" "$LIVE_DIR/check_books.py" $NAME "$RIG/reports.jsonl" "$RIG/records.jsonl" \
	--lost output || FAILED=1
check_valid "$RIG/complete.jsonl"
finish
