#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The gateway opens a connection per request, and its machine has few local ports: all of them wait in
# TIME_WAIT.
#
# title: gateway out of local ports
# expect: proxy_local_exhaustion
# witness: deaths=0 502>=5 no_port>=5
# warned: no
# needs: netns
# seconds: 40
. "$(dirname "$0")/scenario.sh"
own_network
begin
pick COUNT 150 300
pick RATE 60 120
echo "40000 $((40000 + COUNT))" >/proc/sys/net/ipv4/ip_local_port_range
echo 0 >/proc/sys/net/ipv4/tcp_tw_reuse
supervise service 2 "" "$NODE" "$OWN_WORKLOADS/app.js" --port "$UPSTREAM"
wait_port "$UPSTREAM"
# Answered by HTTP/1.0 the gateway closes first, and its port stays taken for a minute.
gateway "$PORT" "$UPSTREAM" 1 0
watch
traffic "$RATE" 12 --connections 20
wait "$LOAD_PID"
LOAD_PID=
sleep $QUIET_S
conclude
