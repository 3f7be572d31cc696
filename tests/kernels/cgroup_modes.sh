#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# cgroup_modes.sh [-k KERNEL_DIR] [MODE...] - boots a kernel with v1 only (cgroup2 mounted nowhere), with
# both hierarchies, and with v2 only, or with the modes named; guest_cgroups.sh says what must hold there.
# KERNEL_DIR is what fetch.sh fills; without it Debian's 6.1 is fetched, as later ones are built without
# the memory controller of v1. Prints "ok", "not ok" and "skip" lines. A mode takes some three minutes.
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
NAME=cgroup_modes
kernel=build/kernels/6.1
if [ "${1-}" = -k ]; then
	kernel=$2
	shift 2
fi
[ "$(uname -m)" = x86_64 ] || skip_all "needs an x86_64 machine"
[ "$(id -u)" -eq 0 ] || skip_all "needs root"
for program in qemu-system-x86_64 /usr/lib/qemu/virtiofsd busybox xz "${NGINX:-nginx}" "${NODE:-node}"; do
	command -v "$program" >/dev/null || skip_all "$program is missing"
done
rig_start
why=$(bash tests/kernels/fetch.sh "$kernel" bookworm-security linux-image-cloud-amd64 2>&1) || skip_all "$why"

[ $# -gt 0 ] || set -- v1 hybrid v2
for mode; do
	out=build/kernels/out/cgroups-$mode
	rm -rf "$out"
	mkdir -p "$out"
	(BOOT_WORDS=cgroups=$mode rig_exec -- bash tests/kernels/boot.sh "$kernel" tests/kernels/guest_cgroups.sh "$out") \
		>"$out/boot" 2>&1 </dev/null &
	wait $!
	status=$?
	grep -E '^(ok|not ok|skip) ' "$out/log" | sed "s/^\(ok\|not ok\|skip\) cgroups: /\1 cgroups $mode: /"
	[ $status -eq 0 ] && continue
	FAILED=1
	grep -q '^not ok ' "$out/log" || echo "not ok cgroups $mode - the guest ended with status $status"
	tail -n 20 "$out"/{log,console,boot} | sed 's/^/#   /'
done
finish
