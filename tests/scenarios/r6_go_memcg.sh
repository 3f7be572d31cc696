#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A Go service leaks until its cgroup's limit.
#
# title: Go, OOM kill
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=137 502>=5 oom_kills>=1
# needs: go
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick LIMIT 90 160
pick RATE 120 200
pick LIFE 16 24
CGROUP=$(memory_cgroup service "$LIMIT")
PROGRAM=$(go_program)
cat "$PROGRAM" >/dev/null
supervise service 2 "$CGROUP" "$PROGRAM" "$UPSTREAM" $(((LIMIT << 20) / (RATE * LIFE) * 3 / 5))
wait_port "$UPSTREAM" 15
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 120
one_death 90
oom_kills "$CGROUP" >"$RIG/oom_kills"
conclude
