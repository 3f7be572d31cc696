/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * options_parse.c - options_parse (options.h): from argv to options by the tables, and one line that says what is
 * wrong. Decides nothing about the run and prints nothing.
 */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "model/text.h"
#include "options.h"

#define DEFAULT_KEEP 5

/* A value from the command line, safe to show: printable ASCII, at most 60 bytes. */
static const char *shown(const char *text, char *buf, size_t size)
{
	size_t i = 0;

	for (; text[i] && i + 1 < size; i++)
		buf[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
	buf[i] = '\0';
	return buf;
}

static int find_command(const char *word)
{
	for (int i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(command_rows[i].name, word))
			return i;
	return -EINVAL;
}

static void tell_unknown(const char *word, char *error, size_t error_size)
{
	char quoted[60], buffer[200];
	struct text expected;

	text_init(&expected, buffer, sizeof(buffer));
	for (int i = 0; i < NR_COMMANDS; i++)
		text_add(&expected, "%s%s",
			 i == 0		       ? ""
			 : i + 1 < NR_COMMANDS ? ", "
					       : " or ",
			 command_rows[i].name);
	snprintf(error, error_size, "unknown command '%s': expected %s",
		 shown(word, quoted, sizeof(quoted)), buffer);
}

static int take_positionals(int argc, char **argv, int at, struct options *o, char *error,
			    size_t error_size)
{
	char quoted[60];

	if (at < argc && o->command != COMMAND_HELP) {
		int command = find_command(argv[at]);

		if (command < 0) {
			tell_unknown(argv[at], error, error_size);
			return -EINVAL;
		}
		o->command = command;
		at++;
	}
	if (command_rows[o->command].file) {
		if (at == argc) {
			snprintf(error, error_size, "%s: expected a file name",
				 command_rows[o->command].name);
			return -EINVAL;
		}
		int most = command_rows[o->command].most ? command_rows[o->command].most : 1;

		o->file = argv[at];
		o->arguments = argv + at;
		o->nr_arguments = (uint32_t)(argc - at < most ? argc - at : most);
		at += (int)o->nr_arguments;
	}
	if (at < argc && o->command != COMMAND_HELP) {
		snprintf(error, error_size, "unexpected argument '%s' after %s",
			 shown(argv[at], quoted, sizeof(quoted)), command_rows[o->command].name);
		return -EINVAL;
	}
	return 0;
}

static int check_applicable(unsigned int used, const struct options *o, char *error,
			    size_t error_size)
{
	for (const struct option_row *row = option_rows; row->name; row++) {
		if (!(used & (1U << (row - option_rows))) ||
		    row->commands & COMMAND_BIT(o->command) || o->command == COMMAND_HELP)
			continue;
		snprintf(error, error_size, "--%s does not apply to %s", row->name,
			 command_rows[o->command].name);
		return -EINVAL;
	}
	return 0;
}

/* Formats are for reports; check knows two of them and no file. */
static int resolve_format(struct options *o, char *error, size_t error_size)
{
	if (o->command == COMMAND_CHECK && o->has_format) {
		if (o->output || (o->format != FORMAT_TEXT && o->format != FORMAT_JSON)) {
			snprintf(error, error_size, "--format: check: expected text or json");
			return -EINVAL;
		}
		o->json = o->format == FORMAT_JSON;
	}
	if (o->command == COMMAND_REPORT && o->output && !o->has_format) {
		int format = format_of_file(o->output);

		o->format = format < 0 ? FORMAT_HTML : (enum format)format;
		o->has_format = true;
	}
	return 0;
}

/* Options that say something about another one. */
static int check_together(const struct options *o, char *error, size_t error_size)
{
	const struct output_file_options *file = &o->output_file;

	if (o->command == COMMAND_REPLAY && o->nr_arguments > 1 && !o->merge) {
		snprintf(error, error_size, "replay: expected one file, or --merge");
		return -EINVAL;
	}
	if ((file->max_bytes || file->keep) && !o->output) {
		snprintf(error, error_size,
			 "--output-max-bytes and --output-keep: expected --output");
		return -EINVAL;
	}
	if (o->metrics_allow_remote && !o->metrics) {
		snprintf(error, error_size, "--metrics-allow-remote: expected --metrics");
		return -EINVAL;
	}
	if (o->metrics && !o->metrics_allow_remote &&
	    !metrics_address_is_local(&o->metrics_address)) {
		snprintf(error, error_size,
			 "--metrics: expected a loopback address or unix:PATH; other hosts could "
			 "read it there, which --metrics-allow-remote allows");
		return -EINVAL;
	}
	if (file->keep && !file->max_bytes) {
		snprintf(error, error_size, "--output-keep: expected --output-max-bytes");
		return -EINVAL;
	}
	return 0;
}

static int argument_of(const struct option_row *row)
{
	if (!row->value)
		return no_argument;
	return *row->value == '[' ? optional_argument : required_argument;
}

#define LONG_CODES 256 /* what getopt_long() returns for the first row; letters are below */

/* The getopt tables, built from the rows: `longs` of OPTIONS_MAX + 1, `letters` of 2 * OPTIONS_MAX + 2. */
static void build_getopt(struct option *longs, char *letters)
{
	*letters++ = ':'; /* report a missing value as ':' */
	for (const struct option_row *row = option_rows; row->name; row++) {
		*longs++ = (struct option){row->name, argument_of(row), NULL,
					   LONG_CODES + (int)(row - option_rows)};
		if (!row->letter)
			continue;
		*letters++ = row->letter;
		if (row->value)
			*letters++ = ':';
	}
	*longs = (struct option){0};
	*letters = '\0';
}

static const struct option_row *row_of(int c)
{
	if (c >= LONG_CODES)
		return &option_rows[c - LONG_CODES];
	for (const struct option_row *row = option_rows; row->name; row++)
		if (row->letter == c)
			return row;
	return NULL;
}

/* About what getopt refused: a letter or a whole word that is no option, or a value too few or many. */
static void tell_refused(char **argv, int c, char *error, size_t error_size)
{
	const char letter[] = {'-', (char)optopt, '\0'};
	const struct option_row *row = optopt ? row_of(optopt) : NULL;
	char quoted[60];

	if (!row)
		snprintf(error, error_size, "unknown option '%s'; see memswell help",
			 shown(optopt ? letter : argv[optind - 1], quoted, sizeof(quoted)));
	else if (c == ':')
		snprintf(error, error_size, "--%s: expected %s", row->name, row->expected);
	else
		snprintf(error, error_size, "--%s: it takes no value", row->name);
}

int options_parse(int argc, char **argv, struct options *out, char *error, size_t error_size)
{
	struct options o = {.tick_ns = 1000000000ULL,
			    .log_level = LOG_LEVEL_INFO,
			    .max_age_ns = OPTIONS_AGE_DEFAULT_NS};
	struct option longs[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 2], quoted[60];
	unsigned int used = 0;
	int c, err;

	build_getopt(longs, letters);
	optind = 0; /* glibc: start over, so that tests can parse more than once */
	opterr = 0;
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (c == '?' || c == ':') {
			tell_refused(argv, c, error, error_size);
			return -EINVAL;
		}
		const struct option_row *row = row_of(c);

		used |= 1U << (row - option_rows);
		if (row->set(&o, optarg)) {
			snprintf(error, error_size, "--%s '%s': expected %s", row->name,
				 shown(optarg ? optarg : "", quoted, sizeof(quoted)),
				 row->expected);
			return -EINVAL;
		}
	}
	err = take_positionals(argc, argv, optind, &o, error, error_size);
	if (!err)
		err = check_applicable(used, &o, error, error_size);
	if (!err)
		err = resolve_format(&o, error, error_size);
	if (!err)
		err = check_together(&o, error, error_size);
	if (err)
		return err;
	if (!o.output_file.keep)
		o.output_file.keep = DEFAULT_KEEP;
	*out = o;
	return 0;
}
