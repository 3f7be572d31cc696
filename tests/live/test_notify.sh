#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# What a service manager hears, at its own socket, from memswell confined as in production: ready, signs of life
# while nobody reads the reports, none while it is stopped, reloading and ready again, the end.
. "$(dirname "$0")/lib.sh"
SUITE=live
NAME=notify
[ "$(id -u)" -eq 0 ] || skip_all "needs root"
rig_start

# A line for each that came: milliseconds since the epoch, then NAME=value.
cat >"$RIG/manager.py" <<-'PYTHON'
import socket, sys, time
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1])
while True:
    for line in manager.recv(4096).decode().splitlines():
        print(int(time.time() * 1000), line, flush=True)
PYTHON
start manager "$PYTHON" "$RIG/manager.py" "$RIG/socket"
for ((i = 0; i < 100; i++)); do [ -S "$RIG/socket" ] && break; sleep 0.05; done

heard() { grep -c " $1" "$RIG/manager.log"; } # PREFIX: how often
since() { awk -v ms="$1" '$1 >= ms' "$RIG/manager.log" | grep -c " $2"; } # MS PREFIX
await_heard() { # PREFIX COUNT SECONDS
	local deadline=$((SECONDS + $3))
	until [ "$(heard "$1")" -ge "$2" ]; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.1
	done
}

# Its output is a pipe that nobody reads: with samples at this tick it is full at once.
start movers "$PYTHON" "$WORKLOADS/movers.py" 60
mkfifo "$RIG/pipe"
exec 3<>"$RIG/pipe"
(rig_exec -- env NOTIFY_SOCKET="$RIG/socket" WATCHDOG_USEC=3000000 "$MEMSWELL" run --state none --tick 100ms \
		--include-samples) >&3 2>"$RIG/memswell.log" </dev/null 3<&- &
WATCH_PID=$!
watch_ready || { not_ok "memswell starts" "$(tail -n 1 "$RIG/memswell.log")"; finish; }
expect "it is ready" "$(cat "$RIG/manager.log")" await_heard READY=1 1 5
hooks=$(sed -n 's/.*ready: \([0-9]* of [0-9]*\) hooks.*/\1/p' "$RIG/memswell.log")
expect "the status tells of hooks and incidents" "$(grep STATUS "$RIG/manager.log" | tail -n 1)" \
	await_heard "STATUS=$hooks hooks attached, 0 incidents open$" 1 5
sleep 6
began=$(now_ms)
sleep 4
expect "signs of life come while nobody reads" "$(since "$began" WATCHDOG=1) in 4 s" \
	test "$(since "$began" WATCHDOG=1)" -ge 2
expect "not at every tick, for each wakes the manager" "$(since "$began" WATCHDOG=1) in 4 s" \
	test "$(since "$began" WATCHDOG=1)" -le 5
kill -STOP "$WATCH_PID"
sleep 0.3
began=$(now_ms)
sleep 3
expect "none comes while the loop stands" "$(since "$began" WATCHDOG=1)" test "$(since "$began" WATCHDOG=1)" -eq 0
kill -CONT "$WATCH_PID"
kill -HUP "$WATCH_PID"
expect "it says that it reloads, and that it is ready again" "$(cut -d ' ' -f 2 "$RIG/manager.log" | tail -n 5 | tr '\n' ' ')" \
	await_heard READY=1 2 5
expect "with the time of it" "$(grep MONOTONIC "$RIG/manager.log")" await_heard 'MONOTONIC_USEC=[1-9]' 1 1
cat <&3 >"$RIG/reports.jsonl" &
reader=$!
sleep 1 # in which it tells what was dropped
watch_stop
kill $reader
expect "the reports did wait for their reader" "nothing was dropped" grep -q slow_consumer "$RIG/reports.jsonl"
expect "it says that it stops" "$(tail -n 1 "$RIG/manager.log")" await_heard STOPPING=1 1 2
expect "memswell ends in order" "exit status $WATCH_STATUS" test "$WATCH_STATUS" -eq 0
line=$(grep -m 1 'refused the system call' "$RIG/memswell.log")
expect "no system call was refused" "$line" test -z "$line"
finish
