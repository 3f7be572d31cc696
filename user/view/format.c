/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* format.c - see format.h. The list of formats: adding one is adding a row. */
#include "view/format.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *word;
	const char *endings[3];
	void (*write)(const struct document *d, FILE *to);
} formats[NR_FORMATS] = {
	[FORMAT_HTML] = {"html", {".html", ".htm"}, format_html},
	[FORMAT_TEXT] = {"text", {".txt", ".text"}, format_text},
	[FORMAT_MARKDOWN] = {"markdown", {".md", ".markdown"}, format_markdown},
	[FORMAT_JSON] = {"json", {".json"}, format_json},
};

int format_parse(const char *word)
{
	for (int i = 0; i < NR_FORMATS; i++)
		if (strcmp(formats[i].word, word) == 0)
			return i;
	return -EINVAL;
}

static int ends_with(const char *name, const char *ending)
{
	size_t len = strlen(name), n = strlen(ending);

	return len > n && strcmp(name + len - n, ending) == 0;
}

int format_of_file(const char *name)
{
	for (int i = 0; i < NR_FORMATS; i++)
		for (int e = 0; e < 3 && formats[i].endings[e]; e++)
			if (ends_with(name, formats[i].endings[e]))
				return i;
	return -EINVAL;
}

void format_write(enum format format, const struct document *d, FILE *to)
{
	formats[format].write(d, to);
}
