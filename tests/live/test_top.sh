#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# memswell top in a real terminal of 80x24 while a Node.js service behind nginx leaks to its cgroup's
# limit and dies: first on the list before, an open incident after, and the terminal as it was.
# MEMSWELL_PICTURES=DIR keeps a picture of the incident there, for the README.
. "$(dirname "$0")/lib.sh"
NAME=top
require_rig
command -v tmux >/dev/null || skip_all "tmux is not installed"
rig_start
. "$TOP_DIR/tests/top/screen.sh"

leaking_service 16000 4
screen_open 80 24 env LANG=C.UTF-8 TERM=screen-256color "$MEMSWELL" top
expect "it starts" "$(screen_show | head -n 3)" screen_await 10 '^memswell top '
load load "$PORT" 200 90

expect "the service is listed with its ceiling" "$(cat "$RIG/screen")" \
	screen_await 20 "node:$UPSTREAM .* 160M"
expect "its growth is marked, with the time that is left" "$(cat "$RIG/screen")" \
	screen_await 60 "^[!+?] node:$UPSTREAM .* [0-9]+s "
expect "it is the first of the list" "$(cat "$RIG/screen")" \
	awk -v name="node:$UPSTREAM" '/ NAME /{ getline; exit !index($0, name) }' "$RIG/screen"
expect "the gateway's way to it is shown" "$(cat "$RIG/screen")" \
	grep -qE "nginx [0-9]+ +127.0.0.1:$UPSTREAM" "$RIG/screen"
expect "no line is wider than the terminal" "$(cat "$RIG/screen")" \
	test "$(LC_ALL=C.UTF-8 wc -L <"$RIG/screen")" -le 80
await_lives service end 1 60
expect "its death is an open incident" "$(cat "$RIG/screen")" \
	screen_await 5 'memory_death/heap_leak'
expect "and a burst at the gateway" "$(cat "$RIG/screen")" \
	screen_await 3 "127.0.0.1:$UPSTREAM .*BURST"
[ -z "${MEMSWELL_PICTURES-}" ] || in_tmux capture-pane -ep |
	"$PYTHON" "$TOP_DIR/tests/top/picture.py" "$MEMSWELL_PICTURES/top.png"
await_lives service start 2 10
expect "its restart is counted" "$(cat "$RIG/screen")" \
	screen_await 10 "node:$UPSTREAM .* 1 *$"
screen_keys q
STATUS=$(screen_status)
expect "q ends it in order" "status $STATUS" test "$STATUS" = 0
load_stop
screen_close
finish
