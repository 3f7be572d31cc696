# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash disable=SC2034 # variables are for the scripts that source this
#
# lib.sh - the rig of the live tests, the demo and the benchmark: a directory for one run, processes
# in sessions of their own, memory cgroups on v1 or v2, nginx, supervised services, memswell.
# Everything started here is registered before it runs, and reaper.py ends it when the script ends,
# however it ends. It decides nothing about what memswell should say: check_incident.py does.
#
# rig_start sets RIG (the directory). Ports, cgroups and pids are always arguments or results. INSIDE, if
# set, is the command with which everything that is started enters namespaces (tests/containers).

set -u
LIVE_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP_DIR=$(cd "$LIVE_DIR/../.." && pwd)
WORKLOADS=$LIVE_DIR/workloads
BUILD=${MEMSWELL_TEST_BUILD:-build} # in a guest of another architecture its own
MEMSWELL=${MEMSWELL:-$TOP_DIR/memswell}
PYTHON=/usr/bin/python3
NODE=$(command -v node) || NODE=
NGINX=$(PATH=$PATH:/usr/sbin command -v nginx) || NGINX=
# How many times slower than real hardware this machine is. Loads send so many times fewer requests,
# scenarios let each weigh so many times more.
SLOWNESS=${MEMSWELL_TEST_SLOWNESS:-1}
HEAP_LEAK=heap # see leak.js
POLL_S=0.1
[ "$SLOWNESS" -eq 1 ] || HEAP_LEAK=numbers POLL_S=0.5 # there a look is a tenth of a second's work

now_ms() { # milliseconds since the epoch
	local micros=${EPOCHREALTIME/[.,]/}
	echo $((micros / 1000))
}

# Rig ---------------------------------------------------------------------------------------------

rig_start() {
	RIG=$(mktemp -d "${TMPDIR:-/tmp}/memswell-test.XXXXXX")
	chmod 755 "$RIG" # nginx workers drop privileges and write into it
	: >"$RIG/processes"
	: >"$RIG/cgroups"
	: >"$RIG/restore"
	trap rig_stop EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	setsid "$PYTHON" "$LIVE_DIR/reaper.py" watch "$RIG" $$ </dev/null >/dev/null 2>&1 &
	disown
	while [ ! -e "$RIG/watched" ]; do sleep 0.02; done
}

# Keep the evidence of a failed test where its reader can find it, then clean up.
rig_stop() {
	trap - EXIT
	if [ -n "${KEEP_DIR-}" ]; then
		mkdir -p "$KEEP_DIR"
		find "$RIG" -mindepth 1 -maxdepth 1 ! -name machine -exec cp -r {} "$KEEP_DIR/" \; 2>/dev/null
	fi
	"$PYTHON" "$LIVE_DIR/reaper.py" now "$RIG"
}

# Register the calling (sub)shell and whatever it becomes.
rig_register() {
	local stat
	read -r stat <"/proc/$BASHPID/stat"
	read -ra stat <<<"${stat##*) }"                # from the third field on
	echo "$BASHPID ${stat[19]}" >>"$RIG/processes" # with field 22, the start time
}

# rig_exec [CGROUP...] -- COMMAND...: become COMMAND in a session of its own, inside the cgroups.
# Call it in a subshell; it is registered before anything of it runs.
rig_exec() {
	local cgroup
	trap - EXIT INT TERM HUP
	rig_register
	while [ "$1" != -- ]; do
		cgroup=$1
		shift
		[ -z "$cgroup" ] || echo $BASHPID >"$cgroup/cgroup.procs"
	done
	shift
	exec setsid ${INSIDE[@]+"${INSIDE[@]}"} "$@"
}

# Memory cgroups ----------------------------------------------------------------------------------

# Prints the directory below which memory cgroups can be made; fails where there is none.
memory_root() {
	local dir
	dir=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/mounts)
	if [ -z "$dir" ]; then
		dir=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
		[ -n "$dir" ] && grep -qw memory "$dir/cgroup.controllers" || return 1
		grep -qw memory "$dir/cgroup.subtree_control" ||
			echo +memory >"$dir/cgroup.subtree_control" || return 1
	fi
	[ -w "$dir" ] && echo "$dir"
}

