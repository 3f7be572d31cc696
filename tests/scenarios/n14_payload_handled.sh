#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Large bodies one after the other, which the service can take.
#
# title: large bodies that are handled
# expect: none
# witness: failures=0 deaths=0
# seconds: 35
. "$(dirname "$0")/scenario.sh"
begin
pick BODY 12 22
pick RATE 40 100
CGROUP=$(memory_cgroup service 400)
supervise service 2 "$CGROUP" "$NODE" "$OWN_WORKLOADS/parse.js" --port "$UPSTREAM"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 60
sleep 6
fault
start bodies "$PYTHON" "$OWN_WORKLOADS/bodies.py" "$PORT" 6 "$BODY" 1
wait "$PID"
sleep 8
conclude
