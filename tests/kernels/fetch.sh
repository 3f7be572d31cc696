#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# fetch.sh DIR SUITE METAPACKAGE - puts Debian's current kernel behind METAPACKAGE into DIR:
# vmlinuz, and the modules that a guest of boot.sh needs. It asks apt, with a state of its own
# beside DIR, so the machine's own package lists and sources stay as they are. What is there is
# kept.
set -eu
DIR=$1 SUITE=$2 METAPACKAGE=$3
# Order of dependency; init loads them by name.
MODULES="virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci
	fuse virtiofs overlay"
KEYS=/usr/share/keyrings/debian-archive-keyring.gpg

[ ! -e "$DIR/vmlinuz" ] || exit 0
mkdir -p "$DIR"
DIR=$(realpath "$DIR")
work=$(mktemp -d "$DIR.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

case $SUITE in
*-security) mirror=http://deb.debian.org/debian-security ;;
*) mirror=http://deb.debian.org/debian ;;
esac
mkdir -p "$work"/{state/lists/partial,cache/archives/partial,deb}
: >"$work/state/status"
echo "deb [signed-by=$KEYS] $mirror $SUITE main" >"$work/sources.list"

apt() { # PROGRAM ARGUMENT...
	local program=$1
	shift
	"$program" -q -o Dir::State="$work/state" -o Dir::State::status="$work/state/status" \
		-o Dir::Cache="$work/cache" -o Dir::Etc::SourceList="$work/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::Preferences=/dev/null \
		-o Dir::Etc::PreferencesParts=/dev/null -o APT::Sandbox::User=root \
		-o Acquire::Languages=none -o Acquire::http::Timeout=20 -o Acquire::Retries=1 "$@"
}

apt apt-get update --error-on=any >"$work/log" 2>&1 || {
	echo "cannot reach $mirror $SUITE" >&2
	exit 1
}
# One package until 6.18, then several that the metapackage reaches.
packages=$(apt apt-cache depends --recurse --important "$METAPACKAGE" 2>/dev/null |
	grep -E '^linux-(image|binary|modules)-[0-9]') || {
	echo "$SUITE has no $METAPACKAGE" >&2
	exit 1
}
# shellcheck disable=SC2086 # one word per package
(cd "$work/deb" && apt apt-get download $packages >"$work/log" 2>&1) || {
	echo "cannot download" $packages >&2
	exit 1
}
for package in "$work"/deb/*.deb; do
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
cp "$image" "$DIR/vmlinuz.part"
mv "$DIR/vmlinuz.part" "$DIR/vmlinuz" # last: it says that the rest is there
