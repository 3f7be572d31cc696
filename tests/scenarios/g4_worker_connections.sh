#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The gateway has too few connections of its own for what its clients ask; the service is idle.
#
# title: gateway out of worker_connections
# expect: proxy_local_exhaustion
# witness: deaths=0 no_connections>=5
# warned: no
# seconds: 40
. "$(dirname "$0")/scenario.sh"
begin
pick CONNECTIONS 24 48
pick DELAY 200 500
GATEWAY_CONNECTIONS=$CONNECTIONS
supervise service 2 "" "$NODE" "$OWN_WORKLOADS/app.js" --port "$UPSTREAM" --delay-ms "$DELAY"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM"
watch
traffic 5 60
sleep 6
fault
load surge "$PORT" "$(loaded 250)" 8
wait "$LOAD_PID"
LOAD_PID=
sleep $QUIET_S
conclude