# memory_cgroup NAME MIB: makes one with that limit and without swap, prints its directory.
memory_cgroup() {
	local dir
	dir=$(memory_root)/memswell-test-$$-$1 || return 1
	echo "$dir" >>"$RIG/cgroups"
	mkdir "$dir" || return 1
	if [ -e "$dir/memory.max" ]; then
		echo $(($2 << 20)) >"$dir/memory.max"
		[ ! -e "$dir/memory.swap.max" ] || echo 0 >"$dir/memory.swap.max"
	else
		echo $(($2 << 20)) >"$dir/memory.limit_in_bytes"
	fi
	echo "$dir"
}

memory_usage() { # bytes
	cat "$1/memory.current" 2>/dev/null || cat "$1/memory.usage_in_bytes"
}

oom_kills() { # kills so far in this cgroup
	cat "$1/memory.events" "$1/memory.oom_control" 2>/dev/null | awk '$1 == "oom_kill" { print $2 }'
}

# The page cache of the node binary is charged to whoever reads it first. Read here, it is not
# charged to the cgroup under test, where it would be evicted and reread instead of an OOM kill.
warm_page_cache() {
	cat "$(readlink -f "$NODE")" >/dev/null
}

# Mounts ------------------------------------------------------------------------------------------

# mount_namespace COMMANDS [OPTION...]: a mount namespace, and what else the options of unshare name, in
# which these shell commands ran, and which ends with the rig, however that ends. Sets HOLDER, a process
# in it; fails where it cannot be made.
mount_namespace() {
	local i commands=$1
	shift
	rm -f "$RIG/holder.log"
	start holder unshare -m --propagation private "$@" sh -c "$commands && echo ready; exec sleep 3600"
	HOLDER=$PID
	for ((i = 0; i < 100; i++)); do
		grep -qs ready "$RIG/holder.log" && return 0
		sleep 0.05
	done
	return 1
}
inside() { nsenter -t "$HOLDER" -m "$@"; } # COMMAND...

# Ports -------------------------------------------------------------------------------------------

free_ports() { "$PYTHON" "$LIVE_DIR/ports.py" free "$1"; }            # COUNT
wait_port() { # PORT [SECONDS]
	${INSIDE[@]+"${INSIDE[@]}"} "$PYTHON" "$LIVE_DIR/ports.py" wait "$1" "${2:-5}"
}

# Services ----------------------------------------------------------------------------------------

# supervise NAME DELAY_S CGROUP COMMAND...: runs COMMAND, again DELAY_S after each death, until
# $RIG/NAME.stop exists. Truth in $RIG/NAME.lives: "start PID MS" and "end PID STATUS MS" lines.
# CGROUP may be empty. The command's output goes to $RIG/NAME.log.
supervise() {
	local name=$1 delay=$2 cgroup=$3
	shift 3
	(
		trap - EXIT INT TERM HUP
		rig_register
		while [ ! -e "$RIG/$name.stop" ]; do
			(rig_exec "$cgroup" -- "$@") >>"$RIG/$name.log" 2>&1 </dev/null &
			echo "start $! $(now_ms)" >>"$RIG/$name.lives"
			wait $! 2>/dev/null
			echo "end $! $? $(now_ms)" >>"$RIG/$name.lives"
			sleep "$delay"
		done
	) </dev/null >/dev/null 2>&1 &
	disown
}

service_pid() { # newest pid of a supervised service
	awk '$1 == "start" { pid = $2 } END { print pid }' "$RIG/$1.lives"
}

# await_lives NAME WORD COUNT SECONDS: waits until NAME.lives has COUNT lines of that WORD.
await_lives() {
	local deadline=$((SECONDS + $4))
	while [ "$(grep -c "^$2 " "$RIG/$1.lives" 2>/dev/null)" -lt "$3" ]; do
		if [ $SECONDS -ge $deadline ]; then
			echo "# $1: no $2 number $3 within $4 s" >&2
			return 1
		fi
		sleep $POLL_S
	done
}

child_of() { # the first child of a process
	cat /proc/[0-9]*/stat 2>/dev/null |
		awk -v parent="$1" '{ pid = $1; sub(/^.*\) /, ""); if ($2 == parent) { print pid; exit } }'
}

# start NAME COMMAND...: runs COMMAND in the background, sets PID. Output to $RIG/NAME.log.
start() {
	local name=$1
	shift
	(rig_exec -- "$@") >"$RIG/$name.log" 2>&1 </dev/null &
	PID=$!
	disown
}

