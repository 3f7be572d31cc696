/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * rules_memory.c - was it memory, and in which way: it died of it, stood still at its limit, spent
 * its time collecting garbage, was ended for it by its supervisor, or paid for another's. What made
 * memory grow is rules_cause.c.
 */
#include "core/rules.h"

/* Reclaim at a limit that leaves time for nothing else; 80,000/s and 120/s were measured. */
#define STORM_LIMIT_EVENTS 1000
#define STORM_MAJOR_FAULTS 50
/* A victim this small part of what filled the limit did not fill it. */
#define SMALL_PART 0.3
/* The forecast at the end said that it had less than this left. */
#define IMMINENT_S 60.0
#define NEAR_HEAP  0.8

static bool oom_kill_confirmed(const struct verdict_facts *f, double *value)
{
	*value = f->oom_kill;
	return f->died && f->oom_kill && f->oom_confirmed;
}

static bool oom_kill_unconfirmed(const struct verdict_facts *f, double *value)
{
	*value = f->oom_kill;
	return f->died && f->oom_kill && !f->oom_confirmed;
}

static bool v8_fatal_oom(const struct verdict_facts *f, double *value)
{
	*value = f->v8_oom;
	return f->died && f->v8_oom && !f->oom_kill;
}

static bool heap_full_exit(const struct verdict_facts *f, double *value)
{
	*value = f->exit_code;
	return f->died && f->heap_full_exit && !f->oom_kill && !f->v8_oom;
}

/* Exit 134 alone proves nothing; V8 aborting at the end of a growing floor is likely its limit. */
static bool v8_abort_while_growing(const struct verdict_facts *f, double *value)
{
	*value = f->story.trend.slope;
	return f->died && f->v8_runtime && !f->v8_watched && f->aborted_itself && f->story.grew;
}

static bool allocation_refused(const struct verdict_facts *f, double *value)
{
	*value = f->exit_code;
	return f->died && f->map_failed && rules_memory_evidence(f) && !f->oom_kill && !f->v8_oom &&
	       !f->heap_full_exit;
}

static bool killed_for_others(const struct verdict_facts *f, double *value)
{
	*value = f->oom_share;
	return f->died && f->oom_kill && f->oom_shared_limit &&
	       (f->oom_other_grew || f->oom_share < SMALL_PART);
}

static bool silent_at_limit(const struct verdict_facts *f, double *value)
{
	*value = rules_silent_s(f);
	return rules_stalled(f) && !rules_memory_evidence(f);
}

static bool reclaim_storm(const struct verdict_facts *f, double *value)
{
	*value = (double)max_u64(f->limit_events_per_s, f->traffic.major_faults_per_s);
	return f->limit_events_per_s >= STORM_LIMIT_EVENTS ||
	       f->traffic.major_faults_per_s >= STORM_MAJOR_FAULTS;
}

static bool thrashing(const struct verdict_facts *f, double *value)
{
	*value = f->traffic.cpu_per_request_ratio;
	return rules_thrashing(f) && !rules_memory_evidence(f);
}

static bool waits_in_vain(const struct verdict_facts *f, double *value)
{
	*value = rules_share(f->abandoned, f->failures);
	return *value > RULES_MOSTLY;
}

static bool heap_nearly_full(const struct verdict_facts *f, double *value)
{
	for (uint32_t i = 0; i < f->ceilings.nr; i++) {
		const struct report_ceiling *c = &f->ceilings.all[i];

		if (c->source != CEILING_HEAP_FLAG && c->source != CEILING_HEAP_COMPUTED &&
		    c->source != CEILING_V8_OBSERVED)
			continue;
		*value = rules_share(f->peak_anon_bytes, c->bytes);
		return *value >= NEAR_HEAP;
	}
	*value = 0;
	return false;
}

static bool busy_with_full_heap(const struct verdict_facts *f, double *value)
{
	*value = f->traffic.cpu_share;
	return rules_busy_with_full_heap(f) && !rules_memory_evidence(f);
}

static bool ended_at_supervisor_limit(const struct verdict_facts *f, double *value)
{
	*value = (double)max_u64(f->peak_anon_bytes, f->peak_rss_bytes);
	return rules_at_supervisor_limit(f);
}

