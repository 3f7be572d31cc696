#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A Node.js service leaks until its memory cgroup's limit; the kernel OOM-kills it. Slow enough for
# memswell to see the growth and to predict the end before it comes.
. "$(dirname "$0")/lib.sh"
NAME=oom_kill
require_rig
rig_start

leaking_service 12500
require_watch --tick 1s
load load "$PORT" 200 110
CULPRIT=$(service_pid service)
death_and_recovery 80

check_incident --verdict memory_death --cause heap_leak --culprit "$CULPRIT" --closed \
	--growth yes --oom-kills "$(oom_kills "$CGROUP")" \
	--detail signal=9 --detail oom_kill=true --detail memcg_oom=true \
	--detail 'signal_code="SI_KERNEL"' \
	--moment oom_mark --moment signal --moment exit --moment listener_down \
	--moment first_refused --moment listener_up --moment recovered
check_stream
finish
