#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# What memswell may do while it runs, read off the running process. First as root: what is left after
# start is what the table says, the broker holds what uprobes need, who opens the files of container
# runtimes what those need, nobody listens, and a V8 executable that appears later is still watched. Then
# as a user with the four capabilities and no other: a memory death behind nginx becomes the same one
# incident. No system call is refused in either.
. "$(dirname "$0")/lib.sh"
NAME=least_privilege
require_rig
command -v setpriv >/dev/null || skip_all "setpriv is not installed"
rig_start

CAPABILITIES="bpf perfmon net_admin sys_ptrace"
SYS_PTRACE=19 DAC_READ_SEARCH=2 PERFMON=38 SYS_ADMIN=21 BPF=39

bits() { # NUMBER...: the mask as /proc shows it
	local mask=0 bit
	for bit in "$@"; do mask=$((mask | 1 << bit)); done
	printf '%016x' $mask
}

status_of() { # PID KEY
	awk -v key="$2:" '$1 == key { print $2; exit }' "/proc/$1/status"
}

expect_status() { # WHO PID KEY VALUE...: one of the values
	local who=$1 pid=$2 key=$3 is value
	shift 3
	is=$(status_of "$pid" "$key")
	for value in "$@"; do
		[ "$is" != "$value" ] || { ok "$who: $key is $is"; return; }
	done
	not_ok "$who: $key" "it is $is, not $*"
}

# Kernels before 5.19 ask for CAP_BPF in every bpf().
expect_confined() { # WHO PID CAPABILITY...
	local who=$1 pid=$2 key
	shift 2
	for key in CapPrm CapEff; do
		expect_status "$who" "$pid" $key "$(bits "$@")" "$(bits "$@" $BPF)"
	done
	for key in CapInh CapAmb; do expect_status "$who" "$pid" $key "$(bits)"; done
	expect_status "$who" "$pid" NoNewPrivs 1
	expect_status "$who" "$pid" Seccomp 2
	expect_status "$who" "$pid" Seccomp_filters 1
}

