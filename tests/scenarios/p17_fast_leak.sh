#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A leak so fast that there is hardly any history when it ends; unless the machine is too slow for it, then
# there is one.
#
# title: dies within seconds after its start
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=134 502>=5 life_s<=14
# also: verdict.insufficient_history=true verdict.confidence<=0.8
# seconds: 35
. "$(dirname "$0")/scenario.sh"
begin
pick HEAP 50 80
pick RATE 200 300
pick LIFE 4 7
gateway "$PORT" "$UPSTREAM"
watch
supervise service 300 "" "$NODE" --max-old-space-size="$HEAP" "$WORKLOADS/leak.js" \
	--port "$UPSTREAM" --bytes "$(leak_bytes "$HEAP" "$RATE" "$LIFE")"
wait_port "$UPSTREAM"
traffic "$RATE" 60
await_lives service end 1 40
awk '$1 == "start" { began[$2] = $3 } $1 == "end" { print "life_s", ($4 - began[$2]) / 1000; exit }' \
	"$RIG/service.lives" >"$RIG/witness"
sleep 5
load_stop
sleep $QUIET_S
conclude
