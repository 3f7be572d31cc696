#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The gateway is reloaded under load, and one of its workers asked to go.
#
# title: gateway reload
# expect: none
# witness: failures=0 deaths=0
# warned: no
# seconds: 30
. "$(dirname "$0")/scenario.sh"
begin
pick RATE 100 250
pick WORKERS 1 3
supervise service 2 "" "$NODE" "$OWN_WORKLOADS/app.js" --port "$UPSTREAM" --mib 60
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" "$WORKERS" 16
watch
traffic "$RATE" 24
sleep 5
fault
for _ in 1 2 3; do
	kill -HUP "$GATEWAY_PID"
	sleep 3
done
kill -QUIT "$(child_of "$GATEWAY_PID")"
sleep 8
conclude
