#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# test_budget.sh - a budget nobody can keep: under load hooks are shed in the stated order, each step
# is told in the log, the record stream and the heartbeat, with counted run times beside it; and a
# memory death afterwards is still explained, with what was missing named.
. "$(dirname "$0")/lib.sh"
SUITE=live
NAME=budget
ORDER="vm_events owner_recv reclaim_direct rss_step reclaim_memcg"

require_rig
rig_start
leaking_service 12500
require_watch --budget 0.001 --bpf-stats=50

# A light load that fails nowhere, until there is nothing left to shed.
load calm "$PORT" 5 600
for ((i = 0; i < 900; i++)); do
	grep -q 'what is left of the hooks is needed' "$RIG/memswell.log" && break
	sleep 0.1
done
load_stop
ATTACHED=$(grep '"k":"probe"' "$RIG/records.jsonl" | grep -vE '"state":"(unavailable|off|shed)"' |
	sed 's/.*"name":"\([a-z_0-9]*\)".*/\1/' | tr '\n' ' ')
EXPECTED=
for hook in $ORDER; do [[ " $ATTACHED " != *" $hook "* ]] || EXPECTED+="$hook "; done
SHED=$(grep '"state":"shed"' "$RIG/records.jsonl" | sed 's/.*"name":"\([a-z_0-9]*\)".*/\1/' | tr '\n' ' ')
LOGGED=$(sed -n 's/.*warn: hook \([a-z_0-9]*\) is shed:.*/\1/p' "$RIG/memswell.log" | tr '\n' ' ')
expect "sheds in the stated order" "records say '$SHED', expected '$EXPECTED'" \
	test -n "$SHED" -a "$SHED" = "$EXPECTED"
expect "the log tells each step" "it says '$LOGGED'" test "$LOGGED" = "$EXPECTED"
expect "and that no more can go" "$(tail -n 1 "$RIG/memswell.log")" \
	grep -q 'what is left of the hooks is needed' "$RIG/memswell.log"

load load "$PORT" 200 110
CULPRIT=$(service_pid service)
death_and_recovery 80
HEARTBEAT=$(grep '"memswell.heartbeat"' "$RIG/reports.jsonl" | tail -n 1)
expect "the heartbeat names them" "$HEARTBEAT" \
	grep -q "\"shed\":\[[^]]*\"vm_events\"[^]]*\"reclaim_memcg\"" <<<"$HEARTBEAT"
expect "run time is counted" "$HEARTBEAT" grep -q '"bpf":{"source":"sampled","run_s":0*\.[0-9]*[1-9]' \
	<<<"$HEARTBEAT"
expect "and how full the rings were" "$HEARTBEAT" \
	grep -q '"name":"critical","size_bytes":1048576,' <<<"$HEARTBEAT"
expect "what is missing is named" "no incident names it" \
	grep -q '"memswell.incident".*"vm_events"' "$RIG/reports.jsonl"
check_incident --verdict memory_death --cause heap_leak --culprit "$CULPRIT" --closed \
	--oom-kills "$(oom_kills "$CGROUP")" --detail signal=9 --detail oom_kill=true
check_stream
finish
