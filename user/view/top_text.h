/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * top_text.h - what fits into a cell of a terminal: foreign text made harmless and cut to columns,
 * quantities in five characters, a history as a row of bars. Knows no terminal; the caller says
 * whether it shows UTF-8.
 */
#ifndef MEMSWELL_TOP_TEXT_H
#define MEMSWELL_TOP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/report.h"

/* Bytes that a cell of so many columns may take, with the NUL. */
#define TOP_CELL_BYTES(columns) (4 * (columns) + 1)

/*
 * Copy valid UTF-8 as exactly `columns` columns, cut off (with a mark) or padded with spaces on the
 * right. Whatever a terminal would not show as a letter in its place (control characters, escape
 * sequences, marks that turn the direction of writing, characters of no or double width) comes out
 * as '?', and so does everything beyond ASCII without `utf8`. `dst` has TOP_CELL_BYTES(columns).
 */
void top_text_cell(char *dst, const char *src, int columns, bool utf8);

/* "0", "512K", "18.5M", "160M", "2.50G"; at most 5 characters. */
void top_text_bytes(char dst[8], uint64_t bytes);
/* "0", "0.3", "42", "9999", "12k", "1.2M"; at most 5 characters. */
void top_text_number(char dst[8], double value);
/* "45s", "12m", "3.4h", "9d"; at most 5 characters; "-" without a value. */
void top_text_seconds(char dst[8], struct measure seconds);
/* "250us", "12ms", "1.5s"; at most 5 characters; "-" without a value. */
void top_text_latency(char dst[8], struct measure us);

/*
 * The newest `columns` of `nr` values, oldest first, as bars between 0 and the largest of them: a
 * service that stands still shows a flat line, and one that grows a slope. Values of 0 are blank.
 */
void top_text_spark(char *dst, const uint32_t *values, uint32_t nr, int columns, bool utf8);

#endif
