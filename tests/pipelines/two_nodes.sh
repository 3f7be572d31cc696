# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
#
# two_nodes.sh - sourced: two nodes that are two network namespaces of our own, joined by a link. nginx
# is on the near one, a service that leaks until its cgroup's limit on the far one, and a recorder runs
# on each. Leaves $RIG/near.jsonl and $RIG/far.jsonl: what each node alone would have recorded.
. "$(dirname "${BASH_SOURCE[0]}")/../live/lib.sh"
NEAR=10.99.0.1 FAR=10.99.0.2

# Call it first: it starts the script again in a network namespace of its own.
near_network() {
	unshare -n true 2>/dev/null || skip_all "network namespaces are not here"
	[ -n "${IN_NEAR-}" ] || IN_NEAR=1 exec unshare -n "$BASH" "$0"
	ip link set lo up
}

in_far() { nsenter -t "$FAR_PID" -n "$@"; }
netns_of() { readlink "/proc/$1/ns/net" | tr -dc 0-9; } # PID

# Sets FAR_PID, a process of the far namespace.
far_network() {
	start far unshare -n sleep 3600
	FAR_PID=$PID
	while [ "$(netns_of "$FAR_PID")" = "$(netns_of $$)" ]; do sleep 0.02; done
	ip link add near type veth peer name far netns "$FAR_PID"
	ip address add $NEAR/24 dev near
	ip link set near up
	in_far ip address add $FAR/24 dev far
	in_far ip link set far up
	in_far ip link set lo up
}

# record_far OPTION...: a recorder of the far node's own. Sets FAR_WATCH_PID.
record_far() {
	(rig_exec -- nsenter -t "$FAR_PID" -n "$MEMSWELL" record --state none "$@" "$RIG/far.records") \
		>"$RIG/far.reports" 2>"$RIG/far.log" </dev/null &
	FAR_WATCH_PID=$!
	while ! grep -q 'ready:' "$RIG/far.log"; do
		kill -0 $FAR_WATCH_PID || return 1
		sleep 0.05
	done
}

# The far node booted some hours after the near one, and its clock is ahead by FAR_CLOCK_S.
FAR_BOOT_S=7200.25 FAR_CLOCK_S=3.4
split() {
	local split=("$PYTHON" "$TOP_DIR/tests/pipelines/split_node.py")
	"${split[@]}" "$RIG/records.jsonl" --netns "$(netns_of $$)" --tree "$GATEWAY_PID" \
		--host gateway-node >"$RIG/near.jsonl"
	"${split[@]}" "$RIG/far.records" --netns "$(netns_of "$FAR_PID")" --tree "$SUPERVISOR_PID" \
		--host service-node --boot-shift $FAR_BOOT_S --wall-error $FAR_CLOCK_S >"$RIG/far.jsonl"
}

# One memory death, and what the other node's clients saw of it.
record_two_nodes() {
	local cgroup
	read -r PORT UPSTREAM <<<"$(free_ports 2)"
	far_network
	cgroup=$(memory_cgroup service 110)
	warm_page_cache
	supervise service 2 "$cgroup" nsenter -t "$FAR_PID" -n "$NODE" "$WORKLOADS/leak.js" \
		--address 0.0.0.0 --port "$UPSTREAM" --bytes 16000 --mode $HEAP_LEAK
	sleep 1
	gateway "$PORT" "$FAR:$UPSTREAM" 2
	require_watch --tick 1s
	record_far --tick 1s || { not_ok "the far recorder starts" "$(tail -n 1 "$RIG/far.log")"; finish; }
	SUPERVISOR_PID=$(parent_of "$(service_pid service)")
	CULPRIT=$(service_pid service)
	load load "$PORT" 200 60
	await_lives service end 1 60 && await_lives service start 2 10 && sleep $QUIET_S
	load_stop
	sleep 0.5
	kill -TERM $FAR_WATCH_PID
	wait $FAR_WATCH_PID
	watch_stop
	split
}

parent_of() { awk '{ sub(/^.*\) /, ""); print $2 }' "/proc/$1/stat"; } # PID
