#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The pod that the manifests describe, run by podman with exactly their capabilities: a Node.js service in a
# pod of its own dies of memory behind nginx, and memswell's stdout holds one incident that names that pod.
# Before and after, the kernel is asked what memswell may do.
. "$(dirname "$0")/../containers/lib.sh"
NAME=pod
NODE_NAME=node-7
VICTIM=checkout-6d5f
STORAGE=/var/lib/containers/storage/overlay-containers
ARCHIVE=$TOP_DIR/build/image/memswell-$(dpkg --print-architecture).tar
# CAP_DAC_READ_SEARCH 2, NET_ADMIN 12, SYS_PTRACE 19, PERFMON 38, BPF 39; of them kept: 2 and 19.
GIVEN=000000c000081004
KEPT=0000000000080004
export DISABLE_HC_SYSTEMD=true # podman's own probes would take systemd and a shell; see check_probe

[ -e "$ARCHIVE" ] || { echo "skip $NAME - no image, make image"; exit 0; }
require_containers podman
podman_start >"$RIG/podman.log" 2>&1 || skip_all "podman does not run here: $(tail -n 1 "$RIG/podman.log")"
machine_podman load -q -i "$ARCHIVE" >>"$RIG/podman.log" 2>&1

# play FILE POD [PIDNS]: as podman_play, with our seccomp profile. This podman overlooks hostPID.
play() {
	sed -i "s/^pidns = .*//; s/^\[containers\]/&\npidns = \"${3:-private}\"/" "$RIG/machine/etc/containers.conf"
	machine_podman kube play --start=false --seccomp-profile-root "$TOP_DIR/deploy/kubernetes/seccomp" "$1" \
		>"$RIG/play.log" 2>&1 || return 1
	machine_cgroup "libpod_parent/$(machine_podman pod inspect "$2" --format '{{.ID}}')"
	machine_podman pod start "$2" >>"$RIG/play.log" 2>&1
}

victim_pod() {
	cat <<-YAML
	apiVersion: v1
	kind: Pod
	metadata: { name: $VICTIM, labels: { app: checkout } }
	spec:
	  restartPolicy: Never
	  containers:
	    - name: checkout-api
	      image: $SERVICE_IMAGE
	      args: [--port, "$SERVICE_PORT", --bytes, "400000", --mode, buffer]
	      resources: { limits: { memory: 160Mi } }
	YAML
}

# memswell, from the manifests that users apply.
watch_pod() {
	"$PYTHON" "$TOP_DIR/tests/image/pod_of.py" "$TOP_DIR/deploy/kubernetes/memswell.yaml" $NODE_NAME $STORAGE \
		>"$RIG/memswell.yaml" || return 1
	play "$RIG/memswell.yaml" memswell host || return 1
	CONTAINER=memswell-memswell
	WATCH_PID=$(podman_pid $CONTAINER)
	local i
	for ((i = 0; i < 100; i++)); do
		machine_podman logs $CONTAINER 2>"$RIG/memswell.log" >"$RIG/reports.jsonl"
		grep -q 'ready:' "$RIG/memswell.log" && [ -s "$RIG/reports.jsonl" ] && return 0
		kill -0 "$WATCH_PID" 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}

status_of() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$WATCH_PID/status"; } # FIELD
is() { expect "$1" "$2, expected $3" test "$2" = "$3"; }                  # WHAT FOUND WANTED

# What the kernel says of the running container's process.
check_confinement() {
	is "capabilities it could ever get are those of the manifest" "$(status_of CapBnd)" $GIVEN
	is "of which it has kept what it needs while running" "$(status_of CapEff)" $KEPT
	is "and can have no other again" "$(status_of CapPrm) $(status_of CapInh) $(status_of CapAmb)" \
		"$KEPT 0000000000000000 0000000000000000"
	is "no new privileges" "$(status_of NoNewPrivs)" 1
	is "system calls are filtered, by the runtime and by itself" "$(status_of Seccomp) $(status_of Seccomp_filters)" "2 2"
	is "root, for added capabilities go to no other user" "$(status_of Uid | cut -f 1)" 0
	is "the host's processes are seen" "$(readlink "/proc/$WATCH_PID/ns/pid")" "$(readlink /proc/self/ns/pid)"
	expect "not the host's network" "the same namespace" test \
		"$(readlink "/proc/$WATCH_PID/ns/net")" != "$(readlink "/proc/$MACHINE/ns/net")"
	awk '$5 == "/" { print $6 }' "/proc/$WATCH_PID/mountinfo" | cut -d , -f 1 >"$RIG/root"
	is "the root file system is read-only" "$(cat "$RIG/root")" ro
	# Beside what the runtime makes for every container.
	awk '$6 ~ /^rw/ { print $5 }' "/proc/$WATCH_PID/mountinfo" |
		grep -vE '^/(proc|dev|sys/fs/cgroup|host)(/|$)|^/etc/(hosts|hostname|resolv.conf)$|^/run/\.containerenv$|^/run/secrets' \
		>"$RIG/writable"
	is "nothing but its state can be written" "$(tr '\n' ' ' <"$RIG/writable")" "/run/memswell "
	# Read-only does not reach what is mounted below, such as other containers' file systems; there it is
	# memswell's own filter that refuses to open anything for writing.
	awk -v state="/host$STORAGE" '$5 == "/sys/fs/cgroup" || $5 == state { print $5, $6 }' \
		"/proc/$WATCH_PID/mountinfo" | grep -v ' ro' >"$RIG/not_ro"
	is "what is the host's is mounted read-only" "$(cat "$RIG/not_ro")" ""
}

