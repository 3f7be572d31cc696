/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* verdict.c - see verdict.h. */
#include "core/verdict.h"

#include <math.h>
#include <string.h>

#define NR(table) (sizeof(table) / sizeof((table)[0]))

/* More memory outside the managed heap than in it. */
#define MOSTLY_NATIVE 0.5
/* "Nearly all": a race may coincide with some other failure. */
#define NEARLY_ALL 0.9

#define MAX_CONFIDENCE		   0.99
#define MAX_CONFIDENCE_YOUNG	   0.8 /* history too short for a trend */
#define MAX_CONFIDENCE_UNEXPLAINED 0.5
#define MIN_CONFIDENCE		   0.5 /* below, nobody is accused */
#define MIN_ALTERNATIVE		   0.01

#define LOST_EVENTS_FACTOR 0.85
#define UNSEEN_FACTOR	   0.9

/* Rules: true if it applies; *value is what it looked at. -------------------------------------- */

static bool memory_evidence(const struct verdict_facts *f)
{
	return f->oom_kill || f->v8_oom ||
	       (f->v8_runtime && !f->v8_watched && f->aborted_itself && f->story.grew);
}

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

/* Exit 134 alone proves nothing; V8 aborting at the end of a growing floor is likely its limit. */
static bool v8_abort_unwatched_growing(const struct verdict_facts *f, double *value)
{
	*value = f->story.trend.slope;
	return f->died && f->v8_runtime && !f->v8_watched && f->aborted_itself && f->story.grew;
}

static bool floor_growing(const struct verdict_facts *f, double *value)
{
	*value = f->story.trend.mk_z;
	return f->died && f->story.grew && !f->story.insufficient;
}

static bool grew_from_start(const struct verdict_facts *f, double *value)
{
	*value = f->story.trend.slope;
	return f->died && f->story.grew && f->story.insufficient;
}

static bool no_growth_seen(const struct verdict_facts *f, double *value)
{
	*value = f->story.jump_share;
	return f->died && !f->story.grew;
}

static bool mostly_native(const struct verdict_facts *f)
{
	return f->managed_heap && f->story.native_share.has &&
	       f->story.native_share.value > MOSTLY_NATIVE;
}

static bool growth_in_managed_heap(const struct verdict_facts *f, double *value)
{
	*value = f->story.native_share.value;
	return f->story.grew && f->managed_heap && f->story.native_share.has && !mostly_native(f);
}

static bool growth_outside_heap(const struct verdict_facts *f, double *value)
{
	*value = f->story.native_share.value;
	return f->story.grew && mostly_native(f) && !f->v8_oom;
}

/* Without a managed heap the process's heap is the heap. */
static bool growth_in_process_heap(const struct verdict_facts *f, double *value)
{
	*value = f->story.trend.slope;
	return f->story.grew && !f->managed_heap;
}

static bool growth_place_unknown(const struct verdict_facts *f, double *value)
{
	*value = 0;
	return f->story.grew && f->managed_heap && !f->story.native_share.has && !f->v8_oom;
}

static bool v8_heap_full(const struct verdict_facts *f, double *value)
{
	*value = f->story.trend.slope;
	return f->v8_oom && f->story.grew;
}

static bool death_without_memory(const struct verdict_facts *f, double *value)
{
	*value = f->exit_code;
	return f->died && !memory_evidence(f);
}

static bool sender_known(const struct verdict_facts *f, double *value)
{
	*value = f->exit_code;
	return f->died && !memory_evidence(f) && f->signal_known && !f->signal_from_kernel &&
	       !f->aborted_itself;
}

static bool sigkill_of_unknown_origin(const struct verdict_facts *f, double *value)
{
	*value = f->exit_code;
	return f->died && f->killed && !f->oom_kill && (!f->signal_known || f->signal_from_kernel);
}

