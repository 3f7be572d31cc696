/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* picture.c - see picture.h. */
#include "view/picture.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "model/address.h"
#include "view/json_read.h"

#define BEFORE_FAILURE_NS (20 * NSEC_PER_SEC) /* at least: what was normal */
#define AFTER_END_NS	  (5 * NSEC_PER_SEC)
#define FOCUS_BEFORE_NS	  (10 * NSEC_PER_SEC) /* what leads to a failure directly */
#define FOCUS_MIN_NS	  (2 * NSEC_PER_SEC)
#define SMALL_FOCUS	  0.3  /* of the window: then it is stretched ... */
#define FLOOD		  2.0  /* times the rate of the whole point */
#define FOCUS_SHARE	  0.45 /* ... to this */

/* What a window is made from, in boot time. */
struct span {
	int64_t wall_offset_ns;
	uint64_t first_ns; /* of all moments */
	uint64_t last_ns;
	uint64_t failure_ns; /* first failure */
	uint64_t end_ns;     /* last failure */
	uint64_t focus_ns;   /* first moment near it */
	uint64_t birth_ns;   /* of the culprit; 0 unknown */
};

/* Boot time of a wall clock time in the incident; 0 if there is none. */
static uint64_t boot_of(const struct span *span, const json_t *json, const char *const *path)
{
	int64_t wall_ns = 0;

	if (!json_wall_ns(json, path, &wall_ns) || wall_ns <= span->wall_offset_ns)
		return 0;
	return (uint64_t)(wall_ns - span->wall_offset_ns);
}

static void take_moment(struct span *span, uint64_t ts_ns)
{
	if (!ts_ns)
		return;
	span->first_ns = earliest_ns(span->first_ns, ts_ns);
	span->last_ns = max_u64(span->last_ns, ts_ns);
}

static void take_moments(struct span *span, const json_t *timeline)
{
	size_t i;
	const json_t *moment;

	json_array_foreach(timeline, i, moment)
		take_moment(span, boot_of(span, moment, JSON_PATH("t")));
	span->focus_ns = span->failure_ns;
	json_array_foreach(timeline, i, moment)
	{
		uint64_t ts_ns = boot_of(span, moment, JSON_PATH("t"));

		if (ts_ns && ts_ns + FOCUS_BEFORE_NS >= span->failure_ns)
			span->focus_ns = min_u64(span->focus_ns, ts_ns);
	}
}

static bool read_span(const json_t *incident, struct span *span)
{
	int64_t wall_ns = 0;
	uint64_t boot_ns = strtoull(json_text(incident, JSON_PATH("boot_ns")), NULL, 10);

	*span = (struct span){0};
	if (!json_wall_ns(incident, JSON_PATH("timestamp"), &wall_ns))
		return false;
	span->wall_offset_ns = wall_ns - (int64_t)boot_ns;
	span->failure_ns = boot_of(span, incident, JSON_PATH("impact", "window", "start"));
	if (!span->failure_ns)
		span->failure_ns = boot_ns;
	span->end_ns = boot_of(span, incident, JSON_PATH("impact", "window", "end"));
	take_moment(span, span->failure_ns);
	take_moment(span, span->end_ns);
	take_moments(span, json_at(incident, JSON_PATH("timeline")));
	span->birth_ns = boot_of(span, incident, JSON_PATH("process", "process.creation.time"));
	return span->last_ns > 0;
}

/* Windows ------------------------------------------------------------------------------------- */

static void spread(uint64_t *edges, uint32_t from, uint32_t until, uint64_t start_ns,
		   uint64_t end_ns)
{
	for (uint32_t i = from; i <= until; i++)
		edges[i] = start_ns + (uint64_t)((double)(end_ns - start_ns) * (i - from) /
						 (until > from ? until - from : 1));
}

static uint64_t window_start(const struct span *span, uint64_t length_ns)
{
	uint64_t start = min_u64(span->first_ns, since_ns(span->failure_ns, BEFORE_FAILURE_NS));

	/* A life that began not long before is shown whole. */
	if (span->birth_ns && span->birth_ns < start && start - span->birth_ns < length_ns)
		start = span->birth_ns;
	return since_ns(start, length_ns / 20);
}

/* Three stretches: before, the failure, after; each linear. */
static void stretch(struct picture *p, const struct span *span, uint64_t start_ns, uint64_t end_ns)
{
	uint64_t pad = max_u64((span->last_ns - span->focus_ns) / 8, FOCUS_MIN_NS / 4);
	uint64_t from_ns = max_u64(start_ns, since_ns(span->focus_ns, pad));
	uint64_t until_ns = min_u64(end_ns, span->last_ns + pad);
	double whole = (double)(end_ns - start_ns);
	double rest = whole - (double)(until_ns - from_ns);
	double columns = PICTURE_COLUMNS * (1 - FOCUS_SHARE);

	if ((double)(until_ns - from_ns) >= SMALL_FOCUS * whole || rest <= 0) {
		spread(p->edges, 0, PICTURE_COLUMNS, start_ns, end_ns);
		p->zoom_from = p->zoom_until = PICTURE_COLUMNS;
		return;
	}
	p->zoom_from = (uint32_t)(columns * (double)(from_ns - start_ns) / rest);
	p->zoom_until = p->zoom_from + (uint32_t)(PICTURE_COLUMNS * FOCUS_SHARE);
	p->zoom_factor = FOCUS_SHARE * whole / (double)(until_ns - from_ns);
	spread(p->edges, 0, p->zoom_from, start_ns, from_ns);
	spread(p->edges, p->zoom_from, p->zoom_until, from_ns, until_ns);
	spread(p->edges, p->zoom_until, PICTURE_COLUMNS, until_ns, end_ns);
}

