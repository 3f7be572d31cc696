#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Buffers leak until the cgroup's limit, and the kernel kills.
#
# title: native leak, OOM kill
# expect: memory_death/native_leak
# culprit: service
# witness: exit=137 502>=5 oom_kills>=1
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick LIMIT 150 240
pick RATE 150 250
pick LIFE 18 26
CGROUP=$(memory_cgroup service "$LIMIT")
warm_page_cache
supervise service 2 "$CGROUP" "$NODE" "$WORKLOADS/leak.js" --mode buffer \
	--port "$UPSTREAM" --bytes $(((LIMIT - 50 << 20) / (RATE * LIFE)))
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 120 --method POST
one_death 90
oom_kills "$CGROUP" >"$RIG/oom_kills"
conclude
