#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# What report and explain say about kept recordings, line by line as it was reviewed. Each golden file
# NAME.FORMAT in this folder comes from the recording NAME; MEMSWELL_UPDATE_GOLDEN=1 rewrites them:
# review the difference it prints. And what holds for every recording there is: all formats work on
# it, a page says as many incidents as the replay, and from its reports the same is said as from it.
set -u
cd "$(dirname "$0")/../.." || exit 1
memswell=$PWD/memswell
here=tests/report
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

result() { # NAME WHY: good if WHY is empty
	if [ -z "$2" ]; then
		echo "ok report: $1"
	else
		echo "not ok report: $1 - $2"
		failed=1
	fi
}

recording() { # NAME
	ls tests/replay/"$1".records.jsonl.gz tests/scenarios/fixtures/"$1".records.jsonl.gz 2>/dev/null
}

say() { # FORMAT FILE
	case $1 in
	explain) "$memswell" explain "$2" ;;
	*) "$memswell" report -o "$1" "$2" ;;
	esac
}

for golden in "$here"/*.text "$here"/*.markdown "$here"/*.explain; do
	name=$(basename "${golden%.*}") format=${golden##*.} why=""
	say "$format" "$(recording "$name")" >"$dir/out" 2>"$dir/err" || why="it fails: $(head -c 200 "$dir/err")"
	if [ -n "${MEMSWELL_UPDATE_GOLDEN-}" ]; then
		diff "$golden" "$dir/out"
		cp "$dir/out" "$golden"
	fi
	cmp -s "$golden" "$dir/out" || why="it differs: $(diff "$golden" "$dir/out" | head -n 4 | tr '\n' '~')"
	result "$name as $format" "$why"
done

# Incidents of a page are articles; their text is the same whichever way it came in, but for what only
# a recording has.
count=0
for file in tests/replay/*.records.jsonl.gz tests/scenarios/fixtures/*.records.jsonl.gz; do
	name=$(basename "$file" .records.jsonl.gz)
	"$memswell" replay "$file" >"$dir/reports"
	expected=$(grep -oE '"record":"(open|update|close)","id":"[^"]*"' "$dir/reports" | cut -d '"' -f 8 | sort -u | wc -l)
	"$memswell" report "$file" -o "$dir/out.html" 2>"$dir/err" || { result "$name" "$(cat "$dir/err")"; continue; }
	articles=$(grep -o '<article' "$dir/out.html" | wc -l)
	[ "$articles" = "$expected" ] || result "$name" "$articles incidents, the replay has $expected"
	"$memswell" explain "$file" >"$dir/a" 2>&1
	"$memswell" explain "$dir/reports" >"$dir/b" 2>&1
	if ! diff <(grep -E '^(What happened|Why|  - [A-Z].*[+(])|^ +[0-9]\.' "$dir/a") \
		<(grep -E '^(What happened|Why|  - [A-Z].*[+(])|^ +[0-9]\.' "$dir/b") >"$dir/diff"; then
		result "$name from its reports" "$(head -c 300 "$dir/diff")"
	fi
	# Numbers of a drawing are finite.
	if grep -oE ' (d|x|y|cx|cy|width|height|data-[a-z]+)="[^"]*"' "$dir/out.html" | grep -v data-name | grep -qE 'nan|inf'; then
		result "$name" "a number that is none"
	fi
	count=$((count + 1))
done
[ "$count" -ge 60 ] && [ $failed = 0 ] && result "$count recordings, as pages and from their reports" ""

# Files as they are met with.
"$memswell" replay tests/replay/oom_kill.records.jsonl.gz >"$dir/reports"
{ echo "memswell: info: ready"; cat "$dir/reports"; printf '{"schema":"memswell.hea'; } >"$dir/mixed"
"$memswell" report -o json "$dir/mixed" >"$dir/out" 2>"$dir/err"
why=""
grep -q '"id": "01M81KEQ7D2A215WJ54Z0QZ5S7"' "$dir/out" || why="the incident is not there"
grep -q 'cut off' "$dir/err" || why="nothing said about the torn line"
result "lines mixed with others and torn at the end" "$why"
gzip -c "$dir/reports" >"$dir/reports.gz"
[ "$("$memswell" explain "$dir/reports.gz" 01M81 | md5sum)" = "$("$memswell" explain - 01M81KEQ <"$dir/reports" | md5sum)" ] || why="they differ"
result "a compressed file, standard input, the begin of an id" "$why"
"$memswell" explain "$dir/reports" 01ZZZ >/dev/null 2>"$dir/err" && why="an unknown id is no error"
grep -q "no incident among 1 has the id '01ZZZ'" "$dir/err" || why="$(cat "$dir/err")"
result "an unknown id" "$why"
printf 'nothing\nof ours\n' >"$dir/foreign"
"$memswell" report "$dir/foreign" -o text >/dev/null 2>"$dir/err" && why="a foreign file is no error"
grep -q 'expected a recording, or lines of memswell' "$dir/err" || why="$(cat "$dir/err")"
result "a foreign file" "$why"
"$memswell" report "$dir/reports" -o html >/dev/full 2>"$dir/err" && why="a full disk is no error"
grep -q 'cannot write to stdout: No space' "$dir/err" || why="$(cat "$dir/err")"
result "a full disk" "$why"
exit $failed
