#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The database becomes slow, its few connections are all in use, requests queue in memory and time
# out: memory grows, but it does not leak.
#
# title: database pool exhausted
# expect: backend_overload/db_pool_exhaustion
# accept: memory_death/db_pool_exhaustion
# witness: 504>=5 deaths=0
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick RATE 150 250
pick POOL 8 14
pick CONTEXT 8000 40000
GATEWAY_READ_S=5
echo 0.005 >"$RIG/delay"
start database "$PYTHON" "$OWN_WORKLOADS/database.py" "$OTHER" "$RIG/delay"
wait_port "$OTHER"
supervise service 2 "" "$NODE" "$OWN_WORKLOADS/pool.js" --port "$UPSTREAM" --db "$OTHER" \
	--pool "$POOL" --context "$CONTEXT"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 64
watch
traffic "$RATE" 38
sleep 12
fault
echo 0.25 >"$RIG/delay"
sleep 22
echo 0.005 >"$RIG/delay"
sleep $QUIET_S
conclude
