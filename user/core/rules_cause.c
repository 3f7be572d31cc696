/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * rules_cause.c - why memory grew: what was kept and where, what came in, what waited, or whether
 * there never was enough room. That it was memory at all is rules_memory.c.
 */
#include "core/rules.h"

/* A service that begins with so much of its room in use has no room to work in. */
#define BIG_BASELINE   0.6
#define SMALL_BASELINE 0.4
/* Together with what was there before, the payload would have stayed well below the ceiling. */
#define WOULD_HAVE_FITTED 0.8
/* One step of the growth that outweighs all others. */
#define ONE_JUMP 0.5

static bool more_than(struct measure m, double part, double *value)
{
	*value = m.value;
	return m.has && m.value > part;
}

static bool mostly_native(const struct verdict_facts *f)
{
	return f->managed_heap && f->story.native_share.has &&
	       f->story.native_share.value > RULES_MOSTLY;
}

static bool floor_growing(const struct verdict_facts *f, double *value)
{
	*value = f->story.trend.mk_z;
	return f->story.grew && !f->story.insufficient;
}

static bool grew_from_start(const struct verdict_facts *f, double *value)
{
	*value = f->story.trend.slope;
	return f->story.grew && f->story.insufficient;
}

static bool no_growth_seen(const struct verdict_facts *f, double *value)
{
	*value = f->story.jump_share;
	return !f->story.grew;
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
	return f->story.grew && f->managed_heap && !f->story.native_share.has && !f->v8_oom &&
	       !f->heap_full_exit;
}

/* A JVM is told to end for want of any memory it manages: of classes as well as of objects. */
static bool heap_full(const struct verdict_facts *f, double *value)
{
	*value = f->story.trend.slope;
	return f->v8_oom || (f->heap_full_exit && !(f->story.grew && mostly_native(f))) ||
	       rules_busy_with_full_heap(f);
}

/* It was too quick for a trend, or the collector bent it; but no single thing filled the heap. */
static bool heap_filled_in_steps(const struct verdict_facts *f, double *value)
{
	double full;

	*value = f->story.jump_share;
	return heap_full(f, &full) && !f->story.grew && f->story.known && *value > 0 &&
	       *value < ONE_JUMP && !f->traffic.payload_ns;
}

static bool retained_per_request(const struct verdict_facts *f, double *value)
{
	return more_than(f->traffic.explained.requests, RULES_MOSTLY, value);
}

static bool retained_without_requests(const struct verdict_facts *f, double *value)
{
	return more_than(f->traffic.explained.background, RULES_MOSTLY, value);
}

static bool grew_with_bodies(const struct verdict_facts *f, double *value)
{
	return more_than(f->traffic.explained.received, RULES_MOSTLY, value);
}

static bool grew_after_large_request(const struct verdict_facts *f, double *value)
{
	*value = f->traffic.payload_growth_share;
	return f->traffic.payload_ns && *value > RULES_MOSTLY;
}

static bool one_jump_after_large_request(const struct verdict_facts *f, double *value)
{
	*value = f->story.jump_share;
	return f->traffic.payload_ns && *value > ONE_JUMP;
}

/* Would it have lived through the payload, had it not grown before? Then it was the last straw. */
static bool payload_would_have_fitted(const struct verdict_facts *f, double *value)
{
	uint64_t baseline = f->traffic.baseline_anon_bytes, ceiling = rules_memory_ceiling(f);
	uint64_t grown = since_ns(f->peak_anon_bytes, baseline);
	double needed = (double)baseline + f->traffic.payload_growth_share * (double)grown;

	*value = ceiling ? needed / (double)ceiling : 0;
	return f->traffic.payload_ns && baseline && ceiling && f->story.grew &&
	       !f->story.insufficient && *value < WOULD_HAVE_FITTED;
}

static bool big_from_the_start(const struct verdict_facts *f, double *value)
{
	*value = rules_share(f->traffic.baseline_anon_bytes, rules_memory_ceiling(f));
	return *value >= BIG_BASELINE && f->story.known && !f->story.watched_late;
}

static bool room_at_the_start(const struct verdict_facts *f, double *value)
{
	*value = rules_share(f->traffic.baseline_anon_bytes, rules_memory_ceiling(f));
	return *value > 0 && *value < SMALL_BASELINE;
}

