#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The way back from the upstream's network is cut: packets vanish.
#
# title: network loses packets to the upstream
# expect: network
# witness: deaths=0 504>=5
# warned: no
# needs: netns
# seconds: 45
. "$(dirname "$0")/scenario.sh"
own_network
begin
far_network
pick RATE 30 80
GATEWAY_CONNECT_S=2
GATEWAY_READ_S=4
supervise service 2 "" nsenter -t "$FAR_PID" -n "$NODE" "$OWN_WORKLOADS/app.js" \
	--host "$FAR_ADDRESS" --port "$UPSTREAM"
sleep 1.5
gateway "$PORT" "$FAR_ADDRESS:$UPSTREAM" 1 8
watch
traffic "$RATE" 40
sleep 7
fault
nsenter -t "$FAR_PID" -n ip route add blackhole "$NEAR_ADDRESS/32"
sleep 10
nsenter -t "$FAR_PID" -n ip route del blackhole "$NEAR_ADDRESS/32"
sleep $QUIET_S
conclude
