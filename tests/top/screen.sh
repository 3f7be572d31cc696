# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
#
# screen.sh - a terminal for tests of `memswell top`: tmux on a socket of its own inside the rig of
# tests/live/lib.sh, keys in, picture out. The script that sources it has called rig_start.

TMUX_SOCKET=$RIG/tmux
# Nothing of the user's own configuration, nor of a tmux that the test itself may run in.
echo 'set -g exit-empty off' >"$RIG/tmux.conf"
in_tmux() { env -u TMUX tmux -S "$TMUX_SOCKET" "$@"; }

# screen_open COLUMNS LINES COMMAND...: COMMAND in a terminal of that size.
screen_open() {
	local columns=$1 lines=$2
	shift 2
	(rig_exec -- env -u TMUX tmux -S "$TMUX_SOCKET" -f "$RIG/tmux.conf" -D) >/dev/null 2>&1 \
		</dev/null &
	disown
	for _ in $(seq 100); do
		[ -S "$TMUX_SOCKET" ] && break
		sleep 0.05
	done
	rm -f "$RIG/screen_status"
	in_tmux new-session -d -x "$columns" -y "$lines" \
		sh -c 'status=$1; shift; "$@"; echo $? >"$status"' sh "$RIG/screen_status" "$@"
}

# The exit status of what ran, once it ended; 5 s to do so.
screen_status() {
	for _ in $(seq 100); do
		[ -s "$RIG/screen_status" ] && break
		sleep 0.05
	done
	cat "$RIG/screen_status"
}

screen_close() {
	in_tmux kill-server
	rm -f "$TMUX_SOCKET"
}
screen_keys() { in_tmux send-keys "$@"; }
screen_show() { in_tmux capture-pane -p; }
screen_resize() { in_tmux resize-window -x "$1" -y "$2"; }

# screen_await SECONDS PATTERN: until a line of the picture matches; the picture is in $RIG/screen.
screen_await() {
	local deadline=$((SECONDS + $1))
	while :; do
		screen_show >"$RIG/screen"
		grep -qE -- "$2" "$RIG/screen" && return 0
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.1
	done
}