# check_probe WHAT STATUS [OPTION]: the liveness probe of the manifest, as a kubelet runs it; podman would
# have a shell run it, and the image has none.
check_probe() {
	local command status
	mapfile -t command < <("$PYTHON" -c 'import sys, yaml
print(*yaml.safe_load(sys.stdin)["spec"]["containers"][0]["livenessProbe"]["exec"]["command"], sep="\n")' \
		<"$RIG/memswell.yaml")
	machine_podman exec $CONTAINER "${command[@]}" ${3-} >"$RIG/probe.log" 2>&1
	status=$?
	expect "$1" "status $status: $(tail -n 1 "$RIG/probe.log")" test $status -eq "$2"
}

# Its first line, and what it may cost, against the limit of the manifest.
check_start() {
	local limit ceilings
	is "reports carry the node's name" \
		"$(head -n 1 "$RIG/reports.jsonl" | jq -r '.resource["host.name"]')" $NODE_NAME
	is "and the node's id" "$(head -n 1 "$RIG/reports.jsonl" | jq -r '.resource["host.id"]')" "$(cat /etc/machine-id)"
	is "every hook attached but the one that takes CAP_SYS_ADMIN" \
		"$(head -n 1 "$RIG/reports.jsonl" | jq -r '[.probes[] | select(.state == "unavailable").name] | join(" ")')" v8_oom
	limit=$(machine_podman inspect $CONTAINER --format '{{.HostConfig.Memory}}')
	machine_podman exec $CONTAINER /usr/bin/memswell check -o json >"$RIG/check.json" 2>/dev/null
	ceilings=$(jq '[.ceilings.rss_bytes, .ceilings.map_bytes] | add' "$RIG/check.json")
	expect "its ceilings fit into its memory limit" "$ceilings in $limit" test "${ceilings:-$limit}" -lt "$limit"
}

# podman, unlike Kubernetes, gives capabilities to users other than root.
check_as_nobody() {
	local image
	image=$(machine_podman inspect $CONTAINER --format '{{.ImageName}}')
	machine_podman run --rm --user 65534:65534 --pid host --network none --read-only --cap-drop all \
		--cap-add BPF,PERFMON,NET_ADMIN,SYS_PTRACE,DAC_READ_SEARCH --security-opt no-new-privileges \
		--security-opt "seccomp=$TOP_DIR/deploy/kubernetes/seccomp/memswell.json" \
		-v /sys/fs/cgroup:/sys/fs/cgroup:ro,rslave "$image" check -o json >"$RIG/nobody.json" 2>"$RIG/nobody.log"
	is "as another user than root it attaches as much" "$(jq -r .hooks_attached "$RIG/nobody.json")" \
		"$(head -n 1 "$RIG/reports.jsonl" | jq '[.probes[] | select(.state == "attached")] | length')"
}

read -r PORT SERVICE_PORT <<<"$(free_ports 2)"
victim_pod >"$RIG/victim.yaml"
play "$RIG/victim.yaml" $VICTIM || skip_all "podman plays no pod: $(tail -n 1 "$RIG/play.log")"
podman_lives $VICTIM-checkout-api
INFRA=$(machine_podman pod inspect $VICTIM --format '{{.InfraContainerID}}')
gateway "$PORT" "$(podman_address "$INFRA"):$SERVICE_PORT"
watch_pod || { not_ok "memswell starts" "$(tail -n 1 "$RIG/memswell.log" "$RIG/play.log")"; finish; }
GATEWAY_UPSTREAM=$SERVICE_PORT
load load "$PORT" 25 60
check_confinement
check_start
check_probe "its loop comes round: the liveness probe is content" 0
CULPRIT=$(service_pid service)
touch "$RIG/service.stop" # podman has ended the pod with its only container
await_lives service end 1 40 && sleep 4
load_stop
kill -STOP "$WATCH_PID"
sleep 3
check_probe "a loop that does not come round fails it" 1 --max-age=2s
kill -CONT "$WATCH_PID"
machine_podman stop -t 5 $CONTAINER >/dev/null 2>&1
machine_podman logs $CONTAINER >"$RIG/reports.jsonl" 2>"$RIG/memswell.log"
is "it ends in order" "$(machine_podman inspect $CONTAINER --format '{{.State.ExitCode}}')" 0
check_incident --verdict memory_death --cause native_leak,heap_leak,large_payload --culprit "$CULPRIT" \
	--detail oom_kill=true --detail memcg_oom=true --clock-slack-ms 500
check_valid "$RIG/reports.jsonl"
grep '"memswell.incident"' "$RIG/reports.jsonl" | tail -n 1 >"$RIG/incident.json"
is "it names pod and container, image and runtime" "$(jq -r '.resource |
	[.["container.name"], .["container.image.name"], .["container.runtime.name"]] | join(" ")' "$RIG/incident.json")" \
	"$VICTIM-checkout-api ${SERVICE_IMAGE%:*} podman"
is "and the container by its id" "$(jq -r '.resource["container.id"]' "$RIG/incident.json")" \
	"$(machine_podman inspect $VICTIM-checkout-api --format '{{.Id}}')"
check_as_nobody
finish
