/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* rules_shared.c - what rules of several tables ask of the facts; see rules.h. */
#include "core/rules.h"

#define STALL_USED 0.97
#define THRASH_S   3.0
/* More requests waiting than usual by this factor, and more than a handful. */
#define QUEUE_FACTOR 4.0
#define QUEUE_MIN    8
/* Supervisors poll: at the level means near enough that the next poll would have found it. */
#define AT_LIMIT 0.9
/* Nearly all growth by requests and time: what comes to rest leaves more of it unexplained. */
#define EXPLAINED 0.8
/* The second half of the growth no slower than this part of the whole: a straight line. */
#define STRAIGHT 0.6

double rules_share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

bool rules_unseen(const struct verdict_facts *f, uint32_t hooks)
{
	return f->unseen & hooks;
}

bool rules_apply(const struct verdict_rule *rule, const struct verdict_facts *f, double *value)
{
	bool applies = rule->applies(f, value);

	return applies && (!f->unseen || !rules_unseen(f, hook_silence_of(rule->name)));
}

bool rules_memory_evidence(const struct verdict_facts *f)
{
	if (f->oom_kill || f->v8_oom || f->heap_full_exit)
		return true;
	if (f->v8_runtime && !f->v8_watched && f->aborted_itself && f->story.grew)
		return true;
	/* An allocation failed, and it ended by itself with an error: it could not go on without. */
	return f->map_failed && (f->exit_code || f->story.grew) && !f->killed && !f->asked;
}

/* Seen by the process, or by the gateway: what is never accepted shows only there. */
double rules_silent_s(const struct verdict_facts *f)
{
	uint64_t silent_ns = f->silent_ns;

	if (f->traffic.silent_ns)
		silent_ns = max_u64(silent_ns, since_ns(f->at_ns, f->traffic.silent_ns));
	return (double)silent_ns / (double)NSEC_PER_SEC;
}

bool rules_filled_otherwise(const struct verdict_facts *f)
{
	return f->oom_kill && f->oom_anon_share > 0 && f->oom_anon_share < RULES_MOSTLY;
}

bool rules_hung(const struct verdict_facts *f)
{
	return !f->died && f->service_known && f->abandoned && f->listener_stayed &&
	       rules_silent_s(f) >= RULES_SILENT_S;
}

bool rules_stalled(const struct verdict_facts *f)
{
	return f->limit_used >= STALL_USED && rules_silent_s(f) >= RULES_SILENT_S;
}

bool rules_thrashing(const struct verdict_facts *f)
{
	uint64_t ceiling = rules_memory_ceiling(f);

	if (!f->traffic.thrash_ns || !f->managed_heap || !f->story.grew)
		return false;
	/* A blocked event loop computes without answering, too; collectors have no reason to. */
	if (ceiling && (double)f->peak_anon_bytes < RULES_HAS_ROOM * (double)ceiling)
		return false;
	return (double)since_ns(f->at_ns, f->traffic.thrash_ns) / (double)NSEC_PER_SEC >= THRASH_S;
}

/* There is no CPU per request where nothing is answered; but there is CPU, and no room. */
bool rules_busy_with_full_heap(const struct verdict_facts *f)
{
	return !rules_unseen(f, HOOKS_HTTP) && f->managed_heap &&
	       f->traffic.cpu_share >= TRAFFIC_BUSY_SHARE && f->heap_used >= RULES_HAS_ROOM &&
	       rules_silent_s(f) >= RULES_SILENT_S && !rules_stalled(f);
}

bool rules_queueing(const struct verdict_facts *f)
{
	const struct traffic_story *t = &f->traffic;

	if (rules_share(f->abandoned, f->failures) < RULES_MOSTLY)
		return false;
	return t->pool.saturated ||
	       (t->in_flight_peak >= QUEUE_MIN &&
		(double)t->in_flight_peak >= QUEUE_FACTOR * t->in_flight_usual);
}

bool rules_replaced_in_order(const struct verdict_facts *f)
{
	bool by_itself = !f->exit_code && !f->signal;

	return f->died && !rules_memory_evidence(f) && f->replaced && (f->asked || by_itself);
}

/*
 * What it was told counts resident memory; what was observed are peaks of ours. A level nobody told
 * means something only to who grew up to it: those that do not grow always end at the same one, and
 * who had stopped answering was ended for that.
 */
static bool reached(const struct verdict_facts *f, const struct report_ceiling *c)
{
	double limit = AT_LIMIT * (double)c->bytes;

	if (c->source == CEILING_SUPERVISOR_CONFIG)
		return (double)max_u64(f->peak_rss_bytes, f->peak_anon_bytes) >= limit;
	return c->source == CEILING_SUPERVISOR_OBSERVED && f->story.grew &&
	       !rules_unseen(f, HOOKS_HTTP) && rules_silent_s(f) < RULES_SILENT_S &&
	       (double)f->peak_anon_bytes >= limit;
}

bool rules_at_supervisor_limit(const struct verdict_facts *f)
{
	if (!f->died || !f->replaced || rules_memory_evidence(f) || (!f->asked && !f->killed))
		return false;
	if (f->sender != SENDER_PARENT && f->sender != SENDER_INIT)
		return false;
	for (uint32_t i = 0; i < f->ceilings.nr; i++)
		if (f->ceilings.all[i].bytes && reached(f, &f->ceilings.all[i]))
			return true;
	return false;
}

uint64_t rules_memory_ceiling(const struct verdict_facts *f)
{
	uint64_t lowest = 0;

	for (uint32_t i = 0; i < f->ceilings.nr; i++) {
		const struct report_ceiling *c = &f->ceilings.all[i];

		if (c->source == CEILING_SUPERVISOR_CONFIG ||
		    c->source == CEILING_SUPERVISOR_OBSERVED || !c->bytes)
			continue;
		lowest = lowest ? min_u64(lowest, c->bytes) : c->bytes;
	}
	return lowest;
}

/* A rate that changes bends what is straight per request, and hides what is not. */
bool rules_growth_declines(const struct verdict_facts *f, double *value)
{
	const struct report_explanation *e = &f->traffic.explained;
	const struct retention_shape *shape = &f->traffic.retention;

	if (shape->known && e->requests.has && e->requests.value > e->background.value) {
		*value = shape->ratio;
		return f->story.grew && shape->declines;
	}
	*value = f->story.concavity;
	return f->story.concave;
}

bool rules_steady_retention(const struct verdict_facts *f)
{
	const struct report_explanation *e = &f->traffic.explained;
	const struct growth_story *s = &f->story;
	double retained = (e->requests.has ? e->requests.value : 0) +
			  (e->background.has ? e->background.value : 0);
	double decline;

	if (!s->grew || s->insufficient || retained < EXPLAINED ||
	    rules_growth_declines(f, &decline))
		return false;
	return s->concavity == 0 || s->concavity >= STRAIGHT;
}
