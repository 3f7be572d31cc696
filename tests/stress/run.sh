#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh - `make stress`: the ceilings, kept under stress. Prints "ok", "not ok" and "skip" lines and
# ends with status 1 if anything failed. Nothing in it depends on the speed of the machine.
#
#   1. 10,000 processes alive while 100,000 short-lived ones, 20,000 cgroups and 50,000 connections
#      come and go, and a Node.js service behind nginx dies of memory in the middle of it: memory
#      stays below the ceiling, the maps keep their size, the verdict is right, the books balance.
#   2. The same agent for SOAK_S seconds (600) of all four kinds mixed: nothing it holds grows.
#      Meanwhile another one is killed KILLS times (100), see tests/live/test_kills.sh.
#
# Smaller by PROCESSES, CGROUPS, CONNECTIONS, ALIVE, SOAK_S, KILLS.
. "$(dirname "$0")/../live/lib.sh"
STRESS_DIR=$TOP_DIR/tests/stress
CHURN=$TOP_DIR/build/tests/stress/churn
PROCESSES=${PROCESSES:-100000} CGROUPS=${CGROUPS:-20000} CONNECTIONS=${CONNECTIONS:-50000}
ALIVE=${ALIVE:-10000} SOAK_S=${SOAK_S:-600} KILLS=${KILLS:-100}
NAME=stress
require_rig
[ -x "$CHURN" ] || skip_all "$CHURN is not built: make stress"
rig_start

truth() { jq -r ".$2 // 0" "$RIG/$1.log" 2>/dev/null | tail -n 1; } # of a churn: FIELD

churn_root() { # prints a cgroup in which churn may make its own; all of them are cleaned up
	local root slot
	root=$(memory_cgroup "$1" 4096) || return 1
	for slot in {0..7}; do echo "$root/c$slot" >>"$RIG/cgroups"; done
	echo "$root"
}

is_running() { kill -0 "$1" 2>/dev/null; }
await_end() { while is_running "$1"; do sleep 0.2; done; }
status_kib() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$WATCH_PID/status"; }

# The ceilings as printed by the agent itself.
"$MEMSWELL" check --format json >"$RIG/check.json" 2>/dev/null
RSS_CEILING=$(jq -r '.ceilings.rss_bytes // 0' "$RIG/check.json" 2>/dev/null || echo 0)
MAP_CEILING=$(jq -r '.ceilings.map_bytes // 0' "$RIG/check.json" 2>/dev/null || echo 0)

# 1. Many of everything ---------------------------------------------------------------------------

leaking_service 12500

: >"$RIG/memswell.log"
(rig_exec -- "$MEMSWELL" run --state none) >"$RIG/reports.jsonl" 2>"$RIG/memswell.log" </dev/null &
WATCH_PID=$!
watch_ready || { not_ok "memswell starts" "$(tail -n 1 "$RIG/memswell.log")"; finish; }

mkfifo "$RIG/alive.in"
(rig_exec -- "$CHURN" alive "$ALIVE") <"$RIG/alive.in" >"$RIG/alive.log" 2>&1 &
ALIVE_PID=$!
exec 7>"$RIG/alive.in"
for _ in {1..1200}; do grep -q ready "$RIG/alive.log" && break; sleep 0.1; done
expect "$ALIVE processes are alive" "$(tail -n 1 "$RIG/alive.log")" \
	grep -q "\"ready\":$ALIVE" "$RIG/alive.log"

load load "$PORT" 200 900
CULPRIT=$(service_pid service)
ROOT=$(churn_root churn)
start processes "$CHURN" processes "$PROCESSES"
PROCESSES_PID=$PID
start cgroups "$CHURN" cgroups "$CGROUPS" "$ROOT"
CGROUPS_PID=$PID
start connections "$CHURN" connections "$CONNECTIONS"
CONNECTIONS_PID=$PID
# Whoever is faster, the death falls into the churn: one more goes on until the service is back.
(
	trap - EXIT INT TERM HUP
	rig_register
	while [ ! -e "$RIG/quiet" ]; do "$CHURN" processes 500; done
) >"$RIG/more.log" 2>&1 </dev/null &
disown
await_lives service end 1 300
await_lives service start 2 30
sleep $QUIET_S
touch "$RIG/quiet"
load_stop
await_end "$PROCESSES_PID"
await_end "$CGROUPS_PID"
await_end "$CONNECTIONS_PID"
exec 7>&-
await_end "$ALIVE_PID"
sleep 12 # one more heartbeat

