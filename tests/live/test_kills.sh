#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# memswell is killed at random moments, starting included, KILLS times (25, `make stress` 100) while
# nginx serves: nothing is left behind and no request fails. The next start tells the gap: who died
# unseen, who took its place, and which incident was open.
#
# It runs in a mount namespace of its own with an empty /tmp, /run and BPF file system, so that every
# file it leaves can be seen.
. "$(dirname "$0")/lib.sh"
SUITE=live
NAME=kills
KILLS=${KILLS:-25}
require_rig
rig_start

mount_namespace "mount -t tmpfs tmpfs /run && cp $MEMSWELL /run/memswell.bin &&
	mount -t bpf bpf /sys/fs/bpf && mount -t tmpfs tmpfs /tmp &&
	cat /proc/self/mountinfo >/run/mounts" ||
	skip_all "no mount namespace can be made: $(head -n 1 "$RIG/holder.log")"

watch_inside() { # its state in the usual place; sets WATCH_PID
	: >"$RIG/memswell.log"
	(rig_exec -- nsenter -t "$HOLDER" -m /run/memswell.bin run) \
		>"$RIG/reports.jsonl" 2>"$RIG/memswell.log" </dev/null &
	WATCH_PID=$!
}

kill_watch() {
	kill -KILL "$WATCH_PID" 2>/dev/null
	wait "$WATCH_PID" 2>/dev/null
}

files() { inside find /run /tmp /sys/fs/bpf | sort; }

cgroup_dirs() { # without those of other tests
	find /sys/fs/cgroup -type d ! -path '*memswell-test-*' 2>/dev/null | sort
}

read -r PORT UPSTREAM <<<"$(free_ports 2)"
supervise service 4 "" "$NODE" "$WORKLOADS/healthy.js" --port "$UPSTREAM" --mib 20
wait_port "$UPSTREAM"
gateway "$PORT" "$UPSTREAM" 2 16
"$PYTHON" "$LIVE_DIR/bpf_objects.py" list >"$RIG/bpf.before"
cgroup_dirs >"$RIG/cgroups.before"
files >"$RIG/files.before"
load load "$PORT" 200 600

# Twice the time it takes here to get ready, so that as many kills hit the start as the run.
watch_inside
START_MS=$(now_ms)
watch_ready || { not_ok "memswell starts" "$(tail -n 1 "$RIG/memswell.log")"; finish; }
WITHIN_S=$(awk "BEGIN { print ($(now_ms) - $START_MS) / 1000 * 2 }")
kill_watch
READY=0
for ((i = 0; i < KILLS; i++)); do
	watch_inside
	sleep "$(awk "BEGIN { srand($RANDOM * 32768 + $RANDOM); print rand() * $WITHIN_S }")"
	grep -q 'ready:' "$RIG/memswell.log" && READY=$((READY + 1))
	kill_watch
done
load_stop
echo "# $KILLS kills within $WITHIN_S s of a start, $READY of them after every hook was attached"
expect "some kills hit the start and some the run" "$READY of $KILLS were ready" \
	test "$READY" -gt 0 -a "$READY" -lt "$KILLS"
SEEN=$(jq -r '"\(.sent) \(.answered) \(.failures) \(.status | keys | join(","))"' "$RIG/load.json")
echo "# requests: sent, answered, failed, statuses: $SEEN"
read -r SENT ANSWERED FAILURES STATUSES <<<"$SEEN"
expect "no request failed" "sent, answered, failed, statuses: $SEEN" \
	test "$SENT" -eq "$ANSWERED" -a "$FAILURES" -eq 0 -a "$STATUSES" = 200
LEFT=$("$PYTHON" "$LIVE_DIR/bpf_objects.py" left "$RIG/bpf.before")
expect "no program, map or link is left" "$LEFT" test -z "$LEFT"
files >"$RIG/files.after"
NEW=$(comm -13 "$RIG/files.before" "$RIG/files.after" | tr '\n' ' ')
expect "no file is left but the state" "$NEW" test "$NEW" = "/run/memswell /run/memswell/state "
inside cat /proc/self/mountinfo >"$RIG/mounts.after"
inside cat /run/mounts >"$RIG/mounts.before"
expect "no mount is left" "$(diff "$RIG/mounts.before" "$RIG/mounts.after" | head -n 3)" \
	cmp "$RIG/mounts.before" "$RIG/mounts.after"
cgroup_dirs >"$RIG/cgroups.after"
NEW=$(comm -13 "$RIG/cgroups.before" "$RIG/cgroups.after" | head -n 3)
expect "no cgroup is left" "$NEW" test -z "$NEW"

# A run that is killed while an incident is open, and a service that is replaced unseen.
watch_inside
watch_ready || not_ok "memswell starts after all kills" "$(tail -n 1 "$RIG/memswell.log")"
load load "$PORT" 100 60
sleep 3
kill -KILL "$(service_pid service)"
for _ in {1..60}; do grep -q '"memswell.incident"' "$RIG/reports.jsonl" && break; sleep 0.1; done
await_lives service start 2 10
sleep 1.5
kill_watch
OPEN=$(jq -r 'select(.schema == "memswell.incident") | .id' "$RIG/reports.jsonl" | tail -n 1)
LINES=$(wc -l <"$RIG/reports.jsonl")
BEFORE=$(service_pid service)
kill -KILL "$BEFORE"
await_lives service start 3 10
AFTER=$(service_pid service)
wait_port "$UPSTREAM"
load_stop
watch_inside
watch_ready || not_ok "memswell starts again" "$(tail -n 1 "$RIG/memswell.log")"
sleep 2
watch_stop
expect "memswell ends in order" "exit status $WATCH_STATUS" test "$WATCH_STATUS" -eq 0
check_valid "$RIG/reports.jsonl"
GAP=$(jq -c 'select(.schema == "memswell.gap")' "$RIG/reports.jsonl")
echo "# $GAP"
told() { # WHAT FILTER: true of the gap
	expect "the gap tells $1" "$GAP" jq -e "$2" <<<"$GAP"
}
told "that the run before was killed" '.gap.cause == "killed"'
told "how long nobody watched" '.gap.duration_s > 0.5 and .gap.duration_s < 30'
told "how far it had come" ".gap.earlier_run.lines == $LINES"
# Others on the host may have died meanwhile, under stress more than a line has room for.
told "who died unseen and who serves now" "(.services | length) == 16 or
	any(.services[]; .process[\"process.pid\"] == $BEFORE and
	.[\"network.local.port\"] == $UPSTREAM and .successor[\"process.pid\"] == $AFTER)"
nobody_alive() { # of pids
	local pid
	for pid; do [ ! -e "/proc/$pid" ] || return 1; done
}
# shellcheck disable=SC2046 # numbers
expect "the gap tells nobody's death who lives" "$GAP" \
	nobody_alive $(jq '.services[].process["process.pid"]' <<<"$GAP")
told "the incident that was open" "any(.open_incidents[]; . == \"$OPEN\")"
finish
