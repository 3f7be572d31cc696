#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# guest.sh OUT - what is tested inside a guest of boot.sh, as "ok", "not ok" and "skip" lines: every
# hook attaches, vm_events also in a variant that this kernel would not choose; the BPF tests hold;
# and the live tests of deaths by memory hold as they do on the host, but on cgroup v2 and with the
# hooks chosen here. What failed tests leave behind goes to OUT.
cd "$(dirname "$0")/../.." || exit 1
OUT=$1
export MEMSWELL_TEST_KEEP=$OUT/kept
export MEMSWELL_TEST_SLOWNESS=16 # an emulated processor
ulimit -n 20000
status=0

check() { # WHAT WHY_NOT COMMAND...
	local what=$1 why=$2
	shift 2
	if "$@"; then
		echo "ok check: $what"
	else
		echo "not ok check: $what - $why"
		status=1
	fi
}

all_attached() { # FILE, whose first line ends in "N of N hooks attached"
	awk 'NR == 1 { exit !(NF > 4 && $(NF - 4) == $(NF - 2)) }' "$1" && [ -s "$1" ]
}

variant() { # FILE HOOK VARIANT
	grep -qE "^$2 +attached +$3" "$1"
}

# attach NAME VM_EVENTS_VARIANT OPTION...: every hook, and vm_events in that variant.
attach() {
	local out=$OUT/check-$1 wanted=$2
	shift 2
	./memswell check "$@" >"$out" 2>"$out.log"
	check "every hook attaches${*:+ $*}" \
		"$(cat "$out.log" "$out" | grep -m 1 -E 'error|unavailable')" all_attached "$out"
	check "vm_events is $wanted" "$(grep ^vm_events "$out")" variant "$out" vm_events "$wanted"
}

attach default fexit
# see has_storage() in bpf/compat.bpf.h
if grep -q BPF_FUNC_task_pt_regs /sys/kernel/btf/vmlinux; then
	attach syscall tracepoint/sys_exit_ --vm-events=syscall
else
	attach syscall tp_btf/sys_exit --vm-events=syscall
fi

# BPF_PROG_RUN of old kernels, 6.1 and 6.12 among them, hands a cgroup program no packet: its
# data_end is 0. test_packets would see nothing there; test_sockets has real packets.
runs_packets() {
	printf '6.18\n%s\n' "$(uname -r)" | sort -V -C
}

# cmocka's lines, with a name in the place of the number.
for program in build/tests/bpf/test_*; do
	[ -x "$program" ] || continue
	name=$(basename "$program")
	if [ "$name" = test_packets ] && ! runs_packets; then
		echo "skip $name - BPF_PROG_RUN of this kernel hands over no packet"
		continue
	fi
	CMOCKA_MESSAGE_OUTPUT=TAP "$program" >"$OUT/$name" 2>&1 || status=1
	sed -e "s/^not ok [0-9]* # SKIP \(.*\)/skip $name: \1 - not possible here/" \
		-e "s/ok [0-9]* - /ok $name: /" "$OUT/$name"
done
for name in oom_kill native_leak v8_abort; do
	bash "tests/live/test_$name.sh" || status=1
done
exit $status
