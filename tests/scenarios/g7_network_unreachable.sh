#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The upstream's machine is gone from its network, and the router before it says so: ICMP host unreachable.
#
# title: upstream unreachable behind a router
# expect: network
# witness: deaths=0 502>=5 no_route>=5
# warned: no
# needs: netns
# seconds: 40
. "$(dirname "$0")/scenario.sh"
own_network
begin
far_network
behind_far
pick RATE 30 80
supervise service 2 "" nsenter -t "$BEHIND_PID" -n "$NODE" "$OWN_WORKLOADS/app.js" \
	--host "$BEHIND_ADDRESS" --port "$UPSTREAM"
sleep 1.5
gateway "$PORT" "$BEHIND_ADDRESS:$UPSTREAM"
watch
traffic "$RATE" 30
sleep 7
fault
nsenter -t "$BEHIND_PID" -n ip link set far arp off
nsenter -t "$FAR_PID" -n ip neighbour flush dev near
sleep 5
nsenter -t "$BEHIND_PID" -n ip link set far arp on
sleep $QUIET_S
conclude
