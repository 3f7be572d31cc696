/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * metrics_text.h - the two text formats of metrics, written into a fixed buffer: OpenMetrics 1.0 and
 * Prometheus 0.0.4. It escapes and counts; it knows no metric.
 *
 * What does not fit is left out whole, line by line, and counted: an answer that is cut off would be
 * no answer at all.
 */
#ifndef MEMSWELL_METRICS_TEXT_H
#define MEMSWELL_METRICS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metrics_format { METRICS_PROMETHEUS = 0, METRICS_OPENMETRICS, NR_METRICS_FORMATS };

enum metrics_type { METRICS_GAUGE = 0, METRICS_COUNTER, METRICS_INFO };

struct metrics_text {
	enum metrics_format format;
	char *data;
	size_t size;
	size_t len;
	size_t line;	   /* where the line being written began */
	bool full;	   /* it does not fit */
	bool has_label;	   /* of the line being written */
	uint64_t left_out; /* lines */
};

/*
 * Text as it stands in labels, before quotes are escaped: invalid UTF-8 and control characters are
 * U+FFFD, cut at a character. What is not the same here is not the same there.
 */
void metrics_text_clean(char *dst, size_t dst_size, const char *src);

void metrics_text_init(struct metrics_text *t, enum metrics_format format, char *data, size_t size);

/* What precedes the samples of a family; `unit` "" for none. `name` without _total and _info. */
void metrics_text_family(struct metrics_text *t, const char *name, enum metrics_type type,
			 const char *unit, const char *help);

/* One sample: begin, its labels, then its value. */
void metrics_text_begin(struct metrics_text *t, const char *name, enum metrics_type type);
/* Any bytes; invalid UTF-8 and control characters become U+FFFD. */
void metrics_text_label(struct metrics_text *t, const char *name, const char *value);
void metrics_text_value(struct metrics_text *t, double value);

/* The end, which always fits. Returns the length of all. */
size_t metrics_text_end(struct metrics_text *t);

#endif