sockets_of() { # PID: inode numbers
	local fd
	for fd in /proc/"$1"/fd/*; do readlink "$fd"; done 2>/dev/null | sed -n 's/^socket:\[\(.*\)\]$/\1/p'
}

# State 0A is LISTEN in /proc/net/tcp*; flags 00010000 in /proc/net/unix.
listens() { # PID
	local inode
	for inode in $(sockets_of "$1"); do
		awk -v i="$inode" '$10 == i && $4 == "0A" { found = 1 } END { exit !found }' \
			/proc/net/tcp /proc/net/tcp6 2>/dev/null && return 0
		awk -v i="$inode" '$7 == i && $4 == "00010000" { found = 1 } END { exit !found }' \
			/proc/net/unix && return 0
	done
	return 1
}

# named_child_of PID NAME: as comm has it
named_child_of() {
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v parent="$1" -v name="($2)" '
		$2 == name { pid = $1; sub(/^.*\) /, ""); if ($2 == parent) { print pid; exit } }'
}

expect_nothing_refused() { # WHO
	local line
	line=$(grep -m 1 -E 'refused the system call|broker is gone|runtimes is gone|more than it needs' "$RIG/memswell.log")
	expect "$1: no system call was refused" "$line" test -z "$line"
}

is_watched() { # PID: is there a record that says so of its executable
	"$PYTHON" - "$RIG/records.jsonl" "$1" <<-'PYTHON'
	import json, sys
	with open(sys.argv[1]) as file:
	    lines = [line for line in file if line.endswith("\n")]
	exes = [r for r in map(json.loads, lines) if r["k"] == "exe" and r["pid"] == int(sys.argv[2])]
	sys.exit(not any(r.get("v8_probe") for r in exes))
	PYTHON
}

await_watched() { # PID SECONDS
	local deadline=$((SECONDS + $2))
	until is_watched "$1"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.5
	done
}

# As root -----------------------------------------------------------------------------------------

require_watch --tick 500ms
expect_confined root "$WATCH_PID" $SYS_PTRACE $DAC_READ_SEARCH
expect_status root "$WATCH_PID" CapBnd "$(bits)"
BROKER=$(named_child_of "$WATCH_PID" memswell-uprobe)
if [ -n "$BROKER" ]; then
	for key in CapPrm CapEff; do
		expect_status broker "$BROKER" $key "$(bits $SYS_ADMIN)" "$(bits $PERFMON)"
	done
	expect_status broker "$BROKER" CapBnd "$(bits)"
	expect_status broker "$BROKER" NoNewPrivs 1
	expect_status broker "$BROKER" Seccomp 2
	expect_status broker "$BROKER" Seccomp_filters 1
	private=$(awk '/^Private/ { sum += $2 } END { print sum }' "/proc/$BROKER/smaps_rollup")
	expect "broker: less than 1 MiB of its own" "$private KiB" test "$private" -lt 1024
	expect "broker: holds two descriptors" "$(ls "/proc/$BROKER/fd" | tr '\n' ' ')" \
		test "$(ls "/proc/$BROKER/fd" | wc -l)" -eq 2
	CLOSER=$(child_of "$BROKER")
	for key in CapPrm CapEff CapBnd; do expect_status closer "$CLOSER" $key "$(bits)"; done
	expect_status closer "$CLOSER" NoNewPrivs 1
	expect_status closer "$CLOSER" Seccomp 2
	expect_status closer "$CLOSER" Seccomp_filters 1
	expect "closer: holds one descriptor" "$(ls "/proc/$CLOSER/fd" | tr '\n' ' ')" \
		test "$(ls "/proc/$CLOSER/fd" | wc -l)" -eq 1
	# A copy is another file: one that memswell has not met before.
	cp "$(readlink -f "$NODE")" "$RIG/late-node"
	start late "$RIG/late-node" "$WORKLOADS/healthy.js" --port "$(free_ports 1)" --mib 10
	LATE=$PID
	expect "root: a V8 executable that appears later is watched" "no record says so" \
		await_watched "$LATE" $((5 * SLOWNESS))
	kill "$LATE"
else
	grep -q 'hook v8_oom is unavailable' "$RIG/memswell.log" ||
		not_ok "root: there is a broker" "none, and the hook is attached"
	echo "skip $NAME: broker - this kernel has no uprobes"
fi
FILES=$(named_child_of "$WATCH_PID" memswell-files)
for key in CapPrm CapEff; do expect_status files "$FILES" $key "$(bits $DAC_READ_SEARCH)"; done
for key in CapInh CapAmb CapBnd; do expect_status files "$FILES" $key "$(bits)"; done
expect_status files "$FILES" NoNewPrivs 1
expect_status files "$FILES" Seccomp 2
expect_status files "$FILES" Seccomp_filters 1
expect "files: holds two descriptors" "$(ls "/proc/$FILES/fd" | tr '\n' ' ')" \
	test "$(ls "/proc/$FILES/fd" | wc -l)" -eq 2
if listens "$WATCH_PID"; then not_ok "root: nobody listens" "it does"; else ok "root: nobody listens"; fi
watch_stop
expect_nothing_refused root
[ -z "$BROKER" ] || expect "broker: ends with memswell" "it lives" test ! -e "/proc/$BROKER/fd/0"
expect "files: ends with memswell" "it lives" test ! -e "/proc/$FILES/fd/0"
expect "root: memswell ends in order" "exit status $WATCH_STATUS" test "$WATCH_STATUS" -eq 0

# As nobody, with four capabilities ---------------------------------------------------------------

set_of() { # SIGN
	local list="-all" name
	for name in $CAPABILITIES; do list+=",+$name"; done
	echo "$list"
}

mkdir "$RIG/user"
cp "$MEMSWELL" "$RIG/user/memswell"
chown -R 65534:65534 "$RIG/user"
leaking_service 25000
: >"$RIG/memswell.log"
: >"$RIG/reports.jsonl"
# Maps of kernels before 5.11 count against the limit on locked memory.
(ulimit -l unlimited 2>/dev/null
	rig_exec -- setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps "$(set_of)" \
		--ambient-caps "$(set_of)" --bounding-set "$(set_of)" \
		"$RIG/user/memswell" record "$RIG/user/records.jsonl") \
	>"$RIG/reports.jsonl" 2>"$RIG/memswell.log" </dev/null &
WATCH_PID=$!
if ! watch_ready; then
	not_ok "nobody: memswell starts" "$(tail -n 1 "$RIG/memswell.log")"
	finish
fi
expect_status nobody "$WATCH_PID" Uid 65534
expect_confined nobody "$WATCH_PID" $SYS_PTRACE
# No CAP_SETPCAP, so the bounding set stays; what it is for, execve, is refused.
expect_status nobody "$WATCH_PID" CapBnd "$(bits $BPF $PERFMON 12 $SYS_PTRACE)"
if listens "$WATCH_PID"; then not_ok "nobody: nobody listens" "it does"; else ok "nobody: nobody listens"; fi
sed -n 's/^memswell: warn: /# /p' "$RIG/memswell.log"
missing=$(grep -o 'hook [a-z0-9_]* is unavailable' "$RIG/memswell.log" | cut -d ' ' -f 2 | grep -vxE 'v8_oom|vm_events')
expect "nobody: only the hooks that take more are missing" "$missing" test -z "$missing"
load load "$PORT" 200 60
CULPRIT=$(service_pid service)
death_and_recovery 45
cp "$RIG/user/records.jsonl" "$RIG/records.jsonl"
check_incident --verdict memory_death --cause heap_leak --culprit "$CULPRIT" --closed \
	--growth yes --oom-kills "$(oom_kills "$CGROUP")" \
	--detail signal=9 --detail oom_kill=true --detail memcg_oom=true
expect_nothing_refused nobody
check_stream
finish
