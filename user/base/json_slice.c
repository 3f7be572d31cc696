/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* json_slice.c - see json_slice.h. Nothing recurses: depth is a number. */
#include "base/json_slice.h"

#include <string.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && is_space(*at))
		at++;
	return at;
}

/* Behind the quote that ends it; NULL if none does. */
static const char *skip_string(const char *at, const char *end)
{
	for (at++; at < end; at++) {
		if (*at == '"')
			return at + 1;
		if (*at == '\\')
			at++;
	}
	return NULL;
}

static bool ends_scalar(char c)
{
	return is_space(c) || strchr(",:]}[{\"", c) != NULL;
}

static const char *skip_scalar(const char *at, const char *end)
{
	const char *begin = at;

	while (at < end && !ends_scalar(*at))
		at++;
	return at > begin ? at : NULL;
}

static const char *skip_nested(const char *at, const char *end)
{
	size_t depth = 0;

	while (at < end) {
		if (*at == '"') {
			at = skip_string(at, end);
			if (!at)
				return NULL;
			continue;
		}
		depth += *at == '{' || *at == '[';
		depth -= *at == '}' || *at == ']';
		at++;
		if (!depth)
			return at;
	}
	return NULL;
}

static const char *skip_value(const char *at, const char *end)
{
	if (at == end)
		return NULL;
	if (*at == '"')
		return skip_string(at, end);
	return *at == '{' || *at == '[' ? skip_nested(at, end) : skip_scalar(at, end);
}

/* The value behind `at` and the space there, as a slice; none if it does not end. */
static struct json_slice value_at(const char *at, const char *end)
{
	const char *begin = skip_space(at, end);
	const char *behind = skip_value(begin, end);

	return behind ? (struct json_slice){begin, (size_t)(behind - begin)}
		      : (struct json_slice){0};
}

static const char *end_of(struct json_slice slice)
{
	return slice.len ? slice.at + slice.len : NULL;
}

static bool opens_with(struct json_slice slice, char c)
{
	return slice.len && *slice.at == c;
}

struct json_slice json_slice_of(const char *text, size_t len)
{
	struct json_slice value = value_at(text, text + len);

	if (!value.len || skip_space(end_of(value), text + len) != text + len)
		return (struct json_slice){0};
	return value;
}

/* Behind the mark, if that is what comes next; NULL else. */
static const char *skip_mark(const char *at, const char *end, char mark)
{
	at = skip_space(at, end);
	return at < end && *at == mark ? at + 1 : NULL;
}

struct json_slice json_slice_member(struct json_slice object, const char *key)
{
	const char *end = end_of(object);
	const char *at = opens_with(object, '{') ? object.at + 1 : NULL;

	while (at) {
		struct json_slice name = value_at(at, end), value = {0};

		at = name.len ? skip_mark(end_of(name), end, ':') : NULL;
		if (at)
			value = value_at(at, end);
		if (!value.len || json_slice_is(name, key))
			return value;
		at = skip_mark(end_of(value), end, ',');
	}
	return (struct json_slice){0};
}

bool json_slice_next(struct json_slice array, struct json_slice *element)
{
	const char *end = end_of(array);
	const char *at = NULL;

	if (element->len)
		at = skip_mark(end_of(*element), end, ',');
	else if (opens_with(array, '['))
		at = array.at + 1;
	*element = at ? value_at(at, end) : (struct json_slice){0};
	return element->len;
}

bool json_slice_is(struct json_slice value, const char *word)
{
	size_t len = strlen(word);

	return value.len == len + 2 && *value.at == '"' && memcmp(value.at + 1, word, len) == 0;
}
