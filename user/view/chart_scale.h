/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * chart_scale.h - from values to places on the paper, and where to put ticks. Pure arithmetic.
 */
#ifndef MEMSWELL_CHART_SCALE_H
#define MEMSWELL_CHART_SCALE_H

#include <stdbool.h>
#include <stdint.h>

#define SCALE_MAX_TICKS 12

struct scale {
	double low;  /* value at the bottom */
	double high; /* value at the top */
	double top;  /* places, in the units of the drawing; y grows downwards */
	double bottom;
	bool logarithmic;
	double ticks[SCALE_MAX_TICKS];
	uint32_t nr_ticks;
};

/* From 0 to a little above max. Bytes have ticks at powers of two, counts at 1, 2 and 5. */
void scale_bytes(struct scale *s, double max, double top, double bottom);
void scale_counts(struct scale *s, double max, double top, double bottom);
/* Decades that hold [min, max], both above 0. */
void scale_decades(struct scale *s, double min, double max, double top, double bottom);

/* Place of a value, kept within the scale. */
double scale_place(const struct scale *s, double value);

/* The step of time ticks for about `nr` of them within the span: 1, 2, 5, 10, 15, 30 s, ... */
uint64_t scale_time_step(uint64_t span_ns, uint32_t nr);

#endif