static void set_window(struct picture *p, const struct history *h, const struct span *span)
{
	uint64_t length_ns = max_u64(span->last_ns - span->first_ns, NSEC_PER_SEC);
	uint64_t end_ns = span->last_ns + max_u64(length_ns / 12, AFTER_END_NS);
	uint64_t start_ns = window_start(span, length_ns);

	if (history_has_records(h) && history_now(h) > span->last_ns)
		end_ns = min_u64(end_ns, history_now(h));
	stretch(p, span, start_ns, max_u64(end_ns, start_ns + NSEC_PER_SEC));
}

double picture_column(const struct picture *picture, uint64_t ts_ns)
{
	uint32_t low = 0, high = PICTURE_COLUMNS;
	uint64_t width;

	if (ts_ns <= picture->edges[0])
		return 0;
	if (ts_ns >= picture->edges[PICTURE_COLUMNS])
		return PICTURE_COLUMNS;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (picture->edges[middle] <= ts_ns)
			low = middle;
		else
			high = middle;
	}
	width = picture->edges[low + 1] - picture->edges[low];
	return low + (width ? (double)(ts_ns - picture->edges[low]) / (double)width : 0);
}

/* What is in it ------------------------------------------------------------------------------- */

static struct series_window window_of(const struct picture *p)
{
	return (struct series_window){p->edges, PICTURE_COLUMNS};
}

static void take_life(const struct picture *p, const struct history_process *process,
		      struct picture_life *out)
{
	struct series_window window = window_of(p);

	*out = (struct picture_life){.tgid = process->id.tgid, .exit_ns = process->exit_ns};
	if (process->id.start_ns > picture_start(p))
		out->start_ns = process->id.start_ns;
	if (process->memory)
		series_read(process->memory, &window, &out->memory);
}

static void take_culprit(struct picture *p, const struct history *h,
			 const struct history_process *culprit)
{
	const struct history_cgroup *c = history_find_cgroup(h, &culprit->memcg);
	struct series_window window = window_of(p);

	take_life(p, culprit, &p->culprit);
	p->nr_forecasts = culprit->nr_forecasts;
	if (culprit->nr_forecasts)
		memcpy(p->forecasts, culprit->forecasts,
		       culprit->nr_forecasts * sizeof(*p->forecasts));
	if (c && c->reclaim)
		series_read(c->reclaim, &window, &p->reclaim);
}

/* Of the same program, started by the same parent or there afterwards, and within the window. */
static bool is_other_life(const struct picture *p, const struct history_process *culprit,
			  const struct history_process *o, uint32_t next_tgid)
{
	if (o == culprit || !o->memory || strcmp(o->comm, culprit->comm) != 0)
		return false;
	if (o->id.start_ns > picture_end(p) || (o->exit_ns && o->exit_ns < picture_start(p)))
		return false;
	return o->id.tgid == next_tgid ||
	       (o->parent_tgid == culprit->parent_tgid && culprit->parent_tgid) ||
	       (o->memcg.id && cgroup_id_equal(&o->memcg, &culprit->memcg));
}

static void take_others(struct picture *p, const struct history *h,
			const struct history_process *culprit, uint32_t next_tgid)
{
	const struct history_process *o;
	uint32_t cursor = 0;

	while (p->nr_others < PICTURE_LIVES && (o = history_next_process(h, &cursor)))
		if (is_other_life(p, culprit, o, next_tgid))
			take_life(p, o, &p->others[p->nr_others++]);
}

static bool upstream_of(const json_t *incident, struct endpoint *out)
{
	*out = (struct endpoint){
		.port = (uint16_t)json_u64(incident, JSON_PATH("impact", "network.peer.port"))};
	return address_parse(json_text(incident, JSON_PATH("impact", "network.peer.address")),
			     out->addr) &&
	       out->port;
}

/* Counts that are failures; the others are as well before as after the first one. */
static bool is_failure(uint32_t count)
{
	return (count >= FLOW_STATUS_COUNTS + FLOW_STATUS_5XX && count < FLOW_LATENCIES);
}

