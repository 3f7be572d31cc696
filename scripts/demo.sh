#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# demo.sh - shows one incident from beginning to end on this host: a leaking Node.js service behind
# nginx is killed by the kernel at its memory limit, and memswell says which process, why, and what
# it cost. Takes about a minute, uses loopback only, and removes everything it started (also on
# Ctrl-C). Prints a summary and the incident's JSON; the story is told by demo_summary.py.
cd "$(dirname "$0")/.." || exit 1
. tests/live/lib.sh

LIMIT_MIB=160
RATE=200

fail() {
	echo "demo: $1" >&2
	exit 1
}

[ "$(id -u)" -eq 0 ] || fail "needs root: memswell attaches to the kernel (try: sudo make demo)"
[ -x "$MEMSWELL" ] || fail "memswell is not built: run make"
[ -n "$NGINX" ] || fail "nginx is missing: run scripts/deps.sh demo"
[ -n "$NODE" ] || fail "node is missing: run scripts/deps.sh demo"
memory_root >/dev/null || fail "no memory cgroup can be made here, so nothing can be OOM-killed"

bar() { # USED_MIB LIMIT_MIB
	local full=$(($1 * 24 / $2)) line='########################'
	[ $full -le 24 ] || full=24
	printf '%-24s' "${line:0:full}"
}

answers() { # STATUS: how many the gateway has given
	awk -v status="$1" '$2 == status { n++ } END { print n + 0 }' "$RIG/nginx/access.log"
}

exhaustion() { # what the first growth report predicts
	sed -n 's/.*"schema":"memswell.growth".*"exhaustion_s":\([0-9]*\).*/limit reached in \1 s/p' \
		"$RIG/reports.jsonl" | head -n 1
}

# One line a second until nothing of interest is left to happen.
progress() {
	local begin=$SECONDS used=0 told_growth=0 told_death=0 told_restart=0 restarted_at=0
	echo
	echo "  time   service memory                             answered   502"
	while [ $((SECONDS - begin)) -lt 90 ]; do
		sleep 1
		used=$(($(memory_usage "$CGROUP") >> 20))
		printf '  %3d s  |%s| %3d of %d MiB   %7d %7d\n' $((SECONDS - begin)) \
			"$(bar $used $LIMIT_MIB)" $used $LIMIT_MIB "$(answers 200)" "$(answers 502)"
		if [ $told_growth -eq 0 ] && grep -q '"schema":"memswell.growth"' "$RIG/reports.jsonl"
		then
			told_growth=1
			echo "         memswell reports growth: $(exhaustion)"
		fi
		if [ $told_death -eq 0 ] && grep -q '^end' "$RIG/service.lives"; then
			told_death=1
			echo "         the service is dead; its supervisor starts it again in 2 s"
		fi
		if [ $told_restart -eq 0 ] && [ "$(grep -c '^start' "$RIG/service.lives")" -gt 1 ]
		then
			told_restart=1
			restarted_at=$SECONDS
			echo "         the service is back; waiting for memswell to close the incident"
		fi
		if [ $told_restart -eq 1 ]; then
			grep -q '"record":"close"' "$RIG/reports.jsonl" && return
			[ $((SECONDS - restarted_at)) -lt 20 ] || return
		fi
	done
}

rig_start
echo "memswell demo: a leaking service behind nginx meets its memory limit"
echo
read -r PORT UPSTREAM <<<"$(free_ports 2)"
CGROUP=$(memory_cgroup service $LIMIT_MIB) || fail "cannot make a memory cgroup"
warm_page_cache
supervise service 2 "$CGROUP" "$NODE" "$WORKLOADS/leak.js" --port "$UPSTREAM" --bytes 13000
wait_port "$UPSTREAM" || fail "the service does not start"
gateway "$PORT" "$UPSTREAM" 2 || fail "nginx does not start"
watch_host || fail "memswell does not start"
load load "$PORT" $RATE 100
printf '  %-9s pid %-8s %s\n' \
	memswell "$WATCH_PID" "$(sed -n 's/.*ready: //p' "$RIG/memswell.log" | head -n 1)" \
	nginx "$GATEWAY_PID" "127.0.0.1:$PORT, passes to 127.0.0.1:$UPSTREAM" \
	service "$(service_pid service)" "node leak.js, keeps 13 kB of every request, limit $LIMIT_MIB MiB" \
	load "$LOAD_PID" "$RATE requests/s, whether or not answers come"
progress
load_stop
sleep 0.5
watch_stop || fail "memswell ended with an error: $(tail -n 1 "$RIG/memswell.log")"
"$PYTHON" scripts/demo_summary.py "$RIG/reports.jsonl" "$RIG/nginx/access.log" "$UPSTREAM"
