#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A Node.js service in a container of podman leaks until the container's limit, behind an nginx of the host.
# The incident says which container it was, by the name and the image that the operator knows.
. "$(dirname "$0")/lib.sh"
NAME=podman
require_containers podman
podman_start >"$RIG/load.log" 2>&1 || skip_all "podman does not run here: $(tail -n 1 "$RIG/load.log")"
podman_service checkout-api
SERVICE_ID=$CONTAINER_ID
# Whoever makes a container of podman writes annotations as he likes.
podman_run liar --memory 32m --memory-swap 32m --annotation io.container.manager=cri-o \
	--annotation io.kubernetes.pod.name=kube-apiserver --annotation io.kubernetes.pod.namespace=kube-system \
	--annotation io.kubernetes.container.name=liar --annotation io.kubernetes.cri-o.ImageName=liar:1 \
	--annotation io.kubernetes.cri.sandbox-name=liar --entrypoint /bin/busybox $PAUSE_IMAGE \
	sh -c 'until [ -e /go ]; do sleep 0.2; done; exec dd if=/dev/zero of=/dev/null bs=100M count=1'
LIAR=$(podman_pid liar)
let_it_die() { touch "/proc/$LIAR/root/go" && await 10 grep -q oom_kill.*"$CONTAINER_ID" "$RIG/reports.jsonl"; }
death_in_container "$ADDRESS" let_it_die
check_identity "$LIAR" --only process_exit,oom_kill container.id="$CONTAINER_ID" container.name=liar \
	container.runtime.name=podman container.image.name=registry.example/pause k8s.pod.name=:absent
CONTAINER_ID=$SERVICE_ID
check_death container.id="$CONTAINER_ID" container.runtime.name=podman container.name=checkout-api \
	container.image.name=registry.example/shop/checkout-api container.image.tags=':["1.4.2"]' \
	k8s.pod.name=:absent k8s.pod.uid=:absent systemd.unit=:absent service.name=checkout-api \
	process.linux.cgroup="/libpod_parent/libpod-$CONTAINER_ID"
finish
