#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A Node.js service in a container of podman leaks until the container's limit, behind an nginx of the host.
# The incident says which container it was, by the name and the image that the operator knows.
. "$(dirname "$0")/lib.sh"
NAME=podman
require_containers podman
podman_start >"$RIG/load.log" 2>&1 || skip_all "podman does not run here: $(tail -n 1 "$RIG/load.log")"
podman_run checkout-api --ip 10.88.0.10 --memory 160m --memory-swap 160m $SERVICE_IMAGE --bytes 800000 --mode buffer --port "$SERVICE_PORT"
podman_lives checkout-api
await_lives service start 1 10
death_in_container "$(podman_address checkout-api)"
check_death container.id="$CONTAINER_ID" container.runtime.name=podman container.name=checkout-api \
	container.image.name=registry.example/shop/checkout-api container.image.tags=':["1.4.2"]' \
	k8s.pod.name=:absent k8s.pod.uid=:absent systemd.unit=:absent service.name=checkout-api \
	process.linux.cgroup="/libpod_parent/libpod-$CONTAINER_ID"
finish
