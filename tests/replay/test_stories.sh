#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Replays recorded stories and compares every line of output with what was reviewed and kept. Each
# NAME.records.jsonl.gz came from a live run through make_story.py; NAME.reports.jsonl.gz is what the
# core says about it. MEMSWELL_UPDATE_GOLDEN=1 rewrites the second: review the difference it prints.
# stories.tsv names the truth of each: verdict class, and cause or -.
set -u
cd "$(dirname "$0")" || exit 1
memswell=../../memswell
out=$(mktemp) golden=$(mktemp)
trap 'rm -f "$out" "$golden"' EXIT
failed=0

verdict() { # of the newest incident line on standard input: "CLASS CAUSE"
	grep '"memswell.incident"' | tail -n 1 |
		sed -E 's/.*"verdict":\{"class":"([a-z_]+)",("cause":"([a-z_]+)")?.*/\1 \3/'
}

for records in *.records.jsonl.gz; do
	name=${records%.records.jsonl.gz}
	reports=$name.reports.jsonl.gz
	gzip -dc "$records" | "$memswell" replay - >"$out" || { echo "not ok replay: $name - it fails"; failed=1; continue; }
	gzip -dc "$reports" >"$golden" 2>/dev/null
	if [ -n "${MEMSWELL_UPDATE_GOLDEN-}" ]; then
		diff "$golden" "$out"
		gzip -9nc "$out" >"$reports"
	fi
	/usr/bin/python3 ../validate_lines.py "$out" >/dev/null || { echo "not ok replay: $name - invalid lines"; failed=1; }
	truth=$(awk -v name="$name" '$1 == name { print $2, $3 == "-" ? "" : $3 }' stories.tsv)
	if [ "$(verdict <"$out")" = "$truth" ]; then
		echo "ok replay: $name: verdict"
	else
		echo "not ok replay: $name: verdict - $(verdict <"$out"), the truth is $truth"
		failed=1
	fi
	if cmp -s "$golden" "$out"; then
		echo "ok replay: $name"
	else
		echo "not ok replay: $name - it differs:"
		diff "$golden" "$out" | cut -c1-300 | head -n 6
		failed=1
	fi
done
exit $failed
