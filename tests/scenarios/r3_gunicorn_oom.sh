#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Pre-forked Python workers leak in one cgroup; the kernel kills one of them, the others go on.
#
# title: gunicorn worker OOM-killed
# expect: memory_death/heap_leak
# culprit: named
# witness: failures>=1 oom_kills>=1
# needs: gunicorn
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick LIMIT 150 220
pick RATE 70 110
pick LIFE 18 26
CGROUP=$(memory_cgroup service "$LIMIT")
cat "$("$PYTHON" -c 'import os, sys; print(os.path.realpath(sys.executable))')" >/dev/null
supervise service 2 "$CGROUP" env DELAY_S=0.02 LEAK_BYTES=$(((LIMIT - 70 << 20) / (RATE * LIFE))) \
	gunicorn --workers 3 --bind "127.0.0.1:$UPSTREAM" --chdir "$OWN_WORKLOADS" \
	--timeout 60 leak_wsgi:app
wait_port "$UPSTREAM" 15
sleep 2
gateway "$PORT" "$UPSTREAM"
watch
traffic "$RATE" 120
for pid in $(children_of "$(service_pid service)"); do culprit "$pid"; done # each of them leaks
await_child_death "$(service_pid service)" 90
sleep $QUIET_S
oom_kills "$CGROUP" >"$RIG/oom_kills"
conclude
