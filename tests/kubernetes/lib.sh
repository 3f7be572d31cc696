# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
#
# lib.sh - a Kubernetes control plane on loopback: Debian's etcd, and the programs that build.sh built. It
# runs where INSIDE enters; everything of it ends with the rig.
. "$(dirname "${BASH_SOURCE[0]}")/../live/lib.sh"
KUBERNETES=$TOP_DIR/build/kubernetes
API=https://127.0.0.1:6443
TOKEN=0123456789abcdef

kubectl() {
	"${INSIDE[@]}" "$KUBERNETES/bin/kubectl" --server $API --insecure-skip-tls-verify --token $TOKEN \
		--cache-dir "$RIG/kubectl" "$@"
}

require_kubernetes() {
	require_root_rig
	[ -e "$KUBERNETES/bin/complete" ] || skip_all "no Kubernetes: $(tail -n 1 "$KUBERNETES/build.log" 2>/dev/null)"
	command -v etcd >/dev/null || skip_all "etcd is missing"
	rig_start
}
require_root_rig() { [ "$(id -u)" -eq 0 ] || skip_all "needs root"; }

# api_start: etcd and the API server, in INSIDE.
api_start() {
	local dir=$RIG/api i
	mkdir -p "$dir"
	openssl genrsa -out "$dir/accounts.key" 2048 2>/dev/null
	echo "$TOKEN,admin,admin,system:masters" >"$dir/tokens"
	start etcd "${INSIDE[@]}" etcd --data-dir "$dir/etcd" --unsafe-no-fsync --listen-peer-urls http://127.0.0.1:2380
	start apiserver "${INSIDE[@]}" "$KUBERNETES/bin/kube-apiserver" --etcd-servers http://127.0.0.1:2379 \
		--cert-dir "$dir/certificates" --service-account-issuer https://rig --token-auth-file "$dir/tokens" \
		--service-account-key-file "$dir/accounts.key" --service-account-signing-key-file "$dir/accounts.key" \
		--service-cluster-ip-range 10.96.0.0/24 --advertise-address 127.0.0.1 --bind-address 127.0.0.1 \
		--authorization-mode RBAC --allow-privileged=true
	for ((i = 0; i < ${API_SECONDS:-60} * 2; i++)); do
		[ "$(kubectl get --raw /readyz 2>/dev/null)" = ok ] && return 0
		sleep 0.5
	done
	return 1
}
