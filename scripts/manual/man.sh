#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# man.sh TABLE <TEMPLATE - prints the manual in mdoc: the template, with what table.c says of the commands and
# options in the place of @COMMANDS@ and @OPTIONS@.
set -eu
awk -F '\t' -v table="$1" '
	# Lines of text of up to 78 bytes: dashes are dashes, and no word is taken for a macro.
	function text(s,    words, n, i, line) {
		gsub(/\\/, "\\e", s)
		gsub(/-/, "\\-", s)
		n = split(s, words, " ")
		for (i = 1; i <= n; i++) {
			if (line != "" && length(line " " words[i]) > 78) {
				print line
				line = ""
			}
			if (line == "") sub(/^[.\x27]/, "\\\\&&", words[i])
			line = line == "" ? words[i] : line " " words[i]
		}
		print line
	}
	function sentence(s) {
		text(toupper(substr(s, 1, 1)) substr(s, 2) (s ~ /[.]$/ ? "" : "."))
	}
	function command(name, arguments, help) {
		print ".It Cm " name (arguments == "-" ? "" : " Ar " arguments)
		sentence(help)
	}
	function flag(name, letter, value) {
		if (value ~ /^\[=/) value = " Ns Oo = Ns Ar " substr(value, 3, length(value) - 3) " Oc"
		else value = value == "-" ? "" : " Ar " value
		print ".It " (letter == "-" ? "" : "Fl " letter value " , ") "Fl -" name value
	}
	function option(name, letter, value, commands, expected, help,    each) {
		flag(name, letter, value)
		sentence(help)
		gsub(/[[\]=]/, "", value)
		if (expected != "-") text(value ": " expected ".")
		if (split(commands, each, " ") < nr_commands) {
			gsub(/ /, ", ", commands)
			text("Commands: " commands ".")
		}
	}
	BEGIN {
		while ((getline <table) > 0) {
			row[++rows] = $0
			nr_commands += $1 == "command"
		}
	}
	/^@(COMMANDS|OPTIONS)@$/ {
		for (i = 1; i <= rows; i++) {
			split(row[i], f, "\t")
			if (/COMMANDS/ && f[1] == "command") command(f[2], f[3], f[4])
			if (/OPTIONS/ && f[1] == "option") option(f[2], f[3], f[4], f[6], f[7], f[8])
		}
		next
	}
	{ print }
'
