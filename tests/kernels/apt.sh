# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash
#
# apt.sh - for scripts that source it: Debian packages of another suite or architecture, by an apt with
# a state of its own below $CACHE/apt, so the machine's package lists and sources stay as they are. apt
# checks what it downloads against the archive's signed index.
KEYS=/usr/share/keyrings/debian-archive-keyring.gpg
LISTS_MINUTES=720 # how long a package list is fresh enough

# apt_of SUITE ARCH PROGRAM ARGUMENT...
apt_of() {
	local state=$CACHE/apt/$1-$2 arch=$2 program=$3
	shift 3
	"$program" -q -o APT::Architecture="$arch" -o APT::Architectures::="$arch" \
		-o Dir::State="$state" -o Dir::State::status="$state/status" -o Dir::Cache="$state" \
		-o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::Etc::Parts=/dev/null -o APT::Sandbox::User=root -o APT::Install-Recommends=false \
		-o Acquire::Languages=none -o Acquire::http::Timeout=20 -o Acquire::Retries=1 "$@"
}

# apt_lists SUITE ARCH: makes the package lists fresh, of sources where ARCH is "source"; fails where they
# cannot be had.
apt_lists() {
	local state=$CACHE/apt/$1-$2 kind="" type=deb mirror
	[ "$2" != source ] || type=deb-src
	[[ $1 != *-security ]] || kind=-security
	# Other suites are where this machine's own packages come from.
	mirror=$(apt-get indextargets --format '$(REPO_URI)' | sed -n "s#/\$##; \#/debian$kind\$#{p;q}")
	[ -n "$mirror" ] || { echo "no sources of Debian$kind are configured here"; return 1; }
	mkdir -p "$state/lists/partial" "$state/archives/partial"
	(
		flock 9
		[ -z "$(find "$state/fresh" -mmin -$LISTS_MINUTES 2>/dev/null)" ] || exit 0
		: >"$state/status"
		echo "$type [signed-by=$KEYS] $mirror $1 main" >"$state/sources.list"
		apt_of "$1" "$2" apt-get update --error-on=any >"$state/log" 2>&1 && touch "$state/fresh"
	) 9>"$state/lock" && return
	echo "cannot reach $mirror $1"
	return 1
}

# apt_kernels SUITE ARCH SERIES: the newest kernel of each series that begins with SERIES ("6.1" is that
# series only, "." is all), as "SERIES PACKAGE"; the package is the one that holds the image.
apt_kernels() {
	local pattern=${3//./\\.}
	[ "$3" != . ] || pattern='[0-9]+\.[0-9]+'
	apt_of "$1" "$2" apt-cache pkgnames linux- | sed -n -E \
		"s/^linux-(image|binary)-($pattern)(\.[0-9].*)-cloud-$2\$/\2 \2\3 \1 &/p" |
		sort -k 2,2V -k 3,3r | # since 6.19 the image is in "binary", and "image" only leads to it
		awk '{ newest[$1] = $4 } END { for (series in newest) print series, newest[series] }' |
		sort -V
}
