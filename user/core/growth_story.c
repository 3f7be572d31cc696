/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * growth_story.c - growth_conclude (growth.h): what the history of a process that died says of its growth,
 * by the trend at its end, the trend that was told before it stood still, or the rise from its start.
 */
#include <math.h>
#include <string.h>

#include "core/growth_parts.h"

/*
 * The last stretch before a ceiling is flat: the collector runs without end, or reclaim eats what
 * is won. So the trend of a dead process is also asked up to where it had this part of its end.
 */
#define PLATEAU_OF_END 0.92

#define FROM_START_NS	      (5 * NSEC_PER_SEC)
#define MIN_POINTS_FROM_START 3
#define MAX_STEP_OF_GROWTH    0.6
/* A minimum may dip a little under page-outs and still count as growth. */
#define MAX_DIP_OF_VALUE 0.02

/* Closed buckets and the open one, the newest TREND_BUCKETS of them. */
static uint32_t points_with_open(const struct trend_ring *ring,
				 struct trend_point out[TREND_BUCKETS])
{
	uint32_t nr = trend_points(ring, out);

	if (!ring->started)
		return 0;
	if (nr == TREND_BUCKETS) {
		memmove(out, out + 1, (nr - 1) * sizeof(*out));
		nr--;
	}
	out[nr] = ring->open;
	return nr + 1;
}

/* How far it slowed down on its way up, apart from the last stretch. */
static void tell_shape(const struct trend *rise, struct growth_story *out)
{
	if (!rise->significant || rise->slope <= 0)
		return;
	out->concavity = fmax(rise->late_slope / rise->slope, 0);
	out->concave = out->concavity < GROWTH_CONCAVE;
}

static bool grew_on_scale(const struct growth *g, int scale, const struct growth_end *end,
			  struct growth_story *out)
{
	struct trend_point points[TREND_BUCKETS];
	uint32_t nr = points_with_open(&g->rings[scale], points);
	double plateau = PLATEAU_OF_END * (double)growth_kib(end->anon_bytes);
	struct trend rise;
	uint32_t nr_rise = 0;

	while (nr_rise < nr && (double)points[nr_rise].floor_kib < plateau)
		nr_rise++;
	trend_evaluate(points, nr, growth_scale_s[scale], &out->trend);
	trend_evaluate(points, min_u64(nr_rise + 1, nr), growth_scale_s[scale], &rise);
	if (!out->trend.growing)
		out->trend = rise;
	tell_shape(&rise, out);
	out->onset_ns =
		since_ns(g->rings[scale].bucket + 1, nr) * growth_scale_s[scale] * NSEC_PER_SEC;
	out->native_share.value = out->trend.native_share;
	return out->trend.growing;
}

/* It stands still where it got to by growing: the newest trend that was told of is the story. */
static bool grew_before(const struct growth *g, int scale, const struct growth_end *end,
			struct growth_story *out)
{
	const struct trend *trend = &g->trends[scale];

	if (!g->levels[scale] || !trend->growing ||
	    (double)end->anon_bytes < PLATEAU_OF_END * (double)trend->last_bytes)
		return false;
	out->trend = *trend;
	tell_shape(trend, out);
	out->onset_ns =
		since_ns(g->grew_bucket[scale], trend->nr) * growth_scale_s[scale] * NSEC_PER_SEC;
	out->native_share.value = trend->native_share;
	return true;
}

struct rise {
	uint64_t first_kib, last_kib;
	uint64_t largest_step_kib;
	bool monotone;
};

static void measure_rise(const struct trend_point *points, uint32_t nr, uint32_t end_kib,
			 struct rise *out)
{
	memset(out, 0, sizeof(*out));
	out->monotone = true;
	out->first_kib = out->last_kib = points[0].floor_kib;
	for (uint32_t i = 1; i <= nr; i++) {
		uint64_t kib = i < nr ? points[i].floor_kib : max_u64(end_kib, out->last_kib);

		if ((double)kib < (1 - MAX_DIP_OF_VALUE) * (double)out->last_kib)
			out->monotone = false;
		if (kib > out->last_kib && kib - out->last_kib > out->largest_step_kib)
			out->largest_step_kib = kib - out->last_kib;
		out->last_kib = kib;
	}
}

