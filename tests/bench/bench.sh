#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# bench.sh - what memswell costs on this host. Prints a table; judges nothing, for a busy or shared
# machine may swing more than what is measured. Everything is compared in short alternating windows
# with and without memswell, beside an A/A control that compares "without" with itself.
#   PAIRS=n      windows of each kind (default 30; of other tools, at most 12)
#   WINDOW_S=s   length of a throughput window (whole seconds, default 2)
#   SECTIONS=... which of: bpf_cost agent_cost start_time tick_cost replay_speed syscalls throughput
#                latency rivals (default all)
#   LIMIT_S=s    no new pair is begun after so many seconds (default 1500). What was cut short says how
#                many pairs it had.
# All of it takes some 18 minutes, with PAIRS=10 some 9; the first line says what is to be expected.
cd "$(dirname "$0")/../.." || exit 1
sh scripts/deps.sh bench || exit 1
. tests/live/lib.sh
PAIRS=${PAIRS:-30}
WINDOW_S=${WINDOW_S:-2}
LIMIT_S=${LIMIT_S:-1500}
SECTIONS=${SECTIONS:-bpf_cost agent_cost start_time tick_cost replay_speed syscalls throughput latency rivals}
P99_RATE=1000
BENCH_DIR=tests/bench
BUILD=build/bench
. $BENCH_DIR/rivals.sh

fail() {
	echo "bench: $1" >&2
	exit 1
}

