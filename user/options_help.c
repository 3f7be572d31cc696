/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* options_help.c - options_help (options.h): the text of `memswell help`, from the tables. */
#include <string.h>

#include "options.h"

/* Help text of an option: continuation lines are indented to the column of the first. */
static void print_help_lines(FILE *to, const char *help)
{
	const char *newline;

	while ((newline = strchr(help, '\n'))) {
		fprintf(to, "%.*s\n%28s", (int)(newline - help), help, "");
		help = newline + 1;
	}
	fprintf(to, "%s\n", help);
}

void options_help(FILE *to)
{
	fputs("Usage: memswell [COMMAND] [OPTION]... [FILE]\n"
	      "Which process's memory caused this burst of 502s, and why.\n\nCommands:\n",
	      to);
	for (int i = 0; i < NR_COMMANDS; i++) {
		const struct command_row *row = &command_rows[i];

		fprintf(to, "  %-7s %-17s %s\n", row->name, row->file ? row->file : "", row->help);
	}
	fputs("\nOptions:\n", to);
	for (const struct option_row *row = option_rows; row->name; row++) {
		char left[40];

		snprintf(left, sizeof(left), "--%s%s%s", row->name,
			 row->value && *row->value != '[' ? " " : "", row->value ? row->value : "");
		fprintf(to, row->letter ? "  -%c, " : "      ", row->letter);
		fprintf(to, "%-21s ", left);
		print_help_lines(to, row->help);
	}
	fputs("\nReports are JSON Lines on stdout, log lines go to stderr. Files may be gzipped.\n"
	      "Exit status: 0 ok, 1 failed, 2 usage, 3 missing privilege, 4 unsupported kernel,\n"
	      "5 degraded with --strict.\n",
	      to);
}
