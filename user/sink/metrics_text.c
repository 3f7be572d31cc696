/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* metrics_text.c - see metrics_text.h. */
#include "sink/metrics_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static const char end_mark[] = "# EOF\n";

/* A label is cut at a character once it is so long. */
#define MAX_LABEL_BYTES 256
/* Integers up to here are printed as such: a double holds them exactly. */
#define MAX_EXACT 9007199254740992.0

void metrics_text_init(struct metrics_text *t, enum metrics_format format, char *data, size_t size)
{
	memset(t, 0, sizeof(*t));
	t->format = format;
	t->data = data;
	t->size = size > sizeof(end_mark) ? size - sizeof(end_mark) : 0;
}

static void add_bytes(struct metrics_text *t, const char *bytes, size_t len)
{
	if (t->full || t->size - t->len < len) {
		t->full = true;
		return;
	}
	memcpy(t->data + t->len, bytes, len);
	t->len += len;
}

static void add(struct metrics_text *t, const char *text)
{
	add_bytes(t, text, strlen(text));
}

static void begin_line(struct metrics_text *t)
{
	t->line = t->len;
	t->full = false;
	t->has_label = false;
}

static void end_line(struct metrics_text *t)
{
	add(t, "\n");
	if (!t->full)
		return;
	t->len = t->line;
	t->left_out++;
}

static const char *suffix_of(enum metrics_type type)
{
	switch (type) {
	case METRICS_COUNTER:
		return "_total";
	case METRICS_INFO:
		return "_info";
	default:
		return "";
	}
}

static const char *type_word(const struct metrics_text *t, enum metrics_type type)
{
	if (type == METRICS_COUNTER)
		return "counter";
	return type == METRICS_INFO && t->format == METRICS_OPENMETRICS ? "info" : "gauge";
}

static void comment(struct metrics_text *t, const char *what, const char *name, const char *suffix,
		    const char *text)
{
	add(t, "# ");
	add(t, what);
	add(t, " ");
	add(t, name);
	add(t, suffix);
	add(t, " ");
	add(t, text);
	add(t, "\n");
}

/* OpenMetrics names families without the suffix of their samples, Prometheus with it. */
void metrics_text_family(struct metrics_text *t, const char *name, enum metrics_type type,
			 const char *unit, const char *help)
{
	const char *suffix = t->format == METRICS_OPENMETRICS ? "" : suffix_of(type);

	begin_line(t);
	comment(t, "HELP", name, suffix, help);
	comment(t, "TYPE", name, suffix, type_word(t, type));
	if (*unit && t->format == METRICS_OPENMETRICS)
		comment(t, "UNIT", name, suffix, unit);
	if (!t->full)
		return;
	t->len = t->line;
	t->left_out++;
}

void metrics_text_begin(struct metrics_text *t, const char *name, enum metrics_type type)
{
	begin_line(t);
	add(t, name);
	add(t, suffix_of(type));
}

/* C0, DEL or, in two bytes, C1: its length, 0 if it is none. */
static size_t control(const char *c)
{
	unsigned char byte = (unsigned char)c[0];

	if (byte == 0xc2)
		return (unsigned char)c[1] < 0xa0 ? 2 : 0;
	return byte < 0x20 || byte == 0x7f ? 1 : 0;
}

void metrics_text_clean(char *dst, size_t dst_size, const char *src)
{
	static const char unknown[] = "\xef\xbf\xbd";
	char valid[MAX_LABEL_BYTES + 1];
	size_t len = 0;

	utf8_sanitize(valid, sizeof(valid), src, strlen(src));
	for (const char *c = valid; *c;) {
		size_t skip = *c == '\n' ? 0 : control(c);
		size_t take = skip ? skip : utf8_sequence(c, strlen(c));
		size_t want = skip ? sizeof(unknown) - 1 : take;

		if (len + want >= dst_size)
			break;
		memcpy(dst + len, skip ? unknown : c, want);
		len += want;
		c += take;
	}
	dst[len] = '\0';
}

static void add_escaped(struct metrics_text *t, const char *text)
{
	for (const char *c = text; *c; c++) {
		if (*c == '\\')
			add(t, "\\\\");
		else if (*c == '"')
			add(t, "\\\"");
		else if (*c == '\n')
			add(t, "\\n");
		else
			add_bytes(t, c, 1);
	}
}

void metrics_text_label(struct metrics_text *t, const char *name, const char *value)
{
	char clean[3 * MAX_LABEL_BYTES + 1];

	metrics_text_clean(clean, sizeof(clean), value);
	add(t, t->has_label ? "," : "{");
	t->has_label = true;
	add(t, name);
	add(t, "=\"");
	add_escaped(t, clean);
	add(t, "\"");
}

/* The shortest that reads back as the same. */
static void add_number(struct metrics_text *t, double value)
{
	char text[40];

	if (isnan(value)) {
		add(t, "NaN");
		return;
	}
	if (isinf(value)) {
		add(t, value < 0 ? "-Inf" : "+Inf");
		return;
	}
	if (floor(value) == value && fabs(value) < MAX_EXACT) {
		snprintf(text, sizeof(text), "%.0f", value + 0.0);
	} else {
		snprintf(text, sizeof(text), "%.15g", value);
		if (strtod(text, NULL) != value)
			snprintf(text, sizeof(text), "%.17g", value);
	}
	add(t, text);
}

void metrics_text_value(struct metrics_text *t, double value)
{
	add(t, t->has_label ? "} " : " ");
	add_number(t, value);
	end_line(t);
}

size_t metrics_text_end(struct metrics_text *t)
{
	if (t->format == METRICS_OPENMETRICS && t->size) {
		memcpy(t->data + t->len, end_mark, sizeof(end_mark) - 1);
		t->len += sizeof(end_mark) - 1;
	}
	return t->len;
}
