/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * json_writer.h - append JSON to a fixed buffer. Escapes everything, never overruns, and tells at
 * the end whether all fitted. It writes; it does not parse (a library does) and knows no schema.
 *
 * The prefix is jw_, not json_: jansson exports json_string() and json_null(), and a program's own
 * function of the same name would also take the library's internal calls.
 */
#ifndef MEMSWELL_JSON_WRITER_H
#define MEMSWELL_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer {
	size_t max_text; /* bytes of a string value that are written, the rest is left out; 0: all */
	char *data;
	size_t size;
	size_t len;    /* bytes written, without the NUL that always follows if size > 0 */
	bool overflow; /* something did not fit: data is a prefix, not JSON */
	bool need_comma;
};

void jw_init(struct json_writer *w, char *data, size_t size);

/* `key` NULL: an array element or the outermost value. */
void jw_open_object(struct json_writer *w, const char *key);
void jw_close_object(struct json_writer *w);
void jw_open_array(struct json_writer *w, const char *key);
void jw_close_array(struct json_writer *w);
/* Invalid UTF-8 becomes U+FFFD; control characters, quotes, DEL and U+2028/9 are escaped. */
void jw_string(struct json_writer *w, const char *key, const char *value);
/* Above INT64_MAX, which many readers cannot hold and refuse the line for, INT64_MAX is written. */
void jw_u64(struct json_writer *w, const char *key, uint64_t value);
void jw_i64(struct json_writer *w, const char *key, int64_t value);
/* Shortest form with at most 6 significant decimals; not finite: null. Locale-independent. */
void jw_double(struct json_writer *w, const char *key, double value);
void jw_bool(struct json_writer *w, const char *key, bool value);
void jw_null(struct json_writer *w, const char *key);

#endif
