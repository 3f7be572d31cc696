#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The Helm chart: it is clean, refuses what it does not know, and the plain manifests are its rendering.
# What must hold of every rendering, whatever its values, is in check_manifests.py.
. "$(dirname "$0")/../live/lib.sh"
cd "$TOP_DIR" || exit 1
NAME=chart
CHART=deploy/kubernetes/chart
TOOLS=$TOP_DIR/build/kubernetes/tools
HELM=$TOOLS/helm
rig_start
bash tests/kubernetes/tools.sh "$TOOLS" >"$RIG/tools.log" 2>&1 || skip_all "$(tail -n 1 "$RIG/tools.log")"

version=$(sed -n 's/^VERSION := //p' Makefile)
expect "it has the version of the program" "Chart.yaml says otherwise than the Makefile's $version" \
	grep -qx "appVersion: $version" $CHART/Chart.yaml
"$HELM" lint --strict $CHART >"$RIG/lint" 2>&1
expect "helm lint finds nothing" "$(grep -m 1 -E 'ERROR|WARN' "$RIG/lint")" grep -q ' 0 chart(s) failed' "$RIG/lint"
sh deploy/kubernetes/render.sh "$HELM" >"$RIG/rendered.yaml" 2>"$RIG/render.log"
expect "the plain manifests are its rendering" "deploy/kubernetes/render.sh HELM > deploy/kubernetes/memswell.yaml" \
	cmp "$RIG/rendered.yaml" deploy/kubernetes/memswell.yaml

# refused VALUES: the schema does not let them through.
refused() {
	expect "--set $1 is refused" "it was taken" sh -c '! "$@"' sh "$HELM" template m $CHART --set "$1"
}
refused runtme=crio
refused runtime=rkt
refused seccompProfile.type=Localhost
refused output.hostDirectory=relative
refused image.digest=latest

# rendering WHAT VALUES: holds what check_manifests.py says of all.
rendering() {
	"$HELM" template memswell $CHART --namespace memswell --set "$2" >"$RIG/variant.yaml" 2>"$RIG/variant.log"
	"$PYTHON" tests/image/check_manifests.py "$RIG/variant.yaml" >"$RIG/variant.log" 2>&1
	expect "$1" "$(tail -n 1 "$RIG/variant.log")" test ! -s "$RIG/variant.log"
}
rendering "it is as unprivileged as it says" image.tag=x
rendering "with CRI-O" runtime=crio
rendering "without a runtime" runtime=none
rendering "with several directories of state" 'runtimeStateDirectories={/run/a,/run/b}'
rendering "with all that can be turned on" "output.hostDirectory=/var/log/memswell,capabilities.v8Uprobes=true,\
capabilities.oldKernels=true,metrics.enabled=true,metrics.podMonitor.enabled=true,budget=2,gateways={nginx},\
seccompProfile.type=Localhost,seccompProfile.localhostProfile=memswell.json,namespace.create=true"
finish
