/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * growth.h - the memory history of the processes that are big enough to matter: how it grows now,
 * when it would meet its ceiling, and, after a death, whether it had been growing at all.
 *
 * Four scales (1, 10, 60, 600 s) of 32 bucket minima each, so that a leak of minutes and one of
 * hours are both found with the same little memory. One growing evaluation of a full window is a
 * suspicion; a second one makes it probable, half a window later if the ceiling is within half an
 * hour, else after eight minutes. It is imminent when the ceiling is
 * less than two minutes away: what is not automatic comes too late then. The shortest scale may
 * speak only when the ceiling is within its reach (minutes), half of the room to it is used up,
 * memory is higher than it was known to fall from, and the growth does not slow down in a way that
 * ends below the ceiling: half a minute of growth means nothing to a process with room, and warming
 * up is no leak. Under the same conditions the two short scales may speak with part of a window. A
 * full window of the second one (five minutes) needs no ceiling to be near, but growth that is
 * straight all through it and beyond what was seen to fall; a collector that takes minutes for its
 * first cycle looks like that, too. The long scales speak of whatever grows.
 *
 * Near its ceiling a floor that lies flat is no good news: the collector runs without end there, or
 * reclaim takes back what is won. So a level is kept for a while where the ceiling is close.
 *
 * Limit: 1024 processes at a time with at least 8 MiB of anonymous memory; more are counted in
 * `refused` and have no trend.
 */
#ifndef MEMSWELL_GROWTH_H
#define MEMSWELL_GROWTH_H

#include "core/ceiling.h"
#include "core/trend.h"
#include "base/units.h"
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
	uint64_t last_anon_bytes;
	uint64_t first_requests;
	struct growth_native native;
	struct trend_ring rings[GROWTH_SCALES];
	uint32_t lowest_kib;			  /* floor of a second, ever; 0 none yet */
	uint32_t peak_kib;			  /* since it last gave back much */
	uint32_t given_back_kib;		  /* the most it had before; 0 it never did */
	uint64_t suspected_bucket[GROWTH_SCALES]; /* of the evaluation that set the level */
	uint64_t grew_bucket[GROWTH_SCALES];	  /* newest growing one */
	uint8_t levels[GROWTH_SCALES];
	uint8_t due;   /* bit per scale: a bucket was closed since the last evaluation */
	uint8_t level; /* enum growth_level, over all scales */
	bool alerted;  /* the ceiling was reported to be near */
	struct trend trends[GROWTH_SCALES]; /* newest growing ones */
	uint64_t first_prediction_ns;	    /* first and newest report with a time to the ceiling */
	double first_predicted_s;
	uint64_t prediction_ns;
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

/* Memory of malloc's: the brk heap, and big blocks that are not freed. */
uint64_t growth_native_bytes(const struct growth *g);

/* How much more it has now than a minute ago or, if it is younger, than it began with. */
uint64_t growth_of_last_minute(const struct growth *g, uint64_t now_ns, uint64_t anon_bytes);

struct growth_now {
	uint64_t now_ns;
	uint64_t tick_ns;
	const struct ceilings *ceilings;
	uint64_t survived_bytes; /* earlier lives of the service lived with so much; 0 unknown */
	double cgroup_pace;	 /* growth of all in its cgroup to its own; below 1 counts as 1 */
	bool thrashing;		 /* it spends its time collecting garbage */
};

/*
 * Evaluate what is due. True when there is something to report, then `out` is filled except for
 * the process: the level changed, or the ceiling came near.
 */
bool growth_evaluate(struct growth *g, const struct growth_now *now, struct report_growth *out);

/* The same as it stands since the last evaluation, whether it is worth a report or not. */
void growth_outlook(const struct growth *g, const struct growth_now *now,
		    struct report_growth *out);

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
	/* On its way up: slope of the last half to that of the whole; 1 straight, 0 unknown. */
	double concavity;
	bool concave;		/* it grew ever slower, as a cache does that fills */
	uint64_t prediction_ns; /* newest forecast */
	double predicted_s;
	uint64_t first_prediction_ns; /* first one with a time to the ceiling; 0 none */
	double first_predicted_s;
	uint64_t grown_bytes;	    /* at the end, to what it began with */
	uint64_t last_minute_bytes; /* part of it that came in the last minute */
};

struct growth_end {
	uint64_t ts_ns;
	uint64_t anon_bytes;	  /* at death, 0 unknown */
	uint64_t requests;	  /* answered in its life */
	bool managed_heap;	  /* the runtime keeps a heap of its own */
	uint64_t heap_most_bytes; /* what that heap can hold; 0 unknown */
	uint64_t tick_ns;	  /* how often memory is sampled */
};

void growth_conclude(const struct growth *g, const struct growth_end *end,
		     struct growth_story *out);

#endif
