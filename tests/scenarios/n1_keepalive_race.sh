#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The upstream closes idle connections just when the gateway reuses them: 502s, but nobody dies.
#
# title: keep-alive race
# expect: keepalive_race
# witness: 502>=5 deaths=0
# seconds: 45
. "$(dirname "$0")/scenario.sh"
begin
pick IDLE 80 140
pick FLIGHT 4 7
start server "$PYTHON" "$WORKLOADS/keepalive_server.py" "$UPSTREAM" "0.$(printf %03d "$IDLE")"
wait_port "$UPSTREAM"
start relay "$PYTHON" "$WORKLOADS/relay.py" "$OTHER" "$UPSTREAM" "$FLIGHT"
wait_port "$OTHER"
about_port "$OTHER"
gateway "$PORT" "$OTHER" 1 8
watch --gateway ":$PORT"
# POST is not retried by the gateway once sent, so every lost race is a 502.
load load "$PORT" "$(awk "BEGIN { print 1000 / ($IDLE + 1) }")" 35 --method POST --connections 1 --jitter 11
wait "$LOAD_PID"
LOAD_PID=
sleep 1
conclude
