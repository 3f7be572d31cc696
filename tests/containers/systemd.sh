#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The same where systemd makes the cgroups: in an emulated machine, on cgroup v2 only; guest.sh says what must
# hold there. The kernel is that of the matrix (tests/kernels), fetched once.
. "$(dirname "$0")/lib.sh"
NAME=systemd
cd "$TOP_DIR" || exit 1
KERNEL=build/kernels/6.12
OUT=$IMAGES/guest
[ "$(uname -m)" = x86_64 ] || skip_all "needs an x86_64 machine"
[ "$(id -u)" -eq 0 ] || skip_all "needs root"
for program in containerd podman qemu-system-x86_64 /usr/lib/qemu/virtiofsd busybox xz "${NGINX:-nginx}" \
	"${NODE:-node}"; do
	command -v "$program" >/dev/null || skip_all "$program is missing"
done
rig_start
images_build || skip_all "the images cannot be built"
why=$(bash tests/kernels/fetch.sh $KERNEL bookworm-security linux-image-6.12-cloud-amd64 2>&1) || skip_all "$why"
rm -rf "$OUT" && mkdir -p "$OUT"
(BOOT_SECONDS=270 BOOT_WORDS=pid1=systemd rig_exec -- bash tests/kernels/boot.sh $KERNEL tests/containers/guest.sh "$OUT") \
	>"$OUT/boot" 2>&1 </dev/null &
wait $!
status=$?
grep -E '^(ok|not ok|skip|#) ' "$OUT/log"
[ $status -eq 0 ] && finish
FAILED=1
grep -q '^not ok ' "$OUT/log" || echo "not ok $NAME - the guest ended with status $status"
tail -n 20 "$OUT"/{log,console,boot} | sed 's/^/#   /'
finish
