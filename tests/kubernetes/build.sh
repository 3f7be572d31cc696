#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# build.sh DIR - builds a Kubernetes control plane, kubelet and kubectl into DIR/bin, from Debian's source
# package (vendored whole, so nothing else is downloaded) with Debian's Go: five minutes of two processors,
# once; what is there is kept. Where it cannot be had: one line that says why, and status 1.
set -eu
mkdir -p "$1"
DIR=$(realpath "$1")
SUITE=bookworm # the last one whose package holds all it is built from
PROGRAMS="kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl"
CACHE=$DIR
cd "$(dirname "$0")"
. ../kernels/apt.sh

[ ! -e "$DIR/bin/complete" ] || exit 0
command -v go >/dev/null || { echo "no Go compiler"; exit 1; }
work=$DIR/work
rm -rf "$work" "$DIR/bin"
mkdir -p "$work" "$DIR/bin"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

apt_lists $SUITE source
(cd "$work" && apt_of $SUITE source apt-get source --download-only kubernetes >"$work/log" 2>&1) || {
	echo "cannot download the source of kubernetes: $(grep -m 1 ^E: "$work/log")"
	exit 1
}
(cd "$work" && dpkg-source --no-check --extract ./*.dsc source >"$work/log" 2>&1) || {
	echo "cannot unpack the source of kubernetes: $(tail -n 1 "$work/log")"
	exit 1
}
version=$(sed -n -E 's/^Version: .*really([0-9.]+)-.*/\1/p' "$work"/*.dsc)
IFS=. read -r major minor _ <<<"$version"
cat >"$work/version" <<-END
	KUBE_GIT_VERSION=v$version
	KUBE_GIT_MAJOR=$major
	KUBE_GIT_MINOR=$minor
	KUBE_GIT_COMMIT=0
	KUBE_GIT_TREE_STATE=archive
END
# Its own makefile, which first generates what is not in the archive. It wants a GOPATH.
mkdir -p "$work/go/src/k8s.io"
mv "$work/source" "$work/go/src/k8s.io/kubernetes"
export GOPATH=$work/go GOCACHE=$work/cache GOPROXY=off CGO_ENABLED=0 HOME=$work
make -C "$work/go/src/k8s.io/kubernetes" KUBE_GIT_VERSION_FILE="$work/version" GOLDFLAGS="-s -w" \
	WHAT="$(printf 'cmd/%s ' $PROGRAMS)" >"$DIR/build.log" 2>&1 || {
	echo "cannot build kubernetes $version: $(tail -n 1 "$DIR/build.log")"
	exit 1
}
for program in $PROGRAMS; do
	cp "$work/go/src/k8s.io/kubernetes/_output/bin/$program" "$DIR/bin/"
done
echo "$version" >"$DIR/bin/complete" # last: it says that the rest is there
