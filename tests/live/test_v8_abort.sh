#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A Node.js service leaks until V8's own heap limit and aborts: exit status 134.
. "$(dirname "$0")/lib.sh"
NAME=v8_abort
require_rig
rig_start

read -r PORT UPSTREAM <<<"$(free_ports 2)"
CGROUP=$(memory_cgroup service 512)
supervise service 2 "$CGROUP" "$NODE" --max-old-space-size=80 "$WORKLOADS/leak.js" \
	--port "$UPSTREAM" --bytes $((18000 * SLOWNESS)) --mode $HEAP_LEAK
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM"
require_watch --tick 500ms
load load "$PORT" 200 90
CULPRIT=$(service_pid service)
death_and_recovery 60

check_incident --verdict memory_death --cause heap_leak --culprit "$CULPRIT" --closed \
	--oom-kills 0 --detail signal=6 --detail oom_kill=false --detail 'signal_code="SI_TKILL"' \
	--detail v8_oom=true --detail "sender_pid=$CULPRIT" \
	--moment signal --moment exit --moment listener_down --moment first_refused \
	--moment listener_up --moment recovered
check_stream
finish
