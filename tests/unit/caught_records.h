/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* caught_records.h - what a filter of records lets through, for tests to look at: `out`, the first nr_out of it. */
#ifndef MEMSWELL_TESTS_CAUGHT_RECORDS_H
#define MEMSWELL_TESTS_CAUGHT_RECORDS_H

#include "model/record.h"

#define SECOND	1000000000ULL
#define MAX_OUT 64

static struct record out[MAX_OUT];
static uint32_t nr_out;

/* A record_fn. */
static inline void take(void *arg, const struct record *record)
{
	(void)arg;
	assert_true(nr_out < MAX_OUT);
	out[nr_out++] = *record;
}

static inline struct proc_id proc_of(uint32_t tgid)
{
	return (struct proc_id){.tgid = tgid, .start_ns = tgid * 10};
}

#endif
