#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# types.sh - puts the type information (BTF) of every kernel of machines.tsv into build/kernels/types, as
# VERSION.ARCH.btf, some 4 MiB each. What is there is kept; the images are not. Prints a line for each
# suite that cannot be reached.
cd "$(dirname "$0")/../.." || exit 1
CACHE=$PWD/build/kernels
. tests/kernels/apt.sh
TYPES=$CACHE/types
mkdir -p "$TYPES"
work=$(mktemp -d "$CACHE/types.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

# cut IMAGE VERSION ARCH
cut_types() {
	python3 tests/kernels/cut_types.py "$1" "$work/$2.$3.btf" && mv "$work/$2.$3.btf" "$TYPES/"
}

version_of() { # the rest of a package's name or of a release
	sed -E 's/^linux-(image|binary)-//; s/-cloud-.*//' <<<"$1"
}

download() { # SUITE ARCH PACKAGE
	local dir=$work/$3 version
	version=$(version_of "$3")
	[ ! -e "$TYPES/$version.$2.btf" ] || return 0
	mkdir -p "$dir"
	if (cd "$dir" && apt_of "$1" "$2" apt-get download "$3" >log 2>&1); then
		dpkg-deb --fsys-tarfile "$dir"/*.deb | tar -x -C "$dir" --wildcards '*/vmlinuz*'
		cut_types "$(find "$dir" -name 'vmlinuz*' -type f | head -n 1)" "$version" "$2"
	else
		echo "$1 has no $3 any more"
	fi
	rm -rf "$dir"
}

while read -r what name arch suite package _; do
	case $what in
	boot)
		[ -e "$CACHE/$name/vmlinuz" ] || continue
		version=$(version_of "$(cat "$CACHE/$name/release")")
		[ -e "$TYPES/$version.$arch.btf" ] || cut_types "$CACHE/$name/vmlinuz" "$version" "$arch"
		;;
	types)
		apt_lists "$suite" "$arch" || continue
		while read -r _ kernel; do
			while [ "$(jobs -pr | wc -l)" -ge 4 ]; do wait -n; done
			download "$suite" "$arch" "$kernel" </dev/null &
		done < <(apt_kernels "$suite" "$arch" "$package")
		;;
	esac
done < <(grep -E '^(boot|types)' tests/kernels/machines.tsv)
wait
