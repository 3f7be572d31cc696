#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A real kubelet rolls out the DaemonSet, in an emulated machine with all of Kubernetes in it: guest.sh. Its
# containerd (1.6) lets nobody with CAP_BPF alone call bpf(), so the profile is the project's own.
. "$(dirname "$0")/../containers/lib.sh"
. "$(dirname "$0")/lib.sh"
cd "$TOP_DIR" || exit 1
NAME=rollout
KERNEL=build/kernels/6.12
PATCH='s/^\( *\)type: RuntimeDefault$/\1type: Localhost\n\1localhostProfile: memswell.json/'
require_kubernetes
for program in containerd ctr runc qemu-system-x86_64; do
	command -v $program >/dev/null || skip_all "$program is missing"
done
why=$(bash tests/kernels/fetch.sh $KERNEL bookworm-security linux-image-6.12-cloud-amd64 2>&1) || skip_all "$why"
images_build || skip_all "the images cannot be built"
OUT=$KUBERNETES/out # below the source tree, which the guest has
rm -rf "$OUT"
mkdir -p "$OUT"
cp "$IMAGES/pause.tar" "$IMAGES/service.tar" "build/image/memswell-$(dpkg --print-architecture).tar" "$OUT/"
sed "$PATCH" deploy/kubernetes/memswell.yaml >"$OUT/memswell.yaml"
BOOT_MIB=3072 BOOT_SECONDS=1200 BOOT_WORDS=pid1=systemd bash tests/kernels/boot.sh $KERNEL tests/kubernetes/guest.sh "$OUT"
status=$?
cat "$OUT/log"
[ ! -d "$OUT/kept" ] || [ -z "${MEMSWELL_TEST_KEEP-}" ] || { mkdir -p "$MEMSWELL_TEST_KEEP" && cp -r "$OUT" "$MEMSWELL_TEST_KEEP/"; }
exit $status
