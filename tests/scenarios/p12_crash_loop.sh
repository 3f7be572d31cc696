#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A leak and a supervisor: it dies again and again. One incident, not one per death.
#
# title: crash loop
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=134 deaths>=4 502>=20
# ever: status=crash_loop
# seconds: 100
. "$(dirname "$0")/scenario.sh"
begin
pick HEAP 60 100
pick RATE 150 250
pick LIFE 11 15
supervise service 2 "" "$NODE" --max-old-space-size="$HEAP" "$WORKLOADS/leak.js" \
	--port "$UPSTREAM" --bytes "$(leak_bytes "$HEAP" "$RATE" "$LIFE")"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM"
watch
traffic "$RATE" 300
await_lives service end 5 250
sleep 4
conclude
