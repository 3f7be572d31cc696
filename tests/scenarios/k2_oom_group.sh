#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# memory.oom.group: the whole cgroup dies with the one that grew.
#
# title: group OOM kill
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=137 502>=5 oom_kills>=1
# needs: cgroup2
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick LIMIT 150 220
pick RATE 120 200
pick LIFE 18 26
CGROUP=$(memory_cgroup service "$LIMIT")
echo 1 >"$CGROUP/memory.oom.group"
warm_page_cache
supervise bystander 2 "$CGROUP" sleep 3600
supervise service 2 "$CGROUP" "$NODE" "$WORKLOADS/leak.js" --port "$UPSTREAM" \
	--bytes "$(leak_bytes $((LIMIT - 50)) "$RATE" "$LIFE")" --mode $HEAP_LEAK
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 120
one_death 90
oom_kills "$CGROUP" >"$RIG/oom_kills"
conclude
