#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The gateway speaks HTTP/2 to its clients, so its 502s cannot be read off the wire; the upstream leg
# tells.
#
# title: HTTP/2 client leg, heap leak behind it
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=134 502>=5
# also: impact.status_source=inferred
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick HEAP 60 100
pick RATE 100 180
pick LIFE 18 26
supervise service 2 "" "$NODE" --max-old-space-size="$HEAP" "$WORKLOADS/leak.js" \
	--port "$UPSTREAM" --bytes "$(leak_bytes "$HEAP" "$RATE" "$LIFE")"
wait_port "$UPSTREAM"
start gateway "$NODE" "$OWN_WORKLOADS/h2_gateway.js" --port "$PORT" --upstream "$UPSTREAM"
GATEWAY_PID=$PID
wait_port "$PORT"
watch
start client "$NODE" "$OWN_WORKLOADS/h2_load.js" "$PORT" "$(loaded "$RATE")" 100
one_death 90
conclude
