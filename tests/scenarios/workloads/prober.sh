#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# prober.sh PORT PID TIMEOUT_S - a liveness probe as a kubelet makes it: each second a request, after
# three in a row without an answer in time SIGKILL. Prints when it killed.
port=$1 pid=$2 patience=$3
missed=0
answers() {
	local status
	exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
	printf 'GET / HTTP/1.0\r\nHost: probe\r\n\r\n' >&3
	read -r -t "$patience" _ status <&3
	exec 3>&-
	[ "${status%% *}" = 200 ]
}
while [ $missed -lt 3 ]; do
	sleep 1
	if answers 2>/dev/null; then missed=0; else missed=$((missed + 1)); fi
done
kill -KILL "$pid"
echo "killed $pid"
