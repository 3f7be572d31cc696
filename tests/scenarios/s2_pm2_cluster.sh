#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# pm2 in cluster mode sees at one of its polls, every 30 s, that a service holds more than
# max_memory_restart, and puts new workers in place of the old ones.
#
# title: pm2 restarts for memory, cluster mode
# expect: supervisor_memory_restart/heap_leak
# culprit: named
# witness: deaths=0
# needs: pm2
# seconds: 90
. "$(dirname "$0")/scenario.sh"
begin
pick MAX 110 150
pick RATE 100 180
pick LIFE 22 28
pm2_start cluster "$MAX" leak "$WORKLOADS/leak.js" -- --port "$UPSTREAM" \
	--bytes "$(leak_bytes $((MAX - 55)) "$RATE" "$LIFE")" --delay-ms 40
wait_port "$UPSTREAM" 20
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 150
await_child_death "$PM2_GOD" 90
sleep 4
sleep $QUIET_S
conclude
