/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* lives.c - see lives.h. */
#include "core/lives.h"

#include <string.h>

#include "core/service.h"

/* What "alike" means: largest and smallest differ by less than this part of the largest. */
#define ALIKE_PEAKS 0.15
#define ALIKE_SPANS 0.50
/* A supervisor looks now and then (pm2: every 30 s), so what grows fast overshoots its threshold. */
#define ALIKE_SUPERVISED 0.25
/* Whoever lived with this much more than a supposed ceiling has shown that it is none any more. */
#define PASSED 1.1
/* Ended by its supervisor for its size: it had grown by this much since it began to serve. */
#define GROWN 1.25

struct lives *lives_find(struct lives_table *t, const struct endpoint *service)
{
	struct endpoint folded = service_fold_loopback(service);

	for (int i = 0; folded.port && i < LIVES_SERVICES; i++)
		if (endpoint_equal(&t->all[i].service, &folded))
			return &t->all[i];
	return NULL;
}

/* An unused entry, else the one silent for longest. */
static struct lives *take(struct lives_table *t, uint64_t now_ns)
{
	struct lives *l = &t->all[0];

	for (int i = 0; i < LIVES_SERVICES && l->service.port; i++)
		if (!t->all[i].service.port || t->all[i].used_ns < l->used_ns)
			l = &t->all[i];
	t->refused += l->service.port && since_ns(now_ns, l->used_ns) < LIVES_RECENT_NS;
	memset(l, 0, sizeof(*l));
	return l;
}

void lives_add(struct lives_table *t, const struct endpoint *service, const struct life *life)
{
	struct lives *l = lives_find(t, service);

	if (!service->port)
		return;
	if (!l) {
		l = take(t, life->end_ns);
		l->service = service_fold_loopback(service);
	}
	l->used_ns = max_u64(l->used_ns, life->end_ns);
	l->deaths++;
	l->ring[l->head] = *life;
	l->head = (uint8_t)((l->head + 1) % LIVES_KEPT);
	if (l->nr < LIVES_KEPT)
		l->nr++;
}

/* 0: the newest. */
static const struct life *life_at(const struct lives *l, uint32_t ago)
{
	return &l->ring[(l->head + 2 * LIVES_KEPT - 1 - ago) % LIVES_KEPT];
}

static uint64_t span_ns(const struct life *life)
{
	return since_ns(life->end_ns, life->proc.start_ns);
}

static bool by_memory(const struct life *life)
{
	return life->end == LIFE_OOM || life->end == LIFE_HEAP_FULL;
}

/*
 * Ended by its supervisor, well above where it began and on its way up. Those that have their size
 * from the start end alike whatever they are ended for: a deploy, or requests that hang.
 */
static bool by_supervisor_for_size(const struct life *life)
{
	return life->end == LIFE_SUPERVISOR && life->grew && life->baseline_anon_bytes &&
	       (double)life->peak_anon_bytes > GROWN * (double)life->baseline_anon_bytes;
}

struct range {
	uint64_t low, high;
	uint32_t nr;
};

static void range_add(struct range *r, uint64_t value)
{
	r->low = r->nr ? min_u64(r->low, value) : value;
	r->high = max_u64(r->high, value);
	r->nr++;
}

static bool range_is_narrow(const struct range *r, double spread)
{
	return r->nr > 1 && (double)(r->high - r->low) < spread * (double)r->high;
}

/* The run of deaths of memory that ends with the newest life, and how alike they are. */
static void tell_memory_deaths(const struct lives *l, const struct life *current,
			       struct lives_story *out)
{
	struct range peaks = {0}, spans = {0};

	while (out->memory_deaths < l->nr && by_memory(life_at(l, out->memory_deaths))) {
		const struct life *life = life_at(l, out->memory_deaths++);

		range_add(&peaks, life->peak_anon_bytes);
		range_add(&spans, span_ns(life));
	}
	if (peaks.nr && current->end_ns)
		range_add(&peaks, current->peak_anon_bytes);
	if (spans.nr && current->end_ns)
		range_add(&spans, span_ns(current));
	out->similar_peaks = range_is_narrow(&peaks, ALIKE_PEAKS);
	out->similar_spans = range_is_narrow(&spans, ALIKE_SPANS);
}

/* Lowest level at which lives ended so, as long as no later one has lived with clearly more. */
static void tell_ceilings(const struct lives *l, const struct life *current,
			  struct lives_story *out)
{
	uint64_t since_then = current->peak_anon_bytes;
	struct range memory = {0}, supervised = {0};

	for (uint32_t i = 0; i < l->nr; i++) {
		const struct life *life = life_at(l, i);
		double part = (double)since_then / (double)max_u64(life->peak_anon_bytes, 1);

		if (part < PASSED && by_memory(life))
			range_add(&memory, life->peak_anon_bytes);
		if (part < 1 + ALIKE_SUPERVISED && by_supervisor_for_size(life))
			range_add(&supervised, life->peak_anon_bytes);
		since_then = max_u64(since_then, life->peak_anon_bytes);
	}
	out->memory_ceiling_bytes = memory.low;
	if (range_is_narrow(&supervised, ALIKE_SUPERVISED))
		out->supervisor_ceiling_bytes = supervised.low;
}

static uint64_t median_span(const struct lives *l)
{
	uint64_t spans[LIVES_KEPT];

	for (uint32_t i = 0; i < l->nr; i++) {
		uint64_t span = span_ns(life_at(l, i));
		uint32_t at = i;

		for (; at > 0 && spans[at - 1] > span; at--)
			spans[at] = spans[at - 1];
		spans[at] = span;
	}
	return l->nr ? spans[l->nr / 2] : 0;
}

void lives_tell(const struct lives *l, const struct life *current, uint64_t now_ns,
		struct lives_story *out)
{
	memset(out, 0, sizeof(*out));
	if (!l)
		return;
	out->lives = l->nr;
	for (uint32_t i = 0; i < l->nr; i++) {
		const struct life *life = life_at(l, i);

		out->deaths_10m += since_ns(now_ns, life->end_ns) < LIVES_RECENT_NS;
		if (!by_memory(life) && !by_supervisor_for_size(life))
			out->peak_bytes = max_u64(out->peak_bytes, life->peak_anon_bytes);
	}
	out->median_span_ns = median_span(l);
	tell_memory_deaths(l, current, out);
	tell_ceilings(l, current, out);
}
