/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * table.c - the tables of user/options.c, a row per line and a tab between its fields, for the scripts
 * beside it that make the manual and the completions of them. "-" is an empty field.
 *
 * command NAME ARGUMENTS HELP
 * option NAME LETTER VALUE WORDS COMMANDS EXPECTED HELP	WORDS: the values it knows; lists have spaces
 */
#include <stdio.h>
#include <string.h>

#include "options.h"

static void print_help(const char *help)
{
	for (; *help; help++)
		putchar(*help == '\n' ? ' ' : *help);
	putchar('\n');
}

/* "auto, off or on": single words up to the first that is a description ("a time from ..."). */
static void print_words(const char *expected)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	bool any = false;

	while (expected) {
		size_t len = strspn(expected, letters);
		const char *rest = expected + len;

		if (!len || (*rest && *rest != ',' && strncmp(rest, " or ", 4)))
			break;
		printf(any ? " %.*s" : "%.*s", (int)len, expected);
		any = true;
		expected = !*rest ? NULL : rest + (*rest == ',' ? 2 : 4);
	}
	printf(any ? "\t" : "-\t");
}

static void print_option(const struct option_row *row)
{
	const char *space = "";

	printf("option\t%s\t%c\t%s\t", row->name, row->letter ? row->letter : '-',
	       row->value ? row->value : "-");
	print_words(row->expected);
	for (int i = 0; i < NR_COMMANDS; i++) {
		if (!(row->commands & COMMAND_BIT(i)))
			continue;
		printf("%s%s", space, command_rows[i].name);
		space = " ";
	}
	printf("\t%s\t", row->expected ? row->expected : "-");
	print_help(row->help);
}

int main(void)
{
	for (int i = 0; i < NR_COMMANDS; i++) {
		printf("command\t%s\t%s\t", command_rows[i].name,
		       command_rows[i].file ? command_rows[i].file : "-");
		print_help(command_rows[i].help);
	}
	for (const struct option_row *row = option_rows; row->name; row++)
		print_option(row);
	return fflush(stdout) || ferror(stdout);
}
