#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# test_vm_twins.sh - mmap, munmap, mremap and brk can be seen in several ways. Each that this kernel
# allows watches the same process at the same time, and all must count the same, failures included;
# and growth of 256 MiB in a fraction of a second is told before the next tick.
. "$(dirname "$0")/lib.sh"
SUITE=live
NAME=vm_twins
[ "$(id -u)" -eq 0 ] || skip_all "needs root"
rig_start
gcc -D_GNU_SOURCE -O1 -Wall "$WORKLOADS/mapper.c" -o "$RIG/mapper" 2>"$RIG/gcc.log" ||
	skip_all "the workload does not build: $(head -n 1 "$RIG/gcc.log")"

WAYS=()
for way in fentry lock syscall; do
	"$MEMSWELL" check --vm-events $way -o json 2>/dev/null |
		grep -q '"vm_events","state":"attached"' || continue
	WAYS+=($way)
	start "watch-$way" "$MEMSWELL" record --vm-events $way "$RIG/$way.jsonl"
	eval "PID_$way=$PID"
done
[ ${#WAYS[@]} -gt 0 ] || skip_all "this kernel tells of no mmap"
for way in "${WAYS[@]}"; do
	for ((i = 0; i < 200; i++)); do grep -q ready: "$RIG/watch-$way.log" && break; sleep 0.05; done
done
start mapper "$RIG/mapper"
MAPPER=$PID
while kill -0 "$MAPPER" 2>/dev/null; do sleep 0.1; done
for way in "${WAYS[@]}"; do
	pid=PID_$way
	kill -TERM "${!pid}"
	while kill -0 "${!pid}" 2>/dev/null; do sleep 0.05; done
done

counters() { # WAY: the last ones, without their time
	grep '"k":"vm"' "$RIG/$1.jsonl" | grep "\"pid\":$MAPPER," | tail -n 1 |
		sed 's/"t":[0-9]*,//'
}
expect "failures are counted" "$(counters "${WAYS[0]}")" \
	grep -q '"mmap_failures":13,.*"brk_failures":1,' <<<"$(counters "${WAYS[0]}")"
for way in "${WAYS[@]:1}"; do
	expect "$way counts as ${WAYS[0]}" "$(counters "$way") is not $(counters "${WAYS[0]}")" \
		test "$(counters "$way")" = "$(counters "${WAYS[0]}")"
done
STEPS=$(grep '"k":"rss"' "$RIG/${WAYS[0]}.jsonl" | grep -c "\"pid\":$MAPPER,")
expect "fast growth is told between ticks" "$STEPS steps" test "$STEPS" -ge 2
finish
