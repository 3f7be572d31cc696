#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# bench.sh - what memswell costs on this host. Prints a table; judges nothing, for a busy or shared
# machine may swing more than what is measured. Everything is compared in short alternating windows
# with and without memswell, beside an A/A control that compares "without" with itself.
# PAIRS=n windows of each kind (default 30), WINDOW_S=s length of a throughput window (whole seconds,
# default 2).
cd "$(dirname "$0")/../.." || exit 1
sh scripts/deps.sh bench || exit 1
. tests/live/lib.sh
PAIRS=${PAIRS:-30}
WINDOW_S=${WINDOW_S:-2}
BENCH_DIR=tests/bench
BUILD=build/bench

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
		gcc -O2 -Wall $BENCH_DIR/syscost.c -o $BUILD/syscost || fail "the helpers do not build"
}

# Agent on and off --------------------------------------------------------------------------------

on() {
	(rig_exec -- "$MEMSWELL" run) >"$RIG/reports.jsonl" 2>"$RIG/memswell.log" </dev/null &
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

# pairs FILE MEASURE: PAIRS pairs with and without memswell in changing order, and as many controls.
pairs() {
	local file=$1 measure=$2 i without with again
	: >"$file"
	for ((i = 0; i < PAIRS; i++)); do
		if ((i % 2)); then
			on; with=$($measure); off
			without=$($measure)
			again=$($measure)
		else
			again=$($measure)
			without=$($measure)
			on; with=$($measure); off
		fi
		echo "on $without / $with" >>"$file"
		if ((i % 2)); then echo "aa $without / $again"; else echo "aa $again / $without"; fi \
			>>"$file"
	done
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

throughput() {
	echo "Throughput, $PAIRS pairs of $WINDOW_S s (wrk, 32 connections)"
	pairs "$RIG/throughput" requests_per_s
	"$PYTHON" $BENCH_DIR/paired.py "$RIG/throughput" 0 "requests/s"
}

syscalls() {
	local column=0 label
	echo "Cost of everyday operations of other processes, in ns ($PAIRS pairs)"
	pairs "$RIG/syscalls" $BUILD/syscost
	for label in "page fault" "mmap + munmap" "getppid (no hook)"; do
		"$PYTHON" $BENCH_DIR/paired.py "$RIG/syscalls" $column "$label"
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

[ "$(id -u)" -eq 0 ] || fail "needs root"
[ -x "$MEMSWELL" ] || fail "memswell is not built: run make"
build
rig_start
read -r PORT UPSTREAM <<<"$(free_ports 2)"
start service "$NODE" "$WORKLOADS/healthy.js" --port "$UPSTREAM" --mib 10
wait_port "$UPSTREAM" || fail "the service does not start"
gateway "$PORT" "$UPSTREAM" 1 64 || fail "nginx does not start"
requests_per_s 1 >/dev/null # warm

echo "memswell bench: $(uname -sr), $(nproc) CPUs, $("$NGINX" -v 2>&1 | sed 's/.*: //'), node $("$NODE" -v)"
for section in ${SECTIONS:-bpf_cost agent_cost start_time replay_speed throughput syscalls}; do
	echo
	$section
done
