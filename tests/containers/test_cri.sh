#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A pod as a kubelet makes it, through the CRI of containerd: its container leaks until its limit, behind an
# nginx of the host, and is followed by a new one of the same pod. The incident says whose pod it was.
. "$(dirname "$0")/lib.sh"
NAME=cri
require_containers containerd
containerd_start >"$RIG/load.log" 2>&1 ||
	skip_all "containerd does not run here: $(tail -q -n 1 "$RIG/load.log" "$RIG/containerd.log")"
cri_pod checkout-7d4b9c6f5d-x2x9k shop burstable || skip_all "containerd makes no pod"
cri_lives api 160 --bytes 800000 --mode buffer --port "$SERVICE_PORT"
await_lives service start 1 10
death_in_container "$POD_ADDRESS"
CONTAINER_ID=$(head -n 1 "$RIG/service.ids")
check_death container.id="$CONTAINER_ID" container.runtime.name=containerd k8s.container.name=api \
	k8s.pod.name=checkout-7d4b9c6f5d-x2x9k k8s.namespace.name=shop k8s.pod.uid="$POD_UID" \
	k8s.pod.qos_class=Burstable container.image.name=registry.example/shop/checkout-api \
	container.image.tags=':["1.4.2"]' container.name=:absent service.name=checkout \
	process.linux.cgroup="/kubepods/burstable/pod$POD_UID/$CONTAINER_ID"
finish
