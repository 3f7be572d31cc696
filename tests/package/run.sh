#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh VERSION - the host package as its users meet it: build/deb, built by `make deb`, is without fault for
# lintian and its unit for systemd; installed, upgraded and purged in a throwaway root (root.sh); its
# completions typed in their shells (test_shells.sh); its unit at work in a guest with systemd (guest.sh).
# Prints "ok", "not ok" and "skip" lines and ends with "N passed, N failed, N skipped".
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
VERSION=$1
KERNEL=build/kernels/6.12
OUT=build/package
DEB=$(echo build/deb/memswell_"$VERSION"*_"$(dpkg --print-architecture)".deb)
EXPOSURE=25 # of "systemd-analyze security", times ten
passed=0 failed=0 skipped=0

results() { # of stdin: prints them, those about the package, and counts
	local line
	while IFS= read -r line; do
		case $line in
		"ok "*) passed=$((passed + 1)) ;;
		"not ok "*) failed=$((failed + 1)) ;;
		"skip "*) skipped=$((skipped + 1)) ;;
		"#"*) ;;
		*) continue ;;
		esac
		echo "$line"
	done
}

check() { # WHAT COMMAND...: one result, with the last line of what it said
	local what=$1 said
	shift
	if said=$("$@" 2>&1); then
		results <<<"ok package: $what"
	else
		results <<<"not ok package: $what - $(tail -n 3 <<<"$said" | tr '\n' ' ')"
	fi
}

# A compiler, make and the C library go without saying.
same_build_dependencies() {
	local differ
	differ=$(comm -3 \
		<(sed -n 's/^\tbuild \([^ ]*\) .*/\1/p' scripts/deps.sh | grep -vxE 'make|gcc|libc6-dev' | sort) \
		<(sed -n '/^Build-Depends:/,/^[^ B]/s/^\(Build-Depends:\)\? \+\([a-z0-9+-]\+\).*/\2/p' \
			deploy/debian/control | grep -vE '^(debhelper|dh-)' | sort))
	echo "$differ"
	[ -z "$differ" ]
}

why_no_guest() {
	local program
	[ "$(uname -m)" = x86_64 ] || echo "needs an x86_64 machine"
	for program in qemu-system-x86_64 /usr/lib/qemu/virtiofsd busybox xz /lib/systemd/systemd "$NGINX" "$NODE"; do
		command -v "${program:-nothing}" >/dev/null || echo "${program:-node or nginx} is missing"
	done
	bash tests/kernels/fetch.sh $KERNEL bookworm-security linux-image-6.12-cloud-amd64 2>&1
}

guest() {
	local why status
	why=$(why_no_guest | head -n 1)
	if [ -n "$why" ]; then
		echo "skip package: the unit at work - $why"
		return
	fi
	BOOT_WORDS=pid1=systemd BOOT_SECONDS=${GUEST_SECONDS:-480} \
		bash tests/kernels/boot.sh $KERNEL tests/package/guest.sh $OUT >$OUT/boot 2>&1 </dev/null
	status=$?
	grep -E '^(ok|not ok|skip|#) ' $OUT/log
	[ $status -ne 0 ] || return
	grep -q '^not ok ' $OUT/log || echo "not ok package: the guest - it ended with status $status"
	tail -n 15 $OUT/{log,console,boot} | sed 's/^/#   /'
}

if [ ! -f "$DEB" ]; then
	results <<<"not ok package: it is built - no $DEB"
	echo "$passed passed, $failed failed, $skipped skipped"
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	results <<<"skip package - needs root"
	echo "$passed passed, $failed failed, $skipped skipped"
	exit 0
fi
rig_start

# The same once more as a later version, for the upgrade.
rm -rf $OUT
mkdir -p $OUT
dpkg-deb -R "$DEB" "$RIG/later"
sed -i 's/^Version:.*/&+later/' "$RIG/later/DEBIAN/control"
cp "$DEB" $OUT/old.deb
dpkg-deb --root-owner-group -b "$RIG/later" $OUT/new.deb >/dev/null

# The guest is the longest and runs beside the others.
guest >"$RIG/guest" &
guest=$!
check "it is without fault for lintian" lintian --allow-root --display-info --pedantic --display-experimental \
	--fail-on error,warning,info,pedantic,experimental "${DEB%.deb}.changes"
check "its unit exposes at most 2.5 of 10" \
	systemd-analyze security --offline=true --threshold=$EXPOSURE "$RIG/later/lib/systemd/system/memswell.service"
check "its build dependencies are those of deps.sh" same_build_dependencies
check "it depends on the libraries that it links" \
	sh -c 'dpkg-deb -f "$1" Depends | grep -q "libbpf1.*libjansson4.*libseccomp2"' sh "$DEB"
results < <(unshare -m --propagation private bash tests/package/root.sh $OUT/old.deb $OUT/new.deb 2>&1)
results < <(bash tests/package/test_shells.sh "$RIG/later" 2>&1)
wait $guest
results <"$RIG/guest"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
