#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Two groups share the limit of their parent. One grows; the kernel takes the other, which served and
# was within what it needs.
#
# title: killed for a neighbour's growth
# expect: node_pressure_victim
# culprit: service
# witness: exit=137 502>=5
# seconds: 45
. "$(dirname "$0")/scenario.sh"
begin
pick PARENT 280 360
pick MIB 90 130
pick RATE 100 200
pick LIFE 14 22
OUTER=$(memory_cgroup outer "$PARENT")
if [ -e "$OUTER/cgroup.subtree_control" ]; then echo +memory >"$OUTER/cgroup.subtree_control"; fi
for group in service hog; do
	echo "$OUTER/$group" >>"$RIG/cgroups"
	mkdir "$OUTER/$group"
done
warm_page_cache
supervise service 3 "$OUTER/service" bash -c "echo 900 >/proc/self/oom_score_adj; exec $NODE \
	$OWN_WORKLOADS/app.js --port $UPSTREAM --mib $MIB"
wait_port "$UPSTREAM" 15
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 120
sleep 5
fault
(rig_exec "$OUTER/hog" -- "$PYTHON" "$OWN_WORKLOADS/hog.py" $((PARENT - MIB + 20)) $LIFE) \
	>"$RIG/hog.log" 2>&1 </dev/null &
one_death 40
conclude
