#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A service reads a file that is much larger than its cgroup: what grows can be taken back.
#
# title: page cache up to the cgroup's limit
# expect: none
# culprit: named
# witness: failures=0 deaths=0
# warned: no
# seconds: 40
. "$(dirname "$0")/scenario.sh"
begin
pick LIMIT 90 150
pick RATE 15 25
mkdir "$RIG/scratch"
truncate -s 2G "$RIG/scratch/file"
CGROUP=$(memory_cgroup service "$LIMIT")
supervise service 2 "$CGROUP" "$PYTHON" "$OWN_WORKLOADS/mapper.py" "$UPSTREAM" "$RIG/scratch/file"
wait_port "$UPSTREAM"
culprit "$(service_pid service)"
gateway "$PORT" "$UPSTREAM" 1 16
watch
traffic "$RATE" 30
wait "$LOAD_PID"
LOAD_PID=
conclude
