#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Clients that read or send slowly, send garbage or come in floods, while three thousand addresses are listened on:
# who watches goes on watching, the tables keep their limits, nobody holds a connection for long, and the
# sandbox has nothing to refuse. And the socket: whose it may be, who may be in its place, that it goes.
. "$(dirname "$0")/lib.sh"
NAME=metrics_clients
SUITE=live
require_rig
command -v curl >/dev/null || skip_all "curl is not installed"
rig_start
CLIENTS=("$PYTHON" "$LIVE_DIR/metrics_clients.py")
SOCKET=$RIG/metrics.sock

# Three thousand listeners in ten processes.
start listeners "$PYTHON" -c '
import os, socket, time
for process in range(10):
    if os.fork() == 0:
        held = []
        for i in range(300):
            s = socket.socket()
            s.bind(("127.1.%d.1" % process, 0))
            s.listen()
            held.append(s)
        print("ready", flush=True)
        time.sleep(300)
time.sleep(300)'
for ((i = 0; i < 100; i++)); do
	[ "$(grep -c ready "$RIG/listeners.log")" -lt 10 ] || break
	sleep 0.1
done

refused() { # WHERE: a run that should not start; its last words in refused.txt
	! timeout 20 "$MEMSWELL" run --state none --metrics "$1" >/dev/null 2>"$RIG/refused.txt"
}
echo mine >"$RIG/file"
expect "a file in its place is not replaced" "$(cat "$RIG/refused.txt" 2>/dev/null)" refused "unix:$RIG/file"
expect "that is said" "$(cat "$RIG/refused.txt")" grep -q 'something else is there' "$RIG/refused.txt"
"$PYTHON" -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$SOCKET"
chown nobody "$SOCKET"
expect "somebody else's socket is not replaced" "$(cat "$RIG/refused.txt")" refused "unix:$SOCKET"
chown root "$SOCKET"
require_watch --metrics "unix:$SOCKET"
expect "a socket left behind is replaced" "$(ls -l "$SOCKET")" test -S "$SOCKET"
expect "only its owner and group may connect" "$(stat -c %a "$SOCKET")" test "$(stat -c %a "$SOCKET")" = 660
expect "a second run does not take it away" "$(cat "$RIG/refused.txt")" refused "unix:$SOCKET"
expect "that is said too" "$(cat "$RIG/refused.txt")" grep -q 'somebody answers there' "$RIG/refused.txt"

scrape() { curl -sS --max-time 10 --unix-socket "$SOCKET" http://memswell/metrics >"$RIG/scrape.txt" 2>"$RIG/curl.log"; }
value() { awk -v name="$1" '$1 == name { printf "%.0f\n", $2 }' "$RIG/scrape.txt"; }
for client in garbage slow drip "flood 2000"; do
	# shellcheck disable=SC2086 # two words
	"${CLIENTS[@]}" "unix:$SOCKET" $client >"$RIG/client.txt" 2>&1
	STATUS=$?
	expect "$client: the server copes" "$(tail -n 1 "$RIG/client.txt")" test $STATUS -eq 0
	expect "$client: the next one is served" "$(cat "$RIG/curl.log")" scrape
done
AGE=$(($(date +%s) - $(value memswell_last_tick_timestamp_seconds)))
expect "the loop went round all the time" "the newest tick is $AGE s old" test "$AGE" -le 3
expect "nothing is told of a stall" "$(grep -m 1 '"stalled"' "$RIG/reports.jsonl")" \
	bash -c "! grep -q '\"memswell.gap\"' '$RIG/reports.jsonl'"
expect "descriptors were given back" "$(ls "/proc/$WATCH_PID/fd" | wc -l) are open" \
	bash -c "[ \$(ls -l /proc/$WATCH_PID/fd | grep -c 'socket:') -le 4 ]"
SERIES=$(grep -c '^memswell_' "$RIG/scrape.txt")
expect "three thousand listeners are $SERIES series" "more than the tables hold" test "$SERIES" -lt 14000
expect "what is left out is counted" "$(grep left_out "$RIG/scrape.txt" | tr '\n' ' ')" \
	test "$(value 'memswell_metrics_series_left_out{table="listeners"}')" -gt 700
if command -v promtool >/dev/null; then
	promtool check metrics <"$RIG/scrape.txt" >"$RIG/promtool.txt" 2>&1
	STATUS=$?
	expect "promtool takes it" "$(head -n 1 "$RIG/promtool.txt")" test $STATUS -eq 0 -a ! -s "$RIG/promtool.txt"
fi
watch_stop
expect "the socket is gone with its server" "it is there" test ! -e "$SOCKET"
expect "the sandbox refused nothing" "$(grep -m 1 refused "$RIG/memswell.log")" \
	bash -c "! grep -q 'sandbox refused' '$RIG/memswell.log'"
check_stream
finish
