/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * growth.c - see growth.h. Takes samples and tells how a process grows as it lives: its level, and when it
 * would meet its ceiling. What its end says is growth_story.c.
 */
#include <math.h>
#include <string.h>

#include "core/growth_parts.h"

const uint32_t growth_scale_s[GROWTH_SCALES] = {1, 10, 60, 600};
#define MINUTE_SCALE   1 /* the one whose closed buckets tell what was a minute ago */
#define MINUTE_BUCKETS 6
#define LONG_SCALE     2 /* the shortest one with a window of half an hour */

/* Beyond, a linear forecast says nothing an operator could act on. */
#define REPORT_EXHAUSTION_S (6 * 3600.0)
#define NEAR_EXHAUSTION_S   (30 * 60.0)
#define LASTING_S	    480
/*
 * Nobody is called, looks and acts within two minutes; a supervisor polls every 30 s and needs two
 * looks. Taken back only at twice that, so that the level does not flutter.
 */
#define IMMINENT_EXHAUSTION_S (2 * 60.0)
/*
 * What lets a short window speak: it may look ahead a few times its own length, and a process that
 * will not live that long gets a part of a window.
 */
#define URGENT_EXHAUSTION_S (5 * 60.0)
#define EARLY_EXHAUSTION_S  60.0
#define EARLY_POINTS	    12

/*
 * Half of the room must be gone before a short window speaks. V8 collects fully no later than
 * halfway between what survived the last time and its limit, so below that nothing is known about
 * what would survive; and warming up takes its share of a limit too. Where the floor was lower
 * before memswell looked is unknown: then it counts as a quarter at most.
 */
#define LOWEST_PART_UNSEEN 4
/*
 * A fall by a quarter is a collection, the end of a surge, an emptied cache; what a leak keeps is
 * most of what there is when it matters.
 */
#define GAVE_BACK    0.75
#define CLEARLY_MORE 1.05

/* So close to the ceiling, a flat floor is not a good sign; for so many buckets. */
#define CLOSE_TO_CEILING 0.85
#define HELD_BUCKETS	 (4 * TREND_BUCKETS)
/* Growth beside the heap does not lead to the limit of the heap. */
#define MOSTLY_NATIVE 0.5

/* The first half of a window at less than this part of it: what grows did not do so all the time. */
#define CONVEX 0.5

#define LAST_MINUTE_NS (60 * NSEC_PER_SEC)

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

uint64_t growth_native_bytes(const struct growth *g)
{
	const struct growth_native *n = &g->native;

	return add_u64(n->brk_bytes, since_ns(n->malloc_mapped_bytes, n->malloc_unmapped_bytes));
}

/* What it gave back once it may take again without having grown. */
static void note_peak(struct growth *g, uint32_t kib)
{
	if ((double)kib < GAVE_BACK * (double)g->peak_kib) {
		g->given_back_kib = (uint32_t)max_u64(g->given_back_kib, g->peak_kib);
		g->peak_kib = kib;
	}
	if (kib > g->peak_kib)
		g->peak_kib = kib;
}

void growth_sample(struct growth *g, uint64_t ts_ns, uint64_t anon_bytes)
{
	struct trend_point p = {growth_kib(anon_bytes), growth_kib(growth_native_bytes(g))};

	if (!g->first_ns) {
		g->first_ns = ts_ns;
		g->first_anon_bytes = anon_bytes;
	}
	g->last_ns = max_u64(g->last_ns, ts_ns);
	g->last_anon_bytes = anon_bytes;
	if (!g->lowest_kib || p.floor_kib < g->lowest_kib)
		g->lowest_kib = p.floor_kib;
	note_peak(g, p.floor_kib);
	for (int i = 0; i < GROWTH_SCALES; i++)
		if (trend_add(&g->rings[i], growth_scale_s[i] * NSEC_PER_SEC, ts_ns, p))
			g->due |= (uint8_t)(1 << i);
}

