#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Where the memory controller is on v1 and only cgroup2 is mounted, as in a container on a hybrid host, a
# memory cgroup is named as /proc names it, never by the cgroup of v2 that happens to have its number.
. "$(dirname "$0")/lib.sh"
SUITE=live
NAME=cgroup_names
require_rig
V1=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/mounts)
V2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$V1" ] && [ -n "$V2" ] || skip_all "needs a host with the memory controller on v1 and cgroup2"
rig_start

# make ROOT NAME: a cgroup; sets NUMBER.
make() {
	local dir=$1/memswell-test-$$-$2
	echo "$dir" >>"$RIG/cgroups"
	mkdir "$dir" || exit 1
	NUMBER=$(stat -c %i "$dir")
}

# Numbers grow by some tens with each: bring both hierarchies to one height, put a row of memory cgroups
# ahead, and let v2 catch up until one of its numbers is among theirs.
MOST=2000
make "$V2" first
height=$NUMBER
make "$V1" first
apart=$((NUMBER > height ? NUMBER - height : height - NUMBER))
[ $apart -lt $((MOST * 10)) ] || skip_all "the numbers of the two hierarchies are too far apart here"
for ((i = 0; NUMBER < height && i < MOST; i++)); do make "$V1" "low$i"; done
declare -A ROW
for ((i = 0; i < 60; i++)); do
	make "$V1" "row$i"
	ROW[$NUMBER]=row$i
	height=$NUMBER
done
both=
for ((i = 0, NUMBER = 0; NUMBER < height && i < MOST; i++)); do
	make "$V2" "v2-$i"
	[ -z "${ROW[$NUMBER]-}" ] || both=$NUMBER
done
[ -n "$both" ] || skip_all "no number is in both hierarchies here"

name=memswell-test-$$-${ROW[$both]}
(rig_exec "$V1/$name" -- sleep 60) >/dev/null 2>&1 </dev/null &
disown
unshare -m sh -c 'mount --make-rprivate / && umount -l "$1" && shift && exec "$@"' unmounted "$V1" \
	timeout -s INT 4 "$MEMSWELL" record "$RIG/records.jsonl" >"$RIG/reports.jsonl" 2>"$RIG/memswell.log"
told=$(grep '"k":"cgroup"' "$RIG/records.jsonl" | grep -o "\"memcg\":$both,.*\"path\":\"[^\"]*\"" | sed 's/.*"path":"//; s/"$//')
expect "a memory cgroup has its own name" "number $both is /$name, but told as '$told'" test "$told" = "/$name"
expect "the log says that its hierarchy is not mounted" "$(cat "$RIG/memswell.log")" \
	grep -q 'no mounted hierarchy has the memory controller: .*; mount it' "$RIG/memswell.log"
finish
