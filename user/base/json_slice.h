/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * json_slice.h - finds one value in a JSON text without a tree of all the others. It knows where values
 * begin and end, and nothing else of them: what is found is for a parser to judge.
 */
#ifndef MEMSWELL_JSON_SLICE_H
#define MEMSWELL_JSON_SLICE_H

#include <stdbool.h>
#include <stddef.h>

/* Text of one value, not terminated; len 0: there is none. */
struct json_slice {
	const char *at;
	size_t len;
};

/* The one value that the text is; none if it does not end, or if something follows. */
struct json_slice json_slice_of(const char *text, size_t len);

/* Of that key, which must stand there without escapes; the first. None if `object` is no object. */
struct json_slice json_slice_member(struct json_slice object, const char *key);

/* The next element of an array, the first after none; false after the last, and if it is no array. */
bool json_slice_next(struct json_slice array, struct json_slice *element);

/* Is it this string? */
bool json_slice_is(struct json_slice value, const char *word);

#endif