uint64_t growth_of_last_minute(const struct growth *g, uint64_t now_ns, uint64_t anon_bytes)
{
	struct trend_point points[TREND_BUCKETS];
	uint32_t nr = trend_points(&g->rings[MINUTE_SCALE], points);
	uint32_t back = MINUTE_BUCKETS + 1;

	if (since_ns(now_ns, g->last_ns) > LAST_MINUTE_NS)
		return since_ns(anon_bytes, g->last_anon_bytes);
	if (nr < back)
		return since_ns(anon_bytes, g->first_anon_bytes);
	return since_ns(anon_bytes, points[nr - back].floor_kib * KIB);
}

int growth_finest_scale(uint64_t tick_ns)
{
	int scale = 0;

	while (scale < GROWTH_SCALES - 1 && growth_scale_s[scale] * NSEC_PER_SEC < tick_ns)
		scale++;
	return scale;
}

/* The ceiling that a growth leads to. source CEILING_NONE: none is known. */
struct goal {
	enum ceiling_source source;
	uint64_t bytes;
	uint64_t used_bytes;
	bool heap;
	double pace; /* how much faster it is approached than by this process alone */
};

static struct goal goal_of(const struct growth_now *now, const struct trend *trend)
{
	const struct ceilings *c = now->ceilings;

	for (uint32_t i = 0; i < c->nr; i++) {
		struct goal goal = {.source = c->all[i].source,
				    .bytes = c->all[i].bytes,
				    .used_bytes = c->used[i],
				    .heap = ceiling_is_heap(c, i),
				    .pace = 1};

		if (goal.heap && (c->heap_fills_anyway || trend->native_share > MOSTLY_NATIVE))
			continue;
		if (goal.source == CEILING_CGROUP)
			goal.pace = fmax(now->cgroup_pace, 1);
		return goal;
	}
	return (struct goal){0};
}

/* What lies above the floor will be collected before a heap is full; a cgroup does not wait. */
static double room_of(const struct growth *g, const struct goal *goal, const struct trend *trend)
{
	double room = (double)since_ns(goal->bytes, goal->used_bytes);
	double above = (double)g->last_anon_bytes - trend->end_bytes;

	if (goal->heap && trend->end_bytes > 0)
		room += fmax(above, 0);
	return room;
}

static struct measure seconds_to(double room, const struct goal *goal, double slope)
{
	double seconds = room / (slope * goal->pace);

	if (!goal->bytes || slope <= 0 || seconds > REPORT_EXHAUSTION_S)
		return (struct measure){0};
	return (struct measure){seconds, true};
}

/* Growth by g1 in the first half and g2 < g1 in the second goes on as a geometric series. */
static bool settles_below(const struct trend *trend, const struct goal *goal, double room)
{
	double ratio = trend->early_slope > 0 ? trend->late_slope / trend->early_slope : 1;
	double late_growth = goal->pace * trend->late_slope * trend->window_s / 2;

	return ratio < 1 && late_growth * ratio / (1 - ratio) < room;
}

static bool half_is_used(const struct growth *g, const struct goal *goal)
{
	uint64_t lowest = min_u64(g->lowest_kib * KIB, goal->bytes / LOWEST_PART_UNSEEN);

	return goal->used_bytes >= lowest + since_ns(goal->bytes, lowest) / 2;
}

/* More than it once gave back, and than earlier lives of the service lived with. */
static bool is_unheard_of(const struct growth *g, const struct growth_now *now)
{
	uint64_t known = max_u64(g->given_back_kib * KIB, now->survived_bytes);

	return (double)g->last_anon_bytes > CLEARLY_MORE * (double)known;
}

/* Throughout the window: neither a step somewhere in it nor the begin of something that rests. */
static bool is_straight(const struct trend *trend)
{
	return trend->late_slope >= GROWTH_CONCAVE * trend->slope &&
	       trend->early_slope >= CONVEX * trend->slope;
}

