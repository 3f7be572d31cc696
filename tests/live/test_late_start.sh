#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# memswell starts when every connection already exists: client to gateway and gateway to service,
# all kept alive. Then the OOM kill.
. "$(dirname "$0")/lib.sh"
SUITE=live
NAME=late_start
require_rig
rig_start

read -r PORT UPSTREAM <<<"$(free_ports 2)"
CGROUP=$(memory_cgroup service 160)
warm_page_cache
supervise service 2 "$CGROUP" "$NODE" "$WORKLOADS/leak.js" --port "$UPSTREAM" --bytes 30000
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 2 32
load load "$PORT" 200 90 --connections 24
CULPRIT=$(service_pid service)
sleep 3
require_watch --tick 1s
death_and_recovery 60

check_incident --verdict memory_death --cause heap_leak --culprit "$CULPRIT" --closed \
	--oom-kills "$(oom_kills "$CGROUP")" \
	--detail signal=9 --detail oom_kill=true --detail memcg_oom=true \
	--moment oom_mark --moment signal --moment exit --moment listener_down \
	--moment first_refused --moment listener_up --moment recovered
check_stream
finish
