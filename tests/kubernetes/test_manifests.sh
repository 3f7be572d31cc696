#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A real API server takes the plain manifests and what the chart renders otherwise, field by field
# (--dry-run=server), and would not take them misspelt.
. "$(dirname "$0")/lib.sh"
cd "$TOP_DIR" || exit 1
NAME=manifests
HELM=$KUBERNETES/tools/helm
PLAIN=$TOP_DIR/deploy/kubernetes/memswell.yaml
require_kubernetes
mount_namespace "ip link set lo up" -n || skip_all "no namespaces of our own"
INSIDE=(nsenter -t "$HOLDER" -m -n)
api_start || { not_ok "the API server starts" "$(tail -n 1 "$RIG/apiserver.log")"; finish; }
echo "# $(kubectl version --short 2>/dev/null | tail -n 1)"
kubectl create namespace memswell >"$RIG/namespace.log" 2>&1

taken() { # WHAT FILE
	kubectl apply --dry-run=server -f "$2" >"$RIG/apply.log" 2>&1
	local status=$?
	expect "$1: taken" "$(grep -m 1 -iE 'error|invalid' "$RIG/apply.log")" test $status -eq 0
	sed 's/^/# /' "$RIG/apply.log"
}
refused() { # WHAT FROM TO
	sed "s/$2/$3/" $PLAIN >"$RIG/misspelt.yaml"
	expect "$1 changes the manifests" "$2 is not in them" sh -c '! cmp -s "$1" "$2"' sh $PLAIN "$RIG/misspelt.yaml"
	kubectl apply --dry-run=server -f "$RIG/misspelt.yaml" >"$RIG/apply.log" 2>&1
	expect "$1 is refused" "it was taken" grep -qE "$4" "$RIG/apply.log"
}

taken "the plain manifests" $PLAIN
refused "a misspelt field" allowPrivilegeEscalation allowPrivilegEscalation 'unknown field "allowPrivilegEscalation"'
refused "a volume of no type" 'type: DirectoryOrCreate' 'type: DirectoryOrMake' 'Unsupported value: "DirectoryOrMake"'

if bash tests/kubernetes/tools.sh "$KUBERNETES/tools" >"$RIG/tools.log" 2>&1; then
	variant() { # WHAT VALUES
		"$HELM" template memswell deploy/kubernetes/chart --namespace memswell --set "$2" >"$RIG/variant.yaml"
		taken "$1" "$RIG/variant.yaml"
	}
	variant "a rendering with CRI-O" runtime=crio
	variant "a rendering with all that can be turned on" "output.hostDirectory=/var/log/memswell,\
capabilities.v8Uprobes=true,capabilities.oldKernels=true,metrics.enabled=true,budget=2,gateways={nginx},\
seccompProfile.type=Localhost,seccompProfile.localhostProfile=memswell.json,namespace.create=true,\
seLinuxOptions.type=spc_t,nodeSelector.a=b,podLabels.a=b,podAnnotations.a=b,imagePullSecrets[0].name=a"
else
	echo "skip $NAME: renderings - $(tail -n 1 "$RIG/tools.log")"
fi
finish
