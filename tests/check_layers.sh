#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# check_layers.sh - includes point downwards only: main > pipeline > {source, core, sink, view} >
# model > base; source, core, sink and view never meet. Only source knows the kernel side. Prints "ok"/"not ok".
set -u
cd "$(dirname "$0")/.." || exit 1
FAILED=0

complain() {
	echo "not ok layers: $1"
	FAILED=1
}

# Which project folders the files of a folder may include from.
may_include() {
	case $1 in
	base) echo "base" ;;
	model) echo "model base" ;;
	core) echo "core model base" ;;
	source) echo "source model base" ;;
	sink) echo "sink model base" ;;
	view) echo "view model base" ;;
	user) echo "source core sink view model base user" ;;
	*) echo "" ;;
	esac
}

while IFS=: read -r file line include; do
	layer=$(basename "$(dirname "$file")")
	target=$(sed -E 's/.*"([^"]+)".*/\1/' <<<"$include")
	case $target in
	wire.h | *.skel.h)
		[ "$layer" = source ] || complain "$file:$line includes $target, which only source may"
		continue
		;;
	*/*) folder=${target%%/*} ;;
	*) folder=user ;;
	esac
	[ -e "user/$target" ] || complain "$file:$line includes $target, which is not below user/"
	grep -qw "$folder" <<<"$(may_include "$layer")" ||
		complain "$file:$line: $layer may not include $target"
done < <(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' user/*.[ch] user/*/*.[ch])

# The three middle layers meet in one file.
for file in user/*.c; do
	n=$(grep -oE '"(source|core|sink)/' "$file" | sort -u | wc -l)
	if [ "$n" = 3 ] && [ "$file" != user/pipeline.c ]; then
		complain "$file knows source, core and sink; only pipeline.c may"
	fi
done

# The kernel side includes nothing of user space.
if grep -nE '#[[:space:]]*include[[:space:]]*"(\.\./)?(user|base|model|source|core|sink|view)/' \
	bpf/*.[ch] 2>/dev/null; then
	complain "bpf/ includes from user/"
fi

[ $FAILED = 0 ] && echo "ok includes point downwards"
exit $FAILED
