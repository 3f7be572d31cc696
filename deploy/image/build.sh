#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# build.sh ARCH BINARY ROOT VERSION OUT - packs BINARY into an image: OUT/memswell-ARCH.tar, an archive that
# podman, docker, ctr and skopeo load, and OUT/memswell-ARCH.digest, its manifest's. ROOT is the system whose
# libraries BINARY was linked with ("/" if it is this one). Needs no network, and nothing of this machine's
# container storage. The same sources and libraries give the same bytes: owners are root, the order is that
# of names, time and revision those of the last commit, or what SOURCE_DATE_EPOCH and REVISION say.
set -eu
ARCH=$1 BINARY=$2 ROOT=${3%/} VERSION=$4
mkdir -p "$5"
OUT=$(realpath "$5")
HERE=$(cd "$(dirname "$0")" && pwd)
# The terminals of `kubectl exec -it ... memswell top`.
TERMINALS="linux screen screen-256color tmux tmux-256color vt100 xterm xterm-256color"
LINKED="libc6-dev libbpf-dev libelf-dev zlib1g-dev libncurses-dev libjansson-dev libcap-ng-dev
	libseccomp-dev libmicrohttpd-dev"

REVISION=${REVISION:-$(git -C "$HERE" rev-parse --short=12 HEAD 2>/dev/null || echo unknown)}
EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$HERE" log -1 --format=%ct 2>/dev/null || echo 0)}
work=$(mktemp -d "$OUT/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
umask 022

stage() {
	local root=$work/rootfs doc=$work/rootfs/usr/share/doc/memswell name
	install -D -m 0755 "$BINARY" "$root/usr/bin/memswell"
	install -D -m 0644 -t "$doc" "$HERE/../../LICENSE"
	for name in $LINKED; do
		[ -e "$ROOT/usr/share/doc/$name/copyright" ] || continue
		install -D -m 0644 "$ROOT/usr/share/doc/$name/copyright" "$doc/linked/$name"
	done
	# What is in there does not depend on the architecture.
	for name in $TERMINALS; do
		[ -e "/lib/terminfo/${name:0:1}/$name" ] || continue
		install -D -m 0644 -t "$root/lib/terminfo/${name:0:1}" "/lib/terminfo/${name:0:1}/$name"
	done
}

# A storage of its own, so that two builds do not meet, and nothing stays behind.
in_storage() { # PROGRAM ARGUMENT...
	buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"
}

pack() {
	in_storage build --quiet --format oci --layers=false --identity-label=false \
		--os linux --arch "$ARCH" --timestamp "$EPOCH" --pull-never --network none \
		--build-arg "VERSION=$VERSION" --build-arg "REVISION=$REVISION" \
		--tag "memswell:$VERSION" --file "$HERE/Containerfile" "$work" >/dev/null
	in_storage push --quiet --digestfile "$work/digest" "memswell:$VERSION" \
		"oci:$work/layout:localhost/memswell:$VERSION"
	# The whole name, for containerd takes it as it is; the manifests use the same.
	tar -C "$work/layout" --sort=name --mtime="@$EPOCH" --owner=0 --group=0 --numeric-owner \
		--mode=u=rwX,go=rX -cf "$work/archive" .
	mv "$work/archive" "$OUT/memswell-$ARCH.tar"
	mv "$work/digest" "$OUT/memswell-$ARCH.digest"
}

stage
pack
printf '%s  %s, %s KiB unpacked\n' "$(cat "$OUT/memswell-$ARCH.digest")" "memswell-$ARCH.tar" \
	"$(du -sk --apparent-size "$work/rootfs" | cut -f 1)"
