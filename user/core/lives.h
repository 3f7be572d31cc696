/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * lives.h - the earlier lives of a service: how long each was, how big it got, how it ended. From
 * them come the ceilings nobody wrote down, the crash loop, and whether a limit is simply too small.
 *
 * A service is what answers on one address; a worker without a listener of its own lives for its
 * parent's. Limits: 256 services, the last 8 lives each; the service silent for longest leaves.
 */
#ifndef MEMSWELL_LIVES_H
#define MEMSWELL_LIVES_H

#include "base/units.h"
#include "model/record.h"

#define LIVES_SERVICES	  256
#define LIVES_KEPT	  8
#define LIVES_RECENT_NS	  (600 * NSEC_PER_SEC)
#define LIVES_LOOP_DEATHS 3

enum life_end {
	LIFE_ENDED_OTHERWISE = 0, /* exit code, crash, an operator, an OOM others had caused */
	LIFE_OOM,		  /* the kernel's OOM killer, at a limit it filled itself */
	LIFE_HEAP_FULL,		  /* its runtime gave up: V8, JVM */
	LIFE_SUPERVISOR,	  /* ended and replaced by who started it */
};

struct life {
	struct proc_id proc;
	uint64_t end_ns;
	uint64_t peak_anon_bytes;
	uint64_t baseline_anon_bytes; /* when it began to serve; 0 unknown */
	uint64_t requests;
	bool grew;   /* steadily, and to its end */
	uint8_t end; /* enum life_end */
};

struct lives {
	struct endpoint service; /* loopback folded; port 0: unused */
	uint64_t used_ns;
	uint64_t deaths; /* ever */
	struct life ring[LIVES_KEPT];
	uint8_t head; /* where the next goes */
	uint8_t nr;
};

struct lives_table {
	struct lives all[LIVES_SERVICES];
	uint64_t refused; /* services that left although one of their lives was recent */
};

/* Account of the lives before the one in question (that started at start_ns). */
struct lives_story {
	uint32_t lives;		/* known, ended */
	uint32_t deaths_10m;	/* ended in the last ten minutes, of any kind; at most LIVES_KEPT */
	uint32_t memory_deaths; /* OOM or heap full, consecutive up to now */
	bool similar_peaks;	/* of these and the current one: spread < 15 % */
	bool similar_spans;	/* lifetimes likewise, spread < 50 %: time-to-death is constant */
	uint64_t memory_ceiling_bytes; /* lowest peak at which it died of memory; 0 none */
	uint64_t
		supervisor_ceiling_bytes; /* likewise ended by its supervisor, >= 2 that grew there; 0 none */
	uint64_t peak_bytes; /* highest of earlier lives that did not end for their size */
	uint64_t median_span_ns;
};

/* NULL if nothing is known. */
struct lives *lives_find(struct lives_table *t, const struct endpoint *service);
void lives_add(struct lives_table *t, const struct endpoint *service, const struct life *life);
/*
 * `current`: the life in question, compared with the earlier ones once it has ended; may be all
 * zero.
 */
void lives_tell(const struct lives *l, const struct life *current, uint64_t now_ns,
		struct lives_story *out);

#endif
