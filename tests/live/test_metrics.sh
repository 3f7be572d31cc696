#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A leak behind nginx ends in an OOM kill while metrics are scraped: promtool has nothing to say about them, another
# parser takes them, and their numbers are those of the reports and of nginx's log. The sandbox lets the server
# do what it needs, and no more; `memswell health` knows whether the loop goes round.
. "$(dirname "$0")/lib.sh"
NAME=metrics
SUITE=live
require_rig
command -v curl >/dev/null || skip_all "curl is not installed"
rig_start

read -r METRICS <<<"$(free_ports 1)"
scrape() { # FILE [CURL_OPTION...]
	curl -sS --max-time 10 "${@:2}" "http://127.0.0.1:$METRICS/metrics" >"$1" 2>"$RIG/curl.log"
}
OPENMETRICS=(-H 'Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5')
health() { "$MEMSWELL" health --state "$RIG/state" "$@" >"$RIG/health.txt"; }

leaking_service 25000
expect "before the first run nothing is healthy" "it is" bash -c "! '$MEMSWELL' health --state '$RIG/state'"
WATCH_STATE=$RIG/state
require_watch --metrics "127.0.0.1:$METRICS"
WATCHED=$WATCH_PID
# From its first tick on.
for ((i = 0; i < 50; i++)); do
	health --max-age 10 && break
	sleep 0.1
done
expect "the run is healthy" "$(cat "$RIG/health.txt")" health --max-age 10
scrape "$RIG/early.txt"
STATUS=$?
expect "a scrape is answered" "$(cat "$RIG/curl.log")" test $STATUS -eq 0
expect "the filter is in force while it serves" "$(grep Seccomp: "/proc/$WATCHED/status")" \
	grep -q '^Seccomp:[[:space:]]*2' "/proc/$WATCHED/status"
load load "$PORT" 200 110
await_lives service end 1 60 && await_lives service start 2 10 && sleep $QUIET_S
load_stop
sleep 1.5
scrape "$RIG/scrape.txt"
scrape "$RIG/scrape.om" "${OPENMETRICS[@]}"
expect "HEAD is answered" "$(cat "$RIG/curl.log")" scrape "$RIG/head.txt" --head --fail
kill -STOP "$WATCHED"
sleep 2.5
expect "who is stopped is not healthy" "$(cat "$RIG/health.txt")" bash -c \
	"! '$MEMSWELL' health --state '$RIG/state' --max-age 2"
kill -CONT "$WATCHED"
sleep 1.5
expect "who goes on is healthy again" "$(cat "$RIG/health.txt")" health --max-age 2
watch_stop
expect "who ended is not healthy" "$(cat "$RIG/health.txt")" bash -c "! '$MEMSWELL' health --state '$RIG/state'"

"$PYTHON" "$LIVE_DIR/check_metrics.py" "$RIG/scrape.om" "$RIG/reports.jsonl" "$RIG/nginx/access.log" \
	"127.0.0.1:$UPSTREAM" || FAILED=1
if command -v promtool >/dev/null; then
	promtool check metrics <"$RIG/scrape.txt" >"$RIG/promtool.txt" 2>&1
	STATUS=$?
	expect "promtool check metrics is clean" "$(head -n 1 "$RIG/promtool.txt")" test $STATUS -eq 0 -a ! -s "$RIG/promtool.txt"
else
	echo "skip $NAME: promtool check metrics - prometheus is not installed"
fi
# What the page promises is what is there: families of the scrape, of the page.
sed -n -E 's/^# TYPE ([a-z_]+) .*/\1/p' "$RIG/scrape.txt" | sort >"$RIG/families.txt"
sed -n -E 's/^\| `(memswell_[a-z_]+)` \|.*/\1/p' "$TOP_DIR/docs/metrics.md" | sort >"$RIG/documented.txt"
expect "docs/metrics.md names them all" "$(diff "$RIG/families.txt" "$RIG/documented.txt" | grep '^[<>]' | tr '\n' ' ')" \
	cmp "$RIG/families.txt" "$RIG/documented.txt"
expect "the sandbox refused nothing" "$(grep -m 1 refused "$RIG/memswell.log")" \
	bash -c "! grep -q 'sandbox refused' '$RIG/memswell.log'"
check_stream
finish
