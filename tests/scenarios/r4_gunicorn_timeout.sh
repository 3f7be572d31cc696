#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Requests hang in pre-forked Python workers, and the arbiter ends them: SIGABRT, and SIGKILL to those
# that do not hear (odd seeds). gunicorn logs "Perhaps out of memory?" for the latter.
#
# title: gunicorn worker timeout
# expect: upstream_down_nonmemory
# culprit: named
# witness: 502>=5
# warned: no
# needs: gunicorn
# seconds: 50
. "$(dirname "$0")/scenario.sh"
begin
pick RATE 30 80
pick PATIENCE 3 5
supervise service 2 "" env WEDGED=$((SEED % 2)) gunicorn --workers 3 --bind "127.0.0.1:$UPSTREAM" \
	--chdir "$OWN_WORKLOADS" --timeout "$PATIENCE" leak_wsgi:app
wait_port "$UPSTREAM" 15
sleep 2
gateway "$PORT" "$UPSTREAM"
watch
traffic "$RATE" 60
sleep 6
fault
MASTER=$(service_pid service)
load hang "$PORT" 2 8 --path /hang
await_child_death "$MASTER" 20
sleep $((QUIET_S + 10))
# Each worker there ever was: those that take over hung requests are ended as well.
sed -n 's/.*Booting worker with pid: \([0-9]*\).*/\1/p' "$RIG/service.log" >>"$RIG/culprits"
conclude