# gateway LISTEN_PORT UPSTREAM_PORT [WORKERS [KEEPALIVE [LINES]]]: our own nginx with its own prefix.
# KEEPALIVE idle upstream connections per worker, 0 for none; LINES go into the location.
# UPSTREAM_PORT may be several, "P1 P2", and each an ADDRESS:PORT. Further: GATEWAY_CONNECTIONS per
# worker; GATEWAY_LISTEN, what follows the address to listen on. Sets GATEWAY_PID (the master) and
# GATEWAY_UPSTREAM.
gateway() {
	local listen=$1 upstream=$2 workers=${3:-1} keepalive=${4:-0} lines=${5-}
	local keepalive_line="" user_line="" servers="" server
	for server in $upstream; do
		[[ $server == *:* ]] || server=127.0.0.1:$server
		servers+="server $server; "
	done
	[ "$keepalive" -eq 0 ] || keepalive_line="keepalive $keepalive;"
	[ "$(id -u)" -ne 0 ] || user_line="user nobody nogroup;"
	mkdir -p "$RIG/nginx/tmp"
	chmod 777 "$RIG/nginx/tmp"
	cat >"$RIG/nginx/nginx.conf" <<-CONF
	daemon off;
	$user_line
	worker_processes $workers;
	pid $RIG/nginx/pid;
	error_log $RIG/nginx/error.log error;
	events { worker_connections ${GATEWAY_CONNECTIONS:-2048}; }
	http {
		log_format truth '\$msec \$status "\$upstream_status" "\$upstream_addr" \$request_method';
		access_log $RIG/nginx/access.log truth;
		client_body_temp_path $RIG/nginx/tmp/body;
		proxy_temp_path $RIG/nginx/tmp/proxy;
		fastcgi_temp_path $RIG/nginx/tmp/fastcgi;
		uwsgi_temp_path $RIG/nginx/tmp/uwsgi;
		scgi_temp_path $RIG/nginx/tmp/scgi;
		keepalive_requests 1000000;
		upstream service {
			$servers
			$keepalive_line
		}
		server {
			listen 127.0.0.1:$listen ${GATEWAY_LISTEN-};
			location / {
				proxy_pass http://service;
				proxy_http_version 1.1;
				proxy_set_header Connection "";
				proxy_connect_timeout ${GATEWAY_CONNECT_S:-5}s;
				proxy_read_timeout ${GATEWAY_READ_S:-20}s;
				client_max_body_size 0;
				$lines
			}
		}
	}
	CONF
	start nginx "$NGINX" -p "$RIG/nginx" -c "$RIG/nginx/nginx.conf" -e "$RIG/nginx/error.log"
	GATEWAY_PID=$PID
	GATEWAY_UPSTREAM=$upstream
	wait_port "$listen"
}

# leaking_service BYTES [DELAY_S]: `service`, a Node.js that keeps so many bytes of every request until
# 160 MiB are too few, then starts again; behind a gateway of two workers. Sets PORT, UPSTREAM, CGROUP.
leaking_service() {
	read -r PORT UPSTREAM <<<"$(free_ports 2)"
	CGROUP=$(memory_cgroup service 160)
	warm_page_cache
	supervise service "${2:-2}" "$CGROUP" "$NODE" "$WORKLOADS/leak.js" --port "$UPSTREAM" \
		--bytes $(($1 * SLOWNESS)) --mode $HEAP_LEAK
	wait_port "$UPSTREAM"
	gateway "$PORT" "$UPSTREAM" 2
}

# load NAME PORT RATE SECONDS [OPTION...]: open-loop load in the background, sets LOAD_PID.
# Its own ground truth goes to $RIG/NAME.json.
load() {
	local name=$1 port=$2 seconds=$4 rate
	rate=$(awk "BEGIN { print $3 / $SLOWNESS }") # the shell's own arithmetic has no fractions
	shift 4
	(rig_exec -- "$NODE" "$WORKLOADS/open_loop.js" --port "$port" --rate "$rate" \
			--seconds "$seconds" "$@") >"$RIG/$name.json" 2>"$RIG/$name.log" </dev/null &
	LOAD_PID=$!
}

load_stop() {
	kill -TERM "$LOAD_PID" 2>/dev/null
	wait "$LOAD_PID"
}

# death_and_recovery SECONDS: waits for the death of `service` within that time, its restart, and
# the quiet time after which an incident is closed. Then ends the load and memswell.
QUIET_S=13
death_and_recovery() {
	await_lives service end 1 "$1" && await_lives service start 2 10 && sleep $QUIET_S
	load_stop
	sleep 0.5
	watch_stop
}

