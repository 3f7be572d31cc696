#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# build.sh VERSION [OUT] - builds the Debian package of this tree into OUT (build/deb) without the network:
# the sources are copied there, this directory becomes their debian/, and dpkg-buildpackage does the rest.
# The version is the one in the changelog, which must be VERSION or begin with it.
set -eu
cd "$(dirname "$0")/../.."
VERSION=$1
OUT=${2:-build/deb}
changelog=$(dpkg-parsechangelog -l deploy/debian/changelog -S Version)
case $changelog in
"$VERSION" | "$VERSION"[-+~]*) ;;
*)
	echo "build.sh: deploy/debian/changelog is of $changelog, the Makefile of $VERSION" >&2
	exit 1
	;;
esac
rm -rf "$OUT"
tree=$OUT/memswell-$VERSION
mkdir -p "$tree"
# As `git archive` would, but also from a tree that is no clone, and with changes that are not committed.
cp -a Makefile LICENSE README.md bpf user vmlinux scripts docs deploy tests "$tree"
mv "$tree/deploy/debian" "$tree/debian"
log=$OUT/build.log
if ! (cd "$tree" && dpkg-buildpackage -us -uc -j"$(nproc)") >"$log" 2>&1 </dev/null; then
	tail -n 30 "$log" >&2
	exit 1
fi
rm -rf "$tree"
ls "$OUT"/memswell_*.deb
