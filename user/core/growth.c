/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* growth.c - see growth.h. */
#include "core/growth.h"

#include <string.h>

static const uint32_t scale_s[GROWTH_SCALES] = {1, 10, 60, 600};

/* Beyond, a linear forecast says nothing an operator could act on. */
#define REPORT_EXHAUSTION_S (6 * 3600.0)
#define NEAR_EXHAUSTION_S   (30 * 60.0)
/*
 * What lets the 1 s scale speak: with its window full it sees half a minute, so it may look a few
 * minutes ahead. A process that will not live that long gets a third of a window.
 */
#define URGENT_EXHAUSTION_S (5 * 60.0)
#define EARLY_EXHAUSTION_S  60.0
#define EARLY_POINTS	    10

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

bool growth_full(const struct growths *t)
{
	return !t->free_list && t->nr_touched == GROWTH_MAX;
}

uint16_t growth_take(struct growths *t, const struct proc_id *proc)
{
	uint16_t index = t->free_list;

	if (growth_full(t))
		return 0;
	if (index)
		t->free_list = t->all[index].next;
	else
		index = ++t->nr_touched;
	memset(&t->all[index], 0, sizeof(t->all[index]));
	t->all[index].proc = *proc;
	t->all[index].used = true;
	return index;
}

void growth_put(struct growths *t, uint16_t index)
{
	if (!index)
		return;
	t->all[index].used = false;
	t->all[index].next = t->free_list;
	t->free_list = index;
}

static uint32_t to_kib(uint64_t bytes)
{
	return (uint32_t)min_u64(bytes / KIB, UINT32_MAX);
}

/* Memory outside a managed heap: the brk heap, and malloc's big blocks that are not freed. */
static uint64_t native_bytes(const struct growth_native *n)
{
	return add_u64(n->brk_bytes, since_ns(n->malloc_mapped_bytes, n->malloc_unmapped_bytes));
}

void growth_sample(struct growth *g, uint64_t ts_ns, uint64_t anon_bytes)
{
	struct trend_point p = {to_kib(anon_bytes), to_kib(native_bytes(&g->native))};

	if (!g->first_ns) {
		g->first_ns = ts_ns;
		g->first_anon_bytes = anon_bytes;
	}
	g->last_ns = max_u64(g->last_ns, ts_ns);
	for (int i = 0; i < GROWTH_SCALES; i++)
		if (trend_add(&g->rings[i], scale_s[i] * NSEC_PER_SEC, ts_ns, p))
			g->due |= (uint8_t)(1 << i);
}

/* Buckets shorter than the tick repeat samples, and steps look like a trend. */
static int finest_scale(uint64_t tick_ns)
{
	int scale = 0;

	while (scale < GROWTH_SCALES - 1 && scale_s[scale] * NSEC_PER_SEC < tick_ns)
		scale++;
	return scale;
}

static struct measure seconds_to(const struct growth_ceiling *ceiling, double slope)
{
	double room = (double)since_ns(ceiling->bytes, ceiling->used_bytes);
	struct measure none = {0};

	if (!ceiling->bytes || slope <= 0 || room / slope > REPORT_EXHAUSTION_S)
		return none;
	return (struct measure){room / slope, true};
}

static bool scale_may_speak(int scale, const struct trend *trend, uint32_t nr_points,
			    const struct growth_ceiling *ceiling)
{
	struct measure left = seconds_to(ceiling, trend->slope);

	if (scale_s[scale] > 1)
		return nr_points == TREND_BUCKETS;
	return left.has &&
	       left.value < (nr_points == TREND_BUCKETS ? URGENT_EXHAUSTION_S : EARLY_EXHAUSTION_S);
}

/* One scale: none -> suspected -> (half a window later) probable, or back to none. */
static void evaluate_scale(struct growth *g, int scale, const struct growth_ceiling *ceiling)
{
	const struct trend_ring *ring = &g->rings[scale];
	struct trend_point points[TREND_BUCKETS];
	uint32_t nr_points = trend_points(ring, points);
	struct trend trend;
	bool growing;

	if (nr_points < EARLY_POINTS)
		return;
	trend_evaluate(points, nr_points, scale_s[scale], &trend);
	growing = trend.growing && scale_may_speak(scale, &trend, nr_points, ceiling);
	if (growing)
		g->trends[scale] = trend;
	if (g->levels[scale] == GROWTH_NONE && !growing)
		return;
	if (g->levels[scale] != GROWTH_NONE &&
	    ring->bucket < g->suspected_bucket[scale] + TREND_BUCKETS / 2)
		return;
	if (!growing)
		g->levels[scale] = GROWTH_NONE;
	else if (g->levels[scale] == GROWTH_NONE)
		g->levels[scale] = GROWTH_SUSPECTED;
	else
		g->levels[scale] = GROWTH_PROBABLE;
	g->suspected_bucket[scale] = ring->bucket;
}

/* The scale that speaks for the process: the highest level, the longest window. */
static int leading_scale(const struct growth *g)
{
	int best = 0;

	for (int i = 1; i < GROWTH_SCALES; i++)
		if (g->levels[i] >= g->levels[best])
			best = i;
	return best;
}

static void fill_report(const struct growth *g, int scale, const struct growth_ceiling *ceiling,
			struct report_growth *out)
{
	const struct trend *trend = &g->trends[scale];

