/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_options.c - whatever a command line says: it is refused with one printable line, or everything
 * in the result is within its range and points into the command line.
 *
 * Line ends stand for NUL: each line is an argument after the program's name.
 */
#include <errno.h>

#include "fuzz.h"
#include "options.h"

#define MAX_ARGS 64

static bool is_argument(char *const *argv, int argc, const char *text)
{
	/* "--output=FILE" and "-OFILE" point into the middle of one. */
	for (int i = 1; i < argc; i++)
		if (text >= argv[i] && text <= argv[i] + strlen(argv[i]))
			return true;
	return false;
}

static void expect_options(const struct options *o, char *const *argv, int argc)
{
	bool takes_file = o->command == COMMAND_RECORD || o->command == COMMAND_REPLAY ||
			  o->command == COMMAND_REPORT || o->command == COMMAND_EXPLAIN;

	EXPECT((unsigned int)o->command < NR_COMMANDS);
	EXPECT((unsigned int)o->vm_events < NR_VM_EVENTS);
	EXPECT((unsigned int)o->log_level < NR_LOG_LEVELS);
	EXPECT(o->tick_ns >= OPTIONS_TICK_MIN_NS && o->tick_ns <= OPTIONS_TICK_MAX_NS);
	EXPECT(!takes_file || o->file);
	EXPECT(!o->file || is_argument(argv, argc, o->file));
	EXPECT(!o->has_format || (unsigned int)o->format < NR_FORMATS);
	for (uint32_t i = 0; i < o->nr_arguments; i++)
		EXPECT(is_argument(argv, argc, o->arguments[i]));
	EXPECT(!o->recording || is_argument(argv, argc, o->recording));
	EXPECT(!o->output || (is_argument(argv, argc, o->output) && *o->output));
	EXPECT(o->core.nr_gateways <= CORE_MAX_GATEWAY_FILTERS);
	for (uint32_t i = 0; i < o->core.nr_gateways; i++) {
		const struct gateway_filter *filter = &o->core.gateways[i];

		EXPECT(memchr(filter->comm, '\0', sizeof(filter->comm)));
		EXPECT(*filter->comm || filter->port);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *argv[MAX_ARGS + 2] = {"memswell"};
	char error[256] = "";
	struct options o;
	int argc = 1, err;

	EXPECT(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	for (char *at = text, *end; at < text + size && argc <= MAX_ARGS; at = end + 1) {
		end = at + strcspn(at, "\n");
		*end = '\0';
		argv[argc++] = at;
	}
	err = options_parse(argc, argv, &o, error, sizeof(error));
	EXPECT(err == 0 || err == -EINVAL);
	if (err) {
		EXPECT(*error);
		expect_text(error, strlen(error), false);
	} else {
		expect_options(&o, argv, argc);
	}
	free(text);
	return 0;
}
