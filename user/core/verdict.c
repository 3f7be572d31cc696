/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verdict.c - adds up the rules, see verdict.h. It knows how much of the confidence survives what
 * could not be seen; what speaks for what stands in the tables.
 */
#include "core/verdict.h"

#include <math.h>
#include <string.h>

#include "core/rules.h"

#define NR(table) (sizeof(table) / sizeof((table)[0]))

#define MAX_CONFIDENCE		   0.99
#define MAX_CONFIDENCE_YOUNG	   0.8 /* history too short for a trend */
#define YOUNG_NS		   (15 * NSEC_PER_SEC)
#define MAX_CONFIDENCE_UNEXPLAINED 0.5
#define MIN_CONFIDENCE		   0.5 /* below, nobody is accused */
#define MIN_ALTERNATIVE		   0.01

#define LOST_EVENTS_FACTOR 0.85
#define UNWATCHED_FACTOR   0.85
#define UNSEEN_FACTOR	   0.9
/* Addresses are names in a network that we do not know: what has this one may be somebody else. */
#define OTHER_NODE_FACTOR 0.95
/* Clocks: below the one nothing changes, at the other it is an even chance, and no worse than that. */
#define CLOCK_EXACT_NS	 (100 * NSEC_PER_MSEC)
#define CLOCK_SCALE_NS	 (5.0 * (double)NSEC_PER_SEC)
#define CLOCK_FACTOR_MIN 0.6

static bool is_memory(enum verdict_class class)
{
	return CLASS(class) & MEMORY_CLASSES;
}

/* The one that says: which one is not known. */
static enum verdict_cause open_cause(enum verdict_class class)
{
	return is_memory(class) ? CAUSE_UNKNOWN_GROWTH : CAUSE_NONE;
}

/* Scores --------------------------------------------------------------------------------------- */

struct scored {
	uint32_t classes;		     /* that stand, a bit each */
	uint32_t causes[NR_VERDICT_CLASSES]; /* likewise */
	double class[NR_VERDICT_CLASSES];
	double cause[NR_VERDICT_CLASSES][NR_VERDICT_CAUSES];
};

/* Probabilities of each class, and of each cause together with its class. */
struct posterior {
	double class[NR_VERDICT_CLASSES];
	double cause[NR_VERDICT_CLASSES][NR_VERDICT_CAUSES];
};

static struct verdict_rules table(int i)
{
	static struct verdict_rules (*const tables[RULE_TABLES])(void) = {
		rules_memory,
		rules_cause,
		rules_other,
	};

	return tables[i]();
}

static void add_rule(const struct verdict_rule *rule, struct scored *s)
{
	for (int c = 0; c < NR_VERDICT_CLASSES; c++) {
		if (!(rule->classes & CLASS(c)))
			continue;
		if (!rule->causes) {
			s->class[c] += rule->weight;
			s->classes |= rule->founds ? CLASS(c) : 0;
			continue;
		}
		s->causes[c] |= rule->founds ? rule->causes : 0;
		for (int k = 0; k < NR_VERDICT_CAUSES; k++)
			if (rule->causes & CAUSE(k))
				s->cause[c][k] += rule->weight;
	}
}

static void score_all(const struct verdict_facts *facts, struct scored *s)
{
	double value;

	memset(s, 0, sizeof(*s));
	s->classes = CLASS(VERDICT_UNEXPLAINED);
	for (int c = 0; c < NR_VERDICT_CLASSES; c++)
		s->causes[c] = CAUSE(open_cause((enum verdict_class)c));
	for (int t = 0; t < RULE_TABLES; t++) {
		struct verdict_rules rules = table(t);

		for (size_t r = 0; r < rules.nr; r++)
			if (rules_apply(&rules.rows[r], facts, &value))
				add_rule(&rules.rows[r], s);
	}
}

/* Softmax over the entries of `sums` whose bit is set; the parts of `whole`. */
static void share_out(const double *sums, uint32_t allowed, double whole, double *out)
{
	double max = -INFINITY, total = 0;

	for (int i = 0; allowed >> i; i++)
		if (allowed >> i & 1)
			max = fmax(max, sums[i]);
	for (int i = 0; allowed >> i; i++) {
		out[i] = allowed >> i & 1 ? exp(sums[i] - max) : 0;
		total += out[i];
	}
	for (int i = 0; allowed >> i; i++)
		out[i] *= whole / total;
}

