#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A Node.js service keeps something of every request until V8's own heap limit.
#
# title: heap leak until V8 aborts
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=134 502>=5
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick HEAP 70 120
pick RATE 150 250
pick LIFE 20 30
supervise service 2 "" "$NODE" --max-old-space-size="$HEAP" "$WORKLOADS/leak.js" \
	--port "$UPSTREAM" --bytes "$(leak_bytes "$HEAP" "$RATE" "$LIFE")"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM"
watch
traffic "$RATE" 120
one_death 90
conclude
