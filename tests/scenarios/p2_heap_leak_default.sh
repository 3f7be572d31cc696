#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The same without flags, in a cgroup of some 512 MiB: V8's default limit there is about half of it.
#
# title: heap leak until V8's default limit in a cgroup
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=134 502>=5 oom_kills=0
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick LIMIT 440 540
pick RATE 120 200
pick LIFE 22 30
CGROUP=$(memory_cgroup service "$LIMIT")
supervise service 2 "$CGROUP" "$NODE" "$WORKLOADS/leak.js" --port "$UPSTREAM" \
	--bytes "$(leak_bytes 259 "$RATE" "$LIFE")"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 2 16
watch
traffic "$RATE" 120
one_death 90
oom_kills "$CGROUP" >"$RIG/oom_kills"
conclude
