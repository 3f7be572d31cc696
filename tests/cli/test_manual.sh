#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The man page and the completions against `memswell help`: each command and option, long and short, stands
# in all of them; each word that is offered for an option is one it takes; the page is without fault for
# those who format it. How the completions work in their shells: tests/package/test_shells.sh.
set -u
cd "$(dirname "$0")/../.." || exit 1
MANUAL=build/manual
failed=0

result() { # NAME WHY_NOT: nothing is good
	if [ -z "$2" ]; then
		echo "ok manual: $1"
	else
		echo "not ok manual: $1 - $(tr '\n' ' ' <<<"$2" | cut -c 1-300)"
		failed=1
	fi
}

missing() { # WORDS TEXT: those of WORDS, one a line, that TEXT lacks
	comm -23 <(sort -u <<<"$1") <(sort -u <<<"$2")
}

help=$(./memswell help)
commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z]\+\) .*/\1/p' <<<"$help")
long=$(sed -n '/^Options:/,$p' <<<"$help" | grep -oE '^ {2,6}(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+')
short=$(sed -n '/^Options:/,$p' <<<"$help" | grep -oE '^  -[a-zA-Z],' | tr -d ' ,')
[ "$(wc -w <<<"$commands $long $short")" -gt 20 ] || result "help is understood" "$commands $long $short"

page=$(MANWIDTH=200 MANPAGER=cat man -E UTF-8 --nj --nh -l $MANUAL/memswell.1 2>/dev/null | col -b)
if [ -n "$page" ]; then
	result "the page has each command" "$(missing "$commands" "$(grep -oE '^ {5}[a-z]+' <<<"$page" | tr -d ' ')")"
	result "the page has each option" \
		"$(missing "$long"$'\n'"$short" "$(grep -E '^ {5}-' <<<"$page" | grep -oE -- '(^| )--?[a-zA-Z-]+' | tr -d ' ')")"
	result "the page is good roff" "$(man --warnings -E UTF-8 -l -Tutf8 -Z $MANUAL/memswell.1 2>&1 >/dev/null)"
else
	echo "skip manual: the page as it is read - no man here"
fi
if command -v mandoc >/dev/null; then
	# Whether other pages are installed is the machine's affair.
	result "the page is good mdoc" "$(mandoc -T lint $MANUAL/memswell.1 2>&1 | grep -vE 'outdated mandoc.db|referenced manual not found')"
else
	echo "skip manual: the page is good mdoc - no mandoc here"
fi

# Spelled as each shell wants them, without what belongs to others.
declare -A commands_of=(
	[bash]=$(grep -oE '\b[a-z]+\b' $MANUAL/memswell.bash)
	[zsh]=$(sed -n "s/^\t'\([a-z]*\):.*/\1/p" $MANUAL/memswell.zsh)
	[fish]=$(sed -n 's/.* -a \([a-z]*\) -d .*/\1/p' $MANUAL/memswell.fish)
)
declare -A options_of=(
	[bash]=$(grep -oE -- '--?[a-zA-Z-]+' $MANUAL/memswell.bash)
	[zsh]=$(sed -n "s/^\t'\*\?\(--\?[a-zA-Z-]*[a-zA-Z]\).*/\1/p" $MANUAL/memswell.zsh)
	[fish]=$(sed -n -E 's/.* -l ([a-z-]+)( -s (.))? .*/--\1\n-\3/p' $MANUAL/memswell.fish)
)
# In bash a short spelling is offered only where a value follows; an option alone is named by its long one.
valued=$(sed -n '/^Options:/,$p' <<<"$help" | sed -n 's/^  \(-[a-zA-Z]\), --[a-z-]* [A-Z].*/\1/p')
for shell in bash zsh fish; do
	letters=$short
	[ $shell != bash ] || letters=$valued
	result "$shell has each command" "$(missing "$commands" "${commands_of[$shell]}")"
	result "$shell has each option" "$(missing "$long"$'\n'"$letters" "${options_of[$shell]}")"
done

# A word that is refused has its message; the command that follows it does not matter.
refused=$(
	awk -F '\t' '$1 == "option" && $5 != "-" { n = split($5, w, " "); for (i = 1; i <= n; i++) print $2, w[i] }' \
		$MANUAL/table.tsv | while read -r option word; do
		./memswell help "--$option" "$word" >/dev/null 2>&1 || echo "--$option $word"
	done
)
result "each word that is offered is taken" "$refused"
result "each value that is a word is offered" "$(missing "$(
	printf '%s\n' 'vm-events auto fentry lock syscall off' 'sandbox on log off' \
		'log-level error warn info debug' 'format html markdown text json'
)" "$(awk -F '\t' '$1 == "option" { print $2, $5 }' $MANUAL/table.tsv)")"
exit $failed
