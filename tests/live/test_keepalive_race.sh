#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The upstream closes idle connections just when the gateway reuses them: 502s, but nobody dies.
. "$(dirname "$0")/lib.sh"
NAME=keepalive_race
require_rig
rig_start

read -r PORT UPSTREAM RELAY <<<"$(free_ports 3)"
start server "$PYTHON" "$WORKLOADS/keepalive_server.py" "$UPSTREAM" 0.1
wait_port "$UPSTREAM"
start relay "$PYTHON" "$WORKLOADS/relay.py" "$RELAY" "$UPSTREAM" 5
wait_port "$RELAY"
gateway "$PORT" "$RELAY" 1 8
require_watch --tick 1s --gateway ":$PORT"
# POST is not retried by the gateway once sent, so every lost race is a 502.
load load "$PORT" 9.9 20 --method POST --connections 1 --jitter 11
wait "$LOAD_PID"
sleep 1
watch_stop

check_incident --verdict keepalive_race --open-within-ms 10000
check_stream --gateway ":$PORT"
finish
