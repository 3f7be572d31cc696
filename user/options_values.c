/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * options_values.c - values as they are written on the command line: durations, sizes, percentages, gateways.
 * They depend on no option.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

int options_parse_duration(const char *text, uint64_t min_ns, uint64_t max_ns, uint64_t *out_ns)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = {{"ms", 1e6}, {"s", 1e9}, {"m", 60e9}};
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	double value = strtod(text, &end);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && !errno; i++) {
		if (strcmp(end, units[i].unit))
			continue;
		double ns = value * units[i].ns;

		if (!(ns >= (double)min_ns && ns <= (double)max_ns))
			return -EINVAL;
		*out_ns = (uint64_t)ns;
		return 0;
	}
	return -EINVAL;
}

int options_parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	static const char units[] = "KMG";
	const char *unit;
	unsigned int shift = 0;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);

	if (*end && (unit = strchr(units, *end))) {
		shift = 10 * (unsigned int)(unit - units + 1);
		end++;
	}
	if (errno || *end || value > UINT64_MAX >> shift || value << shift < min ||
	    value << shift > max)
		return -EINVAL;
	*out = value << shift;
	return 0;
}

int options_parse_percent(const char *text, double min, double max, double *out)
{
	char *end;
	double value;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	value = strtod(text, &end);
	if (!strcmp(end, "%"))
		end++;
	if (*end || !(value >= min && value <= max))
		return -EINVAL;
	*out = value;
	return 0;
}

int options_parse_gateway(const char *text, struct gateway_filter *out)
{
	struct gateway_filter filter = {0};
	const char *colon = strrchr(text, ':');
	size_t comm_len = colon ? (size_t)(colon - text) : strlen(text);

	if (comm_len >= sizeof(filter.comm) || (!comm_len && !colon))
		return -EINVAL;
	memcpy(filter.comm, text, comm_len);
	if (colon) {
		char *end;
		unsigned long port = strtoul(colon + 1, &end, 10);

		if (colon[1] < '0' || colon[1] > '9' || *end || !port || port > UINT16_MAX)
			return -EINVAL;
		filter.port = port;
	}
	*out = filter;
	return 0;
}
