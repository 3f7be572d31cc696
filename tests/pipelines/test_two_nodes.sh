#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A memory death on one node behind nginx on another, recorded now on each, split into what each would have
# seen, and merged: one incident with the culprit there and the gateway here, by truth of the rig.
. "$(dirname "$0")/two_nodes.sh"
NAME=two_nodes
require_rig
near_network
rig_start
record_two_nodes
"$MEMSWELL" replay --merge "$RIG/near.jsonl" "$RIG/far.jsonl" >"$RIG/merged.jsonl" 2>"$RIG/merge.log"
check_valid "$RIG/merged.jsonl"
# On a machine that is busy with other things requests may be given up as well: that is another story.
last() { jq -r "select(.verdict.class == \"memory_death\") | $1" "$RIG/merged.jsonl" | tail -n 1; }
expect_is() { # WHAT GOT EXPECTED
	expect "$1" "$2, expected $3" test "$2" = "$3"
}
expect_is "one incident" "$(jq -r 'select(.verdict.class == "memory_death") | .id' "$RIG/merged.jsonl" | sort -u | wc -l)" 1
expect_is "class and cause" "$(last '.verdict.class + " " + .verdict.cause')" "memory_death heap_leak"
expect_is "the culprit's node" "$(last '.resource["host.name"]')" service-node
expect_is "the gateway's node" "$(last '.impact.proxy["host.name"]')" gateway-node
expect_is "how it died" "$(last '.process.exit.oom_kill')" true
expect_is "clients told 502, by nginx's own log" \
	"$(jq -r 'select(.record == "close") | .impact.client_responses["502"]' "$RIG/merged.jsonl" | awk '{ n += $1 } END { print n + 0 }')" \
	"$(awk '$2 == 502' "$RIG/nginx/access.log" | wc -l)"
error_ms=$(sed -n 's/.*its clock is \([-+0-9.]*\) ms off.*/\1/p' "$RIG/merge.log")
expect "the clock that is $FAR_CLOCK_S s ahead is found out" "$(cat "$RIG/merge.log")" \
	awk "BEGIN { d = ${error_ms:-0} - $FAR_CLOCK_S * 1000; exit !(d < 5 && d > -5) }"
expect_is "the two numbered alike: their first processes" "$(last 'select(.process.supervisor) | .impact.proxy["process.pid"] - .process.supervisor["process.pid"]')" 0
finish
