#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# What the runtime knows of a container is not there for memswell before the container has died: the incident
# opens with what its cgroup says, and a later record of it has the name and the image.
. "$(dirname "$0")/lib.sh"
NAME=late
require_containers podman
podman_start >"$RIG/load.log" 2>&1 || skip_all "podman does not run here: $(tail -n 1 "$RIG/load.log")"
podman_service checkout-api

# From here on inside is where podman's files are hidden below an empty directory.
mount_namespace "mount -t tmpfs tmpfs /var/lib/containers" || skip_all "no mount namespace in another"
INSIDE=(nsenter -t "$HOLDER" -m -n)
is_open() { grep '"record":"open"' "$RIG/reports.jsonl" | grep -q "$CONTAINER_ID"; }
is_named() { # in any later record
	grep '"schema":"memswell.incident"' "$RIG/reports.jsonl" | grep -q '"container.name":"checkout-api"'
}
show_files() {
	await 10 is_open
	load_stop # or it dies once more, and the incident is about that death then
	inside umount /var/lib/containers
	await 30 is_named
}
death_in_container "$ADDRESS" show_files
check_identity "$CULPRIT" --only open,process_exit,oom_kill container.id="$CONTAINER_ID" \
	container.runtime.name=podman container.name=:null container.image.name=:null
check_identity "$CULPRIT" --only incident container.id="$CONTAINER_ID" container.runtime.name=podman \
	container.name=checkout-api container.image.name=registry.example/shop/checkout-api
check_stream
finish
