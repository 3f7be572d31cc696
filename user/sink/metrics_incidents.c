/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * metrics_incidents.c - incidents by verdict: how many go on, how many ended, and whose they were.
 *
 * A verdict may change while an incident goes on, so the open ones are a gauge and only ended ones are
 * counted, by their last verdict; one that comes back under its id counts again only under another.
 */
#include <string.h>

#include "sink/metrics_parts.h"

#define OTHER METRICS_INCIDENTS

bool metrics_verdict_can_be(enum verdict_class class, enum verdict_cause cause)
{
	switch (class) {
	case VERDICT_MEMORY_DEATH:
	case VERDICT_MEMORY_STALL:
	case VERDICT_GC_THRASH:
	case VERDICT_SUPERVISOR_MEMORY_RESTART:
		return true;
	case VERDICT_BACKEND_OVERLOAD:
		return cause == CAUSE_NONE || cause == CAUSE_DB_POOL_EXHAUSTION;
	default:
		return cause == CAUSE_NONE;
	}
}

static struct metrics_incident *find(struct metrics_incidents *t, const char *id)
{
	for (int i = 0; i < METRICS_INCIDENT_VERDICTS; i++)
		if (t->all[i].id[0] && !strcmp(t->all[i].id, id))
			return &t->all[i];
	return NULL;
}

/* A free one, else the one over for longest; NULL if all go on, which the core does not let happen. */
static struct metrics_incident *take(struct metrics_incidents *t)
{
	struct metrics_incident *oldest = NULL;

	for (int i = 0; i < METRICS_INCIDENT_VERDICTS; i++) {
		struct metrics_incident *it = &t->all[i];

		if (!it->id[0])
			return it;
		if (!it->open && (!oldest || it->seen_ns < oldest->seen_ns))
			oldest = it;
	}
	return oldest;
}

/* The labels of an incident; what is counted is not set. */
static void make_row(struct metrics_incident_row *row, const struct report_incident *in)
{
	memset(row, 0, sizeof(*row));
	metrics_name_copy(row->service_name, in->service_name);
	metrics_name_copy(row->gateway, metrics_gateway_name(&in->gateway));
	if (in->upstream.port) {
		memcpy(row->upstream.addr, in->upstream.addr, sizeof(row->upstream.addr));
		row->upstream.port = in->upstream.port;
	}
	row->class = (uint8_t)in->verdict.class;
	row->cause = (uint8_t)in->verdict.cause;
}

static bool same_labels(const struct metrics_incident_row *a, const struct metrics_incident_row *b)
{
	return a->class == b->class && a->cause == b->cause &&
	       endpoint_equal(&a->upstream, &b->upstream) &&
	       !strcmp(a->service_name, b->service_name) && !strcmp(a->gateway, b->gateway);
}

static uint16_t row_of(struct metrics_incidents *t, const struct report_incident *in)
{
	struct metrics_incident_row wanted;
	uint16_t take_at = OTHER;

	make_row(&wanted, in);
	for (uint16_t i = 0; i < OTHER; i++) {
		const struct metrics_incident_row *row = &t->rows[i];

		if (row->seen_ns && same_labels(row, &wanted))
			return i;
		if (!row->open && (take_at == OTHER || row->seen_ns < t->rows[take_at].seen_ns))
			take_at = i;
	}
	if (take_at == OTHER)
		t->left_out++;
	else
		t->rows[take_at] = wanted;
	return take_at;
}

static void leave(struct metrics_incidents *t, const struct metrics_incident *it)
{
	if (!it->open)
		return;
	t->open[it->class][it->cause]--;
	t->rows[it->row].open--;
}

void metrics_count_incident(struct metrics_incidents *t, const struct report *report)
{
	const struct report_incident *in = &report->incident;
	uint8_t class = (uint8_t)in->verdict.class, cause = (uint8_t)in->verdict.cause;
	struct metrics_incident *it = find(t, in->id);

	if (class >= NR_VERDICT_CLASSES || cause >= NR_VERDICT_CAUSES)
		return;
	if (!it) {
		it = take(t);
		if (!it)
			return;
		memset(it, 0, sizeof(*it));
		memcpy(it->id, in->id, sizeof(it->id));
	}
	leave(t, it);
	it->counted &= it->class == class && it->cause == cause;
	it->class = class;
	it->cause = cause;
	it->row = row_of(t, in);
	it->seen_ns = t->rows[it->row].seen_ns = report->ts_ns;
	it->open = in->record != INCIDENT_CLOSE;
	if (it->open) {
		t->open[class][cause]++;
		t->rows[it->row].open++;
	} else if (!it->counted) {
		t->ended[class][cause]++;
		t->rows[it->row].ended++;
		it->counted = true;
	}
}

/* A counter leaves a while after its last incident; the row of the others stays. */
void metrics_expire_incidents(struct metrics_incidents *t, uint64_t now_ns)
{
	for (int i = 0; i < OTHER; i++) {
		struct metrics_incident_row *row = &t->rows[i];

		if (row->seen_ns && !row->open && now_ns > row->seen_ns + METRICS_TTL_NS)
			memset(row, 0, sizeof(*row));
	}
}
