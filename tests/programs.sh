# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# programs.sh - sourced by suites of a few test programs: runs each, shows what it says, adds up its "ok",
# "not ok" and "skip" lines, and ends with "N passed, N failed, N skipped". Starts in the top directory.
# Only programs whose name contains $pattern run.
set -u
pattern=${1-}
output=$(mktemp)
trap 'rm -f "$output"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0 skipped=0

run() { # NAME SECONDS COMMAND...
	local name=$1 seconds=$2 status
	shift 2
	[[ $name == *"$pattern"* ]] || return
	timeout --kill-after=15 "$seconds" "$@" >"$output" 2>&1 </dev/null
	status=$?
	cat "$output"
	passed=$((passed + $(grep -c '^ok ' "$output")))
	skipped=$((skipped + $(grep -c '^skip ' "$output")))
	failed=$((failed + $(grep -c '^not ok ' "$output")))
	if [ $status -ne 0 ] && ! grep -q '^not ok ' "$output"; then
		echo "not ok $name - exit status $status"
		failed=$((failed + 1))
	fi
}

conclude() { # the last line, and the status
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