/* Near its limit every process grows ever slower; V8 does so for seconds. That says nothing. */
static bool grew_ever_slower(const struct verdict_facts *f, double *value)
{
	return rules_growth_declines(f, value) && !f->v8_oom && !f->heap_full_exit &&
	       !rules_thrashing(f) && !rules_stalled(f);
}

/* Leaks, too, end at the same size each time. What tells is that the growth was coming to rest. */
static bool dies_alike_at_rest(const struct verdict_facts *f, double *value)
{
	double concavity;

	*value = f->lives.memory_deaths;
	return f->lives.memory_deaths && f->lives.similar_peaks && !f->traffic.payload_ns &&
	       grew_ever_slower(f, &concavity);
}

static bool dies_before_serving(const struct verdict_facts *f, double *value)
{
	*value = f->lives.memory_deaths;
	return f->died && f->lives.memory_deaths && !f->served;
}

/* Its collector starts to work hard only above what the kernel lets it have. */
static bool heap_limit_above_cgroup_limit(const struct verdict_facts *f, double *value)
{
	uint64_t heap = 0, cgroup = 0;

	for (uint32_t i = 0; i < f->ceilings.nr; i++) {
		const struct report_ceiling *c = &f->ceilings.all[i];

		if (c->source == CEILING_CGROUP)
			cgroup = c->bytes;
		else if (c->source == CEILING_HEAP_FLAG || c->source == CEILING_HEAP_COMPUTED)
			heap = c->bytes;
	}
	*value = rules_share(heap, cgroup);
	return *value >= 1;
}

static bool steady_retention(const struct verdict_facts *f, double *value)
{
	*value = f->story.bytes_per_request.value;
	return rules_steady_retention(f);
}

static bool pool_saturated(const struct verdict_facts *f, double *value)
{
	*value = f->traffic.pool.connections;
	return f->traffic.pool.saturated;
}

static bool pool_saturated_before_growth(const struct verdict_facts *f, double *value)
{
	const struct report_pool *pool = &f->traffic.pool;

	*value = pool->connections;
	return pool->saturated && pool->since_ns && f->story.grew && f->story.onset_ns &&
	       pool->since_ns <= f->story.onset_ns;
}

static bool grew_with_waiting_requests(const struct verdict_facts *f, double *value)
{
	return more_than(f->traffic.explained.in_flight, RULES_MOSTLY, value) &&
	       f->traffic.pool.saturated;
}

static bool grew_with_a_surge(const struct verdict_facts *f, double *value)
{
	return more_than(f->traffic.explained.in_flight, RULES_MOSTLY, value) &&
	       !f->traffic.pool.saturated;
}

static bool grew_with_in_flight(const struct verdict_facts *f, double *value)
{
	return more_than(f->traffic.explained.in_flight, RULES_MOSTLY, value);
}

/* What grew of its anonymous memory is the smaller part of what ended it. */
static bool filled_otherwise(const struct verdict_facts *f, double *value)
{
	*value = f->oom_anon_share;
	return rules_filled_otherwise(f);
}

static bool always(const struct verdict_facts *f, double *value)
{
	(void)f;
	*value = 1;
	return true;
}

#define ALL	 MEMORY_CLASSES
#define HEAP	 CAUSE(CAUSE_HEAP_LEAK)
#define NATIVE	 CAUSE(CAUSE_NATIVE_LEAK)
#define UNKNOWN	 CAUSE(CAUSE_UNKNOWN_GROWTH)
#define SMALL	 CAUSE(CAUSE_LIMIT_TOO_SMALL)
#define PAYLOAD	 CAUSE(CAUSE_LARGE_PAYLOAD)
#define POOL	 CAUSE(CAUSE_DB_POOL_EXHAUSTION)
#define OVERLOAD CLASS(VERDICT_BACKEND_OVERLOAD)