#define ANY_DISTANCE INFINITY

/* How far ahead a window may look; 0: it may not speak. */
static double horizon_s(int scale, uint32_t nr_points)
{
	static const double full[GROWTH_SCALES] = {URGENT_EXHAUSTION_S, ANY_DISTANCE, ANY_DISTANCE,
						   ANY_DISTANCE};
	static const double part[GROWTH_SCALES] = {EARLY_EXHAUSTION_S, URGENT_EXHAUSTION_S, 0, 0};

	return nr_points == TREND_BUCKETS ? full[scale] : part[scale];
}

/*
 * Half an hour is longer than warm-up and than most cycles of a collector, and needs no further
 * reason. Minutes are not: there only growth counts that does not tire, beyond what was seen to fall.
 */
static bool scale_may_speak(const struct growth *g, int scale, const struct trend *trend,
			    const struct growth_now *now)
{
	struct goal goal = goal_of(now, trend);
	double room = room_of(g, &goal, trend);
	struct measure left = seconds_to(room, &goal, trend->slope);
	double horizon = horizon_s(scale, trend->nr);

	if (horizon == ANY_DISTANCE)
		return scale >= LONG_SCALE || (is_unheard_of(g, now) && is_straight(trend));
	return left.has && left.value < horizon && half_is_used(g, &goal) &&
	       is_unheard_of(g, now) && !settles_below(trend, &goal, room);
}

/* The level stays where growth only stopped because there is hardly anything left to grow into. */
static bool is_held(const struct growth *g, int scale, const struct growth_now *now)
{
	struct goal goal = goal_of(now, &g->trends[scale]);

	return goal.bytes && (double)goal.used_bytes > CLOSE_TO_CEILING * (double)goal.bytes &&
	       g->rings[scale].bucket < g->grew_bucket[scale] + HELD_BUCKETS;
}

/*
 * How long a suspicion has to last: half a window, and where nothing is near, most of the cycle of a
 * lazy collector (a third of those grow through one window, few through two that far apart).
 */
static uint64_t persistence_buckets(const struct growth *g, int scale, const struct growth_now *now)
{
	const struct trend *trend = &g->trends[scale];
	struct goal goal = goal_of(now, trend);
	struct measure left = seconds_to(room_of(g, &goal, trend), &goal, trend->slope);

	if (left.has && left.value < NEAR_EXHAUSTION_S)
		return TREND_BUCKETS / 2;
	return max_u64(TREND_BUCKETS / 2, LASTING_S / growth_scale_s[scale]);
}

