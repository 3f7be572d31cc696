#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# deps.sh MODE - install what MODE (build, demo, test, bench or kernels) needs from Debian, naming
# each missing package with its reason. Silent when nothing is missing. It never starts a service.
set -eu

# mode  package  program that does as well ("-": only the package counts)  why
table() {
	cat <<-'ROWS'
	build make             make      drives the build
	build gcc              gcc       compiles user space
	build libc6-dev        -         C library headers
	build clang            clang     compiles the kernel programs
	build bpftool          bpftool   links the kernel programs and generates their skeleton
	build libbpf-dev       -         loads and attaches the kernel programs
	build libelf-dev       -         needed by libbpf
	build zlib1g-dev       -         needed by libbpf
	build libjansson-dev   -         reads recordings and container configuration
	demo  nginx            nginx     the gateway of the demo and of the live tests
	demo  nodejs           node      runs the services that leak, and the load
	demo  python3          -         sets up and cleans up, prints the summary
	test  libcmocka-dev    -         unit test framework
	test  python3-jsonschema -       validates every output line against the schema
	test  libclang-rt-dev  -         fuzzer and sanitizer runtimes for clang
	bench wrk              wrk       closed-loop load for the throughput comparison
	kernels qemu-system-x86 qemu-system-x86_64 boots other kernels
	kernels qemu-system-common - shares this machine's root with them
	kernels busybox-static   -       the first process of a guest
	kernels xz-utils         xz      unpacks kernel modules
	ROWS
}

usage() {
	echo "usage: deps.sh build|demo|test|bench|kernels" >&2
	exit 2
}

# What a mode needs besides its own.
case "${1-}" in
build) modes="build" ;;
demo) modes="build demo" ;;
test) modes="build demo test" ;;
bench) modes="build demo test bench" ;;
kernels) modes="build demo test kernels" ;;
*) usage ;;
esac

wanted=$(table | while read -r mode package program why; do
	case " $modes " in *" $mode "*) echo "$package $program $why" ;; esac
done)

PATH="$PATH:/usr/sbin:/sbin"
names=$(echo "$wanted" | cut -d ' ' -f 1)
# shellcheck disable=SC2086 # one word per package
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $names 2>/dev/null |
	sed -n 's/^installed //p') || :

missing=$(echo "$wanted" | while read -r package program why; do
	echo "$installed" | grep -qx "$package" && continue
	[ "$program" != - ] && command -v "$program" >/dev/null && continue
	echo "$package $why"
done)
[ -n "$missing" ] || exit 0

packages=$(echo "$missing" | cut -d ' ' -f 1 | tr '\n' ' ')
echo "memswell needs these Debian packages:" >&2
echo "$missing" | while read -r package why; do
	printf '  %-20s %s\n' "$package" "$why" >&2
done
if [ "$(id -u)" -ne 0 ]; then
	echo "Not root, so install them first: sudo apt-get install $packages" >&2
	exit 1
fi

# A package that brings a daemon asks policy-rc.d before it starts it; 101 forbids.
policy=/usr/sbin/policy-rc.d
own_policy=
case " $packages " in
*" nginx "*)
	if [ ! -e $policy ]; then
		own_policy=$policy
		trap 'rm -f "$own_policy"' EXIT
		trap 'exit 1' INT TERM
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
	fi
	;;
esac

export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
install() {
	# shellcheck disable=SC2086 # one word per package
	apt-get install -y -q --no-install-recommends $packages >"$log" 2>&1 </dev/null
}
if ! install && ! { apt-get update -q >"$log" 2>&1 </dev/null && install; }; then
	cat "$log" >&2
	rm -f "$log"
	echo "deps.sh: apt-get could not install: $packages" >&2
	exit 1
fi
rm -f "$log"

# Nor shall it start at the next boot: only our own instances are wanted.
case " $packages " in
*" nginx "*)
	if [ -d /run/systemd/system ]; then
		systemctl disable --quiet nginx 2>/dev/null || :
	fi
	;;
esac
echo "installed: $packages" >&2
