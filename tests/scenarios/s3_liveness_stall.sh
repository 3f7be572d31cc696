#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A container stalls at its limit, and a liveness probe kills it: exit status 137, but no OOM kill.
#
# title: stalled container killed by a liveness probe
# expect: memory_stall/native_leak
# accept: memory_death/native_leak
# culprit: service
# witness: exit=137 failures>=1
# seconds: 60
. "$(dirname "$0")/scenario.sh"
begin
pick LIMIT 240 320
pick RATE 80 140
pick LIFE 16 22
GATEWAY_READ_S=8
GATEWAY_CONNECT_S=2
CGROUP=$(memory_cgroup service "$LIMIT")
mkdir "$RIG/scratch"
cp "$(readlink -f "$NODE")" "$RIG/scratch/node"
sync "$RIG/scratch/node"
dd if="$RIG/scratch/node" iflag=nocache count=0 2>/dev/null
supervise service 2 "$CGROUP" "$RIG/scratch/node" "$WORKLOADS/leak.js" --mode buffer \
	--port "$UPSTREAM" --bytes $(((LIMIT - 90 << 20) / (RATE * LIFE)))
wait_port "$UPSTREAM" 15
start prober bash "$OWN_WORKLOADS/prober.sh" "$UPSTREAM" "$(service_pid service)" 2
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 90
one_death 60
oom_kills "$CGROUP" >"$RIG/oom_kills"
conclude
