# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash disable=SC2034 # variables are for the scripts that source this
#
# scenario.sh - what every scenario shares, on top of the rig of the live tests (../live/lib.sh):
# numbers drawn from a seed, an orderly beginning and end, and a truth that no part of memswell wrote.
# It does not judge: score.py compares what memswell said with the truth.
#
# A scenario is one file, <id>_<name>.sh. Lines "# KEY: VALUE" at its top are data that score.py and
# run.sh read (catalogue.py lists the keys). The body sets up services and a gateway, calls `watch`,
# makes traffic and trouble, and ends with `conclude`.
#   SEED    draws rates, limits and sizes (default 1): nothing may depend on one number
#   LOAD    multiplies every rate of requests (default 1)
#   RESULTS where the result directory goes (default: the scenario is scored and forgotten)

SCENARIO_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$SCENARIO_DIR/../live/lib.sh"
OWN_WORKLOADS=$SCENARIO_DIR/workloads
NAME=$(basename "$0" .sh)
SEED=${SEED:-1}
LOAD=${LOAD:-1}
LOAD_PID=
GATEWAY_CONNECTIONS=8192 # so that they run out only where that is the scenario
DRAW=$(printf '%s %s' "$NAME" "$SEED" | cksum | cut -d ' ' -f 1)

# Numbers -----------------------------------------------------------------------------------------

# pick VARIABLE LOW HIGH: draws an integer. (Not $RANDOM: a subshell would draw the same again.)
pick() {
	DRAW=$(((DRAW * 1103515245 + 12345) & 0x7fffffff))
	printf -v "$1" %d $(($2 + (DRAW >> 8) % ($3 - $2 + 1)))
}

# What one request must leave behind so that MIB are full after SECONDS at RATE (before LOAD). A row
# that leak.js counts as 100 bytes weighs some 150 in V8, its numbers what they count.
leak_bytes() { # MIB RATE SECONDS
	local bytes=$((($1 << 20) / ($2 * $3) * SLOWNESS))
	[ $HEAP_LEAK = numbers ] || bytes=$((bytes * 2 / 3))
	echo $bytes
}

loaded() { awk "BEGIN { print $1 * $LOAD }"; } # RATE

# Beginning and end ---------------------------------------------------------------------------------

meta() { sed -n "s/^# $1: *//p" "$0"; } # KEY of this scenario's header

# Skips where the machine lacks something; else makes the rig and draws ports.
begin() {
	local need
	require_rig
	for need in $(meta needs); do
		have "$need" || skip_all "$need is not here"
	done
	rig_start
	read -r PORT UPSTREAM OTHER SPARE <<<"$(free_ports 4)"
	echo "$UPSTREAM" >"$RIG/ports"
}

have() { # one word of "needs"
	case $1 in
	java) command -v javac >/dev/null && command -v java >/dev/null ;;
	pm2) [ -x "$(pm2_path)" ] ;;
	netns) unshare -n true 2>/dev/null ;;
	pidns) unshare -pf --kill-child --mount-proc true 2>/dev/null ;;
	cgroup2) grep -qw memory /sys/fs/cgroup/cgroup.controllers 2>/dev/null ;;
	*) PATH=$PATH:/usr/sbin command -v "$1" >/dev/null ;;
	esac
}

pm2_path() { PATH=$TOP_DIR/build/npm/node_modules/.bin:$PATH command -v pm2; }

about_port() { echo "$1" >>"$RIG/ports"; } # a further port this scenario's incidents may name
about_gateway() { echo "$1" >>"$RIG/gateways"; }

# culprit PID: who is to blame, where no supervised service tells.
culprit() { echo "$1" >>"$RIG/culprits"; }
# died PID: the culprit's moment of death, likewise.
died() { echo "$1 $(now_ms)" >>"$RIG/deaths"; }

watch() { # [OPTION...]
	[ -z "${GATEWAY_PID-}" ] || about_gateway "$GATEWAY_PID"
	echo "$*" >"$RIG/options"
	require_watch --tick 1s "$@"
	now_ms >"$RIG/fault" # until `fault` says otherwise
}

fault() { now_ms >"$RIG/fault"; } # trouble begins now

