#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The same V8 abort where node is PID 1 of a PID namespace, as in a container: its SIGABRT has no
# effect there, and it dies of the SIGSEGV that abort(3) falls back to, exit status 139.
. "$(dirname "$0")/lib.sh"
SUITE=live
NAME=v8_abort_pid1
require_rig
unshare -pf --kill-child --mount-proc true 2>/dev/null || skip_all "no PID namespaces here"
rig_start

read -r PORT UPSTREAM <<<"$(free_ports 2)"
CGROUP=$(memory_cgroup service 512)
supervise service 2 "$CGROUP" unshare -pf --kill-child --mount-proc \
	"$NODE" --max-old-space-size=80 "$WORKLOADS/leak.js" --port "$UPSTREAM" --bytes 18000
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM"
require_watch --tick 500ms --gateway ":$PORT"
load load "$PORT" 200 90
CULPRIT=$(child_of "$(service_pid service)")
death_and_recovery 60

check_incident --verdict memory_death --cause heap_leak --culprit "$CULPRIT" --closed \
	--oom-kills 0 --detail signal=11 --detail oom_kill=false --detail v8_oom=true \
	--detail abort_ignored=true \
	--moment signal --moment exit --moment listener_down --moment first_refused \
	--moment listener_up --moment recovered
check_stream --gateway ":$PORT"
finish
