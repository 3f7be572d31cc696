/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_line.h - what every line of output must be, whatever went into it: at most 8 KiB with its
 * newline, valid UTF-8, no control character, an object without a key twice that a strict parser reads.
 */
#ifndef MEMSWELL_FUZZ_LINE_H
#define MEMSWELL_FUZZ_LINE_H

#include <jansson.h>

#include "fuzz.h"

#define FUZZ_LINE_MAX 8192

/* The line as an object, for the caller to json_decref(). */
static inline json_t *fuzz_parse_line(const char *line, size_t len)
{
	json_error_t error;
	json_t *root;

	EXPECT(len > 2 && len <= FUZZ_LINE_MAX);
	EXPECT(strlen(line) == len && line[len - 1] == '\n');
	expect_text(line, len - 1, false);
	root = json_loadb(line, len - 1, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		fprintf(stderr, "%s\n%.*s\n", error.text, (int)len, line);
	EXPECT(json_is_object(root));
	return root;
}

/* Where lines go besides, for the schema to be held against them; NULL: nowhere. */
static inline FILE *fuzz_lines_file(void)
{
	static FILE *file;
	static bool asked;
	const char *path = asked ? NULL : getenv("MEMSWELL_FUZZ_LINES");

	asked = true;
	if (path) {
		file = fopen(path, "a");
		EXPECT(file);
	}
	return file;
}

static inline void fuzz_expect_line(const char *line, size_t len)
{
	FILE *file = fuzz_lines_file();

	json_decref(fuzz_parse_line(line, len));
	if (file)
		EXPECT(fwrite(line, 1, len, file) == len && !fflush(file));
}

#endif
