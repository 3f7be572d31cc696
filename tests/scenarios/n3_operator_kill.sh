#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Somebody kills a healthy service that holds a lot of memory.
#
# title: kill -9 by an operator at high RSS
# expect: upstream_down_nonmemory
# culprit: service
# witness: exit=137 502>=5
# warned: no
# seconds: 35
. "$(dirname "$0")/scenario.sh"
begin
pick MIB 250 450
pick RATE 100 250
CGROUP=$(memory_cgroup service $((MIB + 100)))
supervise service 2 "$CGROUP" "$NODE" "$OWN_WORKLOADS/app.js" --port "$UPSTREAM" --mib "$MIB"
wait_port "$UPSTREAM" 15
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 60
sleep 8
fault
bash -c "kill -9 $(service_pid service)"
one_death 10
conclude
