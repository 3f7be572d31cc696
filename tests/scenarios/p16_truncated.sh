#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A service dies of its leak while it sends large files: their clients get 200 and half a body.
#
# title: answers truncated by the death
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=134 502>=1 truncated>=1
# also: impact.truncated>0
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick HEAP 70 110
pick LIFE 18 26
pick RATE 20 60
supervise service 2 "" "$NODE" --max-old-space-size="$HEAP" "$OWN_WORKLOADS/download.js" \
	--port "$UPSTREAM" --rate $(((HEAP << 20) / LIFE))
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 16
watch
load files "$PORT" 0.5 100 --path /file
FILES_PID=$LOAD_PID
traffic "$RATE" 100
one_death 70
kill -TERM "$FILES_PID"
conclude
