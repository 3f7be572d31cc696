#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Reports into files, confined as in production. One run's disk is full for a while: lines are dropped
# whole, each is counted under that reason, in seq and in the books, and it goes on. The other's reports are rotated by size and
# by somebody else (SIGHUP) without losing a line, while its recording's disk is full: the recording
# ends whole, which is told, and the run goes on.
. "$(dirname "$0")/lib.sh"
SUITE=live
NAME=output_files
[ "$(id -u)" -eq 0 ] || skip_all "needs root"
rig_start

inside() { # DIR: how we see it
	echo "/proc/$WATCH_PID/root$1"
}

await_log() { # PATTERN SECONDS
	local deadline=$((SECONDS + $2))
	until grep -q -- "$1" "$RIG/memswell.log"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.1
	done
}

# watch_on_disk SIZE DIR OPTION...: memswell with samples at the fastest tick, and a file system of that
# size in a mount namespace of its own: it goes with it.
watch_on_disk() {
	: >"$RIG/memswell.log"
	(rig_exec -- unshare -m --propagation private sh -c \
			'mount -t tmpfs -o size="$1",mode=0755 none "$2" && shift 2 && exec "$@"' sh \
			"$1" "$2" "$MEMSWELL" record --include-samples --tick 100ms "${@:3}") \
		>"$RIG/stdout" 2>"$RIG/memswell.log" </dev/null &
	WATCH_PID=$!
	watch_ready && return
	not_ok "memswell starts" "$(tail -n 1 "$RIG/memswell.log")"
	finish
}

expect_nothing_refused() {
	local line
	line=$(grep -m 1 'refused the system call' "$RIG/memswell.log")
	expect "no system call was refused" "$line" test -z "$line"
}

losses() { # FILE: "stream reason count" lines of the last heartbeat
	"$PYTHON" - "$1" <<-'PYTHON'
	import json, sys
	beats = [r for r in map(json.loads, open(sys.argv[1])) if r["schema"] == "memswell.heartbeat"]
	for loss in beats[-1]["losses"] if beats else []:
	    print(loss["stream"], loss["reason"], loss["count"])
	PYTHON
}

# Samples of processes whose memory moves: enough lines to fill anything.
start movers "$PYTHON" "$WORKLOADS/movers.py" 90
mkdir "$RIG/disk"

# The disk of the reports is full -----------------------------------------------------------------

watch_on_disk 256k "$RIG/disk" --output "$RIG/disk/reports.jsonl" "$RIG/records.jsonl"
DISK=$(inside "$RIG/disk")
expect "a full disk is told" "$(tail -n 1 "$RIG/memswell.log")" \
	await_log 'cannot write reports: No space left' 20
sleep 9 # the buffer of 256 KiB fills as well
expect "memswell lives on a full disk" "it ended" kill -0 "$WATCH_PID"
nsenter -t "$WATCH_PID" -m mount -o remount,size=64m "$RIG/disk"
expect "it writes again" "$(tail -n 1 "$RIG/memswell.log")" await_log 'written again' 40
sleep 12 # a heartbeat, which tells what was dropped
exec 3<"$DISK/reports.jsonl" # the file system goes with memswell
watch_stop
cat <&3 >"$RIG/reports.jsonl"
exec 3<&-
expect "memswell ends in order" "exit status $WATCH_STATUS" test "$WATCH_STATUS" -eq 0
expect_nothing_refused
"$MEMSWELL" replay --include-samples "$RIG/records.jsonl" >"$RIG/complete.jsonl" 2>"$RIG/replay.log"
check_valid "$RIG/complete.jsonl"
check_valid "$RIG/reports.jsonl" --allow-gaps
"$PYTHON" "$LIVE_DIR/check_books.py" "$NAME" "$RIG/reports.jsonl" - --lost output --lines || FAILED=1
"$PYTHON" "$LIVE_DIR/check_gaps.py" $NAME "$RIG/reports.jsonl" "$RIG/complete.jsonl" || FAILED=1
losses "$RIG/reports.jsonl" >"$RIG/losses"
expect "dropped for want of space, and no other reason" "$(grep ^output "$RIG/losses" | tr '\n' ' ')" \
	test "$(grep ^output "$RIG/losses" | cut -d ' ' -f 2)" = no_space

# The disk of the recording is full; reports are rotated --------------------------------------------

mkdir "$RIG/rotated"
watch_on_disk 128k "$RIG/disk" --output "$RIG/rotated/out.jsonl" --output-max-bytes 128K \
	--output-keep 99 "$RIG/disk/records.jsonl"
expect "the end of a recording is told" "$(tail -n 1 "$RIG/memswell.log")" \
	await_log 'cannot write the recording: No space left' 20
expect "memswell lives without its recording" "it ended" kill -0 "$WATCH_PID"
cp "$(inside "$RIG/disk")/records.jsonl" "$RIG/cut.jsonl"
mv "$RIG/rotated/out.jsonl" "$RIG/rotated/moved"
kill -HUP "$WATCH_PID"
sleep 0.5
expect "SIGHUP makes the file anew at once" "there is none" test -e "$RIG/rotated/out.jsonl"
sleep 12 # a heartbeat
watch_stop
expect "the failed recording shows in the exit status" "$WATCH_STATUS" test "$WATCH_STATUS" -eq 1
expect_nothing_refused
expect "what was recorded is whole" "$(tail -c 100 "$RIG/cut.jsonl")" \
	"$MEMSWELL" replay "$RIG/cut.jsonl"
"$PYTHON" - "$RIG/rotated" "$RIG/all.jsonl" >"$RIG/rotation" <<-'PYTHON'
import json, os, sys
directory, whole = sys.argv[1:]
lines, largest, torn = {}, 0, 0
for name in os.listdir(directory):
    with open(os.path.join(directory, name), "rb") as file:
        data = file.read()
    largest = max(largest, len(data))
    torn += not data.endswith(b"\n")
    lines.update((json.loads(line)["seq"], line) for line in data.splitlines(keepends=True))
with open(whole, "wb") as file:
    file.writelines(lines[seq] for seq in sorted(lines))
print(len(os.listdir(directory)), len(lines), max(lines) - min(lines) + 1 - len(lines) + min(lines),
      largest, torn)
PYTHON
read -r files lines missing largest torn <"$RIG/rotation"
echo "# $lines lines in $files files"
expect "it was rotated often" "$files files" test "$files" -ge 10
expect "no line is missing in all files together" "$missing of $lines" test "$missing" -eq 0
expect "no file is larger than asked" "$largest" test "$largest" -le 131072
expect "no line is split" "$torn" test "$torn" -eq 0
check_valid "$RIG/all.jsonl"
losses "$RIG/all.jsonl" >"$RIG/losses"
expect "the end of the recording is a loss" "$(tr '\n' ' ' <"$RIG/losses")" \
	grep -q '^recording ended 1$' "$RIG/losses"
finish
