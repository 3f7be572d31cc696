/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* clock_match.c - see clock_match.h. */
#include "source/clock_match.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"

/* WIRE_EPISODE_NS: where a new episode begins. */
#define EPISODE_NS (500 * NSEC_PER_MSEC)
/* Delays of one network differ by less than this. */
#define AGREE_NS (20 * NSEC_PER_MSEC)
/* So many that agree are no accident; where clocks are about right anyway, one less. */
#define MIN_AGREE 3
#define ABOUT_NS  (10 * (int64_t)NSEC_PER_SEC)
#define CLEARLY	  2 /* times as many as any other offset has */
#define DELAY_NS  NSEC_PER_MSEC
#define MAX_PAIRS (1U << 16)

/* Episodes ------------------------------------------------------------------------------------- */

static bool is_loopback(const uint8_t addr[16])
{
	static const uint8_t v4[13] = {[10] = 0xff, [11] = 0xff, [12] = 127};
	static const uint8_t v6[16] = {[15] = 1};

	return memcmp(addr, v4, sizeof(v4)) == 0 || memcmp(addr, v6, sizeof(v6)) == 0;
}

static struct clock_series *series_of(struct clock_events *events, const struct record_flow *flow,
				      enum clock_event event)
{
	bool sent = flow->role == FLOW_SERVER;
	struct clock_series *s = events->series;

	for (uint32_t i = 0; i < events->nr; i++, s++)
		if (s->event == event && s->sent == sent && s->port == flow->endpoint.port &&
		    memcmp(s->addr, flow->endpoint.addr, sizeof(s->addr)) == 0)
			return s;
	if (events->nr == CLOCK_SERIES)
		return NULL;
	events->nr++;
	memset(s, 0, sizeof(*s));
	memcpy(s->addr, flow->endpoint.addr, sizeof(s->addr));
	s->port = flow->endpoint.port;
	s->event = (uint8_t)event;
	s->sent = sent;
	return s;
}

static void close_episode(struct clock_series *s)
{
	if (s->open && s->nr < CLOCK_EDGES)
		s->edges[s->nr++] = s->episode;
	s->open = false;
}

/* Processes behind one address are one side: their episodes grow together. */
static void add_mark(struct clock_events *events, const struct record_flow *flow,
		     enum clock_event event, const struct flow_mark *mark)
{
	struct clock_series *s;

	if (!mark->first_ns || mark->last_ns < mark->first_ns)
		return;
	s = series_of(events, flow, event);
	if (!s)
		return;
	if (s->open && mark->first_ns > s->episode.last_ns + EPISODE_NS)
		close_episode(s);
	if (!s->open) {
		if (s->nr && mark->first_ns <= s->edges[s->nr - 1].last_ns + EPISODE_NS)
			return;
		s->episode = *mark;
		s->open = true;
		return;
	}
	if (mark->last_ns + EPISODE_NS < s->episode.first_ns)
		return;
	s->episode.first_ns = min_u64(s->episode.first_ns, mark->first_ns);
	s->episode.last_ns = max_u64(s->episode.last_ns, mark->last_ns);
}

void clock_events_add(struct clock_events *events, const struct record *record)
{
	const struct record_flow *flow = &record->flow;

	if (record->kind != RECORD_FLOW || is_loopback(flow->endpoint.addr) || !flow->endpoint.port)
		return;
	if (flow->role == FLOW_SERVER) {
		add_mark(events, flow, CLOCK_ANSWER, &flow->ok_mark);
		add_mark(events, flow, CLOCK_RESET, &flow->fail_mark[FLOW_FAIL_RST_SENT]);
	} else if (flow->role == FLOW_CLIENT) {
		add_mark(events, flow, CLOCK_ANSWER, &flow->ok_mark);
		add_mark(events, flow, CLOCK_RESET, &flow->fail_mark[FLOW_FAIL_RST_BEFORE]);
		add_mark(events, flow, CLOCK_RESET, &flow->fail_mark[FLOW_FAIL_RST_MID]);
	}
}

