#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The image as it was built (make image): small, nothing in it but memswell, runs as anybody, and made of the
# same bytes when a copy of the sources is built in another place, by another user's settings.
. "$(dirname "$0")/../live/lib.sh"
cd "$TOP_DIR" || exit 1
NAME=image
ARCH=$(dpkg --print-architecture)
VERSION=$(sed -n 's/^VERSION := //p' Makefile)
MOST_BYTES=20000000
command -v buildah >/dev/null || skip_all "buildah is missing"
rig_start

# unpack ARCHIVE DIR: an OCI archive of one layer; DIR/root gets that.
unpack() {
	mkdir -p "$2/root"
	tar -xf "$1" -C "$2"
	MANIFEST=$2/blobs/sha256/$(jq -r '.manifests[0].digest' "$2/index.json" | cut -d : -f 2)
	CONFIG=$2/blobs/sha256/$(jq -r '.config.digest' "$MANIFEST" | cut -d : -f 2)
	LAYER=$2/blobs/sha256/$(jq -r '.layers[0].digest' "$MANIFEST" | cut -d : -f 2)
	tar -xf "$LAYER" -C "$2/root"
}

says() { expect "$1" "$(jq -c .config "$CONFIG")" jq -e "$2" "$CONFIG"; } # WHAT FILTER

# check_archive ARCH: what holds for each architecture.
check_archive() {
	local archive=build/image/memswell-$1.tar dir=$RIG/$1 bytes
	unpack "$archive" "$dir"
	bytes=$(find "$dir/root" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
	expect "$1: smaller than 20 MB, unpacked" "$bytes bytes" test "$bytes" -lt $MOST_BYTES
	echo "# $1: $bytes bytes unpacked, $(stat -c %s "$archive") packed"
	(cd "$dir/root" && find . -type f -perm /111) >"$RIG/programs"
	expect "$1: memswell is the only program" "$(tr '\n' ' ' <"$RIG/programs")" \
		test "$(cat "$RIG/programs")" = ./usr/bin/memswell
	file -b "$dir/root/usr/bin/memswell" >"$RIG/file"
	expect "$1: it is static, at random addresses" "$(cat "$RIG/file")" grep -q 'static-pie linked' "$RIG/file"
	expect "$1: no path of the machine that built it is in it" "$TOP_DIR" \
		sh -c '! grep -qaF "$1" "$2"' sh "$TOP_DIR" "$dir/root/usr/bin/memswell"
	expect "$1: everything belongs to root, is writable by nobody else, and has one time" \
		"$(tar --numeric-owner -tvzf "$LAYER" | head -n 3)" layer_is_plain
	is_named=$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' "$dir/index.json")
	expect "$1: it has the name that the manifests ask for" "$is_named" \
		grep -q "image: $is_named\$" deploy/kubernetes/memswell.yaml
	says "$1: labels" ".config.Labels[\"org.opencontainers.image.version\"] == \"$VERSION\" and
		(.config.Labels | has(\"org.opencontainers.image.revision\"))"
	says "$1: entrypoint and architecture" ".config.Entrypoint == [\"/usr/bin/memswell\"] and
		.config.Cmd == [\"run\"] and .architecture == \"$1\" and .os == \"linux\""
}

layer_is_plain() {
	tar --numeric-owner -tvzf "$LAYER" --full-time >"$RIG/listing" &&
		! grep -qvE '^[-d]r[-w]xr-xr-x |^-rw-r--r-- ' "$RIG/listing" &&
		test "$(awk '{ print $2, $4, $5 }' "$RIG/listing" | sort -u | wc -l)" -eq 1 &&
		grep -q ' 0/0 ' "$RIG/listing"
}

# The sources once more, as the revision that the image says it is: elsewhere, with another umask, time zone, language and order of making.
build_elsewhere() {
	local copy=$RIG/copy/of/the/sources
	mkdir -p "$copy"
	git ls-files -z | tar --null -T - -c | tar -x -C "$copy"
	(
		umask 077
		export REVISION SOURCE_DATE_EPOCH CCACHE_DISABLE=1 TZ=Pacific/Chatham LC_ALL=C MAKEFLAGS=
		REVISION=$(jq -r '.config.Labels["org.opencontainers.image.revision"]' "$CONFIG")
		SOURCE_DATE_EPOCH=$(date -d "$(jq -r .created "$CONFIG")" +%s)
		make -C "$copy" -j "$(nproc)" image
	) >"$RIG/elsewhere.log" 2>&1
	expect "a copy of the sources builds elsewhere" "$(tail -n 1 "$RIG/elsewhere.log")" \
		test -e "$copy/build/image/memswell-$ARCH.digest"
	expect "it gives the same digest" "$(cat "$copy"/build/image/*.digest 2>&1), not $(cat "build/image/memswell-$ARCH.digest")" \
		cmp "$copy/build/image/memswell-$ARCH.digest" "build/image/memswell-$ARCH.digest"
	expect "and the same archive, byte for byte" "they differ" \
		cmp "$copy/build/image/memswell-$ARCH.tar" "build/image/memswell-$ARCH.tar"
	echo "# $(cat "build/image/memswell-$ARCH.digest")"
}

check_archive "$ARCH"
if git rev-parse HEAD >/dev/null 2>&1; then build_elsewhere; else echo "skip $NAME: built elsewhere - no git here"; fi
if [ "$ARCH" = arm64 ]; then
	:
elif make --no-print-directory image IMAGE_ARCH=arm64 >"$RIG/arm64.log" 2>&1; then
	check_archive arm64
else
	echo "skip $NAME: arm64 - $(tail -n 1 "$RIG/arm64.log")"
fi
finish
