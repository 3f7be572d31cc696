#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A Node.js service keeps Buffers, outside of V8's heap, until its cgroup's limit: an OOM kill too,
# but heap snapshots would show nothing, so the cause has to say so.
. "$(dirname "$0")/lib.sh"
NAME=native_leak
require_rig
rig_start

read -r PORT UPSTREAM <<<"$(free_ports 2)"
CGROUP=$(memory_cgroup service 160)
warm_page_cache
supervise service 2 "$CGROUP" "$NODE" "$WORKLOADS/leak.js" --port "$UPSTREAM" \
	--bytes $((40000 * SLOWNESS)) --mode buffer
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 16
require_watch --tick 1s
load load "$PORT" 200 90 --method POST
CULPRIT=$(service_pid service)
death_and_recovery 60

check_incident --verdict memory_death --cause native_leak --culprit "$CULPRIT" --closed \
	--oom-kills "$(oom_kills "$CGROUP")" \
	--detail signal=9 --detail oom_kill=true --detail memcg_oom=true \
	--moment oom_mark --moment signal --moment exit --moment listener_down \
	--moment first_refused --moment listener_up --moment recovered
check_stream
finish
