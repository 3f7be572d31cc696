/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* main.c - from the command line to the command. */
#include <stdio.h>

#include "base/log.h"
#include "health.h"
#include "model/schema.h"
#include "options.h"
#include "pipeline.h"
#include "views.h"

static enum exit_code print_schema(void)
{
	size_t written = fwrite(schema_json, 1, schema_json_len, stdout);

	return written == schema_json_len && !fflush(stdout) ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

int main(int argc, char **argv)
{
	struct options options;
	char error[256];

	log_find_journal();
	if (options_parse(argc, argv, &options, error, sizeof(error))) {
		log_error("%s", error);
		return EXIT_CODE_USAGE;
	}
	log_set_level(options.log_level);
	switch (options.command) {
	case COMMAND_RUN:
	case COMMAND_RECORD:
		return pipeline_live(&options);
	case COMMAND_REPLAY:
		return pipeline_replay(&options);
	case COMMAND_REPORT:
		return views_report(&options);
	case COMMAND_EXPLAIN:
		return views_explain(&options);
	case COMMAND_TOP:
		return pipeline_top(&options);
	case COMMAND_HEALTH:
		return health(&options);
	case COMMAND_CHECK:
		return pipeline_check(&options);
	case COMMAND_SCHEMA:
		return print_schema();
	case COMMAND_VERSION:
		return puts("memswell " MEMSWELL_VERSION) < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
	default:
		options_help(stdout);
		return EXIT_CODE_OK;
	}
}
