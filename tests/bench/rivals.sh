# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154 # sourced by bench.sh
#
# rivals.sh - the same job done by what one would otherwise run on the same machine: throughput with
# the tool and without, in alternating pairs, and the CPU that the tool itself took. It starts the
# tools; what they would have told is not compared.

RIVAL_PAIRS=$((PAIRS < 12 ? PAIRS : 12))

# tool_cpu_ns: CPU of all threads of the tool's session, and of its children that ended.
tool_cpu_ns() {
	local dir stat sum=0 spent
	for dir in /proc/[0-9]*; do
		read -r stat 2>/dev/null <"$dir/stat" || continue
		read -ra stat <<<"${stat##*) }"
		[ "${stat[3]}" = "$TOOL_PID" ] || continue
		sum=$((sum + (stat[13] + stat[14]) * 10000000)) # in ticks of 10 ms
		for spent in "$dir"/task/*/schedstat; do
			read -r spent _ 2>/dev/null <"$spent" && sum=$((sum + spent))
		done
	done
	echo $sum
}

tool_on() {
	start tool "${TOOL[@]}"
	TOOL_PID=$PID
	local i
	for ((i = 0; i < 200; i++)); do
		grep -qE "$TOOL_READY" "$RIG/tool.log" && break
		kill -0 "$TOOL_PID" 2>/dev/null || fail "${TOOL[0]} does not start: $(tail -n 1 "$RIG/tool.log")"
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
	before=$(tool_cpu_ns) begin=$(now_ms)
	rate=$(requests_per_s)
	after=$(tool_cpu_ns) end=$(now_ms)
	awk -v rate="$rate" -v ns=$((after - before)) -v wall=$((end - begin)) \
		'BEGIN { printf "%s %.3f", rate, ns / wall / 1e4 }'
}

declare -A RIVAL_LABEL=([memswell]="memswell" [bpftrace]="bpftrace, same signals"
	[tshark]="tshark, answers only" [proc]="/proc once a second")

tool_of() { # NAME: sets TOOL, its command, and TOOL_READY, what it says when it is ready
	TOOL_READY='^ready'
	case $1 in
	memswell) TOOL=("$MEMSWELL" run --state none) TOOL_READY='ready:' ;;
	bpftrace)
		# shellcheck disable=SC2016 # for the inner shell
		TOOL=(unshare -m sh -c 'mount -t tracefs tracefs /sys/kernel/tracing &&
			BPFTRACE_STRLEN=16 exec bpftrace "$1"' sh "$BENCH_DIR/signals.bt")
		;;
	tshark)
		TOOL=(tshark -l -i lo -Y 'http.response.code == 502' -f
			"tcp port $PORT and tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x48545450")
		TOOL_READY='Capturing on'
		;;
	proc) TOOL=(bash "$BENCH_DIR/poll_proc.sh") ;;
	esac
}

# A pair of each in turn, so that all see the same machine, also if the time ends.
rivals() {
	local name i tools=(memswell proc)
	echo "The same job by other means: throughput with / without, and the tool's own CPU"
	for name in bpftrace tshark; do
		if command -v $name >/dev/null; then tools+=($name); else echo "  $name is not installed: not measured"; fi
	done
	for ((i = 0; i < RIVAL_PAIRS && SECONDS < LIMIT_S; i++)); do
		for name in "${tools[@]}"; do
			tool_of "$name"
			TOOL_PID=0
			pair "$RIG/rival.$name" requests_and_tool_cpu $i tool_on tool_off
		done
	done
	for name in "${tools[@]}"; do
		paired "$RIG/rival.$name" 0 "${RIVAL_LABEL[$name]}"
		paired "$RIG/rival.$name" 1 "${RIVAL_LABEL[$name]}, its CPU" percent
	done
}
