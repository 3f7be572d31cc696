#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A service whose comm, executable path (3.9 KB), command line and cgroup hold line ends, escape
# sequences, C1 controls and bytes that are no UTF-8 leaks behind nginx until the kernel OOM-kills it.
# The verdict is right, every line of output is valid, and no sink for people lets a control byte through.
. "$(dirname "$0")/lib.sh"
SUITE=live
NAME=hostile_names
require_rig
rig_start

# Passes if FILE has text and no control byte but line ends: none of C0, DEL, C1 as UTF-8; no bare byte
# above 0x7F either.
is_clean() { # FILE
	[ -s "$1" ] && ! LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$1" &&
		iconv -f UTF-8 -t UTF-8 "$1" >/dev/null
}

read -r PORT UPSTREAM <<<"$(free_ports 2)"
CGROUP=$(memory_cgroup service 120)
IFS= read -r -d '' EVIL < <("$PYTHON" "$WORKLOADS/hostile.py" prepare "$RIG" "$CGROUP")
export PYTHONHOME=/usr # what a copy of the interpreter cannot find out by its own place
supervise service 2 "" "$EVIL" "$WORKLOADS/hostile.py" serve "$UPSTREAM" 60000 "$CGROUP" \
	$'--max-old-space-size=\e[2J' $'\xff\xfe\n-Xmx1g' "$(printf 'x%.0s' {1..4096})"
wait_port "$UPSTREAM" 15
gateway "$PORT" "$UPSTREAM" 1
require_watch --tick 1s --include-samples --log-level debug
CULPRIT=$(service_pid service)
load load "$PORT" 100 60
death_and_recovery 50

# Counted where the victim was on v1, in the cgroup with the limit on v2.
KILLS=$(($(oom_kills "$CGROUP") + 0$(oom_kills "$CGROUP"/*/)))
check_incident --verdict memory_death --cause heap_leak --culprit "$CULPRIT" --closed \
	--oom-kills "$KILLS" --detail oom_kill=true
check_stream --include-samples
# A comm is cut by the kernel at 15 bytes, in the middle of a character if need be.
expect "the comm is told, escaped" "$(grep -m 1 -o '"process.executable.name":"[^,]*' "$RIG/reports.jsonl")" \
	grep -qF '"process.executable.name":"\u001b[31m\n'$'\xef\xbf\xbd''\"\\\u007f\u0085e"' "$RIG/reports.jsonl"
expect "the path is told, escaped" "no such path" \
	grep -qF '\u001b[31m'$'\xef\xbf\xbd''\"\\\u009b2J\n/\u001b[31m' "$RIG/reports.jsonl"
expect "the cgroup is told, escaped" "no such cgroup" \
	grep -qF '\u001b[31m'$'\xef\xbf\xbd''\"\\\u009b2J\u2028ccc' "$RIG/reports.jsonl"

"$PYTHON" "$TOP_DIR/scripts/demo_summary.py" "$RIG/reports.jsonl" "$RIG/nginx/access.log" "$UPSTREAM" \
	>"$RIG/summary.txt" 2>&1
"$MEMSWELL" check >"$RIG/check.txt" 2>&1
"$MEMSWELL" check -o json >"$RIG/check.json" 2>&1
{
	"$MEMSWELL" replay "$EVIL"
	"$MEMSWELL" $'\e[31m\xff\n'
	"$MEMSWELL" --tick $'\e]0;owned\a\xc2\x9b'
	"$MEMSWELL" -O $'/\e[31m\xff\n/x' replay "$RIG/records.jsonl"
} >"$RIG/errors.txt" 2>&1
for sink in memswell.log records.jsonl summary.txt check.txt check.json errors.txt; do
	expect "$sink is clean" "$(LC_ALL=C grep -m 1 -nP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$RIG/$sink" | cat -v | head -c 200)" \
		is_clean "$RIG/$sink"
done
finish
