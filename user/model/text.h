/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * text.h - bounded text for summaries, details and actions. Numbers are printed with integers only,
 * so no locale reaches the output; a text that does not fit ends before the character that is too
 * much.
 */
#ifndef MEMSWELL_TEXT_H
#define MEMSWELL_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "model/ids.h"

/* Copy foreign text of at most src_size bytes, NUL-terminated or not; always valid UTF-8 after. */
void text_copy(char *dst, size_t dst_size, const char *src, size_t src_size);

struct text {
	char *data;
	size_t size;
	size_t len;
};

void text_init(struct text *t, char *data, size_t size);
void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(struct text *t, uint64_t bytes);	/* "18.5 KiB", "160 MiB", "2.5 GiB" */
void text_add_rate(struct text *t, double bytes_per_s); /* "3.5 MiB/s", "1.2 MiB/min" */
void text_add_duration(struct text *t, uint64_t ns);	/* "14 ms", "38.1 s", "12.5 min" */
void text_add_decimal(struct text *t, double value);	/* "7.6", "12" */
void text_add_endpoint(struct text *t, const struct endpoint *e); /* "10.0.0.1:80", "[::1]:80" */

#endif
