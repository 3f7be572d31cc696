#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh [--live|--containers|--image|--kubernetes] [PATTERN] - runs every test program whose name contains PATTERN (default:
# all), one after the other, and ends with "N passed, N failed, N skipped". Builds nothing. Live tests
# that say SUITE=live are left to --live, which runs these alone, those of tests/containers and so on to
# --containers and so on: `make test` has ten minutes.
#
# A test program prints one line per result: "ok NAME", "not ok NAME - why", "skip NAME - reason"
# (TAP, as cmocka speaks it too). One that prints none passes or fails as a whole by its exit
# status. One that ends with a failure but reported none (a crash, a sanitizer) counts as a failure.
# MEMSWELL_TEST_KEEP=DIR keeps what failed live tests leave behind.
set -u
cd "$(dirname "$0")/.." || exit 1
suite=short
case ${1-} in
--live | --containers | --image | --kubernetes) suite=${1#--} && shift ;;
esac
pattern=${1-}
live_s=300 # a rollout in an emulated machine takes nine minutes
[ "$suite" != kubernetes ] || live_s=1500
passed=0 failed=0 skipped=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT
trap 'exit 130' INT TERM
export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1

# What failed and what was skipped; cmocka gives numbers, no reasons, and not its program's name.
notable() { # NAME
	sed -nE "s|^not ok [0-9]+ # SKIP (.*)|skip ${1##*/}: \1 - it cannot be shown on this machine|p; t
		s|^not ok [0-9]+ - |not ok ${1##*/}: |p; t
		/^(not ok|skip) /p" "$output"
}

# Results of one program: counts, and what went wrong in full.
account() { # NAME EXIT_STATUS
	local good bad skip
	skip=$(grep -cE '^skip |^(not )?ok .*# SKIP' "$output") # cmocka says "not ok N # SKIP"
	good=$(grep -E '^ok ' "$output" | grep -cv '# SKIP')
	bad=$(grep -E '^not ok ' "$output" | grep -cv '# SKIP')
	if [ "$2" -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
		echo "not ok $1 - exit status $2"
	elif [ $((good + bad + skip)) -eq 0 ]; then
		good=1
		echo "ok $1"
	fi
	passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skip))
	printf '%-40s %3d passed %3d failed %3d skipped\n' "$1" "$good" "$bad" "$skip"
	notable "$1"
	if [ "$bad" -gt 0 ]; then
		echo "# the output of $1:"
		tail -n 60 "$output" | sed 's/^/#   /'
	fi
}

run() { # TIMEOUT_S PROGRAM...
	local seconds=$1 name=${*: -1}
	shift
	[[ $name == *"$pattern"* ]] || return
	timeout --kill-after=15 "$seconds" "$@" >"$output" 2>&1 </dev/null
	account "$name" $?
}

# Machines are shared: what fails once on a live host is run once more, and both are told.
run_live() { # PROGRAM
	local status
	timeout --kill-after=15 $live_s bash "$1" >"$output" 2>&1 </dev/null
	status=$?
	if [ $status -ne 0 ]; then
		grep '^not ok ' "$output" | cut -c 1-400 | sed 's/^/# at first: /'
		timeout --kill-after=15 $live_s bash "$1" >"$output" 2>&1 </dev/null
		status=$?
	fi
	account "$1" $status
}

live() { # of the suite, those whose name contains the pattern
	local script dir=tests/live
	[ ! -d "tests/$suite" ] || dir=tests/$suite
	for script in $dir/test_*.sh; do
		[[ $script == *"$pattern"* ]] || continue
		[ $dir != tests/live ] && echo "$script" && continue
		[ "$(sed -n 's/^SUITE=//p' "$script")" = "${suite#short}" ] && echo "$script"
	done
}

shopt -s nullglob
if [ $suite = short ]; then
	for program in build/tests/unit/test_* build/tests/bpf/test_*; do
		[ -x "$program" ] && [ ! -d "$program" ] && run 120 "$program"
	done
	for script in tests/check_*.sh tests/cli/test_*.sh tests/replay/test_*.sh \
		tests/report/test_*.sh tests/scenarios/test_offline.sh; do
		run 180 bash "$script"
	done
fi
# One after the other: some of them storm the host, and that is what the others would measure.
for script in $(live); do
	run_live "$script"
done
[ $suite != short ] || run 420 bash tests/scenarios/test_live.sh

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
