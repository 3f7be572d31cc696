/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* units.h - the few constants and integer helpers that every layer needs. */
#ifndef MEMSWELL_UNITS_H
#define MEMSWELL_UNITS_H

#include <stdint.h>

#define NSEC_PER_SEC  1000000000ULL
#define NSEC_PER_MSEC 1000000ULL
#define KIB	      1024ULL
#define MIB	      (1024ULL * 1024ULL)

/* Times come from a recording anybody may have written: never below zero, never around. */
static inline uint64_t since_ns(uint64_t now_ns, uint64_t then_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Earliest of two times of which 0 means none. */
static inline uint64_t earliest_ns(uint64_t a, uint64_t b)
{
	if (!a || !b)
		return a ? a : b;
	return min_u64(a, b);
}

/* Sums of foreign numbers stop at the end instead of starting again. */
static inline uint64_t add_u64(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static inline uint32_t add_u32(uint32_t a, uint64_t b)
{
	uint64_t sum = add_u64(a, b);

	return sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

/* A quantity for text; what does not fit is cut off, where a cast would be undefined. */
static inline uint64_t u64_of(double x)
{
	if (!(x > 0))
		return 0;
	return x < 1.8e19 ? (uint64_t)x : UINT64_MAX;
}

/* Spread of a 64-bit key (finalizer of SplitMix64). */
static inline uint64_t hash_u64(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

#endif
