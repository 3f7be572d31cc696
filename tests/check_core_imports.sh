#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# check_core_imports.sh - the core is pure: no object of it may import what reads a clock, a file,
# the environment, the locale or a random number, or what writes anywhere. Compiles user/core into
# a temporary directory and looks at what the objects leave undefined. Prints "ok"/"not ok" lines.
#
# Allowed:
#   mem*, str*          bytes in memory; not strerror, strftime, strcoll, strdup: those are outside
#   libm                pure functions of their arguments; lgamma_r because lgamma writes a global
#   calloc free         all memory is taken in core_new and given back in core_free
#   vsnprintf           text into a fixed buffer; only integer and string formats are used, so the
#                       locale cannot show
#   __stack_chk_fail, __*_chk, __assert_fail    what the compiler adds
#   the model and base functions below, which are pure themselves
set -u
cd "$(dirname "$0")/.." || exit 1
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT

ALLOWED='mem(cpy|move|set|cmp|chr)|str(len|nlen|cmp|ncmp|chr|rchr|str)'
ALLOWED+='|(fmin|fmax|fabs|sqrt|exp|log|log10|pow|lgamma_r)'
ALLOWED+='|calloc|free|vsnprintf'
ALLOWED+='|__stack_chk_fail|__[a-z]+_chk|_GLOBAL_OFFSET_TABLE_'
# model/ and base/
ALLOWED+='|address_format|utf8_(sequence|sanitize)|record_layout|runtime_(name|is_managed)|flow_(fail|status)_name'
ALLOWED+='|verdict_(class|cause|level)_name|verdict_level_of|incident_status_name'
ALLOWED+='|growth_level_name|moment_kind_name|action_kind_name'
ALLOWED+='|text_(copy|init|add|add_(bytes|rate|duration|decimal|endpoint))'
ALLOWED+='|workload_unknown|cgroup_path_parse'

FAILED=0
for source in user/core/*.c; do
	"${CC:-gcc}" -std=gnu11 -O2 -fno-pie -D_GNU_SOURCE -Iuser -Ibpf -c "$source" \
		-o "$DIR/$(basename "$source" .c).o" || exit 1
done
nm --defined-only -g "$DIR"/*.o | awk 'NF == 3 {print $3}' | sort -u >"$DIR/own"
for object in "$DIR"/*.o; do
	foreign=$(nm -u "$object" | awk '{print $2}' | grep -vxF -f "$DIR/own" |
		grep -vxE "$ALLOWED" | tr '\n' ' ')
	if [ -n "$foreign" ]; then
		echo "not ok core imports: $(basename "$object" .o).c uses $foreign"
		FAILED=1
	fi
done
# Writable data outlives a call and is shared by all cores: a global by another name. (Compiled
# without -fpie above, because constant tables of pointers would count as writable with it.)
for object in "$DIR"/*.o; do
	data=$(nm "$object" | awk '$2 ~ /^[bBdDC]$/ {print $3}' | tr '\n' ' ')
	if [ -n "$data" ]; then
		echo "not ok core imports: $(basename "$object" .o).c keeps writable data: $data"
		FAILED=1
	fi
done
# Memory may be taken in one place only.
takers=$(grep -lE '\b(calloc|malloc|realloc|free)\(' user/core/*.c | tr '\n' ' ')
if [ "$takers" != "user/core/core.c " ]; then
	echo "not ok core imports: memory is handled outside core.c: $takers"
	FAILED=1
fi
[ $FAILED = 0 ] && echo "ok core imports nothing but memory, strings and mathematics"
exit $FAILED
