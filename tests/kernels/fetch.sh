#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# fetch.sh DIR SUITE METAPACKAGE [ARCH] - puts Debian's current kernel behind METAPACKAGE into DIR:
# vmlinuz, its release and architecture (amd64), and the modules that a guest of boot.sh needs. What is there is kept. Where it
# cannot be had: one line that says why, and status 1.
set -eu
DIR=$1 SUITE=$2 METAPACKAGE=$3 ARCH=${4:-amd64}
CACHE=$(dirname "$DIR")
# Order of dependency; init loads them by name.
MODULES="virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci
	fuse virtiofs overlay"
. "$(dirname "$0")/apt.sh"

if [ -e "$DIR/vmlinuz" ] && [ -e "$DIR/arch" ]; then exit 0; fi
mkdir -p "$DIR"
DIR=$(realpath "$DIR") CACHE=$(realpath "$CACHE")
work=$(mktemp -d "$DIR.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

apt_lists "$SUITE" "$ARCH"
# One package until 6.18, then several that the metapackage reaches.
packages=$(apt_of "$SUITE" "$ARCH" apt-cache depends --recurse --important "$METAPACKAGE" 2>/dev/null |
	grep -E '^linux-(image|binary|modules)-[0-9]+\.[0-9]+\.') || {
	echo "$SUITE has no $METAPACKAGE"
	exit 1
}
# shellcheck disable=SC2086 # one word per package
(cd "$work" && apt_of "$SUITE" "$ARCH" apt-get download $packages >"$work/log" 2>&1) || {
	echo "cannot download" $packages
	exit 1
}
for package in "$work"/*.deb; do
	dpkg-deb -x "$package" "$work/root"
done
number=0
for module in $MODULES; do
	number=$((number + 1))
	file=$(find "$work/root" -name "$module.ko*" | head -n 1)
	case $file in
	*.xz) xz -dc "$file" >"$DIR/$number-$module.ko" ;;
	*.ko) cp "$file" "$DIR/$number-$module.ko" ;;
	esac
done
image=$(find "$work/root" -type f -name 'vmlinuz*' | head -n 1)
basename "$(find "$work/root" -path '*/modules/*' -prune | head -n 1)" >"$DIR/release"
echo "$ARCH" >"$DIR/arch"
cp "$image" "$DIR/vmlinuz.part"
mv "$DIR/vmlinuz.part" "$DIR/vmlinuz" # last: it says that the rest is there