static void normalize(const struct scored *s, struct posterior *p)
{
	memset(p, 0, sizeof(*p));
	share_out(s->class, s->classes, 1, p->class);
	for (int c = 0; c < NR_VERDICT_CLASSES; c++)
		share_out(s->cause[c], s->causes[c], p->class[c], p -> cause[c]);
}

/* What the report shows of it ------------------------------------------------------------------ */

static void add_score(struct report_verdict *out, const struct report_score *score)
{
	if (out->nr_scores < REPORT_MAX_SCORES)
		out->scores[out->nr_scores++] = *score;
}

static int first_bit(uint32_t bits)
{
	int i = 0;

	while (!(bits >> i & 1))
		i++;
	return i;
}

/* What it speaks of: for a rule of several classes or causes the winner, if it is one of them. */
static const char *subject(const struct verdict_rule *rule, const struct report_verdict *v)
{
	if (rule->causes)
		return verdict_cause_name(rule->causes & CAUSE(v->cause)
						  ? v->cause
						  : (enum verdict_cause)first_bit(rule->causes));
	return verdict_class_name(rule->classes & CLASS(v->class)
					  ? v->class
					  : (enum verdict_class)first_bit(rule->classes));
}

enum listing { LIST_SPOKE, LIST_RIVALS, LIST_SILENT, NR_LISTINGS };

/* Does a rule belong into this part of the list? Causes of classes that lost interest nobody. */
static bool listed(const struct verdict_rule *rule, const struct scored *s, enum listing part,
		   const struct report_verdict *v, bool applies)
{
	bool mine = rule->classes & CLASS(v->class);

	switch (part) {
	case LIST_SPOKE:
		return applies && mine;
	case LIST_SILENT:
		return !applies && mine && rule->founds &&
		       (!rule->causes || rule->causes & CAUSE(v->cause));
	default:
		break;
	}
	if (!applies || mine || rule->causes)
		return false;
	return rule->classes & s->classes;
}

static void list_part(const struct verdict_facts *facts, const struct scored *s, enum listing part,
		      struct report_verdict *out)
{
	for (int t = 0; t < RULE_TABLES; t++) {
		struct verdict_rules rules = table(t);

		for (size_t r = 0; r < rules.nr; r++) {
			const struct verdict_rule *rule = &rules.rows[r];
			double value, weight;
			bool applies = rules_apply(rule, facts, &value);

			if (!listed(rule, s, part, out, applies))
				continue;
			weight = applies ? rule->weight : 0;
			add_score(out, &(struct report_score){rule->name, subject(rule, out),
							      weight, value});
		}
	}
}

static double best_left(const struct posterior *p, bool told[][NR_VERDICT_CAUSES], int *class,
			int *cause)
{
	double best = 0;

	for (int c = 0; c < NR_VERDICT_CLASSES; c++) {
		for (int k = 0; k < NR_VERDICT_CAUSES; k++) {
			if (told[c][k] || p->cause[c][k] <= best)
				continue;
			best = p->cause[c][k];
			*class = c;
			*cause = k;
		}
	}
	return best;
}

static void list_alternatives(const struct posterior *p, struct report_verdict *out)
{
	bool told[NR_VERDICT_CLASSES][NR_VERDICT_CAUSES] = {[VERDICT_UNEXPLAINED] = {true}};
	int class = 0, cause = 0;

	told[out->class][out->cause] = true;
	while (out->nr_alternatives < REPORT_MAX_ALTERNATIVES) {
		double best = best_left(p, told, &class, &cause);

		if (best < MIN_ALTERNATIVE)
			return;
		told[class][cause] = true;
		out->alternatives[out->nr_alternatives++] = (struct report_alternative){
			(enum verdict_class) class, (enum verdict_cause)cause, best};
	}
}

/* What could not be seen ----------------------------------------------------------------------- */

/* Hooks that the class and its cause owe something to. */
static int hooks_missing(const struct verdict_facts *f, enum verdict_class class,
			 enum verdict_cause cause)
{
	int missing = 0;

	for (int hook = 0; hook < NR_HOOKS; hook++) {
		const struct hook_row *row = hook_row((enum hook)hook);

		if (f->unseen & HOOK_BIT(hook))
			missing += row->classes & CLASS(class) || row->causes & CAUSE(cause);
	}
	return missing;
}

/* By how much an unknown offset of clocks may hide or feign that one thing followed another. */
static double clock_factor(const struct verdict_facts *f)
{
	if (f->clock_error_ns <= CLOCK_EXACT_NS)
		return 1;
	return fmax(CLOCK_FACTOR_MIN, 1 / (1 + (double)f->clock_error_ns / CLOCK_SCALE_NS));
}

