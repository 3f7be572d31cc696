#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Buffers leak up to the cgroup's limit, while the page cache of the program itself is charged there:
# the kernel always finds a page to take back, so nobody is killed and nobody is served.
#
# title: native leak into a stall at the cgroup's limit
# expect: memory_stall/native_leak
# accept: memory_death/native_leak
# witness: 504>=5
# seconds: 60
. "$(dirname "$0")/scenario.sh"
begin
pick LIMIT 240 320
pick RATE 80 140
pick LIFE 18 26
GATEWAY_READ_S=4
GATEWAY_CONNECT_S=2
CGROUP=$(memory_cgroup service "$LIMIT")
# Its own copy of the program, not in anybody's page cache yet.
mkdir "$RIG/scratch"
cp "$(readlink -f "$NODE")" "$RIG/scratch/node"
sync "$RIG/scratch/node"
dd if="$RIG/scratch/node" iflag=nocache count=0 2>/dev/null
supervise service 2 "$CGROUP" "$RIG/scratch/node" "$WORKLOADS/leak.js" --mode buffer \
	--port "$UPSTREAM" --bytes $(((LIMIT - 90 << 20) / (RATE * LIFE)))
wait_port "$UPSTREAM" 15
culprit "$(service_pid service)"
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 55
sleep 56
conclude
