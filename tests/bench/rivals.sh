# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154 # sourced by bench.sh
#
# rivals.sh - the same job done by what one would otherwise run on the same machine: throughput with
# the tool and without, in alternating pairs, and the CPU that the tool itself took. It starts the
# tools; what they would have told is not compared.

# tool_cpu_ms: CPU of all processes in the tool's session, the dead ones included, in 10 ms steps.
tool_cpu_ms() {
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v sid="$TOOL_PID" '{
		sub(/^.*\) /, ""); if ($4 == sid) ticks += $12 + $13 + $14 + $15 }
		END { print ticks * 10 }'
}

tool_on() {
	start tool "${TOOL[@]}"
	TOOL_PID=$PID
	local i
	for ((i = 0; i < 200; i++)); do
		grep -qE "$TOOL_READY" "$RIG/tool.log" && break
		kill -0 "$TOOL_PID" 2>/dev/null || fail "$1 does not start: $(tail -n 1 "$RIG/tool.log")"
		sleep 0.05
	done
	sleep 0.3
}

tool_off() {
	kill -INT -- "-$TOOL_PID" 2>/dev/null
	local i
	for ((i = 0; i < 60; i++)); do
		kill -0 -- "-$TOOL_PID" 2>/dev/null || break
		sleep 0.05
	done
	kill -KILL -- "-$TOOL_PID" 2>/dev/null
	sleep 0.2
}

# Requests/s, and the share of one core that the tool took meanwhile.
requests_and_tool_cpu() {
	local before after begin end rate
	before=$(tool_cpu_ms) begin=$(now_ms)
	rate=$(requests_per_s)
	after=$(tool_cpu_ms) end=$(now_ms)
	awk -v rate="$rate" -v ms=$((after - before)) -v wall=$((end - begin)) \
		'BEGIN { printf "%s %.2f", rate, 100 * ms / wall }'
}

rival() { # LABEL READY_PATTERN COMMAND...
	local label=$1
	TOOL_READY=$2
	shift 2
	TOOL=("$@")
	if ! command -v "$1" >/dev/null; then
		echo "  $label: $1 is not installed: not measured"
		return
	fi
	TOOL_PID=0
	pairs "$RIG/rival" requests_and_tool_cpu $((PAIRS < 12 ? PAIRS : 12)) tool_on tool_off
	paired "$RIG/rival" 0 "$label"
	paired "$RIG/rival" 1 "$label, its CPU" percent
}

rivals() {
	echo "The same job by other means: throughput with / without, and the tool's own CPU"
	rival memswell 'ready:' "$MEMSWELL" run
	rival "bpftrace, same signals" '^ready' unshare -m sh -c \
		'mount -t tracefs tracefs /sys/kernel/tracing && BPFTRACE_STRLEN=16 exec bpftrace "$1"' \
		sh "$BENCH_DIR/signals.bt"
	rival "tshark, answers only" 'Capturing on' tshark -l -i lo -Y 'http.response.code == 502' -f \
		"tcp port $PORT and tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x48545450"
	rival "/proc once a second" '^ready' bash "$BENCH_DIR/poll_proc.sh"
}