made() { # WHAT NUMBER PROGRAM FIELD
	expect "$2 $1 came and went" "$(tail -n 1 "$RIG/$3.log")" test "$(truth "$3" "$4")" -eq "$2"
}
made "processes" "$PROCESSES" processes processes
made "cgroups" "$CGROUPS" cgroups cgroups
made "connections" "$CONNECTIONS" connections connections
PEAK=$(($(status_kib VmHWM) * 1024))
echo "# peak of RSS $PEAK bytes, ceiling $RSS_CEILING; maps at most $MAP_CEILING"
if [ "$RSS_CEILING" -gt 0 ]; then
	expect "RSS stays below the ceiling" "$PEAK of $RSS_CEILING" test "$PEAK" -lt "$RSS_CEILING"
else
	echo "skip $NAME: RSS stays below the ceiling - memswell check prints none"
fi
MAPS=$(jq -r 'select(.schema == "memswell.heartbeat") | .agent.map_bytes' "$RIG/reports.jsonl" |
	sort -n | uniq -c | awk '{ printf "%s%s times %s", sep, $1, $2; sep = ", " }')
echo "# map memory in the heartbeats: $MAPS"
expect "the maps keep their size" "$MAPS" test "$(grep -c , <<<"$MAPS")" -eq 0
SEEN=$(jq -r 'select(.schema == "memswell.heartbeat") | .agent.processes' "$RIG/reports.jsonl" | sort -n | tail -n 1)
expect "all living processes are known at once" "$SEEN of $ALIVE" test "$SEEN" -ge "$ALIVE"
# The truth comes from a shell, and so many processes make a busy machine: it may be seconds late.
check_incident --verdict memory_death --cause heap_leak --culprit "$CULPRIT" --closed \
	--oom-kills "$(oom_kills "$CGROUP")" --detail oom_kill=true \
	--open-within-ms 10000 --clock-slack-ms 5000 --no-losses

# 2. For long ------------------------------------------------------------------------------------

ROOT=$(churn_root soak)
start mixed "$CHURN" mixed "$SOAK_S" "$ROOT"
MIXED_PID=$PID
start soak "$PYTHON" "$STRESS_DIR/soak.py" watch "$WATCH_PID" "$SOAK_S" "$RIG/samples.jsonl"
SOAK_PID=$PID
if [ "$KILLS" -gt 0 ]; then
	KILLS=$KILLS bash "$LIVE_DIR/test_kills.sh" || FAILED=1
fi
await_end "$MIXED_PID"
await_end "$SOAK_PID"
echo "# mixed: $(tail -n 1 "$RIG/mixed.log")"
expect "churn of all four kinds goes on to the end" "$(tail -n 1 "$RIG/mixed.log")" \
	test "$(truth mixed connections)" -gt 0
# What a table holds of the first part leaves within a minute or two of the second.
"$PYTHON" "$STRESS_DIR/soak.py" judge "${NAME}_soak" "$RIG/samples.jsonl" \
	--warm-up $((SOAK_S / 5)) || FAILED=1
watch_stop
expect "memswell ends in order" "exit status $WATCH_STATUS" test "$WATCH_STATUS" -eq 0
check_valid "$RIG/reports.jsonl"
"$PYTHON" "$LIVE_DIR/check_books.py" "$NAME" "$RIG/reports.jsonl" - || FAILED=1
echo "# books at the end: $(jq -c 'select(.schema == "memswell.heartbeat") | {losses, streams}' \
	"$RIG/reports.jsonl" | tail -n 1)"
finish
