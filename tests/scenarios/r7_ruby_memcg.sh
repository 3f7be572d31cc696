#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A Ruby service leaks until its cgroup's limit.
#
# title: Ruby, OOM kill
# expect: memory_death/heap_leak
# accept: memory_death/native_leak
# culprit: service
# witness: exit=137 502>=5 oom_kills>=1
# needs: ruby
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick LIMIT 90 160
pick RATE 100 160
pick LIFE 18 26
CGROUP=$(memory_cgroup service "$LIMIT")
cat "$(readlink -f "$(command -v ruby)")" >/dev/null
supervise service 2 "$CGROUP" ruby "$OWN_WORKLOADS/leak.rb" "$UPSTREAM" \
	$(((LIMIT - 20 << 20) / (RATE * LIFE) / 2))
wait_port "$UPSTREAM" 15
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 120
one_death 90
oom_kills "$CGROUP" >"$RIG/oom_kills"
conclude
