#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A real rsyslogd with the configuration of deploy/pipelines follows the file of a memswell that prints
# every sample and renames its file every few seconds. No line may be lost, doubled or cut, also not
# when rsyslog is stopped and started in between, and each is parsed.
. "$(dirname "$0")/../live/lib.sh"
NAME=rsyslog
RSYSLOGD=$(PATH=$PATH:/usr/sbin command -v rsyslogd) || skip_all "rsyslog is not installed"
[ "$(id -u)" -eq 0 ] || skip_all "needs root"
rig_start
GROUP=$(memory_cgroup movers 256) || skip_all "no memory cgroup can be made here"
LOGS=$RIG/logs
mkdir -p "$LOGS" "$RIG/state"

# The file as it is, at other places, and what was parsed beside what came.
sed -e "s|/var/log/memswell|$LOGS|" -e 's|string="%msg%\\n"|string="%$!seq% %$!schema% %msg%\\n"|' \
	-e "s|^global(|global(workDirectory=\"$RIG/state\" |" "$TOP_DIR/deploy/pipelines/rsyslog.conf" >"$RIG/rsyslog.conf"

rsyslog_start() {
	start rsyslog "$RSYSLOGD" -n -f "$RIG/rsyslog.conf" -i "$RIG/rsyslog.pid"
	RSYSLOG_PID=$PID
}
rsyslog_stop() {
	local i
	kill -TERM "$RSYSLOG_PID"
	for ((i = 0; i < 100; i++)); do
		kill -0 "$RSYSLOG_PID" 2>/dev/null || return 0
		sleep 0.1
	done
}

expect "the configuration is valid" "$("$RSYSLOGD" -N1 -f "$RIG/rsyslog.conf" 2>&1 | tail -n 1)" \
	"$RSYSLOGD" -N1 -f "$RIG/rsyslog.conf"
rsyslog_start
# A sample of each at each tick, and nobody else's: so the pace of renames is the same on any machine.
(rig_exec "$GROUP" -- "$PYTHON" "$WORKLOADS/movers.py" 10) >"$RIG/movers.log" 2>&1 </dev/null &
disown
(rig_exec -- "$MEMSWELL" run --state none --tick 100ms --include-samples --cgroup "/${GROUP##*/}" \
		--output "$LOGS/reports.jsonl" --output-max-bytes 192K --output-keep 99) >/dev/null 2>"$RIG/memswell.log" </dev/null &
WATCH_PID=$!
watch_ready || { not_ok "memswell starts" "$(tail -n 1 "$RIG/memswell.log")"; finish; }
sleep 7
# What is renamed while rsyslog is away is lost to it (docs/pipelines.md), so nothing is.
kill -STOP "$WATCH_PID"
rsyslog_stop
rsyslog_start
sleep 1
kill -CONT "$WATCH_PID"
sleep 8
watch_stop
WRITTEN=$(cat "$LOGS"/reports.jsonl* | wc -l)
for ((i = 0; i < 100; i++)); do
	[ "$(wc -l <"$LOGS/forwarded.jsonl")" -lt "$WRITTEN" ] || break
	sleep 0.1
done
rsyslog_stop

ROTATIONS=$(find "$LOGS" -name 'reports.jsonl.*' | wc -l)
cut -d ' ' -f 3- "$LOGS/forwarded.jsonl" | sort >"$RIG/forwarded"
cat "$LOGS"/reports.jsonl* | sort >"$RIG/written"
echo "# $WRITTEN lines, $ROTATIONS renames"
expect "the file was renamed often enough to tell" "$ROTATIONS renames" test "$ROTATIONS" -ge 3
expect "every line arrives once and whole" \
	"$(diff "$RIG/written" "$RIG/forwarded" | grep -c '^<') lost, $(diff "$RIG/written" "$RIG/forwarded" | grep -c '^>') strange" \
	cmp "$RIG/written" "$RIG/forwarded"
expect "every line is parsed" "$(awk '$1 !~ /^[0-9]+$/ || $2 !~ /^memswell\./' "$LOGS/forwarded.jsonl" | head -n 1 | cut -c 1-200)" \
	test -z "$(awk '$1 !~ /^[0-9]+$/ || $2 !~ /^memswell\./' "$LOGS/forwarded.jsonl")"
finish
