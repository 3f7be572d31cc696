#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# zsh.sh TABLE - prints the completion for zsh, made of what table.c says.
set -eu
awk -F '\t' '
	# The first of it, within brackets and single quotes.
	function description(s) {
		sub(/ *[;(].*/, "", s)
		gsub(/\\/, "&&", s)
		gsub(/\[|\]|:/, "\\\\&", s)
		gsub(/\x27/, "\x27\\\x27\x27", s)
		return s
	}
	function action(value, words) {
		if (words == "-") return value == "FILE" ? "_files" : " "
		if (value != "FORMAT") return "(" words ")"
		return "_alternative \"words:word:(" words ")\" \"files:file:_files\""
	}
	# An argument of _arguments for one spelling.
	function spec(name, value, words, help,    several) {
		several = help ~ /repeatable/ ? "*" : ""
		help = "[" description(help) "]"
		if (value == "-") return "\t\x27" several name help "\x27\n"
		if (value ~ /^\[/) return "\t\x27" several name "=-" help "::" tolower(substr(value, 3, length(value) - 3)) ": \x27\n"
		return "\t\x27" several name (name ~ /^--/ ? "=" : "") help ":" tolower(value) ":" action(value, words) "\x27\n"
	}
	$1 == "command" {
		commands = commands "\t\x27" $2 ":" description($4) "\x27\n"
		if ($3 != "-") with_files = with_files (with_files == "" ? "" : "|") $2
	}
	$1 == "option" {
		specs = spec("--" $2, $4, $5, $8) ($3 == "-" ? "" : spec("-" $3, $4, $5, $8))
		condition = "[[ -z $command || \" " $6 " \" == *\" $command \"* ]] && options+=(\n"
		options = options condition specs ")\n"
		if ($4 != "-" && $4 !~ /^\[/) valued = valued "|--" $2 ($3 == "-" ? "" : "|-" $3)
	}
	END {
		print "#compdef memswell"
		print "# zsh completion for memswell. Generated: scripts/manual/zsh.sh"
		print "local command=\"\" i"
		print "local -a commands options"
		print "commands=(\n" commands ")"
		print "for ((i = 2; i < CURRENT; i++)); do"
		print "\tcase $words[i] in"
		print "\t(" substr(valued, 2) ") ((i++)) ;;"
		print "\t(-*) ;;"
		print "\t(*) command=$words[i]; break ;;"
		print "\tesac"
		print "done"
		printf "%s", options
		print "case $command in"
		print "(" with_files ") _arguments -S $options \":command:\" \"*:file:_files\" ;;"
		print "(*) _arguments -S $options \":command:{_describe command commands}\" ;;"
		print "esac"
	}
' "$1"
