/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * content_why.c - the scores of a verdict in words: what speaks for it, what else it could have been
 * and why it is not, and how far the data can be trusted. Sums are of the scores that lines list.
 */
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "view/content.h"

typedef unsigned long long ull;

#define SENTENCE_BYTES 480
#define MAX_RIVALS     8

/* One score, as lines spell it. */
struct score {
	const char *rule;
	const char *about;
	double weight;
	double value;
};

static struct score score_at(const json_t *json)
{
	struct score s = {json_text(json, JSON_PATH("rule")), json_text(json, JSON_PATH("for")), 0,
			  0};

	json_number_at(json, JSON_PATH("weight"), &s.weight);
	json_number_at(json, JSON_PATH("value"), &s.value);
	return s;
}

/* What is chosen has two names: the class and the cause. */
static bool is_chosen(const struct writing *w, const char *about)
{
	return strcmp(about, w->out->class) == 0 ||
	       (*w->out->cause && strcmp(about, w->out->cause) == 0);
}

static bool is_head_start(const char *rule)
{
	return strcmp(rule, "head_start") == 0 || strcmp(rule, "cause_head_start") == 0;
}

static void add_rule(struct writing *w, struct text *t, const struct score *s)
{
	if (!text_add_rule(t, s->rule, s->value))
		text_add(t, "%s", document_shown(w->d, s->rule, 80));
}

static const char *hypothesis_words(struct writing *w, const char *about)
{
	const char *cause = cause_words(about);

	return document_shown(w->d, cause != about ? cause : class_words(about), 80);
}

/* A sentence begins with a capital letter. */
static const char *sentence(struct document *d, char *buffer)
{
	if (buffer[0] >= 'a' && buffer[0] <= 'z')
		buffer[0] = (char)(buffer[0] - 'a' + 'A');
	return document_text(d, "%s.", buffer);
}

void content_why(struct writing *w)
{
	const json_t *scores = json_at(w->json, JSON_PATH("verdict", "scores"));
	struct block *b = document_block(w->out, BLOCK_LIST, "why", "Why we think so");
	const json_t *json;
	size_t i;

	b->explains = true;
	json_array_foreach(scores, i, json)
	{
		struct score s = score_at(json);
		char buffer[SENTENCE_BYTES];
		struct text t;

		if (!is_chosen(w, s.about) || is_head_start(s.rule) || s.weight == 0)
			continue;
		text_init(&t, buffer, sizeof(buffer));
		text_add(&t, s.weight > 0 ? "" : "although ");
		add_rule(w, &t, &s);
		text_add(&t, " (%s", s.weight < 0 ? "\xe2\x88\x92" : "+");
		text_add_decimal(&t, s.weight < 0 ? -s.weight : s.weight);
		text_add(&t, ")");
		block_add(w->d, b, sentence(w->d, buffer));
	}
	if (!b->nr_rows && strcmp(w->out->class, "unexplained") == 0)
		block_add(
			w->d, b,
			"No rule found enough to name a cause: an honest \"unexplained\" is better "
			"than a guess.");
	else if (!b->nr_rows)
		block_add(w->d, b, "The line was too long to list its scores.");
}

/* Alternatives -------------------------------------------------------------------------------- */

struct rival {
	const char *about;
	double confidence; /* < 0: not listed as an alternative */
	double sum;
};

static struct rival *rival_of(struct rival *rivals, uint32_t *nr, const char *about)
{
	for (uint32_t i = 0; i < *nr; i++)
		if (strcmp(rivals[i].about, about) == 0)
			return &rivals[i];
	if (*nr == MAX_RIVALS)
		return NULL;
	rivals[*nr] = (struct rival){about, -1, 0};
	return &rivals[(*nr)++];
}

static void take_listed(struct writing *w, struct rival *rivals, uint32_t *nr)
{
	const json_t *all = json_at(w->json, JSON_PATH("verdict", "alternatives"));
	const json_t *json;
	size_t i;

	json_array_foreach(all, i, json)
	{
		const char *class = json_text(json, JSON_PATH("class"));
		const char *cause = json_text(json, JSON_PATH("cause"));
		bool same_class = strcmp(class, w->out->class) == 0;
		struct rival *r = rival_of(rivals, nr, same_class && *cause ? cause : class);

		if (r)
			json_number_at(json, JSON_PATH("confidence"), &r->confidence);
	}
}

static void take_scored(struct writing *w, struct rival *rivals, uint32_t *nr)
{
	const json_t *scores = json_at(w->json, JSON_PATH("verdict", "scores"));
	const json_t *json;
	size_t i;

	json_array_foreach(scores, i, json)
	{
		struct score s = score_at(json);
		struct rival *r;

		if (is_chosen(w, s.about) || strcmp(s.about, "data_quality") == 0 || s.weight == 0)
			continue;
		r = rival_of(rivals, nr, s.about);
		if (r)
			r->sum += s.weight;
	}
}