build() {
	local arch
	arch=$(uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
	mkdir -p $BUILD
	clang -g -O2 -target bpf -mcpu=v3 "-D__TARGET_ARCH_$arch" -Ivmlinux -c $BENCH_DIR/floor.bpf.c \
		-o $BUILD/floor.bpf.o &&
		gcc -O2 -Wall $BENCH_DIR/floor.c -o $BUILD/floor -lbpf &&
		gcc -O2 -Wall $BENCH_DIR/syscost.c -o $BUILD/syscost &&
		gcc -O2 -Wall $BENCH_DIR/sleepers.c -o $BUILD/sleepers || fail "the helpers do not build"
}

# Agent on and off --------------------------------------------------------------------------------

on() {
	: >"$RIG/memswell.log" # what a run before left must not pass for ready
	(rig_exec -- "$MEMSWELL" run --state none) >"$RIG/reports.jsonl" 2>"$RIG/memswell.log" \
		</dev/null &
	WATCH_PID=$!
	watch_ready || fail "memswell does not start"
}

off() {
	[ -n "$WATCH_PID" ] || return
	watch_stop
	WATCH_PID=
	sleep 0.2 # the kernel frees the programs after a grace period
}
WATCH_PID=

# pair FILE MEASURE NUMBER [ON OFF]: one window with memswell or what ON starts and OFF ends, one without,
# and a second one without as control; in an order that the number changes.
pair() {
	local file=$1 measure=$2 number=$3 on=${4:-on} off=${5:-off} without with again
	if ((number % 2)); then
		$on; with=$($measure); $off
		without=$($measure)
		again=$($measure)
		echo "aa $without / $again" >>"$file"
	else
		again=$($measure)
		without=$($measure)
		$on; with=$($measure); $off
		echo "aa $again / $without" >>"$file"
	fi
	echo "on $without / $with" >>"$file"
}

pairs() { # FILE MEASURE
	local i
	for ((i = 0; i < PAIRS && SECONDS < LIMIT_S; i++)); do pair "$1" "$2" $i; done
}

paired() { # FILE COLUMN LABEL [percent]
	if [ -s "$1" ]; then "$PYTHON" $BENCH_DIR/paired.py "$@"; else echo "  $3: no time left"; fi
}

requests_per_s() { # [SECONDS]
	wrk -t1 -c32 -d"${1:-$WINDOW_S}s" "http://127.0.0.1:$PORT/" >"$RIG/wrk.log"
	! grep -q 'Non-2xx' "$RIG/wrk.log" || echo "bench: the service fails: no measurement" >&2
	awk '$1 == "Requests/sec:" { print $2 }' "$RIG/wrk.log"
}

cpu_ns() { # of the agent's only thread; /proc/PID/stat counts in 10 ms, too coarse for it
	cut -d ' ' -f 1 "/proc/$WATCH_PID/schedstat"
}

cpu_percent() { # COMMAND...: the agent's share of one core while COMMAND runs
	local before after begin end
	before=$(cpu_ns) begin=$(now_ms)
	"$@" >/dev/null
	after=$(cpu_ns) end=$(now_ms)
	awk -v ns=$((after - before)) -v ms=$((end - begin)) \
		'BEGIN { printf "%.3f %%", 100 * ns / 1e6 / ms }'
}

# Sections ----------------------------------------------------------------------------------------

bpf_cost() {
	local cgroup2 setting=/proc/sys/kernel/bpf_stats_enabled floor_pid i windows=()
	echo "BPF time per proxied request (nginx -> node, both sides kept alive)"
	cgroup2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$cgroup2" ] || { echo "  no cgroup2 mounted: not measured"; return; }
	on
	start floor $BUILD/floor $BUILD/floor.bpf.o "$cgroup2"
	floor_pid=$PID
	sleep 1
	grep -q ready "$RIG/floor.log" || { cat "$RIG/floor.log"; fail "no floor"; }
	echo "$setting $(cat $setting)" >>"$RIG/restore"
	echo 1 >$setting
	for ((i = 0; i < 9; i++)); do
		"$PYTHON" $BENCH_DIR/bpf_stats.py snapshot "$WATCH_PID" "$floor_pid" >"$RIG/before.$i"
		windows+=("$RIG/before.$i" "$RIG/after.$i")
		windows+=("$(wrk -t1 -c32 -d2s "http://127.0.0.1:$PORT/" |
			awk '$2 == "requests" && $3 == "in" { print $1 }')")
		"$PYTHON" $BENCH_DIR/bpf_stats.py snapshot "$WATCH_PID" "$floor_pid" >"$RIG/after.$i"
	done
	awk '{ print $2 > $1 }' "$RIG/restore"
	: >"$RIG/restore"
	kill "$floor_pid"
	"$PYTHON" $BENCH_DIR/bpf_stats.py report "${windows[@]}"
	off
}

agent_cost() {
	echo "The agent itself"
	on
	sleep 2
	printf '  %-34s %s\n' "CPU at rest, of one core" "$(cpu_percent sleep 5)"
	printf '  %-34s %s' "CPU under load, of one core" "$(cpu_percent requests_per_s 5)"
	awk '$1 == "Requests/sec:" { print " at", $2, "requests/s" }' "$RIG/wrk.log"
	agent_rates
	awk '$1 ~ /^(VmRSS|RssAnon|VmHWM):/ { printf "  %-34s %.1f MiB\n", $1, $2 / 1024 }' \
		"/proc/$WATCH_PID/status"
	"$PYTHON" $BENCH_DIR/bpf_stats.py maps "$WATCH_PID" |
		awk '{ printf "  %-34s %.1f MiB\n", "BPF maps", $1 / 1048576 }'
	off
}

start_time() {
	local i
	echo "Start to all hooks attached (five starts)"
	for i in 1 2 3 4 5; do
		on
		sed -n 's/.*ready: /  /p' "$RIG/memswell.log" | head -n 1
		off
	done
}

# The agent's CPU at fixed rates; the load is open, so what was answered is what the machine could do.
agent_rates() {
	local rate
	for rate in 1000 5000 10000; do
		[ $SECONDS -lt "$LIMIT_S" ] || return
		printf '  %-34s %s' "CPU at $rate requests/s asked" \
			"$(cpu_percent open_load "$rate" 5)"
		"$PYTHON" -c 'import json, sys; truth = json.load(open(sys.argv[1]))
print(" at", round(truth["answered"] / 5), "answered/s,", truth["failures"], "failed")' \
			"$RIG/open.json"
	done
}

throughput() {
	echo "Throughput, pairs of $WINDOW_S s (wrk, 32 connections)"
	pairs "$RIG/throughput" requests_per_s
	paired "$RIG/throughput" 0 "requests/s"
}

open_load() { # RATE SECONDS: on 64 connections; its own account to open.json
	"$NODE" "$WORKLOADS/open_loop.js" --port "$PORT" --rate "$1" --seconds "$2" --connections 64 \
		>"$RIG/open.json"
}

p50_and_p99_ms() {
	open_load $P99_RATE "$WINDOW_S"
	sed 's/.*"p50":\([0-9.]*\).*"p99":\([0-9.]*\).*/\1 \2/' "$RIG/open.json"
}

latency() {
	echo "Response times at $P99_RATE requests/s, open loop, pairs of $WINDOW_S s"
	pairs "$RIG/latency" p50_and_p99_ms
	paired "$RIG/latency" 0 "p50, ms"
	paired "$RIG/latency" 1 "p99, ms"
}

# What the agent uses per tick of 1 s, over so many more processes; the first ticks read /proc.
tick_cost() {
	local nr before after sleepers
	echo "Agent CPU per tick"
	for nr in 0 1000 10000; do
		sleepers=
		if [ $nr -gt 0 ]; then
			start sleepers $BUILD/sleepers $nr
			sleepers=$PID
			local i
			for ((i = 0; i < 300; i++)); do
				grep -q ready "$RIG/sleepers.log" && break
				sleep 0.1
			done
			grep -q ready "$RIG/sleepers.log" || fail "$(cat "$RIG/sleepers.log")"
		fi
		on
		sleep 5
		before=$(cpu_ns)
		sleep 10
		after=$(cpu_ns)
		awk -v nr=$nr -v ns=$((after - before)) 'BEGIN {
			printf "  %-34s %.2f ms\n", nr " more processes", ns / 10 / 1e6 }'
		off
		[ -z "$sleepers" ] || kill "$sleepers"
		sleep 1
	done
}

