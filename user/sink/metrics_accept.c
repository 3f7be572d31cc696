/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* metrics_accept.c - metrics_format_of: what an Accept header prefers (RFC 9110, 12.5.1). */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sink/metrics_server.h"

#define OPENMETRICS "application/openmetrics-text"
#define PLAIN	    "text/plain"

/* A media range and its parameters, without the comma. */
struct range {
	const char *start;
	size_t len;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_type(const struct range *range, const char *type)
{
	size_t len = strlen(type);

	return range->len >= len && !strncasecmp(range->start, type, len) &&
	       (range->len == len || range->start[len] == ';' || is_space(range->start[len]));
}

/* Its weight, 0..1000; 1000 if it does not say. */
static int weight_of(const struct range *range)
{
	const char *c = memchr(range->start, ';', range->len);
	const char *end = range->start + range->len;

	for (; c && c < end; c = memchr(c, ';', (size_t)(end - c))) {
		int weight = 0, scale = 1000;

		c++;
		while (c < end && is_space(*c))
			c++;
		if (end - c < 3 || (*c != 'q' && *c != 'Q') || c[1] != '=')
			continue;
		for (c += 2; c < end && (*c == '.' || (*c >= '0' && *c <= '9')) && scale; c++) {
			if (*c == '.')
				continue;
			weight += (*c - '0') * scale;
			scale /= 10;
		}
		return weight > 1000 ? 1000 : weight;
	}
	return 1000;
}

enum metrics_format metrics_format_of(const char *accept)
{
	int openmetrics = 0, plain = 0;

	while (accept && *accept) {
		struct range range = {accept, strcspn(accept, ",")};

		accept += range.len + (accept[range.len] == ',');
		while (range.len && is_space(*range.start)) {
			range.start++;
			range.len--;
		}
		if (is_type(&range, OPENMETRICS) && weight_of(&range) > openmetrics)
			openmetrics = weight_of(&range);
		if (is_type(&range, PLAIN) && weight_of(&range) > plain)
			plain = weight_of(&range);
	}
	return openmetrics && openmetrics >= plain ? METRICS_OPENMETRICS : METRICS_PROMETHEUS;
}
