#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# guest.sh OUT - in a guest of tests/kernels/boot.sh whose first process is systemd, on cgroup v2 only: pods
# of containerd and containers of podman in the slices and scopes that both have systemd make. One of each dies
# of memory; the one of the pod behind an nginx. Prints "ok" and "not ok" lines.
export MEMSWELL_TEST_SLOWNESS=16 # an emulated processor
. "$(dirname "$0")/lib.sh"
NAME=systemd
cd "$TOP_DIR" || exit 1
MEMSWELL_TEST_KEEP=$1/kept
ulimit -n 20000
SERVICE_ARCHIVE=thin
CRI_CONTAINER_FILTER='.mounts = [ "/usr", "/lib", "/lib64" | { container_path: ., host_path: ., readonly: true } ]'
fail() { # WHAT WHY
	not_ok "$1" "$2"
	finish
}
lap() { echo "# $1: $(cut -d ' ' -f 1 /proc/uptime) s"; }

lap boot
rig_start
machine_whole
SERVICE_PORT=$(free_ports 1)
(podman_start systemd && lap podman) >"$RIG/podman.log" 2>&1 &
warm_page_cache
containerd_start systemd >"$RIG/load.log" 2>&1 ||
	fail "containerd runs" "$(tail -q -n 1 "$RIG/load.log" "$RIG/containerd.log")"
lap containerd

cri_pod checkout-7d4b9c6f5d-x2x9k shop burstable '.linux.security_context.namespace_options.network = "NODE"' &&
	cri_container api 120 0 --bytes 4000000 --mode buffer --port "$SERVICE_PORT" ||
	fail "a pod is made" "$(tail -n 1 "$RIG/containerd.log")"
POD=$CONTAINER_PID POD_CONTAINER=$CONTAINER_ID
echo "start $POD $(now_ms)" >"$RIG/service.lives"
lap pod

wait $! || fail "podman runs" "$(tail -n 1 "$RIG/podman.log")"
podman_run balloon --network host --memory 64m --memory-swap 64m --entrypoint /bin/busybox $PAUSE_IMAGE \
	sh -c 'until [ -e /go ]; do sleep 1; done; exec dd if=/dev/zero of=/dev/null bs=200M count=1' ||
	fail "podman runs a container" "it does not start"
BALLOON=$(podman_pid balloon)
lap container

wait_port "$SERVICE_PORT" 30
PORT=$(free_ports 1)
gateway "$PORT" "$SERVICE_PORT"
require_watch --tick 1s
lap memswell
load load "$PORT" 32 100
touch "/proc/$BALLOON/root/go"
timeout 60 tail --pid="$POD" -s 0.5 -f /dev/null
timeout 10 tail --pid="$BALLOON" -s 0.5 -f /dev/null
lap deaths
sleep 3
cri_status "$POD_CONTAINER" | jq -r --arg pid "$POD" \
	'.status | "end \($pid) \(.exit_code) \(.finished_at / 1000000 | floor)"' >>"$RIG/service.lives"
load_stop
watch_stop
lap end

check_incident --verdict memory_death --cause native_leak,heap_leak,large_payload,unknown_growth \
	--culprit "$POD" --detail oom_kill=true --detail memcg_oom=true --clock-slack-ms 2000 --open-within-ms 5000
check_identity "$POD" container.id="$POD_CONTAINER" container.runtime.name=containerd k8s.container.name=api \
	k8s.pod.name=checkout-7d4b9c6f5d-x2x9k k8s.namespace.name=shop k8s.pod.uid="$POD_UID" \
	k8s.pod.qos_class=Burstable container.image.name=registry.example/shop/checkout-api service.name=checkout \
	process.linux.cgroup="$(pod_cgroup burstable "$POD_UID")/cri-containerd-$POD_CONTAINER.scope"
check_identity "$BALLOON" --only process_exit,oom_kill container.id="$CONTAINER_ID" container.name=balloon \
	container.runtime.name=podman container.image.name=registry.example/pause k8s.pod.name=:absent \
	process.linux.cgroup="/machine.slice/libpod-$CONTAINER_ID.scope"
check_stream
finish
