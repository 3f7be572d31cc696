#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh [PATTERN] - the tests of recordings and lines in other hands: two nodes merged live, SQL, mappings,
# configurations, a real rsyslog. Ends with "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/../.." || exit 1
output=$(mktemp)
trap 'rm -f "$output"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0 skipped=0

for script in tests/pipelines/test_*.sh; do
	[[ $script == *"${1-}"* ]] || continue
	timeout --kill-after=15 150 bash "$script" >"$output" 2>&1 </dev/null
	status=$?
	cat "$output"
	passed=$((passed + $(grep -c '^ok ' "$output")))
	skipped=$((skipped + $(grep -c '^skip ' "$output")))
	failed=$((failed + $(grep -c '^not ok ' "$output")))
	if [ $status -ne 0 ] && ! grep -q '^not ok ' "$output"; then
		echo "not ok $script - exit status $status"
		failed=$((failed + 1))
	fi
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
