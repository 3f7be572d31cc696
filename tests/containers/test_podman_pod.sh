#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A pod as podman makes it of a Kubernetes manifest: one of its two containers leaks until its own limit. The
# incident says which container it was.
. "$(dirname "$0")/lib.sh"
NAME=podman_pod
require_containers podman
podman_start >"$RIG/load.log" 2>&1 || skip_all "podman does not run here: $(tail -n 1 "$RIG/load.log")"
cat >"$RIG/pod.yaml" <<-YAML
apiVersion: v1
kind: Pod
metadata:
  name: checkout
  labels: { app: checkout }
spec:
  restartPolicy: Never
  containers:
  - name: api
    image: $SERVICE_IMAGE
    imagePullPolicy: Never
    args: ["--bytes", "800000", "--mode", "buffer", "--port", "$SERVICE_PORT"]
    resources: { limits: { memory: 160Mi } }
  - name: log
    image: $PAUSE_IMAGE
    imagePullPolicy: Never
YAML
podman_play "$RIG/pod.yaml" checkout || skip_all "podman plays no pod: $(tail -n 1 "$RIG/play.log")"
CONTAINER_ID=$(machine_podman inspect checkout-api --format '{{.ID}}')
podman_lives checkout-api
await_lives service start 1 10
death_in_container "$(podman_address "$(machine_podman pod inspect checkout --format '{{.InfraContainerID}}')")"
check_death container.id="$CONTAINER_ID" container.runtime.name=podman container.name=checkout-api \
	container.image.name=registry.example/shop/checkout-api container.image.tags=':["1.4.2"]' \
	process.linux.cgroup="/libpod_parent/$POD_ID/libpod-$CONTAINER_ID"
finish
