#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The command line as a user meets it: exit codes, data on stdout and words on stderr, and a clear
# line for everything that is wrong with a command or a recording.
set -u
cd "$(dirname "$0")/../.." || exit 1
memswell=$PWD/memswell
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
failed=0

# try NAME EXIT_CODE STDERR_PATTERN COMMAND...: stderr is one line at most, stdout empty on failure.
try() {
	local name=$1 code=$2 pattern=$3 status why=""
	shift 3
	timeout 20 "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	[ $status -eq "$code" ] || why="exit status $status, expected $code: $(head -c 200 "$dir/err")"
	[ -z "$pattern" ] || grep -q -- "$pattern" "$dir/err" || why="stderr lacks '$pattern': $(head -c 200 "$dir/err")"
	if [ "$code" -ne 0 ]; then
		[ "$(wc -l <"$dir/err")" -eq 1 ] || why="stderr has not one line: $(head -c 400 "$dir/err")"
	fi
	if LC_ALL=C grep -q '[^[:print:]]' "$dir/err"; then why="stderr has unprintable bytes"; fi
	if [ -z "$why" ]; then
		echo "ok cli: $name"
	else
		echo "not ok cli: $name - $why"
		failed=1
	fi
}

json() { /usr/bin/python3 -c 'import json,sys; json.load(open(sys.argv[1]))' "$1"; }

header='{"k":"header","t":1,"version":1,"page_bytes":4096,"tick_ns":1000000000,"cpus":2,"host_name":"a","kernel":"6.1"}'
tick='{"k":"tick","t":2}'
recording() { printf "$@" >"$dir/recording"; }

try 'version' 0 '' "$memswell" version
grep -q '^memswell [0-9]' "$dir/out" || { echo "not ok cli: version prints itself"; failed=1; }
try 'help' 0 '' "$memswell" help
try 'schema' 0 '' "$memswell" schema
if json "$dir/out"; then echo "ok cli: schema is JSON"; else echo "not ok cli: schema is JSON"; failed=1; fi

try 'unknown command' 2 "unknown command 'frob'" "$memswell" frob
try 'unknown option' 2 "unknown option" "$memswell" --frob
try 'bad value' 2 "100ms to 60s" "$memswell" run --tick 1h
try 'hostile value' 2 'expected' "$memswell" run --tick $'\e[2J\n\xff'
try 'missing file name' 2 'expected a file name' "$memswell" replay

recording '%s\n%s\n' "$header" "$tick"
try 'replay of a minimal recording' 0 '' "$memswell" replay "$dir/recording"
try 'replay from standard input' 1 'line 1' "$memswell" replay -
try 'replay of a missing file' 1 'No such file' "$memswell" replay "$dir/none"
try 'replay of a directory' 1 'directory' "$memswell" replay "$dir"
recording ''
try 'replay of an empty file' 1 'line 1' "$memswell" replay "$dir/recording"
recording '%s\n%s' "$header" '{"k":"ti'
try 'replay of a truncated line' 1 'line 2' "$memswell" replay "$dir/recording"
recording '%s\n' "${header/\"version\":1/\"version\":99}"
try 'replay of another version' 1 'version' "$memswell" replay "$dir/recording"
recording '%s\n' "$tick"
try 'replay without header' 1 'line 1' "$memswell" replay "$dir/recording"
recording '%s\n\033[2J\377\n' "$header"
try 'replay of hostile bytes' 1 'line 2' "$memswell" replay "$dir/recording"
recording '%s\n{"k":"exit","t":2,"pid":-1}\n' "$header"
try 'replay of a bad value' 1 'line 2.*pid' "$memswell" replay "$dir/recording"
try 'output that cannot be opened' 1 'output' "$memswell" replay --output "$dir/no/file" "$dir/recording"
ln -s "$dir/target" "$dir/link"
recording '%s\n%s\n' "$header" "$tick"
try 'output through a symbolic link' 1 'output' "$memswell" replay --output "$dir/link" "$dir/recording"
try 'output to a device' 1 'no regular file' "$memswell" replay --output /dev/full "$dir/recording"
printf '%1022s\n' '' >"$dir/full"
try 'output that is full' 1 'File too large' bash -c 'ulimit -f 1; exec "$0" "$@"' \
	"$memswell" replay --output "$dir/full" "$dir/recording"