	memset(out, 0, sizeof(*out));
	out->level = g->levels[scale];
	out->floor_bytes = g->rings[scale].open.floor_kib * KIB;
	out->ceiling_bytes = ceiling->bytes;
	out->ceiling_source = ceiling->bytes ? "cgroup" : "";
	if (out->level == GROWTH_NONE)
		return;
	out->window_s = trend->window_s;
	out->slope_bytes_per_s = trend->slope;
	out->slope_p10 = trend->slope_p10;
	out->slope_p90 = trend->slope_p90;
	out->mk_z = trend->mk_z;
	out->exhaustion_s = seconds_to(ceiling, trend->slope);
	/* The steepest slopes get there first. */
	out->exhaustion_p10_s = seconds_to(ceiling, trend->slope_p90);
	out->exhaustion_p90_s = seconds_to(ceiling, trend->slope_p10);
}

bool growth_evaluate(struct growth *g, uint64_t now_ns, uint64_t tick_ns,
		     const struct growth_ceiling *ceiling, struct report_growth *out)
{
	uint8_t level = g->level;
	bool near;
	int scale;

	for (int i = finest_scale(tick_ns); i < GROWTH_SCALES; i++)
		if (g->due & 1 << i)
			evaluate_scale(g, i, ceiling);
	g->due = 0;
	scale = leading_scale(g);
	g->level = g->levels[scale];
	if (g->level == GROWTH_NONE && level == GROWTH_NONE)
		return false;
	fill_report(g, scale, ceiling, out);
	near = out->exhaustion_s.has && out->exhaustion_s.value < NEAR_EXHAUSTION_S;
	if (g->level == level && (g->alerted || !near))
		return false;
	g->alerted = near;
	if (out->exhaustion_s.has) {
		g->prediction_ns = now_ns;
		g->predicted_s = out->exhaustion_s.value;
	}
	return true;
}

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

static bool grew_on_scale(const struct growth *g, int scale, const struct growth_end *end,
			  struct growth_story *out)
{
	struct trend_point points[TREND_BUCKETS];
	uint32_t nr = points_with_open(&g->rings[scale], points);
	double plateau = PLATEAU_OF_END * (double)to_kib(end->anon_bytes);
	uint32_t rise = 0;

	trend_evaluate(points, nr, scale_s[scale], &out->trend);
	while (rise < nr && (double)points[rise].floor_kib < plateau)
		rise++;
	if (!out->trend.growing && rise + 1 < nr)
		trend_evaluate(points, rise + 1, scale_s[scale], &out->trend);
	out->onset_ns = since_ns(g->rings[scale].bucket + 1, nr) * scale_s[scale] * NSEC_PER_SEC;
	out->native_share.value = out->trend.native_share;
	return out->trend.growing;
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
	int scale = finest_scale(end->tick_ns);
	uint32_t nr = points_with_open(&g->rings[scale], points);
	struct rise rise;
	uint64_t kib;

	if (!nr)
		return false;
	measure_rise(points, nr, to_kib(end->anon_bytes), &rise);
	kib = since_ns(rise.last_kib, rise.first_kib);
	if (kib) /* what grew and shrank again is no larger a jump than all of it */
		out->jump_share = (double)min_u64(rise.largest_step_kib, kib) / (double)kib;
	if (nr < MIN_POINTS_FROM_START || nr >= TREND_MIN_BUCKETS || out->watched_late ||
	    !rise.monotone || kib * KIB < GROWTH_MIN_ANON_BYTES ||
	    out->jump_share > MAX_STEP_OF_GROWTH)
		return false;
	out->trend.window_s = (double)nr * scale_s[scale];
	out->trend.slope = (double)(kib * KIB) / out->trend.window_s;
	out->onset_ns = g->first_ns;
	out->native_share.value =
		(double)since_ns(points[nr - 1].native_kib, points[0].native_kib) / (double)kib;
	return true;
}

void growth_conclude(const struct growth *g, const struct growth_end *end, struct growth_story *out)
{
	uint64_t seen_ns = since_ns(end->ts_ns, g->first_ns);
	uint64_t grown = since_ns(end->anon_bytes, g->first_anon_bytes);
	uint64_t requests = since_ns(end->requests, g->first_requests);
	int finest = finest_scale(end->tick_ns);
	bool too_short = seen_ns < TREND_MIN_BUCKETS * scale_s[finest] * NSEC_PER_SEC;

	memset(out, 0, sizeof(*out));
	out->known = g->first_ns != 0;
	out->prediction_ns = g->prediction_ns;
	out->predicted_s = g->predicted_s;
	out->watched_late = too_short && since_ns(g->first_ns, g->proc.start_ns) > FROM_START_NS;
	for (int i = GROWTH_SCALES - 1; i >= finest && !out->grew; i--)
		out->grew = grew_on_scale(g, i, end, out);
	if (!out->grew) {
		out->grew = grew_from_start(g, end, out);
		/* That no growth was seen means little when there was no time to see one. */
		out->insufficient = out->grew || too_short;
	}
	if (!out->grew)
		return;
	if (out->native_share.value > 1)
		out->native_share.value = 1;
	out->native_share.has =
		end->managed_heap && (g->native.has_vm || out->native_share.value > 0.5);
	if (requests && grown)
		out->bytes_per_request = (struct measure){(double)grown / (double)requests, true};
}
