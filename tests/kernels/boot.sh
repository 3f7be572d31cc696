#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# boot.sh KERNEL_DIR JOB OUT - boots the kernel that fetch.sh put into KERNEL_DIR in an emulated
# machine, runs the script JOB there with the argument OUT, and waits for the end. Its root is, read-only
# below a memory overlay, this machine's own, or for another architecture the system that root.sh put
# beside KERNEL_DIR, with this source tree in the place it has here. The job's output is OUT/log, its exit
# status OUT/status (and this script's), the kernel's messages OUT/console. No image, no network, no KVM.
# BOOT_SECONDS limits the guest's life, BOOT_MIB is its memory, BOOT_WORDS are for init (cgroups=v1, pid1=systemd).
#
# One processor: with two, 6.12 sometimes died where fexit programs were attached to functions that the
# other was in; an emulated one may run code half patched. Two guests side by side use this machine better.
. "$(dirname "$0")/../live/lib.sh"
KERNEL_DIR=$(realpath "$1")
JOB=$(realpath "$2")
mkdir -p "$3"
OUT=$(realpath "$3")
BOOT_SECONDS=${BOOT_SECONDS:-480}
BOOT_MIB=${BOOT_MIB:-1536}
VIRTIOFSD=/usr/lib/qemu/virtiofsd
case $(cat "$KERNEL_DIR/arch") in
amd64)
	ROOT=/
	MACHINE=(qemu-system-x86_64 -cpu max -machine "q35,memory-backend=memory")
	CONSOLE=ttyS0
	;;
arm64)
	ROOT=$KERNEL_DIR/../arm64-root
	MACHINE=(qemu-system-aarch64 -cpu cortex-a72
		-machine "virt,gic-version=3,memory-backend=memory")
	CONSOLE=ttyAMA0
	;;
esac

# The order is that of their dependencies. What a kernel has built in has no file here.
make_initrd() {
	local root=$RIG/initrd
	mkdir -p "$root"/{bin,proc,modules,host,writable,system}
	cp "$(PATH=$ROOT/bin:$ROOT/usr/bin command -v busybox)" "$root/bin/busybox"
	cp "$(dirname "$0")/init" "$root/init"
	chmod 755 "$root/init"
	cp "$KERNEL_DIR"/*.ko "$root/modules/" 2>/dev/null
	(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$RIG/initrd.gz"
}

# One shared tree: the root, read-only, and inside of it OUT, writable. Mounted where only the file
# server sees it, so it is gone with the server.
share_root() {
	mkdir "$RIG/root"
	(rig_exec -- unshare -m --propagation private sh -ec '
		root=$1 from=$2 top=$3 out=$4 socket=$5 server=$6
		[ "$from" = / ] || mkdir -p "$from$top"
		mount --bind "$from" "$root"
		mount -o remount,ro,bind "$root"
		[ "$from$(stat -c %m "$top")" = // ] || mount --bind -o ro "$top" "$root$top"
		mount --bind "$out" "$root$out"
		exec "$server" --socket-path="$socket" -o source="$root" -o cache=always \
			-o sandbox=chroot --thread-pool-size=2
	' share "$RIG/root" "$ROOT" "$TOP_DIR" "$OUT" "$RIG/socket" "$VIRTIOFSD") \
		>"$OUT/virtiofsd" 2>&1 </dev/null &
	local i
	for ((i = 0; i < 100; i++)); do
		[ -S "$RIG/socket" ] && return 0
		sleep 0.1
	done
	echo "boot.sh: the file server does not start: $(head -n 1 "$OUT/virtiofsd")" >&2
	return 1
}

boot() {
	(rig_exec -- "${MACHINE[@]}" -accel tcg -smp 1 -m "${BOOT_MIB}M" \
		-object memory-backend-memfd,id=memory,size="${BOOT_MIB}M",share=on \
		-nodefaults -no-reboot -display none -serial "file:$OUT/console" \
		-chardev "socket,id=share,path=$RIG/socket" \
		-device vhost-user-fs-pci,chardev=share,tag=hostroot,queue-size=1024 \
		-kernel "$KERNEL_DIR"/vmlinuz -initrd "$RIG/initrd.gz" \
		-append "console=$CONSOLE quiet panic=-1 random.trust_cpu=on job=$JOB top=$TOP_DIR out=$OUT ${BOOT_WORDS-}") \
		>"$OUT/qemu" 2>&1 </dev/null &
	local pid=$! i
	for ((i = 0; i < BOOT_SECONDS * 5; i++)); do
		kill -0 $pid 2>/dev/null || break
		sleep 0.2
	done
	kill -0 $pid 2>/dev/null && echo "boot.sh: no end within $BOOT_SECONDS s" >&2
}

rig_start
rm -f "$OUT"/{log,status,console}
make_initrd && share_root && boot
exit "$(cat "$OUT/status" 2>/dev/null || echo 125)"
