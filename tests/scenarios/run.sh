#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh [-j N] [--seeds LIST] [--load LIST] [--results DIR] [--tap|--targets] [PATTERN...]
# - runs scenarios live, N at a time (default 2), once for each seed and load ("1,2,3"; default 1), and
# scores them. A PATTERN is a glob that a name begins with (default: all but those marked "run: long").
# Needs root.
#
# Each run has its own memswell, and sees what the others do; only incidents about its own ports and
# processes count. Results stay in DIR if it is given: records.jsonl.gz, reports.jsonl, truth.json and
# the logs of each run.
set -u
cd "$(dirname "$0")" || exit 1
jobs=2 seeds=1 loads=1 results= tap=
patterns=()

usage() {
	sed -n '4,8s/^# //p' run.sh >&2
	exit 2
}

while [ $# -gt 0 ]; do
	case $1 in
	-j) jobs=${2-} && shift ;;
	-j*) jobs=${1#-j} ;;
	--seeds) seeds=${2-} && shift ;;
	--load) loads=${2-} && shift ;;
	--results) results=${2-} && shift ;;
	--tap | --targets) tap=$1 ;;
	-*) usage ;;
	*) patterns+=("$1") ;;
	esac
	shift
done
[[ $jobs =~ ^[1-9][0-9]*$ ]] || usage

declare -A running=() # pid -> log
finish() {
	trap - EXIT
	# Killed, not asked: a shell hears TERM only after its sleep. Its reaper cleans up either way.
	[ ${#running[@]} -eq 0 ] || kill -KILL "${!running[@]}" 2>/dev/null
	wait
	[ -n "${keep-}" ] || rm -rf "$scratch" "$results"
	rm -rf "$scratch"
}
scratch=$(mktemp -d)
[ -z "$results" ] || keep=1
results=${results:-$(mktemp -d)}
mkdir -p "$results"
results=$(cd "$results" && pwd)
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

wanted() { # FILE
	local pattern name
	name=$(basename "$1" .sh)
	[ ${#patterns[@]} -gt 0 ] || { ! grep -q '^# run: long' "$1"; return; }
	for pattern in "${patterns[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ $name == $pattern* ]] && return 0
	done
	return 1
}

reap() { # waits for one run to end, and prints what is no result
	local pid
	wait -n -p pid "${!running[@]}"
	grep -E '^skip |^not ok |^# ' "${running[$pid]}"
	unset "running[$pid]"
}

launch() { # FILE SEED LOAD
	local log seconds
	log=$scratch/$(basename "$1" .sh).$2.$3
	seconds=$(sed -n 's/^# seconds: *//p' "$1")
	# Ended with this shell, whatever ends it.
	SEED=$2 LOAD=$3 RESULTS=$results setpriv --pdeathsig KILL \
		timeout --foreground -s KILL $((seconds * 4 + 60)) \
		setpriv --pdeathsig KILL bash "$1" >"$log" 2>&1 </dev/null &
	running[$!]=$log
}

count=0
for load in ${loads//,/ }; do
	for seed in ${seeds//,/ }; do
		for file in [a-z]*[0-9]_*.sh; do
			wanted "$file" || continue
			count=$((count + 1))
			[ ${#running[@]} -lt "$jobs" ] || reap
			launch "$file" "$seed" "$load"
		done
	done
done
while [ ${#running[@]} -gt 0 ]; do reap; done
[ $count -gt 0 ] || { echo "no scenario is called ${patterns[*]}" >&2; exit 2; }
/usr/bin/python3 score.py $tap "$results"
