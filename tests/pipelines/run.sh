#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh [PATTERN] - the tests of recordings and lines in other hands: two nodes merged live, SQL, mappings,
# configurations, a real rsyslog. Ends with "N passed, N failed, N skipped".
cd "$(dirname "$0")/../.." || exit 1
. tests/programs.sh

for script in tests/pipelines/test_*.sh; do
	run "$script" 150 bash "$script"
done
conclude