/* "against it: A; B", "for it: C": of one rival. */
static void add_reasons(struct writing *w, struct text *t, const struct rival *r, bool against)
{
	const json_t *scores = json_at(w->json, JSON_PATH("verdict", "scores"));
	const json_t *json;
	bool any = false;
	size_t i;

	json_array_foreach(scores, i, json)
	{
		struct score s = score_at(json);

		if (strcmp(s.about, r->about) != 0 || s.weight == 0 || (s.weight < 0) != against ||
		    is_head_start(s.rule))
			continue;
		text_add(t, "%s",
			 any ? "; "
			     : (t->len ? (against ? ". Against it: " : ". For it: ")
				       : (against ? "Against it: " : "For it: ")));
		add_rule(w, t, &s);
		any = true;
	}
}

static const char *why_not(struct writing *w, const struct rival *r)
{
	char buffer[SENTENCE_BYTES];
	struct text t;

	text_init(&t, buffer, sizeof(buffer));
	add_reasons(w, &t, r, true);
	add_reasons(w, &t, r, false);
	if (!t.len &&
	    (strcmp(r->about, "unexplained") == 0 || strcmp(r->about, "unknown_growth") == 0))
		text_add(&t, "It would be the answer if nothing else were more likely than not, "
			     "and something is");
	else if (!t.len)
		text_add(&t, "Less speaks for it than for the verdict");
	return sentence(w->d, buffer);
}

void content_alternatives(struct writing *w)
{
	struct block *b = document_block(w->out, BLOCK_TABLE, "alternatives",
					 "What else it could have been, and why not");
	struct rival rivals[MAX_RIVALS];
	uint32_t nr = 0;

	b->explains = true;
	block_column(b, "hypothesis", "Instead", false);
	block_column(b, "why_not", "Why not", false);
	block_column(b, "score", "Score", true);
	block_column(b, "confidence", "Confidence", true);
	take_listed(w, rivals, &nr);
	take_scored(w, rivals, &nr);
	for (uint32_t i = 0; i < nr; i++) {
		struct row *row = block_row(w->d, b);
		const struct rival *r = &rivals[i];
		const char *sign = r->sum < 0 ? "\xe2\x88\x92" : "+";

		if (!row)
			return;
		row->cells[0].text = hypothesis_words(w, r->about);
		row->cells[1].text = why_not(w, r);
		row_number(row, 2,
			   document_text(
				   w->d, "%s%s", sign,
				   content_unit(w->d, UNIT_NUMBER, r->sum < 0 ? -r->sum : r->sum)),
			   r->sum);
		if (r->confidence >= 0)
			row_number(row, 3, content_unit(w->d, UNIT_PERCENT, r->confidence),
				   r->confidence);
	}
	if (!nr)
		b->note = "Nothing else came near.";
}

/* Quality ------------------------------------------------------------------------------------- */

static void add_missing_probes(struct writing *w, struct block *b)
{
	const json_t *probes = json_at(w->json, JSON_PATH("data_quality", "missing_probes"));
	const char *names = "";
	const json_t *json;
	size_t i;

	json_array_foreach(probes, i, json)
	{
		const char *name = json_string_value(json);

		name = document_shown(w->d, name ? name : "", 80);
		names = *names ? document_text(w->d, "%s, %s", names, name) : name;
	}
	if (*names)
		block_add(w->d, b,
			  document_text(w->d, "Hooks that could not be attached: %s.", names));
}

static void add_picture_gaps(struct writing *w, struct block *b)
{
	const struct picture *p = w->out->picture;

	if (!p || !p->has_records)
		block_add(
			w->d, b,
			"The picture lacks traffic, latency and reclaim: there was no recording.");
	else if (*w->out->culprit && !p->culprit.memory.nr)
		block_add(w->d, b, "The memory of the culprit was not recorded over time.");
}

void content_quality(struct writing *w)
{
	struct block *b =
		document_block(w->out, BLOCK_LIST, "data_quality", "How good the data is");
	uint64_t lost = json_u64(w->json, JSON_PATH("data_quality", "events_lost"));
	double unwatched_s;
	bool inferred =
		strcmp(json_text(w->json, JSON_PATH("impact", "status_source")), "inferred") == 0;

	b->explains = true;
	if (lost)
		block_add(w->d, b,
			  document_text(w->d,
					"%llu events were lost in its time: counts may be low, "
					"and the confidence is.",
					(ull)lost));
	if (json_number_at(w->json, JSON_PATH("data_quality", "unwatched_s"), &unwatched_s))
		block_add(w->d, b,
			  document_text(w->d,
					"Nobody watched for %.1f s of its time: the confidence is "
					"lower for it.",
					unwatched_s));
	add_missing_probes(w, b);
	if (json_flag(w->json, JSON_PATH("verdict", "insufficient_history")))
		block_add(w->d, b, "It was watched too briefly for a sure trend of its memory.");
	if (inferred)
		block_add(w->d, b,
			  "What clients were told could not be read and is inferred from the "
			  "gateway's habits.");
	if (json_flag(w->json, JSON_PATH("truncated")))
		block_add(
			w->d, b,
			"The incident's line was full: some scores, evidence or details were left "
			"out of it.");
	add_picture_gaps(w, b);
	if (!b->nr_rows)
		block_add(w->d, b,
			  "Complete: no event was lost and every hook that matters was there.");
}