static const struct verdict_rule rows[] = {
	{"cause_head_start", ALL, UNKNOWN, 1, false, always,
	 "a cause has to be more likely than not"},
	{"floor_growing", ALL, UNKNOWN, -3, false, floor_growing, "something kept what it took"},
	{"grew_from_start", ALL, UNKNOWN, -2, false, grew_from_start,
	 "it grew as long as it was seen, which was not long"},
	{"no_growth_seen", ALL, UNKNOWN, 2.5, false, no_growth_seen,
	 "what took the memory was not there before"},
	{"filled_otherwise", ALL, UNKNOWN, 8, false, filled_otherwise,
	 "its limit was full of shared memory, files in memory or the kernel's own"},
	{"growth_in_managed_heap", ALL, HEAP, 3, true, growth_in_managed_heap,
	 "malloc holds less than half of what was kept"},
	{"growth_in_process_heap", ALL, HEAP, 3, true, growth_in_process_heap,
	 "there is no other heap"},
	{"growth_place_unknown", ALL, HEAP, 1, true, growth_place_unknown,
	 "most leaks are of objects"},
	{"heap_full", ALL, HEAP, 3, true, heap_full, "the managed heap itself was full"},
	{"heap_filled_in_steps", ALL, UNKNOWN, -2, false, heap_filled_in_steps,
	 "what is not kept does not fill a heap little by little"},
	{"growth_outside_heap", ALL, NATIVE, 4, true, growth_outside_heap,
	 "malloc holds more than half of what was kept"},
	{"retained_per_request", ALL, LEAKS, 1.5, false, retained_per_request,
	 "each request kept about as much: caches that fill do so for a while, too"},
	{"retained_without_requests", ALL, LEAKS, 1.5, false, retained_without_requests,
	 "it grew by time alone: timers, and warm-up"},
	{"steady_retention", ALL, SMALL, -3, false, steady_retention,
	 "a straight line ends at any limit"},
	{"grew_with_bodies", ALL, PAYLOAD, 3, true, grew_with_bodies,
	 "growth followed the bytes received, not the requests"},
	{"grew_after_large_request", ALL, PAYLOAD, 5.5, true, grew_after_large_request,
	 "most of all growth came within seconds of a large request"},
	{"one_jump_after_large_request", ALL, PAYLOAD, 1, false, one_jump_after_large_request,
	 "in a single step"},
	{"payload_would_have_fitted", ALL, PAYLOAD, -6, false, payload_would_have_fitted,
	 "without what was kept before it would have lived through it"},
	{"grew_after_large_request", ALL, LEAKS, -1.5, false, grew_after_large_request,
	 "what is there for the first time is not yet kept"},
	{"big_from_the_start", ALL, SMALL, 5, true, big_from_the_start,
	 "60 % of the room was gone before it had anything to do"},
	{"room_at_the_start", ALL, SMALL, -1, false, room_at_the_start,
	 "most of the room was free when it began"},
	{"grew_ever_slower", ALL, SMALL, 2, true, grew_ever_slower,
	 "as working sets do that would have come to rest"},
	{"grew_ever_slower", ALL, LEAKS, -1, false, grew_ever_slower, "leaks do not tire"},
	{"dies_alike_at_rest", ALL, SMALL, 4, true, dies_alike_at_rest,
	 "the same peak in each life, and ever slower on the way there"},
	{"dies_alike_at_rest", ALL, UNKNOWN | LEAKS, -2, false, dies_alike_at_rest,
	 "what is too big for its limit is so every time"},
	{"dies_before_serving", ALL, SMALL, 5, true, dies_before_serving,
	 "it needs more than its limit before the first request, each time"},
	{"heap_limit_above_cgroup_limit", ALL, SMALL, 1, false, heap_limit_above_cgroup_limit,
	 "its collector cannot know the limit; most who leak are set up like that, too"},
	{"pool_saturated_before_growth", ALL, POOL, 4, true, pool_saturated_before_growth,
	 "what came first is the root"},
	{"grew_with_waiting_requests", ALL, POOL, 4, true, grew_with_waiting_requests,
	 "waiting requests are the growth, and they waited for the pool"},
	{"pool_saturated", OVERLOAD, POOL, 4, true, pool_saturated,
	 "requests waited for a connection to the backend"},
	{"steady_retention", ALL, POOL, -3, false, steady_retention,
	 "it would have died with an idle backend as well"},
	{"grew_with_in_flight", ALL, LEAKS, -4, false, grew_with_in_flight,
	 "what waits is not kept: it goes with the answer"},
	{"grew_with_a_surge", ALL, UNKNOWN, 3, false, grew_with_a_surge,
	 "waiting requests are the growth, and nobody knows what they waited for"},
};

struct verdict_rules rules_cause(void)
{
	return (struct verdict_rules){rows, sizeof(rows) / sizeof(rows[0])};
}
