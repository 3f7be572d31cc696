#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A pod as a kubelet makes it, through the CRI of containerd: its container leaks until its limit, behind an
# nginx of the host, and once more as a new container of the same pod. The incident says whose pod it was.
. "$(dirname "$0")/lib.sh"
NAME=cri
require_containers containerd
containerd_start >"$RIG/load.log" 2>&1 ||
	skip_all "containerd does not run here: $(tail -n 1 "$RIG/load.log" "$RIG/containerd.log")"
PORT=$(free_ports 1)
cri_pod checkout-7d4b9c6f5d-x2x9k shop burstable || skip_all "containerd makes no pod"
cri_lives api 160 --bytes 800000 --mode buffer
await_lives service start 1 10
gateway "$PORT" "$POD_ADDRESS:8080"
GATEWAY_UPSTREAM=8080
require_watch --tick 1s
load load "$PORT" 25 60
CULPRIT=$(service_pid service)
await_lives service end 1 40 && await_lives service start 2 10 && sleep 3
load_stop
sleep 0.5
watch_stop
check_incident --verdict memory_death --cause native_leak,heap_leak,large_payload --culprit "$CULPRIT" \
	--detail oom_kill=true --detail memcg_oom=true --clock-slack-ms 500
check_stream
finish