# memswell ----------------------------------------------------------------------------------------

# watch_host OPTION...: starts `memswell record`, waits until every hook is attached, sets WATCH_PID.
# Reports to $RIG/reports.jsonl, the record stream to $RIG/records.jsonl, the log to memswell.log.
# It keeps nothing for the next run, except in WATCH_STATE.
watch_host() {
	: >"$RIG/memswell.log"
	: >"$RIG/reports.jsonl"
	(rig_exec -- "$MEMSWELL" record --state "${WATCH_STATE:-none}" "$@" "$RIG/records.jsonl") \
		>"$RIG/reports.jsonl" 2>"$RIG/memswell.log" </dev/null &
	WATCH_PID=$!
	watch_ready
}

watch_ready() { # a minute, for machines that are busy
	local i
	for ((i = 0; i < 1200; i++)); do
		grep -q 'ready:' "$RIG/memswell.log" && return 0
		kill -0 "$WATCH_PID" 2>/dev/null || break
		sleep 0.05
	done
	sed 's/^/# /' "$RIG/memswell.log" >&2
	return 1
}

# Asks for an orderly end; sets and returns memswell's exit status.
watch_stop() {
	kill -TERM "$WATCH_PID" 2>/dev/null
	wait "$WATCH_PID"
	WATCH_STATUS=$?
	return $WATCH_STATUS
}

# Results of a test. The script sets NAME first. ------------------------------------------------------

FAILED=0
ok() { echo "ok $NAME: $1"; }
not_ok() { # WHAT WHY
	echo "not ok $NAME: $1 - $2"
	FAILED=1
}
skip_all() { # REASON
	echo "skip $NAME - $1"
	exit 0
}

# expect WHAT WHY_NOT COMMAND...: one result from a command's exit status.
expect() {
	local what=$1 why=$2
	shift 2
	if "$@" >/dev/null 2>&1; then ok "$what"; else not_ok "$what" "$why"; fi
}

# Skips the whole script where the machine cannot run it.
require_rig() {
	[ "$(id -u)" -eq 0 ] || skip_all "needs root"
	[ -n "$NGINX" ] || skip_all "nginx is not installed"
	[ -n "$NODE" ] || skip_all "node is not installed"
	memory_root >/dev/null || skip_all "no memory cgroup can be made here"
}

# require_watch OPTION...: watch_host, or the end of the test.
require_watch() {
	watch_host "$@" && return
	not_ok "memswell starts" "$(tail -n 1 "$RIG/memswell.log")"
	finish
}

# check_incident EXPECTATION...: memswell's reports against the truth; see check_incident.py.
check_incident() {
	"$PYTHON" "$LIVE_DIR/check_incident.py" --name "$NAME" --rig "$RIG" \
		--upstream-port "$GATEWAY_UPSTREAM" --gateway-pid "$GATEWAY_PID" "$@" || FAILED=1
}

check_valid() { # FILE [OPTION]
	local status
	"$PYTHON" "$TOP_DIR/tests/validate_lines.py" "${@:2}" "$1" >"$RIG/validate.log" 2>&1
	status=$?
	expect "every line is valid" "$(head -n 1 "$RIG/validate.log")" test $status -eq 0
}

# check_stream [REPLAY_OPTION...]: what holds for every run: an orderly end, valid lines, and a replay
# that equals the live output byte for byte.
check_stream() {
	local status
	expect "memswell ends in order" "exit status $WATCH_STATUS" test "$WATCH_STATUS" -eq 0
	check_valid "$RIG/reports.jsonl"
	"$MEMSWELL" replay "$@" "$RIG/records.jsonl" >"$RIG/replay.jsonl" 2>"$RIG/replay.log"
	cmp "$RIG/reports.jsonl" "$RIG/replay.jsonl" >"$RIG/cmp.log" 2>&1
	status=$?
	expect "replay equals the live output" "$(cat "$RIG/cmp.log" "$RIG/replay.log" | head -n 1)" \
		test $status -eq 0
}

# Ends the script: status 1 when any check failed. Keeps what a failed run leaves if asked to.
finish() {
	if [ "$FAILED" -ne 0 ] && [ -n "${MEMSWELL_TEST_KEEP-}" ]; then
		KEEP_DIR=$MEMSWELL_TEST_KEEP/$NAME
		echo "# kept in $KEEP_DIR"
	fi
	exit "$FAILED"
}
