#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A leak has filled more than half of the cgroup when one large body becomes the last straw.
#
# title: leak, and a large body as the last straw
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=137 502>=2 oom_kills>=1
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick LIMIT 270 310
pick BODY 30 40
pick RATE 120 180
CGROUP=$(memory_cgroup service "$LIMIT")
warm_page_cache
supervise service 2 "$CGROUP" "$NODE" "$OWN_WORKLOADS/parse.js" --port "$UPSTREAM" \
	--bytes "$(leak_bytes 150 "$RATE" 24)"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 90
for _ in {1..400}; do
	[ "$(memory_usage "$CGROUP")" -lt $((190 << 20)) ] || break
	sleep 0.1
done
fault
start bodies "$PYTHON" "$OWN_WORKLOADS/bodies.py" "$PORT" 1 "$BODY" 1
one_death 30
oom_kills "$CGROUP" >"$RIG/oom_kills"
conclude