/* Steady growth of a process that died before a trend was possible. */
static bool grew_from_start(const struct growth *g, const struct growth_end *end,
			    struct growth_story *out)
{
	struct trend_point points[TREND_BUCKETS];
	int scale = growth_finest_scale(end->tick_ns);
	uint32_t nr = points_with_open(&g->rings[scale], points);
	struct rise rise;
	uint64_t kib;

	if (!nr)
		return false;
	measure_rise(points, nr, growth_kib(end->anon_bytes), &rise);
	kib = since_ns(rise.last_kib, rise.first_kib);
	if (kib) /* what grew and shrank again is no larger a jump than all of it */
		out->jump_share = (double)min_u64(rise.largest_step_kib, kib) / (double)kib;
	if (nr < MIN_POINTS_FROM_START || nr >= TREND_MIN_BUCKETS || out->watched_late ||
	    !rise.monotone || kib * KIB < GROWTH_MIN_ANON_BYTES ||
	    out->jump_share > MAX_STEP_OF_GROWTH)
		return false;
	out->trend.window_s = (double)nr * growth_scale_s[scale];
	out->trend.slope = (double)(kib * KIB) / out->trend.window_s;
	out->onset_ns = g->first_ns;
	out->native_share.value =
		(double)since_ns(points[nr - 1].native_kib, points[0].native_kib) / (double)kib;
	return true;
}

/*
 * malloc takes small blocks in ways that are not seen. But what a heap grew by beyond all it may
 * hold is elsewhere.
 */
static double beyond_heap(const struct trend *trend, uint64_t heap_most_bytes)
{
	double grown = trend->slope * trend->window_s;

	return heap_most_bytes && grown > 0 ? 1 - (double)heap_most_bytes / grown : 0;
}

void growth_conclude(const struct growth *g, const struct growth_end *end, struct growth_story *out)
{
	uint64_t seen_ns = since_ns(end->ts_ns, g->first_ns);
	uint64_t grown = since_ns(end->anon_bytes, g->first_anon_bytes);
	uint64_t requests = since_ns(end->requests, g->first_requests);
	int finest = growth_finest_scale(end->tick_ns);
	bool too_short = seen_ns < TREND_MIN_BUCKETS * growth_scale_s[finest] * NSEC_PER_SEC;

	memset(out, 0, sizeof(*out));
	out->known = g->first_ns != 0;
	out->prediction_ns = g->prediction_ns;
	out->predicted_s = g->predicted_s;
	out->first_prediction_ns = g->first_prediction_ns;
	out->first_predicted_s = g->first_predicted_s;
	out->grown_bytes = grown;
	out->last_minute_bytes = growth_of_last_minute(g, end->ts_ns, end->anon_bytes);
	out->watched_late = too_short && since_ns(g->first_ns, g->proc.start_ns) > FROM_START_NS;
	for (int i = GROWTH_SCALES - 1; i >= finest && !out->grew; i--)
		out->grew = grew_on_scale(g, i, end, out);
	for (int i = GROWTH_SCALES - 1; i >= finest && !out->grew; i--)
		out->grew = grew_before(g, i, end, out);
	if (!out->grew) {
		out->grew = grew_from_start(g, end, out);
		/* That no growth was seen means little when there was no time to see one. */
		out->insufficient = out->grew || too_short;
	}
	if (!out->grew)
		return;
	out->native_share.value =
		fmax(out->native_share.value, beyond_heap(&out->trend, end->heap_most_bytes));
	out->native_share.value = fmin(out->native_share.value, 1);
	out->native_share.has =
		end->managed_heap && (g->native.has_vm || out->native_share.value > 0.5);
	if (requests && grown)
		out->bytes_per_request = (struct measure){(double)grown / (double)requests, true};
}
