#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# guest.sh OUT - a node with all of Kubernetes, in a guest of tests/kernels/boot.sh: etcd, API server,
# controllers, scheduler, containerd and a kubelet, cgroup v2. The DaemonSet of OUT/memswell.yaml is rolled
# out; then a Node.js service in a pod of its own leaks to its limit behind nginx, and its kubelet starts it
# again. What memswell's pod wrote to stdout must hold one incident that names that pod. Under systemd, for
# probes enter containers by their mount namespace, whose root has to be the system's, not that of init.
OUT=$1
export MEMSWELL_TEST_SLOWNESS=8 API_SECONDS=240
. "$(dirname "$0")/lib.sh"
NAME=rollout
NODE_NAME=node-7
ADDRESS=10.0.0.7 # of the node, on its loopback
INSIDE=()
SOCKET=/run/containerd/containerd.sock
images() { ctr -n k8s.io -a $SOCKET images "$@"; }

# await SECONDS WHAT COMMAND...: a result, and status 1 if it does not come.
await() {
	local seconds=$1 what=$2
	local end=$((SECONDS + seconds))
	shift 2
	while [ $SECONDS -lt $end ]; do
		if "$@" >/dev/null 2>&1; then
			ok "$what"
			echo "# $(cut -d ' ' -f 1 /proc/uptime) s after boot"
			return 0
		fi
		sleep 1
	done
	not_ok "$what" "not within $seconds s"
	return 1
}

