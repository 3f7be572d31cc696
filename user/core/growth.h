/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * growth.h - the memory history of the processes that are big enough to matter: how it grows now,
 * when it would meet its ceiling, and, after a death, whether it had been growing at all.
 *
 * Four scales (1, 10, 60, 600 s) of 32 bucket minima each, so that a leak of minutes and one of
 * hours are both found with the same little memory. One growing evaluation of a full window is a
 * suspicion, a second one half a window later makes it probable. The 1 s scale warns only when the
 * ceiling is minutes away: half a minute of growth means nothing to a process with room.
 *
 * Limit: 1024 processes at a time with at least 8 MiB of anonymous memory; more are counted in
 * `refused` and have no trend.
 */
#ifndef MEMSWELL_GROWTH_H
#define MEMSWELL_GROWTH_H

#include "core/trend.h"
#include "core/units.h"
#include "model/report.h"

#define GROWTH_MAX	      1024
#define GROWTH_MIN_ANON_BYTES (8 * MIB)
#define GROWTH_SCALES	      4

/* Counters that tell a managed heap from memory beside it; absolute, as last seen. */
struct growth_native {
	uint64_t brk_bytes;
	uint64_t malloc_mapped_bytes;
	uint64_t malloc_unmapped_bytes;
	bool has_vm; /* mmap counters are known */
};

struct growth {
	struct proc_id proc;
	uint64_t first_ns; /* first and newest sample */
	uint64_t last_ns;
	uint64_t first_anon_bytes;
	uint64_t first_requests;
	struct growth_native native;
	struct trend_ring rings[GROWTH_SCALES];
	uint64_t suspected_bucket[GROWTH_SCALES]; /* of the evaluation that set the level */
	uint8_t levels[GROWTH_SCALES];
	uint8_t due;   /* bit per scale: a bucket was closed since the last evaluation */
	uint8_t level; /* enum growth_level, over all scales */
	bool alerted;  /* the ceiling was reported to be near */
	struct trend trends[GROWTH_SCALES]; /* newest growing ones */
	uint64_t prediction_ns;		    /* newest report with a time to the ceiling */
	double predicted_s;
	uint16_t next; /* free list */
	bool used;
};

struct growths {
	struct growth all[GROWTH_MAX + 1]; /* 0 unused */
	uint16_t free_list;
	uint16_t nr_touched;
	uint64_t refused;
};

bool growth_full(const struct growths *t);
/* Index of a fresh history, 0 if full. */
uint16_t growth_take(struct growths *t, const struct proc_id *proc);
void growth_put(struct growths *t, uint16_t index);

void growth_sample(struct growth *g, uint64_t ts_ns, uint64_t anon_bytes);

/* What limits a process, for the prediction. bytes 0: nothing known. */
struct growth_ceiling {
	uint64_t bytes;
	uint64_t used_bytes; /* of it, by this process and what shares the limit */
};

/*
 * Evaluate what is due. True when there is something to report, then `out` is filled except for
 * the process: the level changed, or the ceiling came near.
 */
bool growth_evaluate(struct growth *g, uint64_t now_ns, uint64_t tick_ns,
		     const struct growth_ceiling *ceiling, struct report_growth *out);

/* What the history says about a process that died. */
struct growth_story {
	bool known;	    /* there is a history at all */
	bool grew;	    /* trend of the floor, or growth from start (then insufficient) */
	bool insufficient;  /* too young for a trend, or for its absence */
	bool watched_late;  /* most of its life happened before memswell looked */
	double jump_share;  /* largest step as part of all growth seen, 0..1 */
	struct trend trend; /* of the scale that grew */
	uint64_t onset_ns;  /* begin of that window */
	struct measure native_share;
	struct measure bytes_per_request;
	uint64_t prediction_ns;
	double predicted_s;
};

struct growth_end {
	uint64_t ts_ns;
	uint64_t anon_bytes; /* at death, 0 unknown */
	uint64_t requests;   /* answered in its life */
	bool managed_heap;   /* the runtime keeps a heap of its own */
	uint64_t tick_ns;    /* how often memory is sampled */
};

void growth_conclude(const struct growth *g, const struct growth_end *end,
		     struct growth_story *out);

#endif
