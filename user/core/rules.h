/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * rules.h - the rules verdict.c adds up, in tables by subject: what makes it memory's fault
 * (rules_memory.c), what made memory grow (rules_cause.c), what else it was (rules_other.c).
 *
 * Weights are log-odds: 2 is "seven times more likely", 8 is "as good as proven". A rule looks at
 * one fact; what several rules ask in the same words is a predicate below. docs/verdicts.md lists
 * every row, and its test reads these tables.
 */
#ifndef MEMSWELL_RULES_H
#define MEMSWELL_RULES_H

#include <stddef.h>

#include "core/verdict.h"

#define CLASS(c) (1u << (c))
#define CAUSE(c) (1u << (c))

/* Those whose reason is that memory grew, and that carry a cause. */
#define MEMORY_CLASSES                                                                             \
	(CLASS(VERDICT_MEMORY_DEATH) | CLASS(VERDICT_MEMORY_STALL) | CLASS(VERDICT_GC_THRASH) |    \
	 CLASS(VERDICT_SUPERVISOR_MEMORY_RESTART))
#define LEAKS (CAUSE(CAUSE_HEAP_LEAK) | CAUSE(CAUSE_NATIVE_LEAK))

struct verdict_rule {
	const char *name;
	uint32_t classes; /* bit per enum verdict_class */
	uint32_t causes;  /* bit per enum verdict_cause; 0: it speaks of the class itself */
	double weight;
	bool founds; /* a class, or a cause, stands only if one that founds it applies */
	/* True if it applies; *value is what it looked at. */
	bool (*applies)(const struct verdict_facts *facts, double *value);
	const char *why; /* this weight */
};

struct verdict_rules {
	const struct verdict_rule *rows;
	size_t nr;
};

#define RULE_TABLES 3

struct verdict_rules rules_memory(void);
struct verdict_rules rules_cause(void);
struct verdict_rules rules_other(void);

/* rules_shared.c ------------------------------------------------------------------------------- */

/* Is one of these hooks (HOOK_BITs) missing? */
bool rules_unseen(const struct verdict_facts *f, uint32_t hooks);
/* Does the row speak? Not where it reads the silence of a hook that is missing. */
bool rules_apply(const struct verdict_rule *rule, const struct verdict_facts *f, double *value);
/* The kernel, the runtime or the process itself said that memory ended it. */
bool rules_memory_evidence(const struct verdict_facts *f);
/* Its cgroup was full, though mostly of something else than anonymous memory. */
bool rules_filled_otherwise(const struct verdict_facts *f);
/* It took requests, lives, and has answered nobody for as long as a stall lasts. */
bool rules_hung(const struct verdict_facts *f);
/* At its limit, requests waiting and none answered for as long as nobody waits. */
bool rules_stalled(const struct verdict_facts *f);
/* Mostly collecting garbage, for long enough to be no accident and with little room left. */
bool rules_thrashing(const struct verdict_facts *f);
/* Likewise where nothing at all is answered any more. */
bool rules_busy_with_full_heap(const struct verdict_facts *f);
/* The gateway gives up on requests, and far more are in flight than usual or a pool is full. */
bool rules_queueing(const struct verdict_facts *f);
/* Asked to end, or ended in good order, and the same program took its place. */
bool rules_replaced_in_order(const struct verdict_facts *f);
/* Ended by who starts it, and started again, with memory at the level at which that one ends it. */
bool rules_at_supervisor_limit(const struct verdict_facts *f);
/* The lowest of the levels at which memory itself ends it; 0 none known. */
uint64_t rules_memory_ceiling(const struct verdict_facts *f);
/* Ever slower: per request where requests are why it grew, else in time. */
bool rules_growth_declines(const struct verdict_facts *f, double *value);
/* Growth as a leak's: with a trend, straight, and by requests or by nothing but time. */
bool rules_steady_retention(const struct verdict_facts *f);
/* part / whole; 0 where there is no whole. */
double rules_share(uint64_t part, uint64_t whole);
/* How long requests have waited without one answer. */
double rules_silent_s(const struct verdict_facts *f);

/* "Nearly all": a few may have another reason. */
#define RULES_NEARLY_ALL 0.9
#define RULES_MOSTLY	 0.5
#define RULES_HAS_ROOM	 0.6 /* of a heap or a limit in use: collectors have no reason to work hard */
/* A stall is one when clients notice: the shortest timeouts in use are of some seconds. */
#define RULES_SILENT_S 5.0

#endif
