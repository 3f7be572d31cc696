#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A leak that takes more than a minute: long enough to be foretold.
#
# title: heap leak over a minute or two, V8 limit
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=134 502>=5
# warned: yes
# seconds: 130
. "$(dirname "$0")/scenario.sh"
begin
pick HEAP 80 140
pick RATE 80 160
pick LIFE 75 105
supervise service 2 "" "$NODE" --max-old-space-size="$HEAP" "$WORKLOADS/leak.js" \
	--port "$UPSTREAM" --bytes "$(leak_bytes "$HEAP" "$RATE" "$LIFE")"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 300
one_death 260
conclude