static double quality(const struct verdict_facts *f, enum verdict_class class,
		      enum verdict_cause cause)
{
	double factor = pow(UNSEEN_FACTOR, hooks_missing(f, class, cause));

	if (f->events_lost)
		factor *= LOST_EVENTS_FACTOR;
	if (f->other_node)
		factor *= OTHER_NODE_FACTOR * clock_factor(f);
	return f->unwatched_ns ? factor * UNWATCHED_FACTOR : factor;
}

/* Each part is a score of its own. */
static void list_quality(const struct verdict_facts *f, struct report_verdict *out)
{
	int missing = hooks_missing(f, out->class, out->cause);

	if (missing)
		add_score(out, &(struct report_score){"hooks_missing", "data_quality",
						      missing * log(UNSEEN_FACTOR), missing});
	if (f->events_lost)
		add_score(out,
			  &(struct report_score){"events_lost", "data_quality",
						 log(LOST_EVENTS_FACTOR), (double)f->events_lost});
	if (f->other_node)
		add_score(out, &(struct report_score){"other_node", "data_quality",
						      log(OTHER_NODE_FACTOR), 1});
	if (f->other_node && clock_factor(f) < 1)
		add_score(out, &(struct report_score){"clock_error_s", "data_quality",
						      log(clock_factor(f)),
						      (double)f->clock_error_ns / 1e9});
	if (f->unwatched_ns)
		add_score(out, &(struct report_score){"unwatched_s", "data_quality",
						      log(UNWATCHED_FACTOR),
						      (double)f->unwatched_ns / 1e9});
}

/* The decision --------------------------------------------------------------------------------- */

/* A trend may be steep within seconds; what is usual for a process takes longer to show. */
static bool has_short_history(const struct verdict_facts *f)
{
	return f->story.insufficient || f->story.watched_late || !f->story.known ||
	       (f->lifetime_ns && f->lifetime_ns < YOUNG_NS);
}

static double limit_of(const struct report_verdict *v)
{
	if (v->class == VERDICT_UNEXPLAINED)
		return MAX_CONFIDENCE_UNEXPLAINED;
	return v->insufficient_history ? MAX_CONFIDENCE_YOUNG : MAX_CONFIDENCE;
}

/* First among equals: accuse nobody. */
static enum verdict_class choose_class(const struct verdict_facts *f, const struct posterior *p)
{
	enum verdict_class best = VERDICT_UNEXPLAINED;

	for (int c = 0; c < NR_VERDICT_CLASSES; c++)
		if (p->class[c] > p -> class[best])
			best = (enum verdict_class)c;
	if (p->class[best] * quality(f, best, open_cause(best)) < MIN_CONFIDENCE)
		best = VERDICT_UNEXPLAINED;
	return best;
}

/* What is left of a probability by what could not be seen. */
static double left(const struct verdict_facts *f, enum verdict_class class,
		   enum verdict_cause cause, double probability)
{
	return class == VERDICT_UNEXPLAINED ? probability : probability * quality(f, class, cause);
}

/* Sets the cause and the confidence in both; in the class alone where no cause convinces. */
static void choose_cause(const struct verdict_facts *f, const struct posterior *p,
			 struct report_verdict *out)
{
	const double *causes = p->cause[out->class];
	enum verdict_cause best = open_cause(out->class);

	for (int k = 0; k < NR_VERDICT_CAUSES; k++)
		if (causes[k] > causes[best])
			best = (enum verdict_cause)k;
	out->cause = best;
	out->confidence = left(f, out->class, best, causes[best]);
	if (out->confidence >= MIN_CONFIDENCE || out->class == VERDICT_UNEXPLAINED)
		return;
	out->cause = open_cause(out->class);
	out->confidence = left(f, out->class, out->cause, p->class[out->class]);
}

void verdict_decide(const struct verdict_facts *facts, struct report_verdict *out)
{
	struct posterior p;
	struct scored scored;

	memset(out, 0, sizeof(*out));
	score_all(facts, &scored);
	normalize(&scored, &p);
	out->class = choose_class(facts, &p);
	choose_cause(facts, &p, out);
	out->insufficient_history = is_memory(out->class) && has_short_history(facts);
	out->confidence = fmin(out->confidence, limit_of(out));
	list_alternatives(&p, out);
	list_quality(facts, out);
	for (int part = 0; part < NR_LISTINGS; part++)
		list_part(facts, &scored, (enum listing)part, out);
}
