#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# check_security_doc.sh - docs/security.md names every capability of privilege.c, with the same word on
# whether it is required, and every system call and bpf() command of lockdown.c, and no other. Prints
# "ok"/"not ok".
set -u
cd "$(dirname "$0")/.." || exit 1
FAILED=0
DOC=docs/security.md

compare() { # WHAT CODE DOC: lists, one word a line
	local difference
	difference=$(diff <(sort -u <<<"$2") <(sort -u <<<"$3") | grep '^[<>]' | tr '\n' ' ')
	if [ -z "$difference" ] && [ -n "$2" ]; then
		echo "ok docs/security.md: $1"
	else
		echo "not ok docs/security.md: $1 - code (<) and page (>) differ: $difference"
		FAILED=1
	fi
}

compare "capabilities" \
	"$(awk -F'"' '/\.name = "CAP_/ { name = $2; required = "" } /\.required = true/ { required = "yes" }
		/^\t},/ && name { print name, required; name = "" }' user/source/privilege.c)" \
	"$(awk -F' *[|] *' '/^\| CAP_/ { print $2, $3 }' $DOC)"

# The rows of the table of calls: everything in backquotes in its first column.
calls=$(awk -F' *[|] *' '/^\| allowed/ { on = 1 } !/^\|/ { on = 0 } on && NR > 1 { print $2 }' $DOC)
compare "system calls" \
	"$(sed -n 's/.*{\.name = "\([a-z0-9_]*\)".*/\1/p' user/source/lockdown.c)" \
	"$(grep -o '`[a-z0-9_]*`' <<<"$calls" | tr -d '`')"

compare "commands of bpf()" \
	"$(grep -o 'ARG_EQ(0, BPF_[A-Z_]*' user/source/lockdown.c | sed 's/.*, BPF_//')" \
	"$(grep '^| `bpf`' $DOC | grep -oE '\b(BPF)?_[A-Z_]{8,}' |
		sed -e 's/^BPF_//' -e 's/^_/MAP_/')"
exit $FAILED