static bool ended_before_ceiling(const struct verdict_facts *f, double *value)
{
	double left = f->story.predicted_s -
		      (double)since_ns(f->at_ns, f->story.prediction_ns) / (double)NSEC_PER_SEC;

	*value = left;
	return f->died && f->replaced && !rules_memory_evidence(f) && (f->asked || f->killed) &&
	       f->sender == SENDER_PARENT && f->story.prediction_ns && f->story.grew &&
	       left < IMMINENT_S && !rules_at_supervisor_limit(f);
}

#define DEATH	   CLASS(VERDICT_MEMORY_DEATH)
#define STALL	   CLASS(VERDICT_MEMORY_STALL)
#define THRASH	   CLASS(VERDICT_GC_THRASH)
#define SUPERVISED CLASS(VERDICT_SUPERVISOR_MEMORY_RESTART)
#define VICTIM	   CLASS(VERDICT_NODE_PRESSURE_VICTIM)
#define BY_OTHERS  (CLASS(VERDICT_UPSTREAM_DOWN_NONMEMORY) | CLASS(VERDICT_DEPLOY_RESTART))

static const struct verdict_rule rows[] = {
	{"oom_kill_confirmed", DEATH, 0, 8, true, oom_kill_confirmed,
	 "the kernel chose it and its SIGKILL was seen"},
	{"oom_kill_unconfirmed", DEATH, 0, 4, true, oom_kill_unconfirmed,
	 "the kernel chose it, but a user may have killed it in the same moment"},
	{"v8_fatal_oom", DEATH, 0, 8, true, v8_fatal_oom, "V8 said so itself"},
	{"heap_full_exit", DEATH, 0, 7, true, heap_full_exit,
	 "it ended just as its runtime was told to when its heap is full; code 3 may be its own"},
	{"v8_abort_while_growing", DEATH, 0, 5, true, v8_abort_while_growing,
	 "V8's last words could not be seen, and growth makes its limit the likely reason"},
	{"allocation_refused", DEATH, 0, 5, true, allocation_refused,
	 "memory was refused and it gave up at once; some programs only try"},
	{"killed_for_others", VICTIM, 0, 8, true, killed_for_others,
	 "the limit was not its own, and it had not filled it"},
	{"killed_for_others", DEATH, 0, -5, false, killed_for_others,
	 "memory ended it, but not its own"},
	{"silent_at_limit", STALL, 0, 3.5, true, silent_at_limit,
	 "at 97 % of its limit nothing was answered for 5 s; a busy loop there looks the same"},
	{"reclaim_storm", STALL, 0, 5, false, reclaim_storm,
	 "the kernel gave it pages back and took them away a thousand times a second"},
	{"silent_at_limit", BY_OTHERS, 0, -5, false, silent_at_limit,
	 "whoever ended it ended what stood still already"},
	{"thrashing", THRASH, 0, 4, true, thrashing,
	 "CPU per request four times its own past at the same load, and memory at its highest"},
	{"busy_with_full_heap", THRASH, 0, 6, true, busy_with_full_heap,
	 "its heap is full, it computes without a pause, and answers nobody"},
	{"busy_with_full_heap", CLASS(VERDICT_BACKEND_OVERLOAD), 0, -5, false, busy_with_full_heap,
	 "it would not keep up with any load"},
	{"busy_with_full_heap", BY_OTHERS, 0, -7, false, busy_with_full_heap,
	 "whoever ended it ended what answered nobody any more"},
	{"waits_in_vain", THRASH, 0, 2.5, false, waits_in_vain,
	 "thrashing makes late answers, not refused connects"},
	{"heap_nearly_full", THRASH, 0, 2, false, heap_nearly_full,
	 "collectors work that hard only when little room is left"},
	{"thrashing", BY_OTHERS, 0, -4, false, thrashing,
	 "whoever ended it ended what hardly answered any more"},
	{"ended_at_supervisor_limit", SUPERVISED, 0, 10, true, ended_at_supervisor_limit,
	 "ended by who starts it, at the level that one was told or has shown before"},
	{"ended_at_supervisor_limit", BY_OTHERS, 0, -5, false, ended_at_supervisor_limit,
	 "a restart by chance would not know that level"},
	{"ended_before_ceiling", SUPERVISED, 0, 7.5, true, ended_before_ceiling,
	 "its supervisor ended it within a minute of its forecast end: an unknown threshold"},
	{"ended_before_ceiling", BY_OTHERS, 0, -3, false, ended_before_ceiling,
	 "a restart by chance seldom comes in the last minute"},
};

struct verdict_rules rules_memory(void)
{
	return (struct verdict_rules){rows, sizeof(rows) / sizeof(rows[0])};
}
