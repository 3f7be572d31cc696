#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A request computes for ever, the event loop answers nobody, a liveness probe kills the service.
#
# title: event loop blocked, killed by a liveness probe
# expect: upstream_down_nonmemory
# culprit: service
# witness: exit=137 502>=1
# warned: no
# seconds: 40
. "$(dirname "$0")/scenario.sh"
begin
pick MIB 40 160
pick RATE 60 140
supervise service 2 "" "$NODE" "$OWN_WORKLOADS/app.js" --port "$UPSTREAM" --mib "$MIB"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 16
start prober bash "$OWN_WORKLOADS/prober.sh" "$UPSTREAM" "$(service_pid service)" 1
watch
traffic "$RATE" 60
sleep 8
fault
load spin "$PORT" 1 1 --path /spin/20000
one_death 25
conclude
