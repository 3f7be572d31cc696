/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* top_text.c - see top_text.h. */
#include "view/top_text.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/*
 * Characters that take one column wherever they stand: Latin, Greek, Cyrillic, punctuation, arrows,
 * box drawing. Everything else may combine, be wide or turn the line around, and what a terminal
 * makes of it depends on its version; a name in such letters is still told apart by its number.
 */
static bool is_one_column(uint32_t code)
{
	return (code >= 0x20 && code < 0x7f) || (code >= 0xa0 && code < 0x300 && code != 0xad) ||
	       (code >= 0x370 && code < 0x483) || (code >= 0x48a && code < 0x530) ||
	       (code >= 0x2010 && code < 0x2028) || (code >= 0x2190 && code < 0x2200) ||
	       (code >= 0x2500 && code < 0x25a0);
}

/* One character of `src` to `dst`; returns the bytes written, *taken those read. */
static size_t put_character(char *dst, const char *src, bool utf8, size_t *taken)
{
	size_t len = utf8_sequence(src, strlen(src));

	*taken = len ? len : 1;
	if (len == 0 || (len > 1 && !utf8) || !is_one_column(utf8_code_point(src, len))) {
		*dst = '?';
		return 1;
	}
	for (size_t i = 0; i < len; i++)
		dst[i] = src[i];
	return len;
}

void top_text_cell(char *dst, const char *src, int columns, bool utf8)
{
	int column = 0;
	size_t taken;

	while (*src && column < columns) {
		/* The last column says that there is more. */
		if (column == columns - 1 && src[utf8_sequence(src, strlen(src)) ?: 1]) {
			*dst++ = '~';
			column++;
			break;
		}
		dst += put_character(dst, src, utf8, &taken);
		src += taken;
		column++;
	}
	for (; column < columns; column++)
		*dst++ = ' ';
	*dst = '\0';
}

/* Three digits where there is a fraction, whole numbers where there is none. */
static void scaled(char dst[8], double value, const char *unit)
{
	int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(dst, 8, "%.*f%s", decimals, value, unit);
}

void top_text_bytes(char dst[8], uint64_t bytes)
{
	static const char *const units[] = {"K", "M", "G", "T", "P"};
	double value = (double)bytes / 1024;
	unsigned int unit = 0;

	if (!bytes) {
		snprintf(dst, 8, "0");
		return;
	}
	while (value >= 999.5 && unit < 4) {
		value /= 1024;
		unit++;
	}
	if (unit == 0)
		snprintf(dst, 8, "%.0fK", value < 1 ? 1 : value);
	else
		scaled(dst, value < 9999 ? value : 9999, units[unit]);
}

void top_text_number(char dst[8], double value)
{
	if (!(value > 0))
		snprintf(dst, 8, "0");
	else if (value < 9.95)
		snprintf(dst, 8, "%.1f", value);
	else if (value < 9999.5)
		snprintf(dst, 8, "%.0f", value);
	else if (value < 999.5e3)
		snprintf(dst, 8, "%.0fk", value / 1e3);
	else
		scaled(dst, value / 1e6 < 9999 ? value / 1e6 : 9999, "M");
}

void top_text_seconds(char dst[8], struct measure seconds)
{
	double s = seconds.value;

	if (!seconds.has)
		snprintf(dst, 8, "-");
	else if (s < 119.5)
		snprintf(dst, 8, "%.0fs", s > 0 ? s : 0);
	else if (s < 7170)
		snprintf(dst, 8, "%.0fm", s / 60);
	else if (s < 2 * 86400)
		snprintf(dst, 8, "%.1fh", s / 3600);
	else
		snprintf(dst, 8, "%.0fd", s / 86400 < 999 ? s / 86400 : 999);
}

void top_text_latency(char dst[8], struct measure us)
{
	if (!us.has)
		snprintf(dst, 8, "-");
	else if (us.value < 999.5)
		snprintf(dst, 8, "%.0fus", us.value > 0 ? us.value : 0);
	else if (us.value < 9.95e3)
		snprintf(dst, 8, "%.1fms", us.value / 1e3);
	else if (us.value < 999.5e3)
		snprintf(dst, 8, "%.0fms", us.value / 1e3);
	else if (us.value < 99.95e6)
		snprintf(dst, 8, "%.1fs", us.value / 1e6);
	else
		snprintf(dst, 8, "%.0fs", us.value / 1e6 < 999 ? us.value / 1e6 : 999);
}

void top_text_spark(char *dst, const uint32_t *values, uint32_t nr, int columns, bool utf8)
{
	static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char plain[] = "_.-:=+*#";
	uint32_t first = nr > (uint32_t)columns ? nr - (uint32_t)columns : 0;
	uint32_t highest = 1;

	for (uint32_t i = first; i < nr; i++)
		highest = values[i] > highest ? values[i] : highest;
	for (int pad = columns - (int)(nr - first); pad > 0; pad--)
		*dst++ = ' ';
	for (uint32_t i = first; i < nr; i++) {
		uint64_t bar = (uint64_t)values[i] * 8 / ((uint64_t)highest + 1);

		if (!values[i] || !utf8) {
			*dst++ = values[i] ? plain[bar] : ' ';
			continue;
		}
		memcpy(dst, bars[bar], strlen(bars[bar]));
		dst += strlen(bars[bar]);
	}
	*dst = '\0';
}
