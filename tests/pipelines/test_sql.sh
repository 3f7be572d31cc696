#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# deploy/pipelines/duckdb.sql on the lines of two nodes, each from its own recording: a gateway fails on one
# because a process died on the other.
. "$(dirname "$0")/check.sh"
modules=$PWD/build/npm/node_modules
if [ ! -d "$modules/@duckdb/node-api" ]; then
	echo "skip pipelines: duckdb - @duckdb/node-api is not installed"
	exit 0
fi

for node in near far; do
	./memswell replay tests/replay/merge/$node.records.jsonl.gz 2>/dev/null >"$TMP/$node.jsonl"
done
# As the clocks of nodes that keep time would have it.
./memswell replay --merge tests/replay/merge/{near,far}.records.jsonl.gz 2>/dev/null >"$TMP/merged"
for host in gateway-node service-node; do
	grep "\"resource\":{\"host.name\":\"$host\"" "$TMP/merged" | grep -v memswell.incident >"$TMP/on_time.$host"
done

deaths() { # FILES SLACK_S: "GATEWAY VICTIM SERVICE CAUSE HOSTS" of each row
	node tests/pipelines/duckdb.mjs "$modules" deploy/pipelines/duckdb.sql "$1" "$2" 'FROM cross_node_deaths' |
		jq -r '[.gateway_host, .victim_host, .service, .cause, .hosts_with_address, .client_502] | join(" ")'
}
port=$(jq -r 'select(.listener) | .listener["network.local.port"]' "$TMP/far.jsonl" | head -n 1)
truth="gateway-node service-node $(jq -r 'select(.schema == "memswell.process_exit") | .process["service.name"]' "$TMP/far.jsonl") oom_kill 1 451"

check "the port is known ($port)" test -n "$port"
check "a death on the other node" is "$(deaths "$TMP/on_time.*" 2)" "$truth"
check "clocks 3.4 s apart: not within 2 s" is "$(deaths "$TMP/*.jsonl" 2)" ""
check "clocks 3.4 s apart: within 5 s" is "$(deaths "$TMP/*.jsonl" 5)" "$truth"

# Somebody listened there again in between: then it failed for another reason.
cp "$TMP/on_time.gateway-node" "$TMP/back.gateway"
jq -c 'if .listener.state == "up" then .timestamp = "2026-11-27T03:20:06.460000000Z" else . end' \
	"$TMP/on_time.service-node" >"$TMP/back.service"
check "it had come back before" is "$(deaths "$TMP/back.*" 2)" ""
# The address was on another host as well.
jq -c 'select(.schema == "memswell.process_exit") | .resource["host.name"] = "third" | .timestamp = "2026-11-27T03:20:05.000000000Z"' \
	"$TMP/on_time.service-node" >"$TMP/on_time.third"
check "two hosts with the address are told" is "$(deaths "$TMP/on_time.*" 2)" "${truth/ 1 451/ 2 451}"
finish
