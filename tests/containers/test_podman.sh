#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A Node.js service in a container of podman leaks until the container's limit, behind an nginx of the host.
# The incident says which container it was, by the name and the image that the operator knows.
. "$(dirname "$0")/lib.sh"
NAME=podman
require_containers podman
podman_start >"$RIG/load.log" 2>&1 || skip_all "podman does not run here: $(tail -n 1 "$RIG/load.log")"
PORT=$(free_ports 1)
podman_run checkout-api --memory 160m --memory-swap 160m $SERVICE_IMAGE --bytes 800000 --mode buffer
podman_lives checkout-api
gateway "$PORT" "$(podman_address checkout-api):8080"
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
