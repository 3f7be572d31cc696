#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The same in Buffers, until the cgroup's limit.
#
# title: native leak over a minute or two, cgroup limit
# expect: memory_death/native_leak
# culprit: service
# witness: exit=137 502>=5 oom_kills>=1
# warned: yes
# seconds: 130
. "$(dirname "$0")/scenario.sh"
begin
pick LIMIT 150 240
pick RATE 80 160
pick LIFE 75 100
CGROUP=$(memory_cgroup service "$LIMIT")
warm_page_cache
supervise service 2 "$CGROUP" "$NODE" "$WORKLOADS/leak.js" --mode buffer \
	--port "$UPSTREAM" --bytes $(((LIMIT - 50 << 20) / (RATE * LIFE)))
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 300
one_death 260
oom_kills "$CGROUP" >"$RIG/oom_kills"
conclude
