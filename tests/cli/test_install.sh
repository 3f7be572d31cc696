#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# `make install` and `make uninstall` in a root of their own, once with the usual places and once with those of
# a distribution, by a relative path: what one puts there the other takes away, but for the configuration and
# files of others.
set -u
cd "$(dirname "$0")/../.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL # of a make that may have started this
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
trap 'exit 130' INT TERM
failed=0

check() { # WHAT COMMAND...: one result, with what it said
	local what=$1 said
	shift
	if said=$("$@" 2>&1); then
		echo "ok install: $what"
	else
		echo "not ok install: $what - $(tail -n 5 <<<"$said" | tr '\n' ' ')"
		failed=1
	fi
}

files() { (cd "$root" && find . ! -type d | sort); }
same() { diff <(printf '%s\n' "$@" | sort) <(files); }
config=(./etc/default/memswell ./etc/logrotate.d/memswell)

round() { # PREFIX MAKE_VARIABLE...
	local prefix=$1 make=(make -s "PREFIX=$1" "${@:2}")
	rm -rf "${root:?}"/*
	check "$prefix: it installs" "${make[@]}" install
	check "$prefix: the program runs" "$root$prefix/bin/memswell" version
	check "$prefix: the unit starts that program" \
		grep -q "^ExecStart=$prefix/bin/memswell " "$root${unit_dir:-$prefix/lib/systemd/system}/memswell.service"
	echo "MEMSWELL_OPTIONS=--strict" >"$root/etc/default/memswell"
	check "$prefix: it installs over itself" "${make[@]}" install
	check "$prefix: a configuration that exists is kept" grep -qx MEMSWELL_OPTIONS=--strict "$root/etc/default/memswell"
	touch "$root$prefix/share/memswell/of another"
	check "$prefix: it uninstalls" "${make[@]}" uninstall
	check "$prefix: what was installed is gone, and nothing else" \
		same "${config[@]}" ".$prefix/share/memswell/of another"
	rm "$root$prefix/share/memswell/of another"
	check "$prefix: it uninstalls what is not there" "${make[@]}" uninstall
	check "$prefix: its directory is gone" test ! -e "$root$prefix/share/memswell"
}

unit_dir=
round /usr/local DESTDIR="$root"
unit_dir=/lib/systemd/system
round /usr DESTDIR="$(realpath --relative-to=. "$root")" UNIT_DIR=$unit_dir ZSH_DIR=vendor-completions
exit $failed