# traffic RATE SECONDS [OPTION...]: open-loop load on the gateway.
traffic() {
	local rate=$1 seconds=$2
	shift 2
	load load "$PORT" "$(loaded "$rate")" "$seconds" "$@"
}

# one_death SECONDS: waits for `service` to die within that time, to be restarted, and for the quiet
# after which an incident closes.
one_death() {
	await_lives service end 1 "$1" && await_lives service start 2 15 && sleep $QUIET_S
}

# A client at the front door, one request: its status, nothing for no answer.
ask() { # PATH [SECONDS]
	local status
	exec 3<>"/dev/tcp/127.0.0.1/$PORT" || return
	printf 'GET %s HTTP/1.0\r\nHost: scenario\r\n\r\n' "$1" >&3
	read -r -t "${2-5}" _ status _ <&3
	exec 3>&-
	echo "${status-}"
}

# Processes ---------------------------------------------------------------------------------------------

children_of() { cat "/proc/$1/task/"*/children 2>/dev/null; } # PID

# await_child_death PID SECONDS: waits until one of the children that PID has now is gone; it is the
# culprit.
await_child_death() {
	local gone
	# shellcheck disable=SC2046 # one word per child
	gone=$("$PYTHON" "$SCENARIO_DIR/first_death.py" "$2" $(children_of "$1")) || return
	culprit "$gone"
	died "$gone"
}

# Starts this scenario again in a network namespace of its own, where routes may be cut and ports may
# run out. Call it first.
own_network() {
	[ "$(id -u)" -eq 0 ] || skip_all "needs root"
	have netns || skip_all "network namespaces are not here"
	[ -n "${IN_OWN_NETWORK-}" ] || IN_OWN_NETWORK=1 exec unshare -n "$BASH" "$0"
	ip link set lo up
}

# A second network namespace behind a link: FAR_ADDRESS is there, NEAR_ADDRESS here. Sets FAR_PID; commands
# run there by `nsenter -t $FAR_PID -n`.
far_network() {
	NEAR_ADDRESS=10.99.0.1 FAR_ADDRESS=10.99.0.2
	start far unshare -n sleep 3600
	FAR_PID=$PID
	while [ "$(readlink "/proc/$FAR_PID/ns/net")" = "$(readlink /proc/$$/ns/net)" ]; do sleep 0.02; done
	ip link add near type veth peer name far netns "$FAR_PID"
	ip address add $NEAR_ADDRESS/24 dev near
	ip link set near up
	nsenter -t "$FAR_PID" -n ip address add $FAR_ADDRESS/24 dev far
	nsenter -t "$FAR_PID" -n ip link set far up
}

# A third one behind the second, which routes: BEHIND_ADDRESS is there. Sets BEHIND_PID. The router soon
# sees who does not answer, and tells of each packet it cannot deliver, not of one a second.
behind_far() {
	local router=(nsenter -t "$FAR_PID" -n)
	BEHIND_ADDRESS=10.98.0.2
	start behind unshare -n sleep 3600
	BEHIND_PID=$PID
	while [ "$(readlink "/proc/$BEHIND_PID/ns/net")" = "$(readlink /proc/$$/ns/net)" ]; do sleep 0.02; done
	"${router[@]}" ip link add near type veth peer name far netns "$BEHIND_PID"
	"${router[@]}" ip address add 10.98.0.1/24 dev near
	"${router[@]}" ip link set near up
	"${router[@]}" sh -c 'cd /proc/sys/net/ipv4 && echo 1 >ip_forward && echo 0 >icmp_ratelimit &&
		echo 1 >neigh/near/mcast_solicit && echo 100 >neigh/near/retrans_time_ms'
	nsenter -t "$BEHIND_PID" -n ip address add $BEHIND_ADDRESS/24 dev far
	nsenter -t "$BEHIND_PID" -n ip link set far up
	nsenter -t "$BEHIND_PID" -n ip route add default via 10.98.0.1
	ip route add $BEHIND_ADDRESS/32 via "$FAR_ADDRESS"
}

