/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * usual.h - what a quantity usually is: the median of a long series in little memory. Values are
 * counted in buckets of an eighth of an octave, so the answer is exact below 16 and else within 7 %;
 * above 2^27 all are one. Pure.
 */
#ifndef MEMSWELL_USUAL_H
#define MEMSWELL_USUAL_H

#include <stdint.h>

#define USUAL_BUCKETS 208

/* Zeroed memory is an empty one. When a counter is full all are halved: old values count less. */
struct usual {
	uint16_t count[USUAL_BUCKETS];
};

/* The value occurred n more times. */
void usual_add(struct usual *u, uint64_t value, uint64_t n);

/* The median, -1 if there is no value. */
double usual_median(const struct usual *u);

#endif
