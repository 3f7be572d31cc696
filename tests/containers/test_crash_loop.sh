#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A pod whose names and annotations are as hostile as a runtime takes them, and whose container dies again and
# again: each life is another container, each death says which one, the one before is removed meanwhile.
. "$(dirname "$0")/lib.sh"
NAME=crash_loop
require_containers containerd
CRI_RUNTIME_LINES='pod_annotations = ["*"]
container_annotations = ["*"]'
containerd_start >"$RIG/load.log" 2>&1 ||
	skip_all "containerd does not run here: $(tail -q -n 1 "$RIG/load.log" "$RIG/containerd.log")"
POD=$'../..\n{"schema":"memswell.incident"}\e[31m\u202e"\\ \u00e9'
NAMESPACE=$'kube-system","k8s.pod.name":"x'
cri_pod "$POD" "$NAMESPACE" besteffort '.annotations = {
	"io.kubernetes.cri.sandbox-name": "liar", "io.kubernetes.cri.sandbox-namespace": "liar",
	"io.kubernetes.cri.sandbox-uid": "liar", "io.kubernetes.cri.container-name": "liar",
	"io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri-o.ImageName": "liar",
	"io.container.manager": "cri-o", "padding": ("x" * 20000) }' || skip_all "containerd makes no such pod"
cri_lives api 160 --bytes 1500000 --mode buffer --port "$SERVICE_PORT"
await_lives service start 1 10
death_in_container "$POD_ADDRESS" await_lives service end 2 40
SECOND=$(awk '$1 == "start" { pid = $2; if (++n == 2) exit } END { print pid }' "$RIG/service.lives")
WHOSE=(container.runtime.name=containerd k8s.container.name=api k8s.pod.name="$POD"
	k8s.namespace.name="$NAMESPACE" k8s.pod.uid="$POD_UID" k8s.pod.qos_class=BestEffort
	container.image.name=registry.example/shop/checkout-api)
check_identity "$CULPRIT" --only process_exit,oom_kill "${WHOSE[@]}" container.id="$(sed -n 1p "$RIG/service.ids")"
check_identity "$SECOND" --only process_exit,oom_kill "${WHOSE[@]}" container.id="$(sed -n 2p "$RIG/service.ids")"
FIRST=$(grep "$(sed -n 1p "$RIG/service.ids")" "$RIG/records.jsonl" | jq -r 'select(.k == "cgroup") | .memcg' | head -n 1)
expect "the end of the first container is known" "no record of it" \
	grep -q "\"k\":\"cgroup\".*\"memcg\":$FIRST,.*\"removed\":1" "$RIG/records.jsonl"
check_stream
finish
