#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# guest.sh OUT - in a guest whose first process is systemd: the packages OUT/old.deb and, of a later version,
# OUT/new.deb are installed as on a host, and the unit does what it says: starts, tells, reports a memory death
# behind nginx, is restarted when it hangs, opens its file anew, stops, is upgraded, removed and purged.
# Prints "ok" and "not ok" lines.
. "$(dirname "$0")/../live/lib.sh"
NAME=package
cd "$TOP_DIR" || exit 1
OUT=$1
SLOWNESS=16 # an emulated processor
HEAP_LEAK=numbers POLL_S=0.5
UNIT=memswell.service
LOGS=/var/log/memswell

show() { systemctl show --value -p "$1" "${2:-$UNIT}"; } # PROPERTY [UNIT]
words() { journalctl -u $UNIT --no-pager -o cat; }
reports() { words | grep '^{'; }

# await SECONDS COMMAND...
await() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 1
	done
}
lap() { echo "# $1: $(cut -d ' ' -f 1 /proc/uptime) s"; }

is() { # WHAT IS EXPECTED
	expect "$1" "it is '$2', not '$3'" test "$2" = "$3"
}

# The machine's own packages are no part of it, and to read their lists takes minutes here.
mkdir -p /var/lib/dpkg-guest/{info,updates,triggers}
: >/var/lib/dpkg-guest/status
package() { dpkg --admindir=/var/lib/dpkg-guest --force-depends --force-unsafe-io "$@" >>"$OUT/dpkg" 2>&1; }

rm -f /usr/sbin/policy-rc.d # services start, as on a host
rig_start

# Install -------------------------------------------------------------------------------------------
# The unit's own time is half a minute, which nobody has to wait for to see what happens then.
mkdir -p /run/systemd/system/$UNIT.d
printf '[Service]\nWatchdogSec=9s\nRestartSec=1s\n' >/run/systemd/system/$UNIT.d/test.conf
package -i "$OUT/old.deb"
is "it is installed" "$?" 0
lap install
expect "the unit becomes active" "$(show ActiveState): $(words | tail -n 1)" await 60 systemctl is-active $UNIT
is "the unit is enabled" "$(systemctl is-enabled $UNIT)" enabled
AGENT=$(show MainPID)
is "it runs as its user" "$(stat -c %U:%G "/proc/$AGENT")" memswell:memswell
hooks=$(words | sed -n 's/.*ready: \([0-9]* of [0-9]*\) hooks.*/\1/p')
is "every hook is attached" "${hooks% of *}" "${hooks#* of }"
expect "a status tells of hooks and incidents" "it is '$(show StatusText)'" \
	await 10 sh -c "systemctl show --value -p StatusText $UNIT | grep -q '^$hooks hooks attached, 0 incidents open'"
is "its state is its own" "$(stat -c '%U %a' /run/memswell/state)" "memswell 640"
# What the unit forbids and memswell needed would be told; the rest is what this guest lacks.
words | grep -E '^memswell: (warn|error)' | sed 's/^/# /'
for field in CapPrm CapEff; do
	mask=$(awk -v f=$field: '$1 == f { print $2 }' "/proc/$AGENT/status")
	expect "after start it holds what it keeps, and no more ($field)" "$mask" \
		test $((0x$mask & ~(1 << 2 | 1 << 19 | 1 << 39))) -eq 0
done

systemd-run -q --wait --unit=refused /usr/bin/memswell run --tick never
is "the journal knows what is an error" "$(journalctl -u refused --no-pager -o json |
	jq -r 'select(.MESSAGE | startswith("memswell: error: --tick")) | .PRIORITY')" 3

# A memory death ------------------------------------------------------------------------------------

read -r PORT UPSTREAM <<<"$(free_ports 2)"
warm_page_cache
systemd-run -q --unit=leaky -p MemoryMax=120M -p MemorySwapMax=0 -p Restart=always -p RestartSec=2 \
	"$NODE" "$WORKLOADS/leak.js" --port "$UPSTREAM" --bytes 4000000 --mode buffer
wait_port "$UPSTREAM" 30
gateway "$PORT" "$UPSTREAM" 1
CULPRIT=$(show MainPID leaky)
load load "$PORT" 32 180
died() { [ "$(show NRestarts leaky)" -ge 1 ] && [ "$(show SubState leaky)" = running ]; }
closed() { reports | grep -q '"schema":"memswell.incident","record":"close"'; }
expect "systemd saw the service die of its limit" "$(show NRestarts leaky)" await 100 died
expect "systemd calls it an OOM kill" "$(journalctl -u leaky --no-pager -o cat | tail -n 3)" \
	sh -c "journalctl -u leaky --no-pager -o cat | grep -q oom-kill"
