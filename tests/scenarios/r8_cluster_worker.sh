#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A worker of a Node.js cluster dies at its heap limit; the listening socket is the primary's and
# stays.
#
# title: cluster worker at V8's limit
# expect: memory_death/heap_leak
# culprit: named
# witness: failures>=1
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
GATEWAY_READ_S=5
pick HEAP 60 100
pick RATE 60 100
pick LIFE 18 26
supervise service 2 "" "$NODE" "$OWN_WORKLOADS/cluster.js" --port "$UPSTREAM" --heap "$HEAP" \
	--bytes "$(leak_bytes "$HEAP" "$RATE" "$LIFE")"
wait_port "$UPSTREAM" 15
gateway "$PORT" "$UPSTREAM"
watch
traffic "$RATE" 120 --method POST
await_child_death "$(service_pid service)" 90
load_stop
sleep $QUIET_S
conclude
