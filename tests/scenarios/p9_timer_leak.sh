#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A service leaks in a timer: first nobody asks for anything, then somebody does now and then, with
# seconds in between in which it grows just as fast.
#
# title: timer leak at almost no traffic
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=134 502>=1
# also: memory.growth_explained.background>=0.8
# seconds: 55
. "$(dirname "$0")/scenario.sh"
begin
pick HEAP 60 110
pick LIFE 22 32
supervise service 8 "" "$NODE" --max-old-space-size="$HEAP" "$OWN_WORKLOADS/timer_leak.js" \
	--port "$UPSTREAM" --rate $(((HEAP << 20) / LIFE))
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 4
watch
sleep $((LIFE / 2))
traffic 0.5 120
one_death 80
conclude
