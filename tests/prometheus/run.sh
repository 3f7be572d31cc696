#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh [PATTERN] - the tests of what memswell says through Prometheus: promtool's opinion of the rules, each
# rule and alert in made-up stories (rules.py), and two nodes with a real Prometheus (test_live.sh). Ends
# with "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/../.." || exit 1
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

promtool_check() { # WHAT FILE
	if promtool check "$1" "$2" >"$output.promtool" 2>&1; then
		echo "ok promtool check $1 $2"
	else
		echo "not ok promtool check $1 $2 - $(tail -n 1 "$output.promtool")"
	fi
	rm -f "$output.promtool"
}
export -f promtool_check
export output

if command -v promtool >/dev/null; then
	run check_rules 30 bash -c 'promtool_check rules deploy/prometheus/memswell.rules.yml
		promtool_check config deploy/prometheus/prometheus.yml'
	run rules 600 /usr/bin/python3 tests/prometheus/rules.py
else
	echo "skip rules - promtool is not installed"
	skipped=1
fi
run live 200 bash tests/prometheus/test_live.sh

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
