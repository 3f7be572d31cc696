#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# embed.sh FILE NAME - print C source that defines the bytes of FILE as `NAME`, NUL-terminated, and
# their number as `NAME_len`, and their SHA-256 as a Content-Security-Policy spells it as `NAME_csp`.
set -eu

if [ $# -ne 2 ] || [ ! -r "$1" ]; then
	echo "usage: embed.sh FILE NAME (a readable file, a C identifier)" >&2
	exit 2
fi

echo "extern const char $2[];"
echo "extern const unsigned long ${2}_len;"
echo "const char $2[] = {"
od -An -v -tx1 "$1" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g; s/^/\t/'
echo "	0};"
echo "const unsigned long ${2}_len = sizeof($2) - 1;"
hash=$(sha256sum "$1" | cut -c 1-64 | tr a-f A-F | basenc --base16 -d | base64)
echo "extern const char ${2}_csp[];"
echo "const char ${2}_csp[] = \"sha256-$hash\";"
