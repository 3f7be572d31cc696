#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The gateway's own machine loses its route to the upstream: connect() fails before anything is sent, so
# that no socket event tells. That nobody knows is then the honest answer.
#
# title: no route to the upstream from this machine
# expect: unexplained
# accept: network proxy_local_exhaustion
# witness: deaths=0 502>=5 no_route>=5
# warned: no
# needs: netns
# seconds: 40
. "$(dirname "$0")/scenario.sh"
own_network
begin
far_network
pick RATE 30 80
supervise service 2 "" nsenter -t "$FAR_PID" -n "$NODE" "$OWN_WORKLOADS/app.js" \
	--host "$FAR_ADDRESS" --port "$UPSTREAM"
sleep 1.5
gateway "$PORT" "$FAR_ADDRESS:$UPSTREAM"
watch
traffic "$RATE" 30
sleep 7
fault
ip route add unreachable "$FAR_ADDRESS/32"
sleep 5
ip route del unreachable "$FAR_ADDRESS/32"
sleep $QUIET_S
conclude
