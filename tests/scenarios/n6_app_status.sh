#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The application itself answers 502 and 503.
#
# title: errors of the application's own making
# expect: app_error_status
# witness: 502>=5 503>=5 deaths=0
# warned: no
# seconds: 30
. "$(dirname "$0")/scenario.sh"
begin
pick RATE 80 160
pick ERRORS 5 20
supervise service 2 "" "$NODE" "$OWN_WORKLOADS/app.js" --port "$UPSTREAM"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 28
sleep 6
fault
load errors "$PORT" "$(loaded "$ERRORS")" 5 --path /status/502
wait "$LOAD_PID"
load errors "$PORT" "$(loaded "$ERRORS")" 5 --path /status/503
wait "$LOAD_PID"
LOAD_PID=
sleep $QUIET_S
conclude
