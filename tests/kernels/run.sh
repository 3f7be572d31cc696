#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh [NAME...] - runs ./memswell whole on the kernels that Debian 11 and 12 ship (5.10 6.1 6.12), or on
# those named, in emulated machines with cgroup v2 only; guest.sh says what must hold. `backports` is
# Debian's newest kernel. Prints "ok", "not ok" and "skip" lines and ends with "N passed, N failed,
# N skipped". A kernel takes some four minutes, and the network once: build/kernels/ keeps the
# kernels, and below out/ what the last run wrote.
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
wanted=" ${*:-5.10 6.1 6.12} "
passed=0 failed=0 skipped=0
CACHE=build/kernels

kernels() { # name, suite, metapackage
	cat <<-'ROWS'
	5.10 bullseye-security linux-image-cloud-amd64
	6.1  bookworm-security linux-image-cloud-amd64
	6.12 bookworm-security linux-image-6.12-cloud-amd64
	backports trixie-backports linux-image-cloud-amd64
	ROWS
}

result() { # LINE
	case $1 in
	ok*) passed=$((passed + 1)) ;;
	not*) failed=$((failed + 1)) ;;
	*) skipped=$((skipped + 1)) ;;
	esac
	echo "$1"
}

# Why no guest can run here, or nothing.
obstacle() {
	local program
	[ "$(uname -m)" = x86_64 ] || echo "needs an x86_64 machine"
	[ "$(id -u)" -eq 0 ] || echo "needs root"
	for program in qemu-system-x86_64 /usr/lib/qemu/virtiofsd busybox xz unshare "$NODE" "$NGINX"; do
		command -v "${program:-nothing}" >/dev/null || echo "${program:-node or nginx} is missing"
	done
	[ -x memswell ] || echo "./memswell is not built"
}

# The guest's own results, with the kernel in front; then whether it came to its end.
account() { # KERNEL EXIT_STATUS
	local out=$CACHE/out/$1 line before=$failed
	while read -r line; do
		result "$(sed "s/^\(ok\|not ok\|skip\) /\1 $1 /" <<<"$line")"
	done < <(grep -E '^(ok|not ok|skip) ' "$out/log")
	[ "$2" -eq 0 ] || [ $failed -gt $before ] ||
		result "not ok $1 - the guest ended with status $2"
	[ $failed -eq $before ] || tail -n 20 "$out"/{log,console,boot} | sed 's/^/#   /'
}

test_kernel() { # KERNEL SUITE METAPACKAGE
	local out=$CACHE/out/$1 why
	why=$(bash tests/kernels/fetch.sh "$CACHE/$1" "$2" "$3" 2>&1) || {
		result "skip $1 - $why"
		return
	}
	rm -rf "$out"
	mkdir -p "$out"
	(rig_exec -- bash tests/kernels/boot.sh "$CACHE/$1" tests/kernels/guest.sh "$out") \
		>"$out/boot" 2>&1 </dev/null &
	wait $!
	account "$1" $?
}

rig_start
why=$(obstacle | head -n 1)
while read -r name suite metapackage; do
	[[ $wanted == *" $name "* ]] || continue
	if [ -n "$why" ]; then
		result "skip $name - $why"
	else
		test_kernel "$name" "$suite" "$metapackage" </dev/null
	fi
done < <(kernels)
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