syscalls() {
	local column=0 label
	echo "Cost of everyday operations of other processes, in ns"
	pairs "$RIG/syscalls" $BUILD/syscost
	for label in "page fault" "mmap + munmap" "getppid (no hook)"; do
		paired "$RIG/syscalls" $column "$label"
		column=$((column + 1))
	done
}

replay_speed() {
	local records begin end bytes
	echo "Replay"
	watch_host --include-samples --tick 100ms || fail "memswell does not start"
	requests_per_s 8 >/dev/null
	off
	records=$("$PYTHON" $BENCH_DIR/inflate.py "$RIG/records.jsonl" 1 2>&1 >/dev/null)
	records=$("$PYTHON" $BENCH_DIR/inflate.py "$RIG/records.jsonl" $((500000 / records + 1)) \
		2>&1 >"$RIG/long.jsonl")
	bytes=$(stat -c %s "$RIG/long.jsonl")
	begin=$(now_ms)
	"$MEMSWELL" replay "$RIG/long.jsonl" >/dev/null || fail "the replay fails"
	end=$(now_ms)
	awk -v n="$records" -v ms=$((end - begin)) -v bytes="$bytes" 'BEGIN {
		printf "  %d records (%.0f MB) in %.2f s: %.0f records/s\n",
			n, bytes / 1e6, ms / 1000, n / (ms / 1000) }'
}

# As seen on a machine with two CPUs: what does not depend on PAIRS, and what each pair takes.
declare -A FIXED_S=([bpf_cost]=25 [agent_cost]=32 [start_time]=5 [tick_cost]=62 [replay_speed]=14)
declare -A PAIR_S=([syscalls]=3 [throughput]=$((3 * WINDOW_S + 1)) [latency]=$((3 * WINDOW_S + 2)))
estimated_minutes() {
	local section sum=10
	for section in $SECTIONS; do
		sum=$((sum + ${FIXED_S[$section]:-0} + PAIRS * ${PAIR_S[$section]:-0}))
		[ "$section" != rivals ] || sum=$((sum + RIVAL_PAIRS * 4 * (3 * WINDOW_S + 2)))
	done
	echo $(((sum < LIMIT_S ? sum : LIMIT_S) / 60 + 1))
}

[ "$(id -u)" -eq 0 ] || fail "needs root"
[ -x "$MEMSWELL" ] || fail "memswell is not built: run make"
build
rig_start
read -r PORT UPSTREAM <<<"$(free_ports 2)"
start service "$NODE" "$WORKLOADS/healthy.js" --port "$UPSTREAM" --mib 10
wait_port "$UPSTREAM" || fail "the service does not start"
gateway "$PORT" "$UPSTREAM" 1 64 || fail "nginx does not start"
requests_per_s 1 >/dev/null # warm

echo "memswell bench: $(uname -sr), $(nproc) CPUs, $("$NGINX" -v 2>&1 | sed 's/.*: //'), node $("$NODE" -v);" \
	"some $(estimated_minutes) minutes"
for section in $SECTIONS; do
	echo
	$section
done
