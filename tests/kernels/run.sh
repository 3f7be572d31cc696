#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh [-j N] [--quick] [--update] [NAME...]
# - runs memswell on the kernels of machines.tsv, or on those named, each in an emulated machine with cgroup
# v2 only, N at a time (default 2); guest.sh says what must hold. Then one kernel with cgroup v1 only and with
# both (cgroup_modes.sh), unless kernels were named; then it reads the types of these and of further kernels.
# --quick only loads and attaches. --update makes what was found of hooks and programs the
# baseline (hooks.tsv, programs.tsv), and writes docs/kernels.md.
#
# Prints "ok", "not ok" and "skip" lines and ends with "N passed, N failed, N skipped". It needs the network
# once: build/kernels/ keeps the kernels, and below out/ what the last run wrote.
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
CACHE=build/kernels
jobs=2 update="" quick="" wanted=""
passed=0 failed=0 skipped=0

while [ $# -gt 0 ]; do
	case $1 in
	-j) jobs=${2-} && shift ;;
	--update) update=--update ;;
	--quick) quick=1 ;;
	-*) sed -n '4s/^# //p' "$0" >&2 && exit 2 ;;
	*) wanted+=" $1 " ;;
	esac
	shift
done
[[ $jobs =~ ^[1-9]$ ]] || { echo "run.sh: -j takes a number from 1 to 9" >&2; exit 2; }

machines() { # name, arch, suite, package, tests of those that were asked for
	local what name rest
	while read -r what name rest; do
		[ "$what" = boot ] || continue
		[ -z "$wanted" ] || [[ $wanted == *" $name "* ]] || continue
		echo "$name $rest"
	done <tests/kernels/machines.tsv
}

result() { # LINE
	case $1 in
	ok*) passed=$((passed + 1)) ;;
	not*) failed=$((failed + 1)) ;;
	*) skipped=$((skipped + 1)) ;;
	esac
	echo "$1"
}

results() { # of stdin
	local line
	while read -r line; do result "$line"; done < <(grep -E '^(ok|not ok|skip) ')
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

# What a guest of another architecture runs: a system, and memswell built for it. Prints why not.
prepare_arm64() {
	local program
	for program in qemu-system-aarch64 aarch64-linux-gnu-gcc; do
		command -v $program >/dev/null || { echo "$program is missing" && return 1; }
	done
	bash tests/kernels/root.sh $CACHE/arm64-root arm64 bookworm || return
	make --no-print-directory arm64 >$CACHE/arm64.log 2>&1 && return
	echo "memswell does not build for arm64: $(grep -m 1 -iE 'error|\*\*\*' $CACHE/arm64.log)"
	return 1
}

prepare() { # NAME ARCH SUITE PACKAGE: prints why not
	bash tests/kernels/fetch.sh $CACHE/"$1" "$3" "$4" "$2" 2>&1 || return
	[ "$2" != arm64 ] || prepare_arm64
}

launch() { # NAME TESTS
	local out=$CACHE/out/$1
	rm -rf "$out"
	mkdir -p "$out"
	[ -n "$quick" ] || echo "$2" >"$out/tests"
	(
		trap - EXIT INT TERM HUP
		began=$SECONDS
		(rig_exec -- bash tests/kernels/boot.sh $CACHE/"$1" tests/kernels/guest.sh "$out") \
			>"$out/boot" 2>&1 </dev/null
		echo $? >"$out/end"
		echo $((SECONDS - began)) >"$out/seconds"
	) &
}

# The guest's own results, with the kernel in front, those about hooks and programs, and whether it came
# to its end.
account() { # NAME ARCH
	local out=$CACHE/out/$1 before=$failed end
	end=$(cat "$out/end")
	results < <(sed -n -E "s/^(ok|not ok|skip) /\1 $1 /p" "$out/log")
	if [ -s "$out/check.json" ]; then
		# shellcheck disable=SC2086 # nothing or one word
		results < <(/usr/bin/python3 tests/kernels/judge.py $update guest "$out" "$2" \
			"$(cat $CACHE/"$1"/release)")
	else
		result "not ok $1 hooks - memswell check: $(tail -n 1 "$out/check.log" 2>&1)"
	fi
	[ "$end" -eq 0 ] || [ $failed -gt $before ] || result "not ok $1 - the guest ended with status $end"
	echo "# $1: $(cat "$out/seconds") s; $(grep -E '^# [a-z_]+: [0-9.]+ s$' "$out/log" | tr -d '#' | paste -sd ,)"
	[ $failed -eq $before ] || tail -n 20 "$out"/{log,console,boot} | sed 's/^/#   /'
}

declare -A pending=() # name -> arch
reap() { # accounts for the guests that ended
	local name
	wait -n
	for name in "${!pending[@]}"; do
		[ -e $CACHE/out/"$name"/seconds ] || continue
		account "$name" "${pending[$name]}"
		unset "pending[$name]"
	done
}

rig_start
mkdir -p $CACHE
why=$(obstacle | head -n 1)
ready=()
while read -r name arch suite package tests; do
	if [ -n "$why" ]; then
		result "skip $name - $why"
	elif not=$(prepare "$name" "$arch" "$suite" "$package" </dev/null); then
		ready+=("$name $arch $tests")
	else
		result "skip $name - $(head -n 1 <<<"$not")"
	fi
done < <(machines)

for guest in "${ready[@]}"; do
	read -r name arch tests <<<"$guest"
	while [ ${#pending[@]} -ge "$jobs" ]; do reap; done
	launch "$name" "$tests"
	pending[$name]=$arch
done
while [ ${#pending[@]} -gt 0 ]; do reap; done

# The other cgroup modes, on the one kernel of the matrix whose v1 has a memory controller.
if [ -z "$wanted$quick$why" ]; then
	for mode in v1 hybrid; do
		bash tests/kernels/cgroup_modes.sh $mode >"$CACHE/out/cgroups-$mode.log" 2>&1 </dev/null &
	done
	wait
	for mode in v1 hybrid; do results <"$CACHE/out/cgroups-$mode.log"; done
fi

results < <(bash tests/kernels/types.sh 2>&1 | sed 's/^/skip types - /')
# shellcheck disable=SC2086 # nothing or one word
results < <(bash tests/check_kernel_types.sh $update)
[ -z "$update" ] || /usr/bin/python3 tests/kernels/kernels_doc.py >docs/kernels.md
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
