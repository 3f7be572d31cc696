#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# bash.sh TABLE - prints the completion for bash, made of what table.c says.
set -eu
awk -F '\t' '
	$1 == "command" {
		commands = commands " " $2
		names_of_commands = names_of_commands (names_of_commands == "" ? "" : "|") $2
		if ($3 != "-") with_files = with_files (with_files == "" ? "" : "|") $2
	}
	$1 == "option" {
		names = "--" $2 ($3 == "-" ? "" : "|-" $3)
		all = all " --" $2
		n = split($6, each, " ")
		for (i = 1; i <= n; i++) of[each[i]] = of[each[i]] " --" $2
		if ($4 == "-" || $4 ~ /^\[/) next
		files = $4 == "FILE" || $4 == "FORMAT"
		values = values "\t" names ") _memswell_values " \
			(files ? "files" : "words") " \"$cur\"" ($5 == "-" ? "" : " " $5) "; return ;;\n"
		valued = valued (valued == "" ? "" : "|") names
	}
	END {
		print "# bash completion for memswell. Generated: scripts/manual/bash.sh"
		print "_memswell_values() # files|words CURRENT [WORD...]"
		print "{"
		print "\tmapfile -t COMPREPLY < <("
		print "\t\tcompgen -W \"${*:3}\" -- \"$2\""
		print "\t\t[ \"$1\" = words ] || compgen -f -- \"$2\""
		print "\t)"
		print "\t[ \"$1\" = words ] || compopt -o filenames"
		print "}\n"
		print "_memswell()"
		print "{"
		print "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=\"\" i"
		print "\t# --option=value comes in three words"
		print "\tif [ \"$cur\" = = ]; then"
		print "\t\tcur=\"\""
		print "\telif [ \"$prev\" = = ]; then"
		print "\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}"
		print "\tfi"
		print "\tcase $prev in"
		printf "%s", values
		print "\tesac"
		print "\tfor ((i = 1; i < COMP_CWORD; i++)); do"
		print "\t\tcase ${COMP_WORDS[i]} in"
		print "\t\t" valued ") [ \"${COMP_WORDS[++i]-}\" != = ] || ((i++)) ;;"
		print "\t\t" names_of_commands ") command=${COMP_WORDS[i]}; break ;;"
		print "\t\tesac"
		print "\tdone"
		print "\tif [[ $cur == -* ]]; then"
		print "\t\tcase $command in"
		for (name in of) print "\t\t" name ") _memswell_values words \"$cur\"" of[name] " ;;" | "LC_ALL=C sort"
		close("LC_ALL=C sort")
		print "\t\t*) _memswell_values words \"$cur\"" all " ;;"
		print "\t\tesac"
		print "\telif [ -z \"$command\" ]; then"
		print "\t\t_memswell_values words \"$cur\"" commands
		print "\telse"
		print "\t\tcase $command in"
		print "\t\t" with_files ") _memswell_values files \"$cur\" ;;"
		print "\t\tesac"
		print "\tfi"
		print "}"
		print "complete -F _memswell memswell"
	}
' "$1"
