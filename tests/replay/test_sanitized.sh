#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Every recording that is kept, of stories and scenarios, through memswell built with ASan and UBSan:
# they find nothing, and the output is the same as without them.
set -u
cd "$(dirname "$0")/../.." || exit 1
plain=$(mktemp) checked=$(mktemp) errors=$(mktemp)
trap 'rm -f "$plain" "$checked" "$errors"' EXIT
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
failed=0 nr=0

for records in tests/replay/*.records.jsonl.gz tests/scenarios/fixtures/*.records.jsonl.gz; do
	name=$(basename "$records" .records.jsonl.gz)
	nr=$((nr + 1))
	./memswell replay "$records" >"$plain" 2>/dev/null
	if ! build/memswell-asan replay "$records" >"$checked" 2>"$errors"; then
		echo "not ok sanitized: $name - $(grep -m 1 -E 'runtime error|ERROR' "$errors")"
		failed=1
	elif ! cmp -s "$plain" "$checked"; then
		echo "not ok sanitized: $name - the output differs from that of the plain build"
		failed=1
	fi
done
[ $failed -ne 0 ] || echo "ok sanitized: $nr recordings"
exit $failed
