/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* load_failure.c - see load_failure.h. */
#include "source/load_failure.h"

#include <string.h>

#include "base/utf8.h"

#define LOG_BEGINS "-- BEGIN PROG LOAD LOG --"

/* The verifier's verdict is its last line but for the statistics. */
static void find_verdict(const char *log, char *out, size_t out_size)
{
	const char *end = strstr(log, "\nprocessed ");
	const char *line;

	if (!end)
		end = strstr(log, "\n-- END PROG LOAD LOG");
	if (!end || end == log)
		return;
	line = memrchr(log, '\n', (size_t)(end - log));
	line = line ? line + 1 : log;
	utf8_sanitize(out, out_size, line, (size_t)(end - line));
}

/* What follows `begin`, or NULL. */
static const char *after(const char *message, const char *begin)
{
	size_t len = strlen(begin);

	return strncmp(message, begin, len) == 0 ? message + len : NULL;
}

void load_failure_read(struct load_failure *failure, const char *message)
{
	const char *program = after(message, "libbpf: prog '");
	const char *name = program ? program : after(message, "libbpf: map '");
	const char *quote, *log, *words;

	if (!name || !(quote = strchr(name, '\'')))
		return;
	failure->what = program ? "program" : "map";
	utf8_sanitize(failure->name, sizeof(failure->name), name, (size_t)(quote - name));
	log = strstr(quote, LOG_BEGINS);
	words = after(quote, "': ");
	if (log)
		find_verdict(log + strlen(LOG_BEGINS), failure->reason, sizeof(failure->reason));
	else if (words && !failure->reason[0])
		utf8_sanitize(failure->reason, sizeof(failure->reason), words,
			      strcspn(words, "\n"));
}
