/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * growth_parts.h - what the files of growth.h share: how a live process grows (growth.c), and how a dead
 * one had grown (growth_story.c).
 */
#ifndef MEMSWELL_GROWTH_PARTS_H
#define MEMSWELL_GROWTH_PARTS_H

#include "core/growth.h"

/* The last half of the way up at less than this part of the mean speed: 0.6 of the first half's. */
#define GROWTH_CONCAVE 0.75

/* Length of a bucket. */
extern const uint32_t growth_scale_s[GROWTH_SCALES];

/* Buckets shorter than the tick repeat samples, and steps look like a trend. */
int growth_finest_scale(uint64_t tick_ns);

static inline uint32_t growth_kib(uint64_t bytes)
{
	return (uint32_t)min_u64(bytes / KIB, UINT32_MAX);
}

#endif