node_start() {
	local dir=$RIG/node
	mkdir -p "$dir/cni/bin" "$dir/cni/net" /run/containerd /var/lib/{containerd,kubelet,cni} /var/log/{pods,containers}
	mount -t tmpfs tmpfs /var/lib/containerd # overlay does not go onto overlay
	mount -t tmpfs tmpfs /var/lib/kubelet
	mkdir -p /run/containerd /var/lib/kubelet/seccomp
	mount --make-rshared /
	cp "$TOP_DIR/deploy/kubernetes/seccomp/memswell.json" /var/lib/kubelet/seccomp/
	ip address add $ADDRESS/32 dev lo
	cp "$TOP_DIR/tests/kubernetes/cni.sh" "$dir/cni/bin/addresses"
	cp /usr/lib/cni/loopback "$dir/cni/bin/"
	echo '{ "cniVersion": "0.4.0", "name": "rig", "plugins": [ { "type": "addresses" } ] }' >"$dir/cni/net/rig.conflist"
	cat >"$dir/containerd.toml" <<-TOML
	version = 2
	[plugins."io.containerd.grpc.v1.cri"]
	  sandbox_image = "registry.example/pause:3.9"
	  [plugins."io.containerd.grpc.v1.cri".cni]
	    bin_dir = "$dir/cni/bin"
	    conf_dir = "$dir/cni/net"
	TOML
	start containerd containerd --config "$dir/containerd.toml" --address $SOCKET
	await 180 "containerd starts" ctr -a $SOCKET version || return 1
	for archive in "$OUT"/*.tar; do
		images import "$archive" >>"$RIG/images.log" 2>&1
	done
	images ls -q | sed 's/^/# image /'
}

kubeconfig() {
	cat >"$RIG/kubeconfig" <<-YAML
	apiVersion: v1
	kind: Config
	current-context: rig
	contexts: [ { name: rig, context: { cluster: rig, user: admin } } ]
	clusters: [ { name: rig, cluster: { server: "$API", insecure-skip-tls-verify: true } } ]
	users: [ { name: admin, user: { token: "$TOKEN" } } ]
	YAML
	cat >"$RIG/kubelet.yaml" <<-YAML
	apiVersion: kubelet.config.k8s.io/v1beta1
	kind: KubeletConfiguration
	authentication: { anonymous: { enabled: true }, webhook: { enabled: false } }
	authorization: { mode: AlwaysAllow }
	cgroupDriver: cgroupfs
	failSwapOn: false
	nodeStatusUpdateFrequency: 5s
	evictionHard: { memory.available: "10Mi", nodefs.available: "0%", imagefs.available: "0%" }
	YAML
}

cluster_start() {
	local bin=$KUBERNETES/bin
	api_start || { not_ok "the API server starts" "$(tail -n 1 "$RIG/apiserver.log")"; return 1; }
	echo "# API server after $(cut -d ' ' -f 1 /proc/uptime) s"
	kubeconfig
	start controllers "$bin/kube-controller-manager" --kubeconfig "$RIG/kubeconfig" --leader-elect=false \
		--controllers=daemonset,serviceaccount,namespace,nodelifecycle,replicaset,deployment,garbagecollector
	start scheduler "$bin/kube-scheduler" --kubeconfig "$RIG/kubeconfig" --leader-elect=false
	start kubelet "$bin/kubelet" --kubeconfig "$RIG/kubeconfig" --config "$RIG/kubelet.yaml" \
		--container-runtime=remote --container-runtime-endpoint unix://$SOCKET \
		--hostname-override $NODE_NAME --node-ip $ADDRESS
	await 300 "the node is ready" kubectl wait --for=condition=Ready "node/$NODE_NAME" --timeout=1s
}

pod_log() { cat /var/log/pods/memswell_memswell-*/memswell/*.log 2>/dev/null | sed -n "s/^[^ ]* $1 F //p"; } # STREAM
is_ready() { pod_log stderr | grep -q 'ready:'; }

# What `rollout status` looks at; that one gives up after a second, or never.
is_rolled_out() {
	test "$(kubectl -n memswell get daemonset memswell -o jsonpath="{.status.desiredNumberScheduled} {.status.updatedNumberScheduled} {.status.numberAvailable}")" = "1 1 1"
}

roll_out() {
	kubectl apply -f "$OUT/memswell.yaml" | sed 's/^/# /'
	await 300 "the DaemonSet is rolled out" is_rolled_out || return 1
	await 120 "memswell is ready" is_ready
	pod_log stderr | sed 's/^/# /'
	WATCH_PID=$(pgrep -xo memswell)
	grep -E '^(Cap|NoNewPrivs|Seccomp|NSpid)' "/proc/$WATCH_PID/status" | sed 's/^/# /'
	expect "its capabilities are those of the manifest" "$(grep CapBnd "/proc/$WATCH_PID/status")" \
		grep -q '^CapBnd:[[:space:]]*000000c000081004$' "/proc/$WATCH_PID/status"
	expect "it was not restarted" "$(kubectl -n memswell get pods)" test \
		"$(kubectl -n memswell get pods -o jsonpath='{.items[0].status.containerStatuses[0].restartCount}')" = 0
}

service_pod() {
	cat <<-YAML
	apiVersion: v1
	kind: Namespace
	metadata: { name: shop }
	---
	apiVersion: v1
	kind: Pod
	metadata: { name: checkout-6d5f, namespace: shop }
	spec:
	  hostNetwork: true
	  automountServiceAccountToken: false
	  containers:
	    - name: checkout-api
	      image: registry.example/shop/checkout-api:1.4.2
	      imagePullPolicy: Never
	      args: [--port, "$1", --bytes, "1600000", --mode, buffer]
	      resources: { limits: { memory: 120Mi } }
	YAML
}

was_oom_killed() {
	kubectl -n shop get pod checkout-6d5f -o jsonpath='{.status.containerStatuses[0].lastState.terminated.reason}' |
		grep -qx OOMKilled
}
# The last report of the incident.
incident() { pod_log stdout | grep '"memswell.incident"' | tail -n 1; }
names_the_pod() {
	incident | jq -e '.verdict.class == "memory_death"
		and .resource["k8s.pod.name"] == "checkout-6d5f" and .resource["k8s.namespace.name"] == "shop"
		and .resource["k8s.container.name"] == "checkout-api"'
}

death() {
	local upstream port
	read -r port upstream <<<"$(free_ports 2)"
	service_pod "$upstream" >"$RIG/service.yaml"
	kubectl create -f "$RIG/service.yaml" | sed 's/^/# /'
	await 120 "the service answers" "$PYTHON" "$LIVE_DIR/ports.py" wait "$upstream" 1 || return 1
	gateway "$port" "$upstream"
	load load "$port" 40 200
	await 200 "the kubelet says OOMKilled" was_oom_killed || return 1
	await 60 "memswell says which pod died" names_the_pod
	load_stop
	expect "in one incident" "$(pod_log stdout | grep -c '"memswell.incident"') lines" test \
		"$(pod_log stdout | grep '"memswell.incident"' | jq -r .id | sort -u | wc -l)" -eq 1
	pod_log stdout >"$RIG/reports.jsonl"
	check_valid "$RIG/reports.jsonl"
	expect "reports carry the node's name" "$(head -n 1 "$RIG/reports.jsonl" | cut -c 1-300)" test \
		"$(head -n 1 "$RIG/reports.jsonl" | jq -r '.resource["host.name"]')" = $NODE_NAME
}

require_kubernetes
node_start && cluster_start && roll_out && death
if [ "$FAILED" -ne 0 ]; then
	kubectl get pods,events -A 2>&1 | cut -c 1-400 | sed 's/^/# /'
	pod_log stderr | sed 's/^/# /'
	mkdir "$OUT/kept"
	cp -r "$RIG"/*.log /var/log/pods "$OUT/kept/"
fi
exit $FAILED
