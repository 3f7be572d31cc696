#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A few very large JSON bodies at once, parsed in memory: the cgroup is full in less than a second.
#
# title: large request bodies
# expect: memory_death/large_payload
# culprit: service
# witness: exit=137 502>=2 oom_kills>=1
# seconds: 40
. "$(dirname "$0")/scenario.sh"
begin
pick LIMIT 260 340
pick BODY 45 70
pick RATE 20 60
CGROUP=$(memory_cgroup service "$LIMIT")
warm_page_cache
supervise service 2 "$CGROUP" "$NODE" "$OWN_WORKLOADS/parse.js" --port "$UPSTREAM"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 90
sleep 10
fault
start bodies "$PYTHON" "$OWN_WORKLOADS/bodies.py" "$PORT" 4 "$BODY" 4
one_death 30
oom_kills "$CGROUP" >"$RIG/oom_kills"
conclude
