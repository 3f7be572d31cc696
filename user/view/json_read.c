/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* json_read.c - see json_read.h. */
#include "view/json_read.h"

#include <time.h>

#define NS_PER_S 1000000000LL

const json_t *json_at(const json_t *json, const char *const *path)
{
	for (; *path && json; path++)
		json = json_object_get(json, *path);
	return json_is_null(json) ? NULL : json;
}

const char *json_text(const json_t *json, const char *const *path)
{
	const char *text = json_string_value(json_at(json, path));

	return text ? text : "";
}

bool json_number_at(const json_t *json, const char *const *path, double *out)
{
	const json_t *value = json_at(json, path);

	if (!json_is_number(value))
		return false;
	*out = json_number_value(value);
	return true;
}

uint64_t json_u64(const json_t *json, const char *const *path)
{
	double value = 0;

	if (!json_number_at(json, path, &value) || !(value > 0))
		return 0;
	return value < 1.8e19 ? (uint64_t)value : UINT64_MAX;
}

bool json_flag(const json_t *json, const char *const *path)
{
	return json_is_true(json_at(json, path));
}

/* Two digits at least are a number here: '-' and '+' are not. */
static bool digits(const char **text, int nr, int *out)
{
	int value = 0;

	for (int i = 0; i < nr; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return false;
		value = value * 10 + (**text - '0');
	}
	*out = value;
	return true;
}

static bool separator(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

/* ".818908582": the digits after the point, as nanoseconds. */
static int64_t fraction_ns(const char **text)
{
	int64_t ns = 0;
	int64_t unit = NS_PER_S / 10;

	if (**text != '.')
		return 0;
	for ((*text)++; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
		ns += unit * (**text - '0');
	return ns;
}

bool wall_ns_parse(const char *text, int64_t *out)
{
	struct tm tm = {0};
	int64_t ns;
	time_t seconds;

	if (!digits(&text, 4, &tm.tm_year) || !separator(&text, '-') ||
	    !digits(&text, 2, &tm.tm_mon) || !separator(&text, '-') ||
	    !digits(&text, 2, &tm.tm_mday) || !separator(&text, 'T') ||
	    !digits(&text, 2, &tm.tm_hour) || !separator(&text, ':') ||
	    !digits(&text, 2, &tm.tm_min) || !separator(&text, ':') ||
	    !digits(&text, 2, &tm.tm_sec))
		return false;
	ns = fraction_ns(&text);
	if (text[0] != 'Z' || text[1] || tm.tm_year < 1900 || tm.tm_year > 2200)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	seconds = timegm(&tm);
	*out = (int64_t)seconds * NS_PER_S + ns;
	return true;
}

bool json_wall_ns(const json_t *json, const char *const *path, int64_t *out)
{
	return wall_ns_parse(json_text(json, path), out);
}
