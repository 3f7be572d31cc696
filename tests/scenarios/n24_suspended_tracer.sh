#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# memswell itself is stopped for five seconds while a service leaks.
#
# title: the tracer is suspended
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=134 502>=5
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick HEAP 70 110
pick RATE 120 200
pick LIFE 22 28
supervise service 2 "" "$NODE" --max-old-space-size="$HEAP" "$WORKLOADS/leak.js" \
	--port "$UPSTREAM" --bytes "$(leak_bytes "$HEAP" "$RATE" "$LIFE")"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM"
watch
traffic "$RATE" 120
sleep 8
kill -STOP "$WATCH_PID"
sleep 5
kill -CONT "$WATCH_PID"
one_death 80
conclude
