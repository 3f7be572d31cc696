#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The service is slow for some seconds and clients hang up before they are answered.
#
# title: clients hang up during a latency spike
# expect: none
# witness: 499>=20 failures=0 deaths=0
# warned: no
# seconds: 30
. "$(dirname "$0")/scenario.sh"
begin
pick RATE 100 200
pick SLOW 700 1500
supervise service 2 "" "$NODE" "$OWN_WORKLOADS/app.js" --port "$UPSTREAM" --mib 50
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 32
watch
traffic "$RATE" 24
sleep 6
fault
load impatient "$PORT" "$(loaded 40)" 8 --path "/delay/$SLOW" --patience 300
wait "$LOAD_PID"
LOAD_PID=
sleep 6
conclude
