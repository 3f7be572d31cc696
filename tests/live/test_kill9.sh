#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Somebody kills a healthy 400 MB service with SIGKILL: it is down, but memory is not why.
. "$(dirname "$0")/lib.sh"
NAME=kill9
require_rig
rig_start

read -r PORT UPSTREAM <<<"$(free_ports 2)"
CGROUP=$(memory_cgroup service 1024)
supervise service 2 "$CGROUP" "$NODE" "$WORKLOADS/healthy.js" --port "$UPSTREAM" --mib 400
wait_port "$UPSTREAM" 15
gateway "$PORT" "$UPSTREAM" 1 16
require_watch --tick 1s
load load "$PORT" 200 60
CULPRIT=$(service_pid service)
sleep 8
SENDER=$(bash -c "kill -9 $CULPRIT; echo \$\$")
death_and_recovery 10

check_incident --verdict upstream_down_nonmemory --culprit "$CULPRIT" --closed \
	--oom-kills 0 --growth no \
	--detail signal=9 --detail oom_kill=false --detail 'signal_code="SI_USER"' \
	--detail "sender_pid=$SENDER" \
	--moment signal --moment exit --moment listener_down --moment first_refused \
	--moment listener_up --moment recovered
check_stream
finish