/* ... and the OOM killer may have been at work where we could not see it. */
static bool oom_killer_unseen(const struct verdict_facts *f, double *value)
{
	*value = (double)f->events_lost;
	return sigkill_of_unknown_origin(f, value) && (f->oom_unseen || f->events_lost);
}

static bool v8_abort_unwatched(const struct verdict_facts *f, double *value)
{
	*value = f->exit_code;
	return f->died && f->v8_runtime && !f->v8_watched && f->aborted_itself && !f->story.grew;
}

static double part_on_reused(const struct verdict_facts *f)
{
	return f->failures ? (double)f->on_reused / (double)f->failures : 0;
}

static bool only_reused_connections(const struct verdict_facts *f, double *value)
{
	*value = part_on_reused(f);
	return !f->died && *value >= NEARLY_ALL;
}

static bool listener_and_owners_stayed(const struct verdict_facts *f, double *value)
{
	*value = f->deaths_behind;
	return f->service_known && f->listener_stayed && !f->deaths_behind;
}

static bool others_succeed(const struct verdict_facts *f, double *value)
{
	*value = f->failures ? (double)f->answers / (double)f->failures : 0;
	return *value >= 1;
}

static bool owner_unknown(const struct verdict_facts *f, double *value)
{
	*value = 0;
	return !f->service_known;
}

static bool not_a_race(const struct verdict_facts *f, double *value)
{
	*value = (double)f->refused;
	return f->refused || f->deaths_behind || (f->service_known && !f->listener_stayed);
}

static bool exits_unseen(const struct verdict_facts *f, double *value)
{
	*value = (double)f->events_lost;
	return f->exits_unseen || f->events_lost;
}

static bool always(const struct verdict_facts *f, double *value)
{
	(void)f;
	*value = 1;
	return true;
}

/*
 * cause CAUSE_NONE: for the whole class. Weights are log-odds: 2 is "seven times more likely",
 * 8 is "as good as proven". A class stands only if one of the rules that found it applies: how
 * memory grew says which memory death it was, not that it was one.
 */
struct verdict_rule {
	const char *name;
	enum verdict_class class;
	enum verdict_cause cause;
	double weight;
	bool founds;
	bool (*applies)(const struct verdict_facts *facts, double *value);
};