try 'output, first time' 0 '' "$memswell" replay --output "$dir/out.jsonl" "$dir/recording"
lines=$(wc -l <"$dir/out.jsonl")
try 'output, second time' 0 '' "$memswell" replay --output "$dir/out.jsonl" "$dir/recording"
if [ "$lines" -gt 0 ] && [ "$(wc -l <"$dir/out.jsonl")" -eq $((2 * lines)) ]; then
	echo "ok cli: output is appended"
else
	echo "not ok cli: output is appended - $lines lines, then $(wc -l <"$dir/out.jsonl")"
	failed=1
fi
if [ "$(stat -c %a "$dir/out.jsonl")" = 640 ]; then
	echo "ok cli: output is for its owner and group"
else
	echo "not ok cli: output is for its owner and group - $(stat -c %a "$dir/out.jsonl")"
	failed=1
fi
printf '{"torn' >>"$dir/out.jsonl"
try 'output with a torn last line' 0 'torn; its 6 bytes' "$memswell" replay --output "$dir/out.jsonl" "$dir/recording"
chmod g+w "$dir/out.jsonl"
try 'output that others may write' 1 'group or others' "$memswell" replay --output "$dir/out.jsonl" "$dir/recording"
chmod g-w "$dir/out.jsonl"
ln "$dir/out.jsonl" "$dir/second"
try 'output with a second name' 1 'hard links' "$memswell" replay --output "$dir/out.jsonl" "$dir/recording"
printf 'no lines' >"$dir/foreign"
try 'output that is no file of lines' 1 'left alone' "$memswell" replay --output "$dir/foreign" "$dir/recording"
try 'limits of an output that is not there' 2 'expected --output' "$memswell" replay --output-max-bytes 1M "$dir/recording"
try 'too small a limit' 2 '64K' "$memswell" replay --output "$dir/out" --output-max-bytes 1K "$dir/recording"

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	cp "$memswell" "$dir/memswell"
	chmod 755 "$dir/memswell"
	mkdir -m 777 "$dir/open"
	: >"$dir/open/foreign"
	chown 65534 "$dir/open/foreign"
	recording '%s\n%s\n' "$header" "$tick"
	try 'output into another user'"'"'s file' 1 'another user' "$memswell" replay --output "$dir/open/foreign" "$dir/recording"
	ln -s /etc "$dir/open/way"
	chown -h 65534 "$dir/open/way"
	try 'output by way of another user'"'"'s link' 1 "of another user's" "$memswell" replay --output "$dir/open/way/out" "$dir/recording"
	try 'recording by way of another user'"'"'s link' 1 "of another user's" "$memswell" record "$dir/open/way/out"
	nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	try 'run without privilege' 3 'CAP_BPF' "${nobody[@]}" "$dir/memswell" run
	try 'check without privilege' 3 'CAP_BPF' "${nobody[@]}" "$dir/memswell" check
	hide_btf='mount -t tmpfs none /sys/kernel/btf && exec "$0" "$@"'
	if unshare -m sh -c "$hide_btf" test ! -e /sys/kernel/btf/vmlinux && [ ! -e "/boot/vmlinux-$(uname -r)" ]; then
		try 'a kernel without BTF' 4 'CONFIG_DEBUG_INFO_BTF' unshare -m sh -c "$hide_btf" "$memswell" check
	else
		echo "skip cli: a kernel without BTF - it cannot be hidden here"
	fi
	try 'check' 0 '' "$memswell" check -o json
	if json "$dir/out"; then echo "ok cli: check -o json is JSON"; else echo "not ok cli: check -o json is JSON"; failed=1; fi
	if "$memswell" check --vm-events fentry -o json | grep -q '"vm_events","state":"unavailable"'; then
		try 'a missing hook with --strict' 5 'vm_events' "$memswell" check --strict --vm-events fentry
	else
		echo "skip cli: a missing hook with --strict - this kernel has them all"
	fi
else
	echo "skip cli: privilege tests - need root and setpriv"
fi
exit $failed
