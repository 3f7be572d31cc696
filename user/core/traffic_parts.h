/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * traffic_parts.h - what the files of traffic.h share: its seconds (traffic.c), its backends
 * (traffic_pool.c) and what may be read from them at any time (traffic_story.c).
 */
#ifndef MEMSWELL_TRAFFIC_PARTS_H
#define MEMSWELL_TRAFFIC_PARTS_H

#include "core/traffic.h"

/* Inputs of the regression; its output is growth, in KiB. */
enum traffic_input {
	INPUT_TIME = 0, /* s */
	INPUT_REQUESTS,
	INPUT_RECEIVED,	 /* KiB of bodies beyond small ones */
	INPUT_IN_FLIGHT, /* rise above what it lately was */
	NR_INPUTS
};

_Static_assert(NR_INPUTS == RLS_INPUTS, "inputs");

/* traffic.c ------------------------------------------------------------------------------------ */

static inline uint32_t traffic_u32(uint64_t n)
{
	return (uint32_t)min_u64(n, UINT32_MAX);
}

static inline struct traffic_second *traffic_slot(struct traffic *t, uint64_t second)
{
	return &t->ring[second % TRAFFIC_SECONDS];
}

static inline const struct traffic_second *traffic_at(const struct traffic *t, uint64_t second)
{
	return &t->ring[second % TRAFFIC_SECONDS];
}

/* The oldest second that is in the ring. */
static inline uint64_t traffic_oldest(const struct traffic *t)
{
	return max_u64(t->first_second, since_ns(t->second + 1, TRAFFIC_SECONDS));
}

/* When a second begins. */
uint64_t traffic_begin_ns(const struct traffic *t, uint64_t second);
/* Go on to the second of that time; what was silent meanwhile is unchanged. */
void traffic_advance(struct traffic *t, uint64_t ts_ns);
/* Bring all seconds into the estimates, also those that may still change. */
void traffic_settle(struct traffic *t);
/* Growth of one second, in KiB. */
double traffic_grown_kib(const struct traffic *t, uint64_t second);
uint64_t traffic_in_flight(const struct traffic *t);

/* traffic_pool.c ------------------------------------------------------------------------------- */

void traffic_backend_flow(struct traffic *t, uint64_t ts_ns, const struct record_flow *flow);
/* Are all connections to a backend in use now, and requests waiting for one? */
void traffic_watch_pools(struct traffic *t, uint64_t now_ns);

/* traffic_story.c ------------------------------------------------------------------------------ */

/* The last seconds, added up. */
struct traffic_recent {
	uint64_t requests;
	uint64_t responses;
	uint64_t cpu_us;
	uint64_t major_faults;
	uint32_t nr; /* seconds, at least one */
};

void traffic_recently(const struct traffic *t, struct traffic_recent *out);

/* Its median over the life before the newest `skip` seconds; -1 unknown. */
double traffic_usually(const struct traffic *t, enum traffic_quantity quantity, uint64_t skip);
/* One second's worth of it; false if that second tells nothing. */
bool traffic_quantity_of(const struct traffic_second *s, enum traffic_quantity quantity,
			 uint64_t *out);
/* Does it spend its time on collecting garbage? Called as seconds pass. */
void traffic_watch_thrash(struct traffic *t, uint64_t now_ns);

#endif