# Programs built from one file, once. Print what to run.
BUILT=$TOP_DIR/build/scenarios
java_classes() {
	mkdir -p "$BUILT"
	[ "$BUILT/Leak.class" -nt "$OWN_WORKLOADS/Leak.java" ] ||
		javac -d "$BUILT" "$OWN_WORKLOADS/Leak.java" >"$RIG/javac.log" 2>&1
	echo "$BUILT"
}
go_program() {
	mkdir -p "$BUILT"
	[ "$BUILT/leak-go" -nt "$OWN_WORKLOADS/leak.go" ] ||
		GOCACHE=$BUILT/go-cache GO111MODULE=off go build -o "$BUILT/leak-go" \
			"$OWN_WORKLOADS/leak.go" >"$RIG/go.log" 2>&1
	echo "$BUILT/leak-go"
}

# haproxy_gateway LISTEN_PORT UPSTREAM_PORT: our own haproxy. Sets GATEWAY_PID.
haproxy_gateway() {
	cat >"$RIG/haproxy.cfg" <<-CONF
	global
		log stdout format raw local0
		maxconn 2000
	defaults
		mode http
		log global
		log-format "%Ts %ms %Tt %ST"
		timeout connect 5s
		timeout client 20s
		timeout server 20s
		retries 1
	listen front
		bind 127.0.0.1:$1
		http-reuse always
		server service 127.0.0.1:$2
	CONF
	start haproxy "$(PATH=$PATH:/usr/sbin command -v haproxy)" -db -f "$RIG/haproxy.cfg"
	GATEWAY_PID=$PID
	wait_port "$1"
}

# pm2_start MODE MAX_MIB NAME SCRIPT [-- OPTION...]: a pm2 of our own with one service, restarted beyond
# MAX_MIB. Sets PM2_GOD, its daemon; whatever that starts is registered as it comes.
pm2_start() {
	local mode=$1 max=$2 name=$3 script=$4 instances=()
	shift 4
	[ "$mode" = fork ] || instances=(-i 2)
	export PM2_HOME=$RIG/pm2
	(rig_exec -- "$(pm2_path)" start "$script" --name "$name" "${instances[@]}" \
		--max-memory-restart "${max}M" --interpreter "$NODE" "$@") >"$RIG/pm2.log" 2>&1 </dev/null
	PM2_GOD=$(cat "$PM2_HOME/pm2.pid")
	(
		trap - EXIT INT TERM HUP
		rig_register
		while sleep 0.5; do register_family "$PM2_GOD"; done
	) </dev/null >/dev/null 2>&1 &
	disown
}

register_family() { # PID and its children, each once
	local pid stat
	for pid in "$1" $(children_of "$1"); do
		read -r stat 2>/dev/null <"/proc/$pid/stat" || continue
		read -ra stat <<<"${stat##*) }"
		[[ $(<"$RIG/processes") == *"$pid ${stat[19]}"* ]] || echo "$pid ${stat[19]}" >>"$RIG/processes"
	done
}

# Its end ---------------------------------------------------------------------------------------------------

conclude() {
	[ -z "$LOAD_PID" ] || load_stop
	sleep 0.5
	watch_stop
	# shellcheck disable=SC2046 # one word per option
	"$MEMSWELL" replay $(cat "$RIG/options") "$RIG/records.jsonl" >"$RIG/replay.jsonl" 2>"$RIG/replay.log"
	"$PYTHON" "$TOP_DIR/tests/validate_lines.py" "$RIG/reports.jsonl" >"$RIG/validate.log" 2>&1 ||
		echo "a line is invalid: $(head -n 1 "$RIG/validate.log")" >>"$RIG/problems"
	cmp -s "$RIG/reports.jsonl" "$RIG/replay.jsonl" ||
		echo "replay differs from the live output" >>"$RIG/problems"
	[ "$WATCH_STATUS" -eq 0 ] || echo "memswell ended with $WATCH_STATUS" >>"$RIG/problems"
	"$PYTHON" "$SCENARIO_DIR/truth.py" "$0" "$RIG" "$SEED" "$LOAD" || exit 1
	rm -rf "$RIG/replay.jsonl" "$RIG/nginx/tmp" "$RIG/scratch"
	if [ -z "${RESULTS-}" ]; then
		"$PYTHON" "$SCENARIO_DIR/score.py" "$RIG"
		exit
	fi
	gzip -9 "$RIG/records.jsonl"
	KEEP_DIR=$RESULTS/$NAME.seed$SEED.load$LOAD
}
