#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# One location of the gateway names a port where nobody ever listened; beside it a service whose memory
# goes up and down with its garbage collector.
#
# title: misconfigured upstream beside a GC saw-tooth
# expect: config
# witness: connect_refused>=5 deaths=0
# warned: no
# seconds: 45
. "$(dirname "$0")/scenario.sh"
begin
pick RATE 80 160
pick GARBAGE 60000 140000
pick WRONG 2 8
supervise service 2 "" "$NODE" "$OWN_WORKLOADS/app.js" --port "$UPSTREAM" --garbage "$GARBAGE"
wait_port "$UPSTREAM"
about_port "$OTHER"
gateway "$PORT" "$UPSTREAM" 1 16 "location /wrong { proxy_pass http://127.0.0.1:$OTHER; }"
watch
traffic "$RATE" 60
sleep 6
fault
for _ in 1 2 3; do
	load wrong "$PORT" "$(loaded "$WRONG")" 3 --path /wrong
	wait "$LOAD_PID"
	sleep 4
done
LOAD_PID=
sleep $QUIET_S
conclude
