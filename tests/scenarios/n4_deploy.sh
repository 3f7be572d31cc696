#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A deployment ends the service in order and starts it again, twice.
#
# title: graceful restart
# expect: deploy_restart
# culprit: service
# witness: exit=0 deaths>=2 502>=5
# incidents: 2
# warned: no
# seconds: 55
. "$(dirname "$0")/scenario.sh"
begin
pick MIB 40 120
pick RATE 100 200
pick GAP 1 2
supervise service "$GAP" "" "$NODE" "$OWN_WORKLOADS/app.js" --port "$UPSTREAM" --mib "$MIB"
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 60
sleep 6
fault
bash -c "kill -TERM $(service_pid service)"
one_death 15
bash -c "kill -TERM $(service_pid service)"
await_lives service end 2 15 && await_lives service start 3 15 && sleep $QUIET_S
conclude
