#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A heap leak behind haproxy, which answers 503 where nginx would say 502.
#
# title: heap leak behind haproxy
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=134 503>=5
# needs: haproxy
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick HEAP 70 120
pick RATE 120 200
pick LIFE 18 26
supervise service 4 "" "$NODE" --max-old-space-size="$HEAP" "$WORKLOADS/leak.js" \
	--port "$UPSTREAM" --bytes "$(leak_bytes "$HEAP" "$RATE" "$LIFE")"
wait_port "$UPSTREAM"
haproxy_gateway "$PORT" "$UPSTREAM"
watch
traffic "$RATE" 120
one_death 90
conclude
