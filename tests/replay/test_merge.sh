#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Two nodes' recordings of one memory death (tests/pipelines/two_nodes.sh made them) as one stream:
# the output is what was reviewed, the clock of the second is found out, and neither order of the files
# nor what is wrong with them leads to another culprit. MEMSWELL_UPDATE_GOLDEN=1 rewrites the golden.
set -u
cd "$(dirname "$0")/merge" || exit 1
memswell=../../../memswell
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

check() { # WHAT COMMAND...
	local what=$1
	shift
	if "$@" >"$tmp/why" 2>&1; then
		echo "ok merge: $what"
	else
		echo "not ok merge: $what - $(head -c 300 "$tmp/why" | tr '\n' ' ')"
		failed=1
	fi
}

merge() { "$memswell" replay --merge "$@" 2>"$tmp/log"; }

# "CLASS CAUSE RESOURCE-HOST GATEWAY-HOST" of the newest incident line; confidence on the side.
verdict() {
	jq -r 'select(.schema == "memswell.incident") |
		[.verdict.class, .verdict.cause, .resource["host.name"],
			.impact.proxy["host.name"] // .resource["host.name"]] | join(" ")' "$1" | tail -n 1
}
confidence() { jq -r 'select(.schema == "memswell.incident") | .verdict.confidence' "$1" | tail -n 1; }
is() { # GOT EXPECTED
	echo "$1, expected $2"
	[ "$1" = "$2" ]
}
says() { cat "$tmp/log"; grep -q "$1" "$tmp/log"; } # PATTERN in memswell's log
fails() { # PATTERN FILE...: exit 1, and that in the log
	local pattern=$1
	shift
	merge "$@" >/dev/null
	[ $? -eq 1 ] && says "$pattern"
}

TRUTH="memory_death heap_leak service-node gateway-node"
near=near.records.jsonl.gz far=far.records.jsonl.gz

merge $near $far >"$tmp/out"
gzip -dc reports.jsonl.gz >"$tmp/golden" 2>/dev/null
if [ -n "${MEMSWELL_UPDATE_GOLDEN-}" ]; then
	diff "$tmp/golden" "$tmp/out"
	gzip -9nc "$tmp/out" >reports.jsonl.gz
fi
check "as reviewed" cmp "$tmp/golden" "$tmp/out"
check "every line is valid" /usr/bin/python3 ../../validate_lines.py "$tmp/out"
check "culprit on one node, gateway on the other" is "$(verdict "$tmp/out")" "$TRUTH"
check "the clock is found out" says 'service-node: its clock is +3[34][09][09]\.[09][09][0-9] ms off'
sure=$(confidence "$tmp/out")

# Each node alone knows half of it.
"$memswell" replay $near 2>/dev/null >"$tmp/half"
check "the gateway alone accuses nobody" is "$(jq -r 'select(.process and .verdict) | .process["process.pid"]' "$tmp/half")" ""

merge $far $near >"$tmp/turned"
check "the other order" is "$(verdict "$tmp/turned")" "$TRUTH"

# A clock of which nothing tells: the marks by which clocks are compared are gone.
ahead=0
for node in near far; do
	gzip -dc $node.records.jsonl.gz | jq -c 'if .k == "flow" and .role == "server" then del(.ok_mark_ns, .fail_marks_ns)
		elif .wall_offset_ns then .wall_offset_ns -= $ahead else . end' --argjson ahead $ahead >"$tmp/$node"
	ahead=3400000000
done
merge "$tmp/near" "$tmp/far" >"$tmp/unsure"
check "an unknown clock: the same culprit" is "$(verdict "$tmp/unsure")" "$TRUTH"
check "an unknown clock is said" says "nothing it saw tells how its clock lies"
check "an unknown clock makes unsure" awk "BEGIN { exit !($(confidence "$tmp/unsure") < $sure - 0.2) }"

# Minutes off and nothing to tell it by: no death then, so nobody is accused.
gzip -dc $far | jq -c 'if .k == "flow" then del(.ok_mark_ns, .fail_marks_ns)
	elif .wall_offset_ns then .wall_offset_ns += 600000000000 else . end' >"$tmp/off"
merge "$tmp/near" "$tmp/off" >"$tmp/astray"
check "a clock that is astray accuses nobody" is "$(jq -r 'select(.verdict.class == "memory_death") | .id' "$tmp/astray")" ""

# The same address on a third node at the same time: whose death it was cannot be told.
gzip -dc $far | jq -c 'if .k == "header" then .host_name = "third" | .boot_id = "third" | .host_id = "third"
	else select(.k != "exit" and .k != "oom" and .k != "signal") end' >"$tmp/third"
merge $near $far "$tmp/third" >"$tmp/doubled"
check "an address on two nodes accuses nobody" is \
	"$(jq -r 'select(.verdict.class == "memory_death") | .id' "$tmp/doubled")" ""

check "one file twice is refused" fails "expected recordings of several nodes, both are of host" $near $near
gzip -dc $far | tail -n +2 >"$tmp/headless"
check "a file without header is refused" fails 'headless: line 1: expected the "header"' $near "$tmp/headless"
gzip -dc $far | head -c 20000 >"$tmp/cut"
check "a file that is cut off is refused" fails "cut: line [0-9]*: expected a newline" $near "$tmp/cut"
exit $failed
