/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* chart_scale.c - see chart_scale.h. */
#include "view/chart_scale.h"

#include <math.h>
#include <stddef.h>

#include "base/units.h"

#define MOST_TICKS 5
#define LINE	   24 /* what a tick takes of the height */

static void set_ticks(struct scale *s, double step)
{
	s->nr_ticks = 0;
	for (double v = 0; v <= s->high * 1.0001 && s->nr_ticks < SCALE_MAX_TICKS; v += step)
		s->ticks[s->nr_ticks++] = v;
}

static void init(struct scale *s, double max, double top, double bottom)
{
	*s = (struct scale){.low = 0, .high = max, .top = top, .bottom = bottom};
}

void scale_bytes(struct scale *s, double max, double top, double bottom)
{
	double step = 1024;

	if (!(max > 1024) || !isfinite(max))
		max = 1024;
	init(s, max * 1.06, top, bottom);
	while (s->high / step > MOST_TICKS)
		step *= 2;
	set_ticks(s, step);
}

void scale_counts(struct scale *s, double max, double top, double bottom)
{
	static const double steps[] = {1, 2, 5};
	double decade = 1;

	if (!(max > 1) || !isfinite(max))
		max = 1;
	double most = bottom - top >= 2 * LINE ? (bottom - top) / LINE : 2;

	init(s, max * 1.06, top, bottom);
	while (s->high / decade > most * 10)
		decade *= 10;
	for (size_t i = 0; i < 6; i++) {
		double step = decade * steps[i % 3] * (i < 3 ? 1 : 10);

		if (s->high / step <= most) {
			set_ticks(s, step);
			return;
		}
	}
}

void scale_decades(struct scale *s, double min, double max, double top, double bottom)
{
	init(s, 0, top, bottom);
	s->logarithmic = true;
	min = min > 1e-3 ? min : 1e-3;
	max = max < 1e9 ? max : 1e9;
	s->low = pow(10, floor(log10(min)));
	s->high = pow(10, ceil(log10(fmax(max, min * 1.001))));
	for (double v = s->low; v <= s->high * 1.001 && s->nr_ticks < SCALE_MAX_TICKS; v *= 10)
		s->ticks[s->nr_ticks++] = v;
}

double scale_place(const struct scale *s, double value)
{
	double low = s->low, high = s->high;

	if (s->logarithmic) {
		low = log10(low);
		high = log10(high);
		value = log10(value > s->low ? value : s->low);
	}
	value = fmin(fmax(value, low), high);
	return s->bottom - (s->bottom - s->top) * (high > low ? (value - low) / (high - low) : 0);
}

uint64_t scale_time_step(uint64_t span_ns, uint32_t nr)
{
	static const uint32_t seconds[] = {1,	2,   5,	   10,	 15,   30,    60,    120,  300,
					   600, 900, 1800, 3600, 7200, 10800, 21600, 43200};

	if (span_ns / nr < NSEC_PER_SEC / 2) {
		static const uint32_t ms[] = {1, 2, 5, 10, 20, 50, 100, 200, 500};

		for (size_t i = 0; i < sizeof(ms) / sizeof(ms[0]); i++)
			if (span_ns / (ms[i] * NSEC_PER_MSEC) <= nr)
				return ms[i] * NSEC_PER_MSEC;
	}
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		if (span_ns / (seconds[i] * NSEC_PER_SEC) <= nr)
			return seconds[i] * NSEC_PER_SEC;
	return 86400 * NSEC_PER_SEC * (1 + span_ns / (86400 * NSEC_PER_SEC) / nr);
}