/* Of what is no failure, the part before: as if requests had come evenly, failed or not. */
static double good_before(const double *counts, double part, bool failures_after)
{
	double good = 0, failed = 0, before;

	for (uint32_t c = FLOW_STATUS_COUNTS; c < FLOW_FAIL_COUNTS; c++)
		*(is_failure(c) ? &failed : &good) += counts[c];
	if (good <= 0)
		return part;
	before = (good + failed) * part - (failures_after ? 0 : failed);
	return before < 0 ? 0 : (before < good ? before / good : 1);
}

static void share_counts(double *before, double *after, uint32_t nr, double part,
			 bool failures_after)
{
	double good = good_before(before, part, failures_after);

	for (uint32_t c = 0; c < nr; c++) {
		double all = before[c];

		if (is_failure(c))
			before[c] = failures_after ? 0 : all;
		else
			before[c] = all * (c < FLOW_STATUS_COUNTS ? part : good);
		after[c] = all - before[c];
	}
}

/* How much of a point failures take at least: in less they would look like a flood. */
static uint64_t least_failing_ns(const double *counts, uint64_t length_ns)
{
	double all = 0, failed = 0;

	for (uint32_t c = FLOW_STATUS_COUNTS; c < FLOW_LATENCIES; c++) {
		all += counts[c];
		failed += is_failure(c) ? counts[c] : 0;
	}
	return all > 0 ? (uint64_t)((double)length_ns * failed / all / FLOOD) : length_ns / 3;
}

/*
 * The point that holds ts_ns in two: counts are told for a whole tick, but the first and the last
 * failure are known to the nanosecond, and no bar may show one where there was none.
 */
static void split(struct series_points *points, uint64_t ts_ns, bool failures_after)
{
	uint64_t least, start, end;
	uint32_t i = 0;

	while (i < points->nr && (points->at[i].start_ns >= ts_ns || points->at[i].end_ns <= ts_ns))
		i++;
	if (i == points->nr || series_points_insert(points, i))
		return;
	start = points->at[i].start_ns;
	end = points->at[i].end_ns;
	least = least_failing_ns(&points->counts[i * points->nr_counts], end - start);
	ts_ns = failures_after ? min_u64(ts_ns, end - least) : max_u64(ts_ns, start + least);
	share_counts(&points->counts[i * points->nr_counts],
		     &points->counts[(i + 1) * points->nr_counts], points->nr_counts,
		     (double)(ts_ns - start) / (double)(end - start), failures_after);
	points->at[i].end_ns = points->at[i + 1].start_ns = ts_ns;
}

static void split_at_failures(struct picture *p, const struct span *span)
{
	struct series_points *all[] = {&p->clients, &p->upstream};

	for (int i = 0; i < 2; i++) {
		split(all[i], span->failure_ns, true);
		split(all[i], span->end_ns + 1, false);
	}
}

static void take_traffic(struct picture *p, const struct history *h, const json_t *incident,
			 uint64_t at_ns)
{
	uint32_t tgid = (uint32_t)json_u64(incident, JSON_PATH("impact", "proxy", "process.pid"));
	const struct history_process *gateway = tgid ? history_find(h, tgid, at_ns) : NULL;
	struct series_window window = window_of(p);
	struct endpoint upstream;
	struct proc_id program;
	struct flow_query clients = {FLOW_SERVER, &program, NULL};
	struct flow_query legs = {FLOW_CLIENT, gateway ? &program : NULL, &upstream};

	if (gateway) {
		program = history_program(h, gateway);
		history_read_flows(h, &clients, &window, &p->clients);
	}
	if (upstream_of(incident, &upstream))
		history_read_flows(h, &legs, &window, &p->upstream);
}

struct picture *picture_take(const struct history *h, const json_t *incident)
{
	uint32_t tgid = (uint32_t)json_u64(incident, JSON_PATH("process", "process.pid"));
	uint32_t next_tgid = (uint32_t)json_u64(incident, JSON_PATH("process", "next_pid"));
	const struct history_process *culprit;
	struct picture *p;
	struct span span;

	if (!read_span(incident, &span))
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->wall_offset_ns = span.wall_offset_ns;
	p->has_records = history_has_records(h);
	set_window(p, h, &span);
	culprit = tgid ? history_find(h, tgid, span.last_ns) : NULL;
	if (culprit) {
		take_culprit(p, h, culprit);
		take_others(p, h, culprit, next_tgid);
	}
	take_traffic(p, h, incident, span.failure_ns);
	split_at_failures(p, &span);
	return p;
}

void picture_free(struct picture *p)
{
	if (!p)
		return;
	series_points_free(&p->culprit.memory);
	for (uint32_t i = 0; i < p->nr_others; i++)
		series_points_free(&p->others[i].memory);
	series_points_free(&p->clients);
	series_points_free(&p->upstream);
	series_points_free(&p->reclaim);
	free(p);
}

static uint32_t shows(const struct picture *p)
{
	return p->culprit.memory.nr + p->clients.nr + p->upstream.nr + p->reclaim.nr +
	       p->nr_forecasts;
}

bool picture_better(const struct picture *a, const struct picture *b)
{
	if (a->has_records != b->has_records)
		return a->has_records;
	return shows(a) >= shows(b);
}
