/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* usual.c - see usual.h. */
#include "core/usual.h"

#include "base/units.h"

#define SUB_BITS 3
#define EXACT	 (2U << SUB_BITS) /* below, each value has its own bucket */

/* The highest bit tells the octave, the SUB_BITS below it the part of that. */
static uint32_t bucket_of(uint64_t value)
{
	uint32_t shift;

	if (value < EXACT)
		return (uint32_t)value;
	shift = 63 - (uint32_t)__builtin_clzll(value) - SUB_BITS;
	return (uint32_t)min_u64((shift << SUB_BITS) + (value >> shift), USUAL_BUCKETS - 1);
}

static double middle_of(uint32_t bucket)
{
	uint32_t shift;

	if (bucket < EXACT)
		return bucket;
	shift = (bucket >> SUB_BITS) - 1;
	return ((double)(bucket - (shift << SUB_BITS)) + 0.5) * (double)(1ULL << shift);
}

static void halve(struct usual *u)
{
	for (uint32_t i = 0; i < USUAL_BUCKETS; i++)
		u->count[i] /= 2;
}

void usual_add(struct usual *u, uint64_t value, uint64_t n)
{
	uint16_t *count = &u->count[bucket_of(value)];

	n = min_u64(n, UINT16_MAX / 2);
	if (n > (uint64_t)(UINT16_MAX - *count))
		halve(u);
	*count = (uint16_t)(*count + n);
}

double usual_median(const struct usual *u)
{
	uint64_t total = 0, below = 0;

	for (uint32_t i = 0; i < USUAL_BUCKETS; i++)
		total += u->count[i];
	for (uint32_t i = 0; i < USUAL_BUCKETS; i++) {
		below += u->count[i];
		if (below * 2 > total)
			return middle_of(i);
	}
	return -1;
}
