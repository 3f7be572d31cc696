#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The service dies of memory while memswell is stopped, and then its rings overflow. What is said about
# it must be right, and less sure than it would be without the loss and the gap.
#
# test_lost_death.sh runs this with LOST=yes: the rings overflow first, so the death itself is lost. Then
# nobody may be accused.
. "$(dirname "$0")/lib.sh"
SUITE=live
NAME=blind_death
STOP_AT_MIB=135
if [ -n "${LOST-}" ]; then
	NAME=lost_death
	STOP_AT_MIB=75
fi
CHURN=$TOP_DIR/build/tests/stress/churn
require_rig
[ -x "$CHURN" ] || skip_all "$CHURN is not built: make test-binaries"
rig_start

overflow() {
	start storm "$CHURN" processes 10000
	while kill -0 "$PID" 2>/dev/null; do sleep 0.1; done
}

leaking_service 25000
require_watch --tick 1s
load load "$PORT" 200 100
CULPRIT=$(service_pid service)
while [ "$(memory_usage "$CGROUP")" -lt $((STOP_AT_MIB << 20)) ] && [ $SECONDS -lt 120 ]; do sleep 0.2; done
STOPPED=$(now_ms)
kill -STOP "$WATCH_PID"
[ -z "${LOST-}" ] || overflow
await_lives service end 1 60
[ -n "${LOST-}" ] || overflow
sleep 1 # the failures, too
while [ $(($(now_ms) - STOPPED)) -lt 5000 ]; do sleep 0.1; done
kill -CONT "$WATCH_PID"
sleep $QUIET_S
load_stop
sleep 0.5
watch_stop
"$PYTHON" "$LIVE_DIR/check_books.py" "$NAME" "$RIG/reports.jsonl" "$RIG/records.jsonl" \
	--lost fork --lost exit --gap stalled || FAILED=1
check_stream
if [ -n "${LOST-}" ]; then
	check_incident --verdict unexplained --closed --no-losses --open-within-ms 60000 \
		--clock-slack-ms 1000
	expect "the incident tells the loss and the gap" \
		"$(jq -c 'select(.schema == "memswell.incident") | .data_quality' "$RIG/reports.jsonl" | tail -n 1)" \
		jq -es 'map(select(.schema == "memswell.incident")) | last | .data_quality |
			.events_lost > 0 and .unwatched_s >= 5' "$RIG/reports.jsonl"
	finish
fi
# Nobody looked at the failures before the 5 s were over.
check_incident --verdict memory_death --cause heap_leak --culprit "$CULPRIT" --closed --no-losses \
	--open-within-ms 20000 --clock-slack-ms 1000
grep -vE '"k":"(gap|loss)"' "$RIG/records.jsonl" >"$RIG/unharmed.jsonl"
"$MEMSWELL" replay "$RIG/unharmed.jsonl" >"$RIG/unharmed.reports.jsonl" 2>/dev/null
"$PYTHON" "$LIVE_DIR/check_doubt.py" "$NAME" "$RIG/reports.jsonl" "$RIG/unharmed.reports.jsonl" || FAILED=1
finish
