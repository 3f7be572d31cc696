#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# V8 aborts where node is PID 1 of a PID namespace, as in a container: its SIGABRT has no effect there,
# and it dies of the SIGSEGV that abort(3) falls back to.
#
# title: V8 limit as PID 1 of a container
# expect: memory_death/heap_leak
# culprit: named
# witness: exit=139 502>=5
# needs: pidns
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick HEAP 70 110
pick RATE 150 250
pick LIFE 16 24
supervise service 2 "" unshare -pf --kill-child --mount-proc "$NODE" --max-old-space-size="$HEAP" \
	"$WORKLOADS/leak.js" --port "$UPSTREAM" --bytes "$(leak_bytes "$HEAP" "$RATE" "$LIFE")"
wait_port "$UPSTREAM"
culprit "$(child_of "$(service_pid service)")"
gateway "$PORT" "$UPSTREAM"
watch
traffic "$RATE" 120
await_lives service end 1 90 && await_lives service start 2 15 && wait_port "$UPSTREAM" 15
culprit "$(child_of "$(service_pid service)")" # it leaks as well, and may be dead before this is over
sleep $QUIET_S
conclude
