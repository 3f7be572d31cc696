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

# document NAME PYTHON_EXPRESSION: what `check -o json` just printed is valid, and the expression of its
# document d holds.
document() {
	local why
	why=$(/usr/bin/python3 tests/validate_lines.py --max-line-bytes 131072 \
		--schema docs/schema/check.schema.json "$dir/out" 2>&1) &&
		why=$(/usr/bin/python3 - "$2" "$dir/out" 2>&1 <<-'PYTHON'
	import json, sys
	d = json.load(open(sys.argv[2]))
	hooks = {h["name"]: h for h in d["hooks"]}
	caps = {c["name"]: c for c in d["capabilities"]}
	missing = {n for n, h in hooks.items() if h["state"] == "unavailable"}
	c = d["ceilings"]
	assert c["rss_bytes"] == sum(t["bytes"] for t in c["tables"]) + sum(m["mapped_bytes"] for m in c["maps"])
	assert c["map_bytes"] == sum(m["bytes"] for m in c["maps"])
	assert all(m["bytes"] >= m["kernel_bytes"] for m in c["maps"] if not m["each"]), c["maps"]
	assert all(h["why"] and h["fix"] for h in hooks.values() if h["state"] == "unavailable")
	assert eval(" ".join(sys.argv[1].split())), d["status"] + ": " + str(missing)
	PYTHON
		) && echo "ok cli: $1" && return
	echo "not ok cli: $1 - $(tail -n 1 <<<"$why")"
	failed=1
}

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
	try 'check without privilege' 3 'CAP_BPF' "${nobody[@]}" "$dir/memswell" check -o json
	document 'check without privilege tells the rest' 'd["status"] == "no_privilege" and d["exit_code"] == 3
		and "CAP_BPF" in d["error"] and not caps["CAP_BPF"]["held"] and d["kernel"]["release"]
		and d["cgroup"]["mode"] != "none" and c["maps"] and hooks["exit"]["why"] == "not tried"'
	hide_btf='mount -t tmpfs none /sys/kernel/btf && exec "$0" "$@"'
	if unshare -m sh -c "$hide_btf" test ! -e /sys/kernel/btf/vmlinux && [ ! -e "/boot/vmlinux-$(uname -r)" ]; then
		try 'a kernel without BTF' 4 'CONFIG_DEBUG_INFO_BTF' unshare -m sh -c "$hide_btf" "$memswell" check -o json
		document 'check without BTF tells the rest' 'd["status"] == "unsupported" and d["exit_code"] == 4
			and not d["kernel"]["btf"] and c["maps"] and caps["CAP_BPF"]["held"]'
	else
		echo "skip cli: a kernel without BTF - it cannot be hidden here"
	fi
	try 'check' 0 '' "$memswell" check -o json
	document 'check as root' 'd["exit_code"] == 0 and not {"exit", "oom", "http_ingress"} & missing
		and d["hooks_attached"] == sum(h["state"] == "attached" for h in hooks.values())
		and all(m["kernel_bytes"] for m in c["maps"]) and d["kernel"]["cpus"] > 0'

	cat >"$dir/without" <<-'SH'
	#!/bin/sh
	capability=$1
	shift
	exec setpriv --bounding-set "-$capability" --inh-caps "-$capability" "$@"
	SH
	chmod 755 "$dir/without"
	without=$dir/without # CAPABILITY COMMAND...: as root, with all capabilities but this one
	try 'check without CAP_NET_ADMIN' 0 '' "$without" net_admin "$memswell" check -o json
	document 'without CAP_NET_ADMIN the hooks on cgroups are missing' 'd["status"] == "degraded" and
		missing >= {"owner_create", "http_ingress", "http_egress"} and
		"CAP_NET_ADMIN" in hooks["http_egress"]["why"] and "CAP_NET_ADMIN" in hooks["http_egress"]["fix"]
		and hooks["oom"]["state"] == "attached" and not caps["CAP_NET_ADMIN"]["held"]'
	try 'the same with --strict' 5 'http_ingress\|owner_create' "$without" net_admin "$memswell" check --strict
	try 'a run that is degraded with --strict' 5 'CAP_NET_ADMIN' "$without" net_admin "$memswell" run --strict
	try 'check without CAP_SYS_ADMIN' 0 '' "$without" sys_admin "$memswell" check -o json
	document 'without CAP_SYS_ADMIN all that matters is attached' 'not missing - {"v8_oom", "vm_events"}
		and not caps["CAP_SYS_ADMIN"]["held"]'
	try 'check without CAP_SYS_PTRACE' 0 '' "$without" sys_ptrace "$memswell" check -o json
	document 'without CAP_SYS_PTRACE it works' 'not caps["CAP_SYS_PTRACE"]["held"] and hooks["exit"]["state"] == "attached"'
	try 'check without mmap and brk' 0 '' "$memswell" check --vm-events=off -o json
	document 'what is off is not missing' 'hooks["vm_events"]["state"] == "off" and d["status"] == "degraded"
		and "vm-events" in hooks["vm_events"]["why"]'
	# shellcheck disable=SC2016 # the inner shell's
	unmount='mount --make-rprivate / && awk "\$3 ~ /^(cgroup2?|tracefs)\$/ { print \$2 }" /proc/mounts |
		sort -r | xargs -r umount -l && exec "$0" "$@"'
	if unshare -m sh -c "$unmount" true 2>/dev/null; then
		try 'check without cgroup and tracefs mounts' 0 '' unshare -m sh -c "$unmount" "$memswell" check -o json
		document 'without mounts it mounts for itself' 'd["cgroup"]["mode"] == "none" and not d["kernel"]["tracefs"]
			and hooks["http_ingress"]["state"] == "attached"
			and any("cgroup file system" in l["what"] for l in d["limitations"])'
		try 'check without those mounts and CAP_SYS_ADMIN' 0 '' unshare -m sh -c "$unmount" \
			setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$memswell" check -o json
		document 'then the hooks on cgroups are missing' 'missing >= {"owner_create", "http_ingress", "http_egress"}
			and "cgroup2" in hooks["http_ingress"]["fix"]'
	else
		echo "skip cli: check without mounts - they cannot be undone here"
	fi
	if "$memswell" check --vm-events fentry -o json | grep -q '"vm_events","state":"unavailable"'; then
		try 'a missing hook with --strict' 5 'vm_events' "$memswell" check --strict --vm-events fentry
	else
		echo "skip cli: a missing hook with --strict - this kernel has them all"
	fi
else
	echo "skip cli: privilege tests - need root and setpriv"
fi
exit $failed
