#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A slow leak far from its limit: a warning is right, an incident would be wrong.
#
# title: slow leak without a death
# expect: none
# witness: failures=0 deaths=0
# culprit: named
# warned: yes
# seconds: 380
# run: long
. "$(dirname "$0")/scenario.sh"
begin
pick RATE 20 40
pick SPEED 2000 3000 # KiB per minute: more than 8 MiB in the 320 s of a window
CGROUP=$(memory_cgroup service 512)
supervise service 2 "$CGROUP" "$NODE" "$WORKLOADS/leak.js" --port "$UPSTREAM" \
	--bytes $((SPEED * 1024 / 60 / RATE * 2 / 3))
wait_port "$UPSTREAM"
culprit "$(service_pid service)"
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 370
wait "$LOAD_PID"
LOAD_PID=
conclude