void clock_events_end(struct clock_events *events)
{
	for (uint32_t i = 0; i < events->nr; i++)
		close_episode(&events->series[i]);
}

/* Pairs ---------------------------------------------------------------------------------------- */

struct pairs {
	int64_t *offsets;
	uint32_t nr;
};

static void add_pair(struct pairs *pairs, uint64_t first_ns, uint64_t second_ns)
{
	if (pairs->nr < MAX_PAIRS)
		pairs->offsets[pairs->nr++] = (int64_t)(first_ns - second_ns);
}

static bool same_events(const struct clock_series *a, const struct clock_series *b)
{
	return a->event == b->event && a->sent != b->sent && a->port == b->port &&
	       memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

static void pair_series(struct pairs *pairs, const struct clock_series *a,
			const struct clock_series *b)
{
	for (uint32_t i = 0; i < a->nr; i++) {
		for (uint32_t k = 0; k < b->nr; k++) {
			add_pair(pairs, a->edges[i].first_ns, b->edges[k].first_ns);
			if (a->edges[i].last_ns != a->edges[i].first_ns ||
			    b->edges[k].last_ns != b->edges[k].first_ns)
				add_pair(pairs, a->edges[i].last_ns, b->edges[k].last_ns);
		}
	}
}

static int compare(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return a < b ? -1 : a > b;
}

/* Of two in order, which a recording may have put further apart than int64_t reaches. */
static uint64_t apart_ns(int64_t low, int64_t high)
{
	return (uint64_t)high - (uint64_t)low;
}

struct cluster {
	uint32_t from;
	uint32_t nr;
};

/* Offsets are in order, so what is near is within the cluster or next to one of its ends. */
static bool is_near(const struct pairs *pairs, const struct cluster *cluster, int64_t at)
{
	int64_t low = pairs->offsets[cluster->from];
	int64_t high = pairs->offsets[cluster->from + cluster->nr - 1];

	if (at < low)
		return apart_ns(at, low) <= AGREE_NS;
	return at <= high || apart_ns(high, at) <= AGREE_NS;
}

/* The largest number of equal offsets, the first one among equals, without those near `apart`. */
static struct cluster largest(const struct pairs *pairs, const struct cluster *apart)
{
	struct cluster best = {0};

	for (uint32_t from = 0, to = 0; from < pairs->nr; from++) {
		int64_t at = pairs->offsets[from];

		while (to < pairs->nr && apart_ns(at, pairs->offsets[to]) <= AGREE_NS)
			to++;
		if (apart && is_near(pairs, apart, at))
			continue;
		if (to - from > best.nr)
			best = (struct cluster){from, to - from};
	}
	return best;
}

static bool is_about_right(int64_t offset_ns)
{
	return offset_ns >= -ABOUT_NS && offset_ns <= ABOUT_NS;
}

static void judge(const struct pairs *pairs, struct clock_offset *out)
{
	struct cluster best = largest(pairs, NULL), next;
	int64_t low, high;

	if (!best.nr)
		return;
	next = largest(pairs, &best);
	low = pairs->offsets[best.from];
	high = pairs->offsets[best.from + best.nr - 1];
	if (best.nr < CLEARLY * next.nr || best.nr + is_about_right(low) < MIN_AGREE)
		return;
	out->offset_ns = low + (high - low) / 2;
	out->error_ns = (uint64_t)(high - low) + DELAY_NS;
	out->nr = best.nr;
}

void clock_match(const struct clock_events *first, const struct clock_events *second,
		 struct clock_offset *out)
{
	struct pairs pairs = {.offsets = malloc(MAX_PAIRS * sizeof(*pairs.offsets))};

	memset(out, 0, sizeof(*out));
	if (!pairs.offsets)
		return;
	for (uint32_t i = 0; i < first->nr; i++)
		for (uint32_t k = 0; k < second->nr; k++)
			if (same_events(&first->series[i], &second->series[k]))
				pair_series(&pairs, &first->series[i], &second->series[k]);
	qsort(pairs.offsets, pairs.nr, sizeof(*pairs.offsets), compare);
	judge(&pairs, out);
	free(pairs.offsets);
}
