# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
#
# check.sh - sourced: results of tests that need no rig. Sets TMP, a directory that goes with the script;
# finish ends it with the result of all.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
FAILED=0

check() { # WHAT COMMAND...: what it prints is the reason if it fails
	local what=$1
	shift
	if "$@" >"$TMP/why" 2>&1; then
		echo "ok pipelines: $what"
	else
		echo "not ok pipelines: $what - $(head -c 400 "$TMP/why" | tr '\n' ' ')"
		FAILED=1
	fi
}
is() { # GOT EXPECTED
	echo "$1, expected $2"
	[ "$1" = "$2" ]
}
finish() { exit $FAILED; }
