#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The OOM kill of test_oom_kill.sh, seen by a memswell without CAP_NET_ADMIN: no hook on cgroups, so no
# HTTP and no owner of a fresh socket. It says so at start, in its stream and in what it reports; the
# death is reported all the same, and nothing that only those hooks could have told. A second one beside it
# lacks only the hook on mmap and brk: its incident is certain of the death, and less of the cause.
. "$(dirname "$0")/lib.sh"
SUITE=live
NAME=degraded
require_rig
command -v setpriv >/dev/null || skip_all "setpriv is not installed"
rig_start

cat >"$RIG/memswell" <<-SH
	#!/bin/sh
	exec setpriv --bounding-set -net_admin --inh-caps -net_admin "$MEMSWELL" "\$@"
SH
chmod 755 "$RIG/memswell"
COMPLETE=$MEMSWELL
MEMSWELL=$RIG/memswell

leaking_service 25000
require_watch --tick 1s
start second "$COMPLETE" run --tick 1s --vm-events=off --output "$RIG/second.jsonl"
SECOND=$PID
load load "$PORT" 200 60
CULPRIT=$(service_pid service)
death_and_recovery 50
kill -TERM "$SECOND"
wait "$SECOND"

for hook in owner_create http_ingress http_egress; do
	expect "the log names $hook with consequence and remedy" "$(grep "$hook" "$RIG/memswell.log")" \
		grep -q "hook $hook is unavailable: CAP_NET_ADMIN is missing: .*; .*CAP_NET_ADMIN" "$RIG/memswell.log"
done
expect "502s reached clients" "$(cut -c 1-200 "$RIG/load.json")" grep -q '" 502 \| 502 "' "$RIG/nginx/access.log"
"$PYTHON" "$LIVE_DIR/check_degraded.py" --name "$NAME" --culprit "$CULPRIT" \
	--missing owner_create,http_ingress,http_egress "$RIG/reports.jsonl" || FAILED=1
"$PYTHON" "$LIVE_DIR/check_degraded.py" --name "$NAME without vm_events" --culprit "$CULPRIT" \
	--missing vm_events --incident "$UPSTREAM" "$RIG/second.jsonl" || FAILED=1
check_stream
check_valid "$RIG/second.jsonl"
finish
