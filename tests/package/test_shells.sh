#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# test_shells.sh ROOT - the completions that were installed below ROOT, where each shell looks for them, in
# interactive shells on a terminal: what appears when the tabulator key is pressed.
set -u
cd "$(dirname "$0")/../.." || exit 1
ROOT=$(realpath "$1")
dir=$(mktemp -d)
trap 'tmux -S "$dir/tmux" kill-server 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
failed=0
mkdir "$dir/home" "$dir/files"
touch "$dir/files/morning.jsonl"
export HOME=$dir/home TERM=screen LANG=C.UTF-8 PATH=$ROOT/usr/bin:$PATH

shell_command() { # SHELL: interactive, without anybody's settings, memswell's completion loaded by its own rules
	local share=$ROOT/usr/share
	case $1 in
	bash)
		echo ". $share/bash-completion/completions/memswell; PS1='> '" >"$dir/home/.bashrc"
		echo "bash --noprofile --rcfile $dir/home/.bashrc"
		;;
	zsh)
		printf '%s\n' "fpath=($share/zsh/vendor-completions \$fpath)" "autoload -Uz compinit; compinit -u -D" \
			"PS1='> '" >"$dir/home/.zshrc"
		echo "env ZDOTDIR=$dir/home zsh -d"
		;;
	fish)
		mkdir -p "$dir/home/.config/fish"
		printf '%s\n' "set fish_greeting" "function fish_prompt; echo '> '; end" >"$dir/home/.config/fish/config.fish"
		echo "env XDG_DATA_DIRS=$share fish --private"
		;;
	esac
}

screen() { tmux -S "$dir/tmux" capture-pane -p -t "$1"; }

await() { # SHELL PATTERN: on its screen, within 10 s
	local i
	for ((i = 0; i < 100; i++)); do
		screen "$1" | grep -qE -- "$2" && return 0
		sleep 0.1
	done
	return 1
}

await_empty() { # SHELL: but for the prompt
	local i
	for ((i = 0; i < 100; i++)); do
		[ "$(screen "$1" | tr -d ' \n')" = '>' ] && return 0
		sleep 0.1
	done
	return 1
}

# expect WHAT SHELL TYPED PATTERN [KEY...]: types, presses the keys, and looks.
expect() {
	local what=$1 shell=$2 typed=$3 pattern=$4
	shift 4
	sleep 0.2 # an interrupted completion is bash's last, so nothing is interrupted: the line is wiped
	tmux -S "$dir/tmux" send-keys -t "$shell" C-u
	tmux -S "$dir/tmux" send-keys -t "$shell" C-l
	await_empty "$shell"
	tmux -S "$dir/tmux" send-keys -t "$shell" -l "$typed"
	await "$shell" "$(sed -e 's/[^a-z0-9 ]/./g' -e 's/ $//' <<<"$typed")" # a screen has no spaces at its right
	tmux -S "$dir/tmux" send-keys -t "$shell" "$@"
	if await "$shell" "$pattern"; then
		echo "ok shells: $shell $what"
	else
		echo "not ok shells: $shell $what - no '$pattern' in: $(screen "$shell" | tr -s '\n ' ' ' | cut -c 1-300)"
		failed=1
	fi
}

for shell in bash zsh fish; do
	if ! command -v $shell tmux >/dev/null; then
		echo "skip shells: $shell - it or tmux is not installed"
		continue
	fi
	tmux -S "$dir/tmux" -f /dev/null new-session -d -s $shell -x 150 -y 50 -c "$dir/files" "$(shell_command $shell)"
	await $shell '^>' || { echo "not ok shells: $shell starts - $(screen $shell | head -n 3 | tr '\n' ' ')"; failed=1; continue; }
	expect "completes a command" $shell 'memswell exp' 'memswell explain' Tab
	expect "lists the commands" $shell 'memswell ' 'record .*' Tab Tab
	expect "completes an option" $shell 'memswell run --inc' 'run --include-samples' Tab
	expect "leaves out options of other commands" $shell 'memswell check --st' 'check --strict' Tab
	expect "completes a word after a space" $shell 'memswell run --sandbox o' '\boff\b' Tab Tab
	expect "completes a word after an equals sign" $shell 'memswell run --vm-events=sys' '--vm-events=syscall' Tab
	expect "completes a file" $shell 'memswell replay mor' 'replay morning.jsonl' Tab
	expect "completes the file of an option" $shell 'memswell run --output mor' '--output morning.jsonl' Tab
	expect "knows the command behind options" $shell 'memswell --tick 2s rep' '2s rep(lay|ort)?.*|report' Tab Tab
done
exit $failed
