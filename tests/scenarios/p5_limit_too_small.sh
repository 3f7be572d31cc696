#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A service whose working set does not fit into its cgroup: it dies at the same level every life,
# growing ever more slowly as more of what is asked for is there already.
#
# title: limit too small for the working set
# expect: memory_death/limit_too_small
# culprit: service
# witness: exit=137 deaths>=3 502>=5 oom_kills>=3
# seconds: 60
. "$(dirname "$0")/scenario.sh"
begin
pick SET 170 210
pick RATE 150 250
pick ENTRIES 2500 4000
LIMIT=$((30 + SET * 90 / 100)) # all but the last tenth fits
CGROUP=$(memory_cgroup service "$LIMIT")
warm_page_cache
supervise service 1 "$CGROUP" "$NODE" "$OWN_WORKLOADS/working_set.js" --port "$UPSTREAM" \
	--mib "$SET" --entries "$ENTRIES"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 150
await_lives service end 3 110 && sleep $QUIET_S
oom_kills "$CGROUP" >"$RIG/oom_kills"
conclude
