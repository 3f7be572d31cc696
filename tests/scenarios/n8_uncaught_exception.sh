#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# An exception that nobody catches ends the service.
#
# title: exit 1 by an uncaught exception
# expect: upstream_down_nonmemory
# culprit: service
# witness: exit=1 502>=5
# warned: no
# seconds: 35
. "$(dirname "$0")/scenario.sh"
begin
pick MIB 30 200
pick RATE 100 250
supervise service 2 "" "$NODE" "$OWN_WORKLOADS/app.js" --port "$UPSTREAM" --mib "$MIB"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 60
sleep 8
fault
ask /throw >/dev/null
one_death 10
conclude
