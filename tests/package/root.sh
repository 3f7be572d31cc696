#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# root.sh OLD NEW - installs, upgrades, removes and purges the packages OLD and NEW in a throwaway root: this
# machine's below an overlay in memory, which then holds exactly what was changed. No service is started there.
# Call it in a mount namespace of its own. Prints "ok", "not ok" and "skip" lines.
set -u
OLD=$(realpath "$1") NEW=$(realpath "$2")
failed=0

result() { # WHAT WHY_NOT: nothing is good
	if [ -z "$2" ]; then
		echo "ok package: $1"
	else
		echo "not ok package: $1 - $(tr '\n' ' ' <<<"$2" | cut -c 1-500)"
		failed=1
	fi
}
is() { # WHAT IS EXPECTED
	result "$1" "$([ "$2" = "$3" ] || echo "it is '$2', not '$3'")"
}

top=$(mktemp -d)
trap 'rmdir "$top"' EXIT
mount -t tmpfs -o size=512m none "$top" || exit 1
trap 'umount -R "$top" && rmdir "$top"' EXIT
mkdir "$top"/{upper,work,root}
root=$top/root
if ! mount -t overlay -o lowerdir=/,upperdir="$top/upper",workdir="$top/work" overlay "$root" 2>/dev/null; then
	echo "skip package: a throwaway root - no overlay here"
	exit 0
fi
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs none "$root/run"
mount -t tmpfs none "$root/tmp"
cp "$OLD" "$root/tmp/old.deb"
cp "$NEW" "$root/tmp/new.deb"

inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
package() { inside dpkg --force-unsafe-io "$@" >"$top/dpkg" 2>&1; }
why() { [ "$1" -eq 0 ] || tail -n 3 "$top/dpkg"; }

inside dpkg-query -W memswell >/dev/null 2>&1 && { echo "skip package: a throwaway root - memswell is installed here"; exit 0; }
package -i /tmp/old.deb
result "it is installed, with all that it depends on" "$(why $?)"
result "its files are as packed" "$(inside dpkg --verify memswell)"
is "its user is a system user without a shell" \
	"$(inside getent passwd memswell | cut -d : -f 6,7)" "/:/usr/sbin/nologin"
result "the program runs there" "$(inside memswell version 2>&1 | grep -v '^memswell [0-9]')"
is "the unit is enabled" "$(inside systemctl is-enabled memswell.service 2>&1)" enabled
result "the unit is good" "$(inside systemd-analyze verify memswell.service 2>&1 | grep memswell)"
result "the manual is found" "$(inside man -w memswell 2>&1 | grep -v '^/usr/share/man/man1/memswell.1.gz$')"

echo "MEMSWELL_OPTIONS='--tick 2s'" >"$root/etc/default/memswell"
install -d -o "$(inside id -u memswell)" "$root/var/log/memswell"
echo '{}' >"$root/var/log/memswell/reports.jsonl"
package -i /tmp/new.deb
result "it is upgraded" "$(why $?)"
is "what was configured stays" "$(cat "$root/etc/default/memswell")" "MEMSWELL_OPTIONS='--tick 2s'"
package -r memswell
result "it is removed" "$(why $?)"
is "reports and configuration stay until it is purged" \
	"$(cd "$root" && ls etc/default/memswell var/log/memswell/* 2>&1 | tr '\n' ' ')" \
	"etc/default/memswell var/log/memswell/reports.jsonl "
package -P memswell
result "it is purged" "$(why $?)"

# Whatever is in the upper layer was changed since, directories only touched among it. Package lists, accounts
# and indexes may have been.
left=$(cd "$top/upper" && find . -type d -empty -o ! -type d | while read -r path; do
	[ -d "$path" ] && [ -d "/$path" ] || echo "$path"
done | grep -vE \
	-e '^\./(var/lib/dpkg/|var/log/(dpkg|alternatives|lastlog|faillog)|var/cache/(man|ldconfig|fontconfig)/)' \
	-e '^\./etc/(passwd|group|shadow|gshadow|subuid|subgid|\.pwd\.lock)-?$' \
	-e '^\./(dev|proc|run|sys|tmp|root)(/|$)')
result "nothing is left behind but its user" "$left"
exit $failed
