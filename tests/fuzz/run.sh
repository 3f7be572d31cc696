#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh [SECONDS [NAME...]] - every fuzzer (default) or those named, each for SECONDS (default 60), two
# at a time. Prints "ok NAME: RUNS runs", or "not ok NAME - why" and the end of its output; ends with
# "N passed, N failed, N skipped". What broke it stays in build/fuzz/artifacts: run the fuzzer on that
# file to see it again, fix, and add the file to the corpus.
#
# Each begins with its corpus, tests/fuzz/NAME.corpus: seeds with a name, and what runs found.
# --grow as first word: put what this run finds there too, as few inputs as cover the same, within
# CORPUS_KB and CORPUS_FILES. The lines of output that recordings of a corpus lead to are held against
# the schema.
set -u
cd "$(dirname "$0")/../.." || exit 1

JOBS=${JOBS:-2}
CORPUS_KB=60
CORPUS_FILES=60
grow=
[ "${1-}" = --grow ] && grow=1 && shift
seconds=${1:-60}
shift
names=("$@")
[ ${#names[@]} -gt 0 ] || names=($(ls tests/fuzz | sed -n 's/^fuzz_\(.*\)\.c$/\1/p'))

make -s "${names[@]/#/build/fuzz/fuzz_}" || { echo "not ok fuzz - the fuzzers do not build"; exit 1; }
artifacts=$PWD/build/fuzz/artifacts
work=$(mktemp -d)
mkdir -p "$artifacts"
trap 'rm -rf "$work"' EXIT
trap 'kill $(jobs -p) 2>/dev/null; exit 130' INT TERM

# A small quarantine: the block that the core takes at its start would fill it at once.
export ASAN_OPTIONS=quarantine_size_mb=4 UBSAN_OPTIONS=print_stacktrace=1

fuzzer() { # NAME OPTION... CORPUS...
	local name=$1
	shift
	"build/fuzz/fuzz_$name" -timeout=20 -malloc_limit_mb=64 -rss_limit_mb=1024 -max_len=65536 \
		-artifact_prefix="$artifacts/$name-" "$@" >>"$work/$name.log" 2>&1
}

is_found() { # FILE: named by libFuzzer, after its content
	[[ $(basename "$1") =~ ^[0-9a-f]{40}$ ]]
}

# What covers more than the seeds do: as few inputs as possible; of too many, those that hold most.
grow_corpus() { # NAME
	local name=$1 corpus=tests/fuzz/$1.corpus kept=0 nr=0 size file
	mkdir "$work/$name.merged"
	for file in "$corpus"/*; do
		if is_found "$file"; then
			mv "$file" "$work/$name.found/"
		elif [ -e "$file" ]; then
			cp "$file" "$work/$name.merged/"
			kept=$((kept + $(stat -c %s "$file")))
		fi
	done
	fuzzer "$name" -merge=1 "$work/$name.merged" "$work/$name.found"
	while read -r size file; do
		is_found "$file" || continue
		[ $((kept + size)) -le $((CORPUS_KB << 10)) ] || continue
		[ $nr -lt $CORPUS_FILES ] || break
		kept=$((kept + size)) nr=$((nr + 1))
		cp "$file" "$corpus/"
	done < <(stat -c '%s %n' "$work/$name.merged"/* | sort -rn)
}

check_lines() { # NAME
	MEMSWELL_FUZZ_LINES=$work/$1.lines fuzzer "$1" -runs=0 "tests/fuzz/$1.corpus"
	[ -s "$work/$1.lines" ] || return 0
	head -n 2000 "$work/$1.lines" >"$work/$1.sample"
	/usr/bin/python3 tests/validate_lines.py --many "$work/$1.sample" >"$work/$1.invalid" 2>&1
}

run() { # NAME
	local name=$1 runs
	mkdir -p "$work/$name.found" "tests/fuzz/$name.corpus"
	if ! fuzzer "$name" -max_total_time="$seconds" -print_final_stats=1 "$work/$name.found" \
		"tests/fuzz/$name.corpus"; then
		echo "not ok fuzz_$name - $(grep -m 1 -E ': expected |runtime error:|ERROR: ' "$work/$name.log")"
		tail -n 40 "$work/$name.log" | sed 's/^/#   /'
		return
	fi
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log")
	[ -z "$grow" ] || grow_corpus "$name"
	if [ "$name" != report_json ] && ! check_lines "$name"; then
		echo "not ok fuzz_$name - $(head -n 1 "$work/$name.invalid")"
		return
	fi
	echo "ok fuzz_$name: $runs runs, $(grep -oE 'cov: [0-9]+' "$work/$name.log" | tail -n 1)"
}

for name in "${names[@]}"; do
	while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do wait -n; done
	run "$name" >"$work/$name.result" &
done
wait
cat "$work"/*.result
failed=$(cat "$work"/*.result | grep -c '^not ok')
echo "$((${#names[@]} - failed)) passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
