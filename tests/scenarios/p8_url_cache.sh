#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A cache keyed by URL that never evicts, and URLs that never come twice.
#
# title: unbounded cache keyed by URL
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=134 502>=5
# seconds: 55
. "$(dirname "$0")/scenario.sh"
begin
pick HEAP 70 120
pick RATE 150 250
pick LIFE 20 30
supervise service 2 "" "$NODE" --max-old-space-size="$HEAP" "$OWN_WORKLOADS/url_cache.js" \
	--port "$UPSTREAM" --bytes "$(leak_bytes "$HEAP" "$RATE" "$LIFE")"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 2 16
watch
traffic "$RATE" 120 --path '/item/%'
one_death 90
conclude