static const struct verdict_rule rules[] = {
	{"oom_kill_confirmed", VERDICT_MEMORY_DEATH, CAUSE_NONE, 8, true, oom_kill_confirmed},
	{"oom_kill_unconfirmed", VERDICT_MEMORY_DEATH, CAUSE_NONE, 4, true, oom_kill_unconfirmed},
	{"v8_fatal_oom", VERDICT_MEMORY_DEATH, CAUSE_NONE, 8, true, v8_fatal_oom},
	{"v8_abort_while_growing", VERDICT_MEMORY_DEATH, CAUSE_NONE, 5, true,
	 v8_abort_unwatched_growing},
	{"floor_growing", VERDICT_MEMORY_DEATH, CAUSE_UNKNOWN_GROWTH, -3, false, floor_growing},
	{"grew_from_start", VERDICT_MEMORY_DEATH, CAUSE_UNKNOWN_GROWTH, -2, false, grew_from_start},
	{"no_growth_seen", VERDICT_MEMORY_DEATH, CAUSE_UNKNOWN_GROWTH, 3.5, false, no_growth_seen},
	{"growth_in_managed_heap", VERDICT_MEMORY_DEATH, CAUSE_HEAP_LEAK, 3, false,
	 growth_in_managed_heap},
	{"growth_in_process_heap", VERDICT_MEMORY_DEATH, CAUSE_HEAP_LEAK, 3, false,
	 growth_in_process_heap},
	{"growth_place_unknown", VERDICT_MEMORY_DEATH, CAUSE_HEAP_LEAK, 1, false,
	 growth_place_unknown},
	{"v8_heap_full", VERDICT_MEMORY_DEATH, CAUSE_HEAP_LEAK, 3, false, v8_heap_full},
	{"growth_outside_heap", VERDICT_MEMORY_DEATH, CAUSE_NATIVE_LEAK, 4, false,
	 growth_outside_heap},
	{"death_without_memory_evidence", VERDICT_UPSTREAM_DOWN_NONMEMORY, CAUSE_NONE, 7, true,
	 death_without_memory},
	{"sender_known", VERDICT_UPSTREAM_DOWN_NONMEMORY, CAUSE_NONE, 1, false, sender_known},
	{"sigkill_of_unknown_origin", VERDICT_UPSTREAM_DOWN_NONMEMORY, CAUSE_NONE, -4, false,
	 sigkill_of_unknown_origin},
	{"oom_killer_unseen", VERDICT_UPSTREAM_DOWN_NONMEMORY, CAUSE_NONE, -4, false,
	 oom_killer_unseen},
	{"v8_abort_unwatched", VERDICT_UPSTREAM_DOWN_NONMEMORY, CAUSE_NONE, -5, false,
	 v8_abort_unwatched},
	{"only_reused_connections", VERDICT_KEEPALIVE_RACE, CAUSE_NONE, 3, true,
	 only_reused_connections},
	{"listener_and_owners_stayed", VERDICT_KEEPALIVE_RACE, CAUSE_NONE, 2.5, false,
	 listener_and_owners_stayed},
	{"others_succeed", VERDICT_KEEPALIVE_RACE, CAUSE_NONE, 1.5, false, others_succeed},
	{"owner_unknown", VERDICT_KEEPALIVE_RACE, CAUSE_NONE, -2, false, owner_unknown},
	{"not_a_race", VERDICT_KEEPALIVE_RACE, CAUSE_NONE, -10, false, not_a_race},
	{"exits_unseen", VERDICT_KEEPALIVE_RACE, CAUSE_NONE, -4, false, exits_unseen},
	{"head_start", VERDICT_UNEXPLAINED, CAUSE_NONE, 2, true, always},
};

/* Every answer that can be given. */
static const struct {
	enum verdict_class class;
	enum verdict_cause cause;
} hypotheses[] = {
	/* first among equals: accuse nobody */
	{VERDICT_UNEXPLAINED, CAUSE_NONE},
	{VERDICT_MEMORY_DEATH, CAUSE_HEAP_LEAK},
	{VERDICT_MEMORY_DEATH, CAUSE_NATIVE_LEAK},
	{VERDICT_MEMORY_DEATH, CAUSE_UNKNOWN_GROWTH},
	{VERDICT_UPSTREAM_DOWN_NONMEMORY, CAUSE_NONE},
	{VERDICT_KEEPALIVE_RACE, CAUSE_NONE},
};
#define NR_HYPOTHESES NR(hypotheses)

struct scored {
	double sum[NR_HYPOTHESES];
	bool founded[NR_HYPOTHESES];
};

static void add_rule(const struct verdict_rule *rule, struct scored *s)
{
	for (size_t h = 0; h < NR_HYPOTHESES; h++) {
		if (hypotheses[h].class != rule->class ||
		    (rule->cause != CAUSE_NONE && hypotheses[h].cause != rule->cause))
			continue;
		s->sum[h] += rule->weight;
		s->founded[h] |= rule->founds;
	}
}

static void score_all(const struct verdict_facts *facts, struct scored *s)
{
	double value;

	memset(s, 0, sizeof(*s));
	for (size_t r = 0; r < NR(rules); r++)
		if (rules[r].applies(facts, &value))
			add_rule(&rules[r], s);
}

/* Softmax over the hypotheses that stand. */
static void normalize(const struct scored *s, double p[NR_HYPOTHESES])
{
	double max = s->sum[0], total = 0;

	for (size_t h = 0; h < NR_HYPOTHESES; h++)
		if (s->founded[h])
			max = fmax(max, s->sum[h]);
	for (size_t h = 0; h < NR_HYPOTHESES; h++) {
		p[h] = s->founded[h] ? exp(s->sum[h] - max) : 0;
		total += p[h];
	}
	for (size_t h = 0; h < NR_HYPOTHESES; h++)
		p[h] /= total;
}

