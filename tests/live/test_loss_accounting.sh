#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Produced = delivered + lost, by the output alone: under a fork storm, and while memswell is stopped for
# 5 s and its rings overflow. test_slow_consumer.sh, test_full_disk.sh and test_blind_death.sh hold other
# troubles to the same books.
. "$(dirname "$0")/lib.sh"
SUITE=live
NAME=loss_accounting
CHURN=$TOP_DIR/build/tests/stress/churn
require_rig
[ -x "$CHURN" ] || skip_all "$CHURN is not built: make test-binaries"
rig_start

books() { # CASE OPTION...
	local case=$1
	shift
	"$PYTHON" "$LIVE_DIR/check_books.py" "${NAME}_$case" "$RIG/reports.jsonl" "$RIG/records.jsonl" \
		"$@" || FAILED=1
	check_valid "$RIG/reports.jsonl"
}

storm() { # N: that many processes that end at once; the truth about them in STORM, as PID=N
	start storm "$CHURN" processes "$1"
	while kill -0 "$PID" 2>/dev/null; do sleep 0.1; done
	STORM=$(sed -nE 's/.*"pid":([0-9]+),"processes":([0-9]+).*/\1=\2/p' "$RIG/storm.log")
	[ -n "$STORM" ] || not_ok "the storm ran" "$(head -n 1 "$RIG/storm.log")"
}

# 1. As fast as processes can be made, with the agent awake.
require_watch --tick 1s
storm 10000
sleep 1.5
watch_stop
books fork_storm --forks "$STORM"

# 2. Stopped for at least 5 s, in which the rings overflow several times.
require_watch --tick 1s
sleep 1.2
STOPPED=$(now_ms)
kill -STOP "$WATCH_PID"
storm 10000
while [ $(($(now_ms) - STOPPED)) -lt 5000 ]; do sleep 0.1; done
kill -CONT "$WATCH_PID"
sleep 2.5
watch_stop
books stopped --forks "$STORM" --lost fork --lost exit --gap stalled
check_stream

finish
