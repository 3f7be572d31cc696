#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Produced = delivered + lost, by the output alone: under a fork storm, while memswell is stopped for
# 5 s and its rings overflow, on a disk that is full for a while, and when a memory death falls into a
# time in which it was stopped. test_slow_consumer.sh does
# the same for a reader that does not read.
. "$(dirname "$0")/lib.sh"
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
NAME=loss_accounting
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

# 3. The disk is full until there is room again: what was dropped is missing in seq, line by line.
full_disk() {
	local disk=$RIG/disk
	NAME=loss_accounting_full_disk
	mkdir "$disk"
	if ! mount_namespace "mount -t tmpfs -o size=128k memswell-test $disk"; then
		echo "skip $NAME - no mount namespace can be made: $(head -n 1 "$RIG/holder.log")"
		return
	fi
	start movers "$PYTHON" "$WORKLOADS/movers.py" 60
	: >"$RIG/memswell.log"
	(rig_exec -- nsenter -t "$HOLDER" -m "$MEMSWELL" run --state none --include-samples --tick 100ms --output "$disk/out") \
		2>"$RIG/memswell.log" >/dev/null </dev/null &
	WATCH_PID=$!
	watch_ready
	for _ in {1..400}; do grep -q 'No space left' "$RIG/memswell.log" && break; sleep 0.1; done
	sleep 20 # the buffer of 1 MiB fills, and then lines are dropped
	inside mount -o remount,size=64m "$disk"
	for _ in {1..400}; do grep -q 'can be written again' "$RIG/memswell.log" && break; sleep 0.1; done
	sleep 2
	watch_stop
	expect "memswell goes on and ends in order" "exit status $WATCH_STATUS" test "$WATCH_STATUS" -eq 0
	inside cat "$disk/out" >"$RIG/reports.jsonl"
	"$PYTHON" "$LIVE_DIR/check_books.py" "$NAME" "$RIG/reports.jsonl" - --lost output \
		--lines || FAILED=1
	NAME=loss_accounting
}
if "$MEMSWELL" help | grep -q -- --output-max-bytes; then
	full_disk
else
	echo "skip $NAME: full disk - output files of this build end the run"
fi

# 4. The service dies of memory while memswell is stopped; later its rings overflow. What is said about
# it must be right, and less sure than it would be without the loss and the gap.
read -r PORT UPSTREAM <<<"$(free_ports 2)"
CGROUP=$(memory_cgroup service 160)
warm_page_cache
supervise service 2 "$CGROUP" "$NODE" "$WORKLOADS/leak.js" --port "$UPSTREAM" \
	--bytes $((25000 * SLOWNESS)) --mode $HEAP_LEAK
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 2
require_watch --tick 1s
load load "$PORT" 200 100
CULPRIT=$(service_pid service)
while [ "$(memory_usage "$CGROUP")" -lt $((135 << 20)) ] && [ $SECONDS -lt 150 ]; do sleep 0.2; done
STOPPED=$(now_ms)
kill -STOP "$WATCH_PID"
await_lives service end 1 30
storm 10000
while [ $(($(now_ms) - STOPPED)) -lt 5000 ]; do sleep 0.1; done
kill -CONT "$WATCH_PID"
sleep $QUIET_S
load_stop
sleep 0.5
watch_stop
books death --lost fork --gap stalled
# Nobody looked at the failures before the 5 s were over.
check_incident --verdict memory_death --cause heap_leak --culprit "$CULPRIT" --closed --no-losses \
	--open-within-ms 20000 --clock-slack-ms 1000
grep -vE '"k":"(gap|loss)"' "$RIG/records.jsonl" >"$RIG/unharmed.jsonl"
"$MEMSWELL" replay "$RIG/unharmed.jsonl" >"$RIG/unharmed.reports.jsonl" 2>/dev/null
"$PYTHON" - "$NAME" "$RIG/reports.jsonl" "$RIG/unharmed.reports.jsonl" <<'PY' || FAILED=1
import json, sys

def last(path):
    with open(path, encoding="utf-8") as file:
        found = [r for r in map(json.loads, file) if r["schema"] == "memswell.incident"]
    return found[-1] if found else None

name, harmed, unharmed = sys.argv[1], last(sys.argv[2]), last(sys.argv[3])
if not harmed or not unharmed:
    sys.exit(print(f"not ok {name}: an incident to compare - there is none") or 1)
quality = harmed["data_quality"]
why = [s["rule"] for s in harmed["verdict"]["scores"] if s["for"] == "data_quality"]
ratio = harmed["verdict"]["confidence"] / unharmed["verdict"]["confidence"]
print(f"# confidence {unharmed['verdict']['confidence']} -> {harmed['verdict']['confidence']}, {quality}")
checks = [("data_quality tells the loss", quality["events_lost"] > 0),
          ("data_quality tells the gap", quality.get("unwatched_s", 0) >= 5),
          ("both are among the reasons", {"events_lost", "unwatched_s"} <= set(why)),
          ("confidence is lower by both", 0.65 < ratio < 0.8),
          ("without them neither is told", not unharmed["data_quality"]["events_lost"]
           and "unwatched_s" not in unharmed["data_quality"])]
for what, holds in checks:
    print(f"ok {name}: {what}" if holds else f"not ok {name}: {what} - ratio {ratio:.3f}, {quality}, {why}")
sys.exit(not all(holds for _, holds in checks))
PY
check_stream
finish