systemctl set-property --runtime leaky MemoryMax=infinity # its next life does not end
await 60 closed
load_stop
systemctl stop leaky
reports >"$OUT/reports.jsonl"
check_valid "$OUT/reports.jsonl"
incidents=$(jq -r 'select(.schema == "memswell.incident" and .record == "close")
	| "\(.verdict.class) \(.process."process.pid") \(.process."process.linux.cgroup")"' "$OUT/reports.jsonl")
is "the journal has one incident, of that process" "$incidents" "memory_death $CULPRIT /system.slice/leaky.service"
lap death

# Hangs ---------------------------------------------------------------------------------------------

kill -STOP "$AGENT"
restarted() { [ "$(show NRestarts)" -ge 1 ] && systemctl is-active -q $UNIT; }
expect "a loop that hangs is restarted" "restarts: $(show NRestarts), $(show ActiveState)" await 60 restarted
expect "by the watchdog" "$(journalctl -u $UNIT --no-pager -o cat _PID=1 | tail -n 3)" \
	sh -c "journalctl -u $UNIT --no-pager -o cat _PID=1 | grep -qi watchdog"
expect "and the time without it is a gap" "$(reports | jq -r .schema | sort | uniq -c | tr '\n' ' ')" \
	await 20 sh -c "journalctl -u $UNIT --no-pager -o cat | grep '^{' |
		jq -e -s 'any(.[]; .schema == \"memswell.gap\" and .gap.cause == \"killed\")'"
echo "# memory: $(($(show MemoryCurrent) >> 20)) MiB"
lap watchdog

# Files ---------------------------------------------------------------------------------------------

echo "MEMSWELL_OPTIONS='--output $LOGS/reports.jsonl --include-samples --tick 500ms'" >/etc/default/memswell
systemctl restart $UNIT
is "it restarts with options" "$?" 0
AGENT=$(show MainPID)
expect "reports go to the file" "$(ls -l $LOGS)" await 20 test -s $LOGS/reports.jsonl
is "the file is for its owner and group" "$(stat -c '%U:%G %a' $LOGS/reports.jsonl)" "memswell:memswell 640"
mv $LOGS/reports.jsonl $LOGS/first
systemctl reload $UNIT
is "reload is done when the files are open" "$? $(ls $LOGS | tr '\n' ' ')" "0 first reports.jsonl "
expect "and it goes on there" "nothing comes" await 20 test -s $LOGS/reports.jsonl
if command -v logrotate >/dev/null; then
	logrotate --force --state "$RIG/logrotate" /etc/logrotate.d/memswell >"$OUT/logrotate" 2>&1
	is "logrotate is content" "$?$(cat "$OUT/logrotate")" 0
	expect "it goes on behind logrotate" "$(ls $LOGS | tr '\n' ' ')" await 20 test -s $LOGS/reports.jsonl
else
	echo "skip $NAME: logrotate - not installed"
fi
is "the process is the same" "$(show MainPID)" "$AGENT"
systemctl stop $UNIT
is "stop is in order" "$(show Result) $(show ExecMainStatus)" "success 0"
missing=$(cat $LOGS/* | jq -s -r '[.[].seq] | sort | . as $s | [range(0; length)] - $s | length')
is "no line was lost on the way through all files" "$missing" 0
refused=$(words | grep -m 1 -E 'refused the system call|broker is gone|more than it needs')
is "nothing that it does was refused" "$refused" ""
lap files

# Upgrade, removal ----------------------------------------------------------------------------------

systemctl start $UNIT
AGENT=$(show MainPID)
package -i "$OUT/new.deb"
is "it is upgraded" "$?" 0
expect "an upgrade restarts it" "$(show ActiveState) $(show MainPID)" \
	await 60 sh -c "systemctl is-active -q $UNIT && [ \$(systemctl show --value -p MainPID $UNIT) -ne $AGENT ]"
expect "its options are kept" "$(cat /etc/default/memswell)" grep -q include-samples /etc/default/memswell
package -r memswell
is "it is removed" "$? $(show ActiveState)" "0 inactive"
package -P memswell
is "it is purged" "$? $(ls -d /run/memswell $LOGS /etc/default/memswell 2>/dev/null)" "0 "
lap purge
finish