/* One scale: none -> suspected -> (still so later) probable, or back to none. */
static void evaluate_scale(struct growth *g, int scale, const struct growth_now *now)
{
	const struct trend_ring *ring = &g->rings[scale];
	struct trend_point points[TREND_BUCKETS];
	uint32_t nr_points = trend_points(ring, points);
	struct trend trend;
	bool growing;

	if (nr_points < EARLY_POINTS)
		return;
	trend_evaluate(points, nr_points, growth_scale_s[scale], &trend);
	growing = trend.growing && scale_may_speak(g, scale, &trend, now);
	if (growing) {
		g->trends[scale] = trend;
		g->grew_bucket[scale] = ring->bucket;
	}
	if (g->levels[scale] == GROWTH_NONE && !growing)
		return;
	if (g->levels[scale] != GROWTH_NONE &&
	    ring->bucket < g->suspected_bucket[scale] + persistence_buckets(g, scale, now))
		return;
	/* Heaps grow in steps: a pause is no end. */
	if (!growing &&
	    (trend.significant || ring->bucket < g->grew_bucket[scale] + TREND_BUCKETS / 2 ||
	     is_held(g, scale, now)))
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

static struct measure time_left(const struct growth *g, int scale, const struct growth_now *now)
{
	const struct trend *trend = &g->trends[scale];
	struct goal goal = goal_of(now, trend);

	if (!g->levels[scale])
		return (struct measure){0};
	return seconds_to(room_of(g, &goal, trend), &goal, trend->slope);
}

/* The scale that sees the ceiling nearest: what began a minute ago shows on a short one only. */
static int nearest_scale(const struct growth *g, int leading, const struct growth_now *now)
{
	struct measure best = time_left(g, leading, now);
	int nearest = leading;

	for (int i = 0; i < GROWTH_SCALES; i++) {
		struct measure left = time_left(g, i, now);

		if (left.has && (!best.has || left.value < best.value)) {
			best = left;
			nearest = i;
		}
	}
	return nearest;
}

static bool is_imminent(const struct growth *g, int scale, const struct growth_now *now,
			uint8_t before)
{
	double limit = IMMINENT_EXHAUSTION_S * (before == GROWTH_IMMINENT ? 2 : 1);
	struct goal goal = goal_of(now, &g->trends[scale]);
	struct measure left = time_left(g, scale, now);

	if (now->thrashing && goal.bytes &&
	    (double)goal.used_bytes > CLOSE_TO_CEILING * (double)goal.bytes)
		return true;
	return left.has && left.value < limit;
}

static void fill_report(const struct growth *g, int scale, const struct growth_now *now,
			struct report_growth *out)
{
	const struct trend *trend = &g->trends[scale];
	struct goal goal = goal_of(now, trend);
	double room = room_of(g, &goal, trend);

	memset(out, 0, sizeof(*out));
	out->level = g->level;
	out->floor_bytes = g->rings[g->level ? scale : 0].open.floor_kib * KIB;
	out->ceiling_bytes = goal.bytes;
	out->ceiling_source = goal.source;
	if (out->level == GROWTH_NONE || !trend->nr)
		return;
	out->window_s = trend->window_s;
	out->slope_bytes_per_s = trend->slope;
	out->slope_p10 = trend->slope_p10;
	out->slope_p90 = trend->slope_p90;
	out->mk_z = trend->mk_z;
	out->exhaustion_s = seconds_to(room, &goal, trend->slope);
	/* The steepest slopes get there first. */
	out->exhaustion_p10_s = seconds_to(room, &goal, trend->slope_p90);
	out->exhaustion_p90_s = seconds_to(room, &goal, trend->slope_p10);
}

void growth_outlook(const struct growth *g, const struct growth_now *now, struct report_growth *out)
{
	int leading = leading_scale(g);
	bool imminent = g->level == GROWTH_IMMINENT;

	fill_report(g, imminent ? nearest_scale(g, leading, now) : leading, now, out);
}

static void remember_prediction(struct growth *g, uint64_t now_ns, double seconds)
{
	g->prediction_ns = now_ns;
	g->predicted_s = seconds;
	if (g->first_prediction_ns)
		return;
	g->first_prediction_ns = now_ns;
	g->first_predicted_s = seconds;
}

bool growth_evaluate(struct growth *g, const struct growth_now *now, struct report_growth *out)
{
	uint8_t level = g->level;
	int nearest;
	bool near;

	for (int i = growth_finest_scale(now->tick_ns); i < GROWTH_SCALES; i++)
		if (g->due & 1 << i)
			evaluate_scale(g, i, now);
	g->due = 0;
	nearest = nearest_scale(g, leading_scale(g), now);
	g->level =
		is_imminent(g, nearest, now, level) ? GROWTH_IMMINENT : g->levels[leading_scale(g)];
	if (g->level == GROWTH_NONE && level == GROWTH_NONE)
		return false;
	growth_outlook(g, now, out);
	near = out->exhaustion_s.has && out->exhaustion_s.value < NEAR_EXHAUSTION_S;
	if (g->level == level && (g->alerted || !near))
		return false;
	g->alerted = near;
	if (out->exhaustion_s.has)
		remember_prediction(g, now->now_ns, out->exhaustion_s.value);
	return true;
}
