#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The mappings to OTLP and ECS: of every kind of line, as the unit test of lines and two nodes' recordings
# have them. That the table knows every field of the schema: tests/check_fields.sh.
. "$(dirname "$0")/check.sh"
fields=deploy/pipelines/fields.tsv
checker=(/usr/bin/python3 tests/pipelines/check_fields.py)

map() { # PROGRAM < LINES
	jq -c -L deploy/pipelines --rawfile fields $fields -f "deploy/pipelines/$1.jq"
}

jq '."$defs"."memswell.sample".properties.brandnew = {"type": "integer"}' docs/schema/memswell.schema.json >"$TMP/newer"
"${checker[@]}" $fields "$TMP/newer" >"$TMP/said"
check "a new field is told" is "$(cat "$TMP/said")" "brandnew: expected a row in fields.tsv: mapped, or left out by -"

{
	cat tests/unit/report_json.golden.jsonl
	./memswell replay --merge tests/replay/merge/{near,far}.records.jsonl.gz 2>/dev/null
	./memswell replay --include-samples tests/replay/oom_kill.records.jsonl.gz 2>/dev/null
} >"$TMP/lines"
for program in otlp ecs; do
	map $program <"$TMP/lines" >"$TMP/$program"
done
check "every value of every line is where the table says" "${checker[@]}" $fields "$TMP/lines" "$TMP/otlp" "$TMP/ecs"
echo '{"message": "not ours"}' | map ecs >"$TMP/foreign"
check "lines of others are passed over" test ! -s "$TMP/foreign"
finish
