/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * metrics_reader.h - reads the text of metrics back, by the grammar and by nothing of ours: for the unit
 * test and the fuzzer. Whatever it meets that no scraper would take fails.
 */
#ifndef MEMSWELL_METRICS_READER_H
#define MEMSWELL_METRICS_READER_H

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define METRICS_READER_LINES 65536

struct metrics_reader {
	const char
		*samples[METRICS_READER_LINES]; /* names with labels; of equal ones, equal text */
	size_t lengths[METRICS_READER_LINES];
	size_t nr;
	bool ended;	   /* # EOF was met */
	const char *wrong; /* the first line that is, NULL */
};

static inline bool reader_name(const char **c)
{
	const char *start = *c;

	if (!isalpha((unsigned char)**c) && **c != '_')
		return false;
	while (isalnum((unsigned char)**c) || **c == '_')
		(*c)++;
	return *c > start;
}

/* A label's value, from its quote on; no byte below a space may stand in it as it is. */
static inline bool reader_text(const char **c, const char *end)
{
	if (*(*c)++ != '"')
		return false;
	while (*c < end && **c != '"') {
		size_t len = utf8_sequence(*c, (size_t)(end - *c));

		if (!len || (unsigned char)**c < 0x20)
			return false;
		if (**c == '\\' && !strchr("\\\"n", *++*c))
			return false;
		*c += len;
	}
	return *c < end && *(*c)++ == '"';
}

static inline bool reader_labels(const char **c, const char *end)
{
	if (**c != '{')
		return true;
	do {
		(*c)++;
		if (!reader_name(c) || *(*c)++ != '=' || !reader_text(c, end))
			return false;
	} while (**c == ',');
	return *(*c)++ == '}';
}

static inline bool reader_sample(struct metrics_reader *r, const char *line, const char *end)
{
	const char *c = line;
	char *rest;

	if (!reader_name(&c) || !reader_labels(&c, end) || *c != ' ')
		return false;
	if (r->nr == METRICS_READER_LINES)
		return false;
	r->samples[r->nr] = line;
	r->lengths[r->nr++] = (size_t)(c - line);
	strtod(c + 1, &rest);
	return rest == end;
}

static inline bool reader_comment(struct metrics_reader *r, const char *line, const char *end)
{
	const char *c = line + 7;

	if (end - line == 5 && !strncmp(line, "# EOF", 5)) {
		r->ended = true;
		return true;
	}
	if (strncmp(line, "# HELP ", 7) && strncmp(line, "# TYPE ", 7) &&
	    strncmp(line, "# UNIT ", 7))
		return false;
	return reader_name(&c) && *c == ' ';
}

/* `text` is NUL-terminated. */
static inline void metrics_read(struct metrics_reader *r, const char *text)
{
	r->nr = 0;
	r->ended = false;
	r->wrong = NULL;
	while (*text && !r->wrong) {
		const char *end = strchr(text, '\n');
		bool good =
			end && !r->ended &&
			(*text == '#' ? reader_comment(r, text, end) : reader_sample(r, text, end));

		if (!good)
			r->wrong = text;
		else
			text = end + 1;
	}
}

static inline int reader_compare(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t i = 0;

	/* Up to the value: what follows the labels. */
	for (bool quoted = false; x[i] && x[i] == y[i]; i++) {
		if (x[i] == '"' && (i == 0 || x[i - 1] != '\\'))
			quoted = !quoted;
		if (x[i] == ' ' && !quoted)
			return 0;
	}
	return (unsigned char)x[i] - (unsigned char)y[i];
}

/* The first that stands there twice, NULL if none does. */
static inline const char *metrics_twice(struct metrics_reader *r)
{
	qsort(r->samples, r->nr, sizeof(r->samples[0]), reader_compare);
	for (size_t i = 1; i < r->nr; i++)
		if (!reader_compare(&r->samples[i - 1], &r->samples[i]))
			return r->samples[i];
	return NULL;
}

#endif
