/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * memory_row.h - one line of an account of memory: a table, its limit, and the bytes it never
 * exceeds. Each layer has one list of its own, computed from its limits.
 */
#ifndef MEMSWELL_MEMORY_ROW_H
#define MEMSWELL_MEMORY_ROW_H

#include <stddef.h>
#include <stdint.h>

struct memory_row {
	const char *name; /* static */
	uint64_t limit;	  /* entries; 0: it has none to speak of */
	uint64_t bytes;
};

static inline uint64_t memory_rows_sum(const struct memory_row *rows, size_t nr)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < nr; i++)
		sum += rows[i].bytes;
	return sum;
}

#endif
