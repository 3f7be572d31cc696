/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_process_args.c - whatever bytes a command line and an environment have, the reader stays
 * within them and tells a limit together with its source. The first byte chooses the runtime; the
 * command line follows up to an empty line, then the environment. Line ends stand for NUL, so that
 * seeds are text: tests/fuzz/process_args.corpus.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "source/process_args.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of its exact size, so that a byte too far is seen. */
static char *entries(const uint8_t *data, size_t size)
{
	char *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	for (size_t i = 0; i < size; i++)
		copy[i] = data[i] == '\n' ? '\0' : (char)data[i];
	return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct process_args_input in = {0};
	struct process_args out;
	const uint8_t *empty_line;
	char *args, *env;

	if (size < 1)
		return 0;
	in.runtime = (uint8_t)(data[0] - '0') % NR_RUNTIMES;
	in.memory_bytes = (uint64_t)data[0] << 30;
	empty_line = memmem(data, size, "\n\n", 2);
	in.args_len = empty_line ? (size_t)(empty_line - data) : size - 1;
	in.env_len = size - 1 - in.args_len;
	in.args = args = entries(data + 1, in.args_len);
	in.env = env = entries(data + 1 + in.args_len, in.env_len);
	process_args_parse(&in, &out);
	if (out.heap_limit_source >= NR_HEAP_LIMIT_SOURCES || out.oom_exit >= NR_OOM_EXITS)
		abort();
	if (!out.heap_limit_bytes != !out.heap_limit_source)
		abort();
	if (out.name_source >= NR_NAME_SOURCES || !*out.name != !out.name_source ||
	    !memchr(out.name, '\0', sizeof(out.name)))
		abort();
	free(args);
	free(env);
	return 0;
}
