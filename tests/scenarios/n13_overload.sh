#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A surge of traffic beyond what the service can compute, in front of a short accept queue.
#
# title: traffic surge, accept queue overflows
# expect: backend_overload
# witness: 504>=5 deaths=0
# seconds: 45
. "$(dirname "$0")/scenario.sh"
begin
pick BACKLOG 4 16
pick COST 8 14
GATEWAY_CONNECT_S=2
GATEWAY_READ_S=3
supervise service 2 "" "$NODE" "$OWN_WORKLOADS/app.js" --port "$UPSTREAM" --backlog "$BACKLOG" \
	--cpu-ms "$COST"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM"
watch
traffic 20 60
sleep 8
fault
load surge "$PORT" "$(loaded 300)" 10
wait "$LOAD_PID"
LOAD_PID=
sleep $QUIET_S
conclude
