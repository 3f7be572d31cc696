#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Two replicas: one dies of its leak, the gateway asks the other, and no client notices.
#
# title: a death masked by retries
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=134 failures=0 upstream_errors>=1
# also: impact.masked_by_retry>0
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick HEAP 70 120
pick RATE 200 300
pick LIFE 18 26
supervise service 3 "" "$NODE" --max-old-space-size="$HEAP" "$WORKLOADS/leak.js" \
	--port "$UPSTREAM" --bytes "$(leak_bytes "$HEAP" $((RATE / 2)) "$LIFE")"
supervise other 3 "" "$NODE" "$OWN_WORKLOADS/app.js" --port "$OTHER" --mib 60
wait_port "$UPSTREAM"
wait_port "$OTHER"
about_port "$OTHER"
gateway "$PORT" "$UPSTREAM $OTHER" 1 16
watch
traffic "$RATE" 120
one_death 90
conclude
