#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# memswell top over recordings, in terminals of several sizes and kinds: every key, time back and
# forth, hostile names, and what is no terminal.
. "$(dirname "$0")/../live/lib.sh"
NAME=top_replay
command -v tmux >/dev/null || skip_all "tmux is not installed"
rig_start
. "$TOP_DIR/tests/top/screen.sh"

RECORDING=$RIG/story.jsonl
zcat "$TOP_DIR/tests/replay/oom_kill.records.jsonl.gz" >"$RECORDING"

"$MEMSWELL" top --replay "$RECORDING" >"$RIG/out" 2>"$RIG/err" </dev/null
status=$?
expect "what is no terminal is refused" "status $status, $(cat "$RIG/err")" \
	test $status -eq 2 -a ! -s "$RIG/out"
expect "with a hint at run" "$(cat "$RIG/err")" grep -q 'memswell run' "$RIG/err"

# replay COLUMNS LINES [ENVIRONMENT...]: the story, at its first tick.
replay() {
	local columns=$1 lines=$2
	shift 2
	screen_open "$columns" "$lines" env LANG=C.UTF-8 "$@" "$MEMSWELL" top --replay "$RECORDING"
	screen_await 10 '^memswell top .* tick 1 ' || screen_await 1 'tick'
	screen_keys . ,
}

close() {
	screen_keys q
	STATUS=$(screen_status)
	screen_close
}

# step KEYS TICK: press, and wait for the tick to stand there.
step() {
	screen_keys "$1"
	screen_await 10 "tick $2( |,)"
}

replay 80 24
expect "a step goes to the next tick" "$(head -n 1 "$RIG/screen")" step Right 2
for tick in 3 4 5; do step Right $tick; done
cp "$RIG/screen" "$RIG/tick5"
for tick in 6 7; do step . $tick; done
for tick in 6 5; do step Left $tick; done
expect "going back shows the same again" "$(diff "$RIG/tick5" "$RIG/screen" | head -n 5)" \
	cmp -s "$RIG/tick5" "$RIG/screen"
screen_keys Space
expect "space lets it go on by itself" "$(head -n 1 "$RIG/screen")" screen_await 5 'tick 6 '
screen_keys '>'
expect "a minute forth, at most to the end" "$(head -n 1 "$RIG/screen")" \
	screen_await 10 'tick [0-9]+, the last'
expect "a minute back, at most to the first tick" "$(head -n 1 "$RIG/screen")" step '<' 1
screen_keys '>'
screen_keys Tab
expect "tab shows containers" "$(cat "$RIG/screen")" screen_await 5 '^[0-9]+ containers by'
screen_keys Tab
expect "and processes" "$(cat "$RIG/screen")" screen_await 5 '^[0-9]+ processes by'
screen_keys Tab s
expect "s changes the order" "$(cat "$RIG/screen")" screen_await 5 'services by memory'
screen_keys S
expect "S reverses it" "$(cat "$RIG/screen")" screen_await 5 'by memory, reversed'
screen_keys / n g i Enter
expect "a filter leaves what matches" "$(cat "$RIG/screen")" screen_await 5 '^1 services .*filter /ngi'
expect "and only that" "$(cat "$RIG/screen")" bash -c "! grep -q '^ *node:' '$RIG/screen'"
screen_keys Escape
expect "escape shows all again" "$(cat "$RIG/screen")" screen_await 5 ' node:'
screen_keys s s s s s S Home Enter
expect "enter shows all about one" "$(cat "$RIG/screen")" screen_await 5 'next ceiling'
screen_keys Enter '?'
expect "? helps" "$(cat "$RIG/screen")" screen_await 5 'services, containers or processes'
screen_keys Escape
screen_resize 60 12
expect "it follows the terminal's size" "$(cat "$RIG/screen")" \
	bash -c "sleep 0.5; tmux -S '$TMUX_SOCKET' capture-pane -p | awk 'END { exit NR != 12 }'"
screen_resize 20 3
sleep 0.3
screen_resize 80 24
expect "and survives a tiny one" "$(cat "$RIG/screen")" screen_await 5 'q( quit)?$'
close
expect "it ended well" "status $STATUS" test "$STATUS" = 0

replay 200 60
screen_keys '>'
expect "a wide terminal shows addresses" "$(cat "$RIG/screen")" screen_await 5 'FLIGHT ADDRESS'
expect "histories are bars" "$(cat "$RIG/screen")" grep -q '[▁▂▃▄▅▆▇█]' "$RIG/screen"
close

replay 80 24 LANG=C LC_ALL=C TERM=vt100 NO_COLOR=1
screen_keys '>'
screen_await 5 'NAME'
expect "without UTF-8 there is only ASCII" "$(cat "$RIG/screen")" \
	bash -c "! LC_ALL=C grep -q '[^ -~]' '$RIG/screen'"
close

# A service whose name would clear the screen, move the cursor and turn the line around.
HOSTILE='\u001b[2J\u001b[1;1HGONE\u202e'
cat >"$RECORDING" <<-JSON
	{"k":"header","t":1,"version":1,"page_bytes":4096,"tick_ns":1000000000,"cpus":2,"host_name":"h$HOSTILE","kernel":"6.1"}
	{"k":"proc","t":2,"pid":7,"start_ns":1,"comm":"$HOSTILE"}
	{"k":"listener","t":2,"pid":7,"start_ns":1,"addr":"127.0.0.1","port":81,"sock_id":5,"state":"up"}
	{"k":"tick","t":3}
	{"k":"tick","t":1000000003}
JSON
replay 80 24
expect "a hostile name does not move the cursor" "$(cat "$RIG/screen")" \
	bash -c "sed -n 1p '$RIG/screen' | grep -q '^memswell top '"
screen_keys Enter
screen_await 2 'executable'
expect "nor in the detail" "$(cat "$RIG/screen")" \
	bash -c "sed -n 1p '$RIG/screen' | grep -q '^memswell top ' && grep -q GONE '$RIG/screen'"
close
finish
