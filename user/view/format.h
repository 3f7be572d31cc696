/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * format.h - a document in a format. Each spells and escapes, and says nothing of its own.
 *
 * Errors of the file are left for the caller to look for with ferror() and fflush().
 */
#ifndef MEMSWELL_FORMAT_H
#define MEMSWELL_FORMAT_H

#include <stdio.h>

#include "view/document.h"

enum format { FORMAT_HTML = 0, FORMAT_TEXT, FORMAT_MARKDOWN, FORMAT_JSON, NR_FORMATS };

/* "html", ...; -EINVAL if it is none. */
int format_parse(const char *word);
/* By the end of a file's name: "out.md". -EINVAL if it tells none. */
int format_of_file(const char *name);

void format_write(enum format format, const struct document *d, FILE *to);

/* What `memswell explain` prints: only the blocks that explain, as text. */
void format_explain(const struct document *d, FILE *to);

void format_html(const struct document *d, FILE *to);
void format_text(const struct document *d, FILE *to);
void format_markdown(const struct document *d, FILE *to);
void format_json(const struct document *d, FILE *to);

#endif
