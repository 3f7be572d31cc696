#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# fish.sh TABLE - prints the completion for fish, made of what table.c says.
set -eu
awk -F '\t' '
	function first_of(s) {
		sub(/ *[;(].*/, "", s)
		return s
	}
	function quoted(s) {
		gsub(/\\/, "&&", s)
		gsub(/\x27/, "\\\x27", s)
		return "\x27" s "\x27"
	}
	BEGIN {
		print "# fish completion for memswell. Generated: scripts/manual/fish.sh"
		print "complete -c memswell -f"
	}
	$1 == "command" {
		all = all " " $2
		if ($3 != "-") with_files = with_files " " $2
		commands = commands "complete -c memswell -n __memswell_no_command -a " $2 " -d " quoted(first_of($4)) "\n"
	}
	$1 == "option" {
		line = "complete -c memswell -n " quoted("__memswell_no_command; or __fish_seen_subcommand_from " $6) " -l " $2
		if ($3 != "-") line = line " -s " $3
		if ($4 == "FILE" || $4 == "FORMAT") line = line " -r -F"
		else if ($4 != "-" && $4 !~ /^\[/) line = line " -x"
		if ($5 != "-") line = line " -a " quoted($5)
		options = options line " -d " quoted(first_of($8)) "\n"
	}
	END {
		print "function __memswell_no_command"
		print "\tnot __fish_seen_subcommand_from" all
		print "end"
		printf "%s", commands
		print "complete -c memswell -n " quoted("__fish_seen_subcommand_from" with_files) " -F"
		printf "%s", options
	}
' "$1"
