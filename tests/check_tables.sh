#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# check_tables.sh - the BPF tests again, on any kernel, with the tables that stand in for local
# storage on Linux 5.10: see MEMSWELL_TEST_TABLES in tests/bpf/harness.h.
cd "$(dirname "$0")/.." || exit 1
export CMOCKA_MESSAGE_OUTPUT=TAP MEMSWELL_TEST_TABLES=1
status=0
for program in build/tests/bpf/test_*; do
	[[ -x $program && ! -d $program && $program != */test_tables ]] || continue
	output=$("$program" 2>&1) || status=1
	# cmocka's lines, with a name in the place of the number
	sed -e "s/^not ok [0-9]* # SKIP \(.*\)/skip tables, $(basename "$program"): \1 - not possible with tables/" \
		-e "s/ok [0-9]* - /ok tables, $(basename "$program"): /" <<<"$output"
done
exit $status
