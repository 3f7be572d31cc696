#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# browser.sh - the report in a real browser, see browser.js. Skips where there is none, or nothing to
# drive it with. Leaves nothing behind: pages, profile and prints are in a directory that goes.
# MEMSWELL_TEST_KEEP=DIR keeps the screenshots.
set -u
cd "$(dirname "$0")/../.." || exit 1
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -z "$browser" ]; then
	echo "skip report in a browser - no chromium"
	exit 0
fi
if ! command -v node >/dev/null || [ ! -d build/npm/node_modules/playwright-core ]; then
	echo "skip report in a browser - no playwright-core: scripts/deps.sh views fetches it from npm"
	exit 0
fi
dir=$(mktemp -d)
child=
cleanup() {
	[ -z "$child" ] || kill "$child" 2>/dev/null
	[ -z "${MEMSWELL_TEST_KEEP-}" ] || { mkdir -p "$MEMSWELL_TEST_KEEP" && cp "$dir"/*.png "$MEMSWELL_TEST_KEEP"/ 2>/dev/null; }
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# Of its size there is a promise: a day with a hundred incidents in less than 5 MB.
/usr/bin/python3 tests/report/make_day.py tests/replay/oom_kill.records.jsonl.gz 100 >"$dir/day.jsonl"
TIMEFORMAT="# a day of 100 incidents, $(($(wc -c <"$dir/day.jsonl") >> 20)) MiB of records: %R s, of which %U s of CPU"
time ./memswell report "$dir/day.jsonl" -o "$dir/day.html"
size=$(wc -c <"$dir/day.html") articles=$(grep -o '<article' "$dir/day.html" | wc -l)
if [ "$size" -lt $((5 << 20)) ] && [ "$articles" = 100 ]; then
	echo "ok report: a day of 100 incidents in $size bytes"
else
	echo "not ok report: a day of 100 incidents - $articles incidents in $size bytes"
fi
rm -f "$dir/day.jsonl"

TMPDIR=$dir NODE_PATH=$PWD/build/npm/node_modules timeout --kill-after=10 150 \
	node tests/report/browser.js "$browser" "$dir" &
child=$!
wait "$child"
status=$?
child=
[ $status -lt 124 ] || echo "not ok report in a browser - it ended with status $status"
exit $status
