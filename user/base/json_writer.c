/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * json_writer.c - JSON text into a fixed buffer. It answers "how is this value spelled in JSON";
 * it does not check that keys are unique or that opened and closed match: callers are our own
 * encoders, and their lines are validated against the schema in tests.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json_writer.h"
#include "base/utf8.h"

/* Above this a double no longer holds every integer. */
#define EXACT_INTEGER_LIMIT 9007199254740992.0
/* From here on six significant digits have no decimals left, so the integer is the short form. */
#define DECIMALS_LIMIT 1e6

#define U64_DIGITS 20

void jw_init(struct json_writer *w, char *data, size_t size)
{
	*w = (struct json_writer){.data = data, .size = size, .overflow = size == 0};
	if (size > 0)
		data[0] = '\0';
}

/* All or nothing, and nothing ever after a failure: what is there stays a prefix. */
static void append(struct json_writer *w, const char *bytes, size_t len)
{
	if (w->overflow || len >= w->size - w->len) {
		w->overflow = true;
		return;
	}
	memcpy(w->data + w->len, bytes, len);
	w->len += len;
	w->data[w->len] = '\0';
}

static void append_escape(struct json_writer *w, unsigned int code_point)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = {'\\', 'u'};

	for (int i = 0; i < 4; i++)
		text[2 + i] = hex[(code_point >> (12 - 4 * i)) & 0xF];
	append(w, text, sizeof(text));
}

/* Printable ASCII that JSON takes as it is. */
static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

static void append_ascii(struct json_writer *w, unsigned char byte)
{
	if (byte == '"')
		append(w, "\\\"", 2);
	else if (byte == '\\')
		append(w, "\\\\", 2);
	else if (byte == '\n')
		append(w, "\\n", 2);
	else if (byte == '\t')
		append(w, "\\t", 2);
	else
		append_escape(w, byte);
}

/* A C1 control, or one of the two separators that end a line for JavaScript. 0: neither. */
static unsigned int line_breaking_code_point(const unsigned char *text, size_t len)
{
	if (len == 2 && text[0] == 0xC2 && text[1] < 0xA0)
		return text[1];
	if (len == 3 && text[0] == 0xE2 && text[1] == 0x80 && (text[2] == 0xA8 || text[2] == 0xA9))
		return 0x2000 + (text[2] & 0x3F);
	return 0;
}

/* One character that is not plain; returns how many bytes of `text` it took. */
static size_t append_special(struct json_writer *w, const char *text, size_t len)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t valid = utf8_sequence(text, len);
	unsigned int code_point;

	if (valid == 0) {
		append(w, "\xEF\xBF\xBD", 3);
		return 1;
	}
	if (valid == 1) {
		append_ascii(w, bytes[0]);
		return 1;
	}
	code_point = line_breaking_code_point(bytes, valid);
	if (code_point)
		append_escape(w, code_point);
	else
		append(w, text, valid);
	return valid;
}

static void append_quoted(struct json_writer *w, const char *text)
{
	size_t len = w->max_text ? strnlen(text, w->max_text) : strlen(text);
	size_t pos = 0;

	append(w, "\"", 1);
	while (pos < len && !w->overflow) {
		size_t run = pos;

		while (run < len && is_plain((unsigned char)text[run]))
			run++;
		append(w, text + pos, run - pos);
		pos = run;
		if (pos < len)
			pos += append_special(w, text + pos, len - pos);
	}
	append(w, "\"", 1);
}

/* Our own keys are identifiers: they need no escaping, which is most of the speed. */
static void begin_value(struct json_writer *w, const char *key)
{
	if (w->need_comma)
		append(w, ",", 1);
	w->need_comma = true;
	if (!key)
		return;
	append(w, "\"", 1);
	append(w, key, strlen(key));
	append(w, "\":", 2);
}

static void open_bracket(struct json_writer *w, const char *key, const char *bracket)
{
	begin_value(w, key);
	append(w, bracket, 1);
	w->need_comma = false;
}

static void close_bracket(struct json_writer *w, const char *bracket)
{
	append(w, bracket, 1);
	w->need_comma = true;
}

void jw_open_object(struct json_writer *w, const char *key)
{
	open_bracket(w, key, "{");
}

void jw_close_object(struct json_writer *w)
{
	close_bracket(w, "}");
}

void jw_open_array(struct json_writer *w, const char *key)
{
	open_bracket(w, key, "[");
}

void jw_close_array(struct json_writer *w)
{
	close_bracket(w, "]");
}

void jw_string(struct json_writer *w, const char *key, const char *value)
{
	begin_value(w, key);
	append_quoted(w, value ? value : "");
}

static void append_u64(struct json_writer *w, uint64_t value)
{
	char digits[U64_DIGITS];
	size_t start = sizeof(digits);

	do {
		digits[--start] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	append(w, digits + start, sizeof(digits) - start);
}

static void append_i64(struct json_writer *w, int64_t value)
{
	if (value < 0)
		append(w, "-", 1);
	append_u64(w, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void jw_u64(struct json_writer *w, const char *key, uint64_t value)
{
	begin_value(w, key);
	append_u64(w, value < INT64_MAX ? value : INT64_MAX);
}

void jw_i64(struct json_writer *w, const char *key, int64_t value)
{
	begin_value(w, key);
	append_i64(w, value);
}

static bool is_number_char(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == 'e';
}

/* printf spells the radix character as the locale wants, in one or more bytes: always '.' here. */
static void append_decimal(struct json_writer *w, double value)
{
	char text[48];
	size_t out = 0;

	snprintf(text, sizeof(text), "%.6g", value);
	for (size_t in = 0; text[in]; in++) {
		if (is_number_char(text[in]))
			text[out++] = text[in];
		else if (out > 0 && text[out - 1] != '.')
			text[out++] = '.';
	}
	append(w, text, out);
}

void jw_double(struct json_writer *w, const char *key, double value)
{
	begin_value(w, key);
	if (!isfinite(value))
		append(w, "null", 4);
	else if (fabs(value) < EXACT_INTEGER_LIMIT &&
		 (fabs(value) >= DECIMALS_LIMIT || value == trunc(value)))
		append_i64(w, (int64_t)round(value));
	else
		append_decimal(w, value);
}

void jw_bool(struct json_writer *w, const char *key, bool value)
{
	begin_value(w, key);
	if (value)
		append(w, "true", 4);
	else
		append(w, "false", 5);
}

void jw_null(struct json_writer *w, const char *key)
{
	begin_value(w, key);
	append(w, "null", 4);
}
