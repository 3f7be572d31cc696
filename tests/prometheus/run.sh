#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh [PATTERN] - the tests of what memswell says through Prometheus: promtool's opinion of the rules, each
# rule and alert in made-up stories (rules.py), and two nodes with a real Prometheus (test_live.sh). Ends
# with "N passed, N failed, N skipped".
cd "$(dirname "$0")/../.." || exit 1
. tests/programs.sh

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

conclude
