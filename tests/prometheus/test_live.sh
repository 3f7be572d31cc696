#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Two nodes, as far as one kernel allows: a gateway in one network namespace, a service that leaks in another,
# a veth between them, a memswell beside each, and a real Prometheus with the rules of deploy/ and a real
# Alertmanager. The service dies of memory; the alert must name it, and its node, though no memswell saw both.
#
# Both memswells run on one kernel and would see both nodes. `--cgroup` keeps each to its own node's
# processes, before its core sees a record; the test proves that by asking each for the other's.
. "$(dirname "$0")/../live/lib.sh"
NAME=prometheus
MEMSWELL_PORT=9432 PROMETHEUS_PORT=9090 ALERTMANAGER_PORT=9093 # in namespaces of our own
A_ADDRESS=10.97.0.1 B_ADDRESS=10.97.0.2
PORT=8080 UPSTREAM=3000 NOBODY=3999
require_rig
for program in prometheus prometheus-alertmanager ip promtool; do
	command -v "$program" >/dev/null || skip_all "$program is not installed"
done
"$MEMSWELL" help 2>&1 | grep -q -- '--metrics ' || skip_all "this build exports no metrics"
rig_start

# node NAME: a network namespace, and a memory cgroup for what runs on it. Sets NODE_PID, NODE_CGROUP.
node() {
	start "$1" unshare -n sh -c 'ip link set lo up && exec sleep 3600'
	NODE_PID=$PID
	NODE_CGROUP=$(memory_cgroup "$1" "$2")
	while [ "$(readlink "/proc/$NODE_PID/ns/net")" = "$(readlink /proc/$$/ns/net)" ]; do sleep 0.02; done
}
# shellcheck disable=SC2016 # for the inner shell
enter() { # PID [CGROUP]: what is started from now on runs there
	INSIDE=(nsenter -t "$1" -n)
	[ -z "${2-}" ] || INSIDE=(sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$2" "${INSIDE[@]}")
}
scope() { echo "/${1##*/}"; } # the cgroup as memswell names it

write_configuration() {
	sed -e "s/node-a.example:9432/$A_ADDRESS:$MEMSWELL_PORT/; s/node-b.example:9432/$B_ADDRESS:$MEMSWELL_PORT/" \
		-e "s/alertmanager.example:9093/127.0.0.1:$ALERTMANAGER_PORT/; s/_interval: 15s/_interval: 1s/" \
		"$TOP_DIR/deploy/prometheus/prometheus.yml" >"$RIG/prometheus.yml"
	cp "$TOP_DIR/deploy/prometheus/memswell.rules.yml" "$RIG/"
	printf 'route: {receiver: nobody, group_wait: 1s}\nreceivers: [{name: nobody}]\n' >"$RIG/alertmanager.yml"
}

memswell_on() { # NAME CGROUP ADDRESS
	start "memswell-$1" "$MEMSWELL" run --state none --bpf-stats=50 --cgroup "$(scope "$2")" \
		--metrics "$3:$MEMSWELL_PORT" --metrics-allow-remote --output "$RIG/$1.jsonl"
}

node a 1024
A_PID=$NODE_PID A_CGROUP=$NODE_CGROUP
node b 160
B_PID=$NODE_PID B_CGROUP=$NODE_CGROUP
ip link add memswell-a netns "$A_PID" type veth peer name memswell-b netns "$B_PID" ||
	skip_all "no veth can be made here"
nsenter -t "$A_PID" -n sh -c "ip address add $A_ADDRESS/24 dev memswell-a && ip link set memswell-a up"
nsenter -t "$B_PID" -n sh -c "ip address add $B_ADDRESS/24 dev memswell-b && ip link set memswell-b up"
warm_page_cache

enter "$A_PID"
memswell_on a "$A_CGROUP" "$A_ADDRESS"
write_configuration
start prometheus env GOMAXPROCS=2 prometheus --config.file="$RIG/prometheus.yml" --log.level=warn \
	--storage.tsdb.path="$RIG/tsdb" --web.listen-address="127.0.0.1:$PROMETHEUS_PORT"
start alertmanager prometheus-alertmanager --config.file="$RIG/alertmanager.yml" --log.level=warn \
	--storage.path="$RIG/alerts" --web.listen-address="127.0.0.1:$ALERTMANAGER_PORT" --cluster.listen-address=
enter "$B_PID"
memswell_on b "$B_CGROUP" "$B_ADDRESS"

# On any address: which one the gateway calls, nobody tells but the requests.
enter "$B_PID" "$B_CGROUP"
supervise service 2 "" "$NODE" "$WORKLOADS/leak.js" --address :: --port "$UPSTREAM" --bytes $((60000 * SLOWNESS))
wait_port "$UPSTREAM"
enter "$A_PID" "$A_CGROUP"
# And one where nobody ever listened: it fails as well, and must not be explained by the death beside it.
gateway "$PORT" "$B_ADDRESS:$UPSTREAM $B_ADDRESS:$NOBODY" 1 16

ask() { # CHECK [ARGUMENT...]
	nsenter -t "$A_PID" -n "$PYTHON" "$TOP_DIR/tests/prometheus/ask.py" "http://127.0.0.1:$PROMETHEUS_PORT" "$@"
}
STARTED=$(now_ms)
if ! ask scraped 2 20 >"$RIG/scraped.log" 2>&1; then
	not_ok "Prometheus scrapes both nodes" "$(tail -n 1 "$RIG/scraped.log"; tail -qn 1 "$RIG"/memswell-?.log)"
	finish
fi
ok "Prometheus scrapes both nodes"
load load "$PORT" 100 100
if ! await_lives service end 1 60; then
	not_ok "the service dies of its limit" "it lives: $(memory_usage "$B_CGROUP") bytes"
	finish
fi
DIED=$(awk '$1 == "end" { print $NF; exit }' "$RIG/service.lives")
ask story --gateway "$A_ADDRESS:$MEMSWELL_PORT" --victim "$B_ADDRESS:$MEMSWELL_PORT" \
	--upstream "$B_ADDRESS:$UPSTREAM" --nobody "$B_ADDRESS:$NOBODY" --died-ms "$DIED" --started-ms "$STARTED" \
	--alertmanager "http://127.0.0.1:$ALERTMANAGER_PORT" || FAILED=1
await_lives service start 2 10
sleep 3
load_stop
"$TOP_DIR/scripts/grafana.sh" queries >"$RIG/queries.json"
ask dashboard "$RIG/queries.json" --started-ms "$STARTED" || FAILED=1
ask rules || FAILED=1
finish
