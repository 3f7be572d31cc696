#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A service is OOM-killed; the process that takes its address within the second gets its very pid. The
# one that died is blamed, by its start time, with its memory; later, when somebody kills the heir, the
# heir's death is no memory death.
. "$(dirname "$0")/lib.sh"
SUITE=live
NAME=same_pid
require_rig
rig_start

# The reports about processes of this pid: "SCHEMA START_TIME VERDICT" each.
reports_of() { # PYTHON_EXPRESSION over r (a report) and p (its process)
	"$PYTHON" - "$RIG/reports.jsonl" "$CULPRIT" "$1" <<'READER'
import json, sys
for line in open(sys.argv[1], encoding="utf-8"):
    r = json.loads(line)
    p = r.get("process") or {}
    if p.get("process.pid") == int(sys.argv[2]) and eval(sys.argv[3]):
        print(r["schema"], p["process.creation.time"], r.get("verdict", {}).get("class", ""))
READER
}

read -r PORT UPSTREAM <<<"$(free_ports 2)"
CGROUP=$(memory_cgroup service 160)
warm_page_cache
(rig_exec "$CGROUP" -- "$NODE" "$WORKLOADS/leak.js" --port "$UPSTREAM" \
	--bytes $((40000 * SLOWNESS)) --mode $HEAP_LEAK) >"$RIG/service.log" 2>&1 </dev/null &
CULPRIT=$!
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1
require_watch --tick 1s
start heir "$PYTHON" "$WORKLOADS/heir.py" "$CULPRIT" "$NODE" "$WORKLOADS/healthy.js" \
	--port "$UPSTREAM" --mib 20
load load "$PORT" 200 60
wait "$CULPRIT" 2>/dev/null # reaped, so that its pid is free
wait_port "$UPSTREAM" 5 || {
	[ "$(grep -c . "$RIG/heir.log")" -gt 0 ] || skip_all "the kernel gives nobody a pid of choice"
}
sleep $QUIET_S
expect "the heir has the pid" "$(cat "$RIG/heir.log")" grep -qx "$CULPRIT" "$RIG/heir.log"
kill -9 "$CULPRIT"
sleep 4
load_stop
sleep 0.5
watch_stop

reports_of 'r["schema"] == "memswell.process_exit"' | sort -u >"$RIG/exits"
reports_of 'r["schema"] == "memswell.incident" and "exit" in p' | sort -u >"$RIG/verdicts"
expect "two processes of one pid ended" "$(cat "$RIG/exits")" \
	test "$(awk '{ print $2 }' "$RIG/exits" | sort -u | wc -l)" -eq 2
FIRST=$(awk 'NR == 1 { print $2 }' "$RIG/exits")
expect "the first died of memory" "$(cat "$RIG/verdicts")" \
	grep -q "^memswell.incident $FIRST memory_death" "$RIG/verdicts"
SECOND=$(awk 'END { print $2 }' "$RIG/exits")
expect "the second did not" "$(cat "$RIG/verdicts")" \
	grep -q "^memswell.incident $SECOND upstream_down_nonmemory" "$RIG/verdicts"
expect "no report confuses them" "$(cat "$RIG/verdicts")" \
	test "$(grep -c "^memswell.incident $SECOND memory_death" "$RIG/verdicts")" -eq 0
check_stream
finish