static void add_score(struct report_verdict *out, const struct report_score *score)
{
	if (out->nr_scores < REPORT_MAX_SCORES)
		out->scores[out->nr_scores++] = *score;
}

static void add_rule_score(struct report_verdict *out, const struct verdict_rule *rule,
			   double weight, double value)
{
	const char *about = rule->cause == CAUSE_NONE ? verdict_class_name(rule->class)
						      : verdict_cause_name(rule->cause);

	add_score(out, &(struct report_score){rule->name, about, weight, value});
}

/* What spoke, then what was asked about the winner and found nothing. */
static void list_scores(const struct verdict_facts *facts, struct report_verdict *out)
{
	double value;

	for (size_t r = 0; r < NR(rules); r++)
		if (rules[r].applies(facts, &value))
			add_rule_score(out, &rules[r], rules[r].weight, value);
	for (size_t r = 0; r < NR(rules); r++)
		if (rules[r].class == out->class && !rules[r].applies(facts, &value))
			add_rule_score(out, &rules[r], 0, value);
}

static void list_alternatives(const double p[NR_HYPOTHESES], size_t best,
			      struct report_verdict *out)
{
	bool listed[NR_HYPOTHESES] = {[0] = true};

	listed[best] = true;
	while (out->nr_alternatives < REPORT_MAX_ALTERNATIVES) {
		size_t next = best;

		for (size_t h = 0; h < NR_HYPOTHESES; h++)
			if (!listed[h] && p[h] >= MIN_ALTERNATIVE &&
			    (next == best || p[h] > p[next]))
				next = h;
		if (next == best)
			return;
		listed[next] = true;
		out->alternatives[out->nr_alternatives++] = (struct report_alternative){
			hypotheses[next].class, hypotheses[next].cause, p[next]};
	}
}

static void add_quality_score(struct report_verdict *out, const char *rule, double factor,
			      double value)
{
	add_score(out, &(struct report_score){rule, "data_quality", log(factor), value});
}

/* How much of the confidence survives what we could not see; each part is a score of its own. */
static double quality(const struct verdict_facts *f, struct report_verdict *out)
{
	int unseen = f->exits_unseen + f->signals_unseen + f->oom_unseen + f->http_unseen;
	double factor = pow(UNSEEN_FACTOR, unseen);

	if (unseen)
		add_quality_score(out, "hooks_missing", factor, unseen);
	if (f->events_lost) {
		add_quality_score(out, "events_lost", LOST_EVENTS_FACTOR, (double)f->events_lost);
		factor *= LOST_EVENTS_FACTOR;
	}
	return factor;
}

static double limit_of(const struct report_verdict *v)
{
	if (v->class == VERDICT_UNEXPLAINED)
		return MAX_CONFIDENCE_UNEXPLAINED;
	return v->insufficient_history ? MAX_CONFIDENCE_YOUNG : MAX_CONFIDENCE;
}

void verdict_decide(const struct verdict_facts *facts, struct report_verdict *out)
{
	double p[NR_HYPOTHESES];
	struct scored scored;
	double factor;
	size_t best = 0;

	memset(out, 0, sizeof(*out));
	score_all(facts, &scored);
	normalize(&scored, p);
	for (size_t h = 1; h < NR_HYPOTHESES; h++)
		if (p[h] > p[best])
			best = h;
	factor = quality(facts, out);
	if (p[best] * factor < MIN_CONFIDENCE)
		best = 0;
	out->class = hypotheses[best].class;
	out->cause = hypotheses[best].cause;
	out->insufficient_history =
		out->class == VERDICT_MEMORY_DEATH &&
		(facts->story.insufficient || facts->story.watched_late || !facts->story.known);
	out->confidence = fmin(best ? p[best] * factor : p[0], limit_of(out));
	list_alternatives(p, best, out);
	list_scores(facts, out);
}
