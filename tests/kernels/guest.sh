#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# guest.sh OUT - what is tested inside a guest of boot.sh, as "ok", "not ok" and "skip" lines. OUT/tests
# names the tests, those below; without it there are none. Before them it writes down which hooks attach (OUT/check.json) and what the
# programs cost (OUT/programs), which judge.py judges outside. What failed tests leave behind goes to OUT.
cd "$(dirname "$0")/../.." || exit 1
OUT=$1
case $(uname -m) in
x86_64) export MEMSWELL_TEST_BUILD=build MEMSWELL=$PWD/memswell ;;
aarch64) export MEMSWELL_TEST_BUILD=build/arm64 MEMSWELL=$PWD/build/arm64/memswell ;;
esac
export MEMSWELL_TEST_KEEP=$OUT/kept MEMSWELL_TEST_GUEST=1
export MEMSWELL_TEST_SLOWNESS=16 # an emulated processor
ulimit -n 20000

# BPF_PROG_RUN of old kernels, 6.1 and 6.12 among them, hands a cgroup program no packet: its
# data_end is 0. test_packets would see nothing there; test_sockets has real packets.
runs_packets() {
	printf '6.18\n%s\n' "$(uname -r)" | sort -V -C
}

# The programs of tests/bpf: cmocka's lines, with a name in the place of the number.
test_bpf() {
	local program name status=0
	for program in "$MEMSWELL_TEST_BUILD"/tests/bpf/test_*; do
		[[ -x $program && $program != *.d ]] || continue
		name=$(basename "$program")
		if [ "$name" = test_packets ] && ! runs_packets; then
			echo "skip $name - BPF_PROG_RUN of this kernel hands over no packet"
			continue
		fi
		CMOCKA_MESSAGE_OUTPUT=TAP "$program" >"$OUT/$name" 2>&1 || status=1
		sed -n -e "s/^not ok [0-9]* # SKIP \(.*\)/skip $name: \1 - not possible here/p" \
			-e "s/^\(not \)\?ok [0-9]* - /\1ok $name: /p" "$OUT/$name"
	done
	return $status
}

# Each hook is made to fire and its record compared; both variants of vm_events count the same work.
test_hooks() { bash tests/live/test_hooks.sh; }
# nginx, Node.js and an OOM kill: one right incident, with everything that a live test asks.
test_oom_kill() { bash tests/live/test_oom_kill.sh; }
# The same where the whole cgroup dies (memory.oom.group): the one that grew must be named.
test_oom_group() {
	bash tests/scenarios/run.sh -j 1 --tap --results "$OUT/group" k2_oom_group
}

# Without CAP_SYS_ADMIN everything but the uprobe attaches, whatever types this kernel lacks.
test_privilege() {
	local least=+bpf,+perfmon,+net_admin,+sys_ptrace,+dac_read_search missing
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all,$least --ambient-caps=-all,$least \
		"$MEMSWELL" check -o json >"$OUT/least.json" 2>"$OUT/least.log"
	missing=$(jq -r '[.hooks[] | select(.state == "unavailable").name] | join(" ")' "$OUT/least.json")
	if [ "$missing" = v8_oom ] || { [ -z "$missing" ] && [ -s "$OUT/least.json" ]; }; then
		echo "ok least privilege: every hook but the uprobe"
	else
		echo "not ok least privilege - missing: $missing; $(tail -n 1 "$OUT/least.log")"
		return 1
	fi
}

lap() { echo "# $1: $(cut -d ' ' -f 1 /proc/uptime) s"; }

lap boot
"$MEMSWELL" check -o json >"$OUT/check.json" 2>"$OUT/check.log"
"$MEMSWELL_TEST_BUILD/tests/kernels/programs" >"$OUT/programs" 2>"$OUT/programs.log"
lap check
status=0
for test in $(cat "$OUT/tests" 2>/dev/null); do
	"test_$test" || status=1
	lap "$test"
done
exit $status
