#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Every hook is made to fire on purpose, and the record of it must say what happened: provoke.c does it
# and tells what is expected. In a guest of tests/kernels the machine itself is made short of memory.
# Where vm_events has an fexit variant, the portable one then counts the same work: the numbers are equal.
. "$(dirname "$0")/lib.sh"
SUITE=live
NAME=hooks
PROVOKE=$TOP_DIR/$BUILD/tests/live/provoke
require_rig
[ -x "$PROVOKE" ] || skip_all "$BUILD/tests/live/provoke is not built"
rig_start
ln -s "$PROVOKE" "$RIG/provoked"

provoke() { # WHAT ARGUMENT...
	(rig_exec -- "$PROVOKE" "$@") >>"$RIG/expected" 2>"$RIG/provoke.log" </dev/null ||
		not_ok "provoke $1 works" "status $?: $(head -n 1 "$RIG/provoke.log")"
}

# A file with content that no process maps all of, larger than the cgroup that will read it.
big_file() {
	local file
	for file in "$(readlink -f "$NODE")" /usr/lib/*/libnode.so.*; do
		[ "$(stat -c %s "$file" 2>/dev/null || echo 0)" -lt $((24 << 20)) ] || echo "$file"
	done | head -n 1
}

# V8's own limit, which a uprobe sees.
overflow_v8() {
	local pid
	(rig_exec -- "$NODE" --max-old-space-size=16 --max-semi-space-size=1 -e \
		'setTimeout(() => { for (const all = [];;) all.push(new Array(1000).fill(0.5)) }, 1500)') \
		>"$RIG/v8.log" 2>&1 </dev/null &
	pid=$!
	wait $pid 2>/dev/null
	echo "v8_oom v8_oom pid=$pid" >>"$RIG/expected"
	echo "exit exit pid=$pid status=6" >>"$RIG/expected"
}

check_hooks() {
	# shellcheck disable=SC2034 # for finish
	"$PYTHON" "$LIVE_DIR/check_hooks.py" "$RIG/records.jsonl" "$RIG/expected" "$NAME" || FAILED=1
}

# The last counters of the process that worked, as the records have them.
vm_numbers() { # RUN
	local pid
	pid=$(sed -n 's/^vm_events vm pid=\([0-9]*\) .*/\1/p' "$RIG/expected$1")
	grep "\"k\":\"vm\",.*\"pid\":$pid," "$RIG/records$1.jsonl" | tail -n 1 | sed 's/.*"mmap_calls"/"mmap_calls"/'
}

(rig_exec -- "$PROVOKE" hold) >>"$RIG/held" 2>&1 </dev/null &
disown
while [ "$(wc -l <"$RIG/held")" -lt 2 ]; do sleep 0.05; done
# A call that fails before it takes the lock is not seen by the variant that waits for its release; what
# that one counts test_vm_twins.sh compares.
COUNTED=()
! "$MEMSWELL" check 2>/dev/null | grep -q '^vm_events .*mmap_lock_released' || COUNTED=(--vm-events=syscall)
require_watch --tick 500ms "${COUNTED[@]}"
provoke life "$RIG/provoked"
provoke steps
provoke net
provoke oom "$(memory_cgroup oom 48)" 48
provoke cache "$(memory_cgroup cache 8)" "$(big_file)"
overflow_v8
[ -z "${MEMSWELL_TEST_GUEST-}" ] || provoke pressure "$(big_file)"
provoke vm
watch_stop
cat "$RIG/held" >>"$RIG/expected"
check_hooks
check_stream

if grep '"name":"vm_events"' "$RIG/records.jsonl" | grep -q '"variant":"fexit'; then
	mv "$RIG/records.jsonl" "$RIG/records.fexit.jsonl"
	mv "$RIG/expected" "$RIG/expected.fexit"
	require_watch --tick 500ms --vm-events=syscall
	provoke vm
	watch_stop
	check_hooks
	portable=tracepoint/sys_exit_
	# see has_storage() in bpf/compat.bpf.h
	grep -q BPF_FUNC_task_pt_regs /sys/kernel/btf/vmlinux || portable=tp_btf/sys_exit
	expect "the portable twin is $portable" "$(grep -m 1 '"name":"vm_events"' "$RIG/records.jsonl")" \
		grep -q "\"name\":\"vm_events\".*\"variant\":\"$portable" "$RIG/records.jsonl"
	expect "fexit and its portable twin count the same" "$(vm_numbers .fexit) against $(vm_numbers "")" \
		test -n "$(vm_numbers "")" -a "$(vm_numbers "")" = "$(vm_numbers .fexit)"
else
	echo "skip $NAME: fexit and its portable twin - this kernel has no fexit"
fi
finish
