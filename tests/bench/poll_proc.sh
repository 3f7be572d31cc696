#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# poll_proc.sh - what one would write without BPF: every second the memory of every process, from
# /proc. It sees no request, no 502 and no death, only who is gone.
echo ready
while :; do
	awk '{ split(FILENAME, path, "/"); print path[3], $6 * 4096 }' /proc/[0-9]*/statm 2>/dev/null
	sleep 1
done
