#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A Go service leaks up to its limit of address space, and its runtime gives up: exit status 2.
#
# title: Go, out of memory under RLIMIT_AS
# expect: memory_death/heap_leak
# culprit: service
# witness: exit=2 502>=5
# needs: go
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick LIMIT 1000 1200
pick RATE 120 200
pick LIFE 16 24
PROGRAM=$(go_program)
supervise service 2 "" bash -c "ulimit -v $((LIMIT * 1024)); exec $PROGRAM $UPSTREAM \
	$(((LIMIT - 850 << 20) / (RATE * LIFE)))"
wait_port "$UPSTREAM" 15
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 120
one_death 90
conclude
