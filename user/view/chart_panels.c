/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * chart_panels.c - the panels below that of memory: answers and failures as stacked bars, latency, requests in
 * flight, reclaim.
 */
#include <math.h>

#include "base/units.h"
#include "view/chart_parts.h"

/* Stacked bars -------------------------------------------------------------------------------- */

/* One layer, from the bottom: counts that belong together. */
struct layer {
	const char *class;
	const char *words;
	uint64_t counts; /* bit per count */
};

#define BIT(n)	       (1ULL << (n))
#define STATUS_BIT(n)  BIT(FLOW_STATUS_COUNTS + (n))
#define FAIL_BIT(n)    BIT(FLOW_FAIL_COUNTS + (n))
#define ALL_COUNTS_FIT _Static_assert(NR_FLOW_COUNTS <= 64, "a bit per count")
ALL_COUNTS_FIT;

static double seconds_of(const struct series_point *at)
{
	double s = (double)(at->end_ns - at->start_ns) / (double)NSEC_PER_SEC;

	return s > 0 ? s : 1;
}

/* Per second. */
static double layer_rate(const struct series_points *points, uint32_t i, uint64_t counts)
{
	double sum = 0;

	for (uint32_t c = 0; c < points->nr_counts; c++)
		if (counts & BIT(c))
			sum += points->counts[i * points->nr_counts + c];
	return sum / seconds_of(&points->at[i]);
}

static double layers_top(const struct series_points *points, const struct layer *layers, size_t nr)
{
	uint64_t all = 0;
	double max = 0;

	for (size_t l = 0; l < nr; l++)
		all |= layers[l].counts;
	for (uint32_t i = 0; i < points->nr; i++)
		max = fmax(max, layer_rate(points, i, all));
	return max;
}

static bool layer_is_used(const struct series_points *points, const struct layer *layer)
{
	for (uint32_t i = 0; i < points->nr; i++)
		if (layer_rate(points, i, layer->counts) > 0)
			return true;
	return false;
}

/* `base` is what lies below, per point; it grows by this layer. */
static void put_layer(struct chart *c, const struct scale *s, const struct series_points *points,
		      const struct layer *layer, double *base)
{
	fprintf(c->to, "<path class=\"bars %s\" data-name=\"%s\" data-unit=\"per_s\" data-v=\"",
		layer->class, layer->words);
	for (uint32_t i = 0; i < points->nr; i++)
		fprintf(c->to, i ? " %.4g" : "%.4g", layer_rate(points, i, layer->counts));
	fputs("\" d=\"", c->to);
	for (uint32_t i = 0; i < points->nr; i++) {
		double rate = layer_rate(points, i, layer->counts);
		double x = chart_x(c, points->at[i].start_ns);
		double width = fmax(chart_x(c, points->at[i].end_ns) - x, 0.6);
		double bottom = scale_place(s, base[i]);
		double height = bottom - scale_place(s, base[i] + rate);

		base[i] += rate;
		if (rate > 0)
			fprintf(c->to, "M%.1f %.1fh%.1fv-%.1fh-%.1fz", x, bottom, width,
				fmax(height, CHART_MIN_DRAWN), width);
	}
	fputs("\"/>\n", c->to);
}

static void put_stack(struct chart *c, const char *name, const char *title, double height,
		      const struct series_points *points, const struct layer *layers, size_t nr)
{
	double base[PICTURE_COLUMNS + 8] = {0}; /* two points may have been split */
	struct chart_legend legends[12];
	size_t nr_legends = 0;
	struct scale s;

	chart_open_panel(c, name, height);
	chart_put_places(c, points);
	scale_counts(&s, layers_top(points, layers, nr), c->y, c->y + height);
	for (size_t l = 0; l < nr; l++)
		if (layer_is_used(points, &layers[l]))
			legends[nr_legends++] =
				(struct chart_legend){layers[l].class, layers[l].words};
	chart_put_title(c, title, legends, nr_legends);
	chart_put_axis(c, &s, UNIT_NUMBER);
	for (size_t l = 0; l < nr; l++)
		if (layer_is_used(points, &layers[l]))
			put_layer(c, &s, points, &layers[l], base);
	chart_close_panel(c, height);
}

/* What clients were told; the failures lie at the bottom, where they begin at zero. */
void chart_clients(struct chart *c)
{
	static const struct layer layers[] = {
		{"s502", "502", STATUS_BIT(FLOW_STATUS_502)},
		{"s503", "503", STATUS_BIT(FLOW_STATUS_503)},
		{"s504", "504", STATUS_BIT(FLOW_STATUS_504)},
		{"s5xx", "other 5xx", STATUS_BIT(FLOW_STATUS_5XX)},
		{"good", "answers below 500",
		 STATUS_BIT(FLOW_STATUS_1XX) | STATUS_BIT(FLOW_STATUS_2XX) |
			 STATUS_BIT(FLOW_STATUS_3XX) | STATUS_BIT(FLOW_STATUS_4XX)},
	};

	if (c->picture->clients.nr)
		put_stack(c, "clients", "Answers to clients /s", 92, &c->picture->clients, layers,
			  sizeof(layers) / sizeof(layers[0]));
}

void chart_upstream(struct chart *c)
{
	static const struct layer layers[] = {
		{"f-refused", "refused", FAIL_BIT(FLOW_FAIL_REFUSED)},
		{"f-reset", "reset", FAIL_BIT(FLOW_FAIL_RST_BEFORE) | FAIL_BIT(FLOW_FAIL_RST_MID)},
		{"f-closed", "closed",
		 FAIL_BIT(FLOW_FAIL_FIN_BEFORE) | FAIL_BIT(FLOW_FAIL_FIN_MID)},
		{"f-lost", "not reached",
		 FAIL_BIT(FLOW_FAIL_CONNECT_TIMEOUT) | FAIL_BIT(FLOW_FAIL_UNREACHABLE) |
			 FAIL_BIT(FLOW_FAIL_NO_PORT)},
		{"f-abandoned", "given up on", FAIL_BIT(FLOW_FAIL_ABANDONED)},
		{"f-status", "answered 502, 503, 504", FAIL_BIT(FLOW_FAIL_STATUS)},
	};
	size_t nr = sizeof(layers) / sizeof(layers[0]);

	if (c->picture->upstream.nr && layers_top(&c->picture->upstream, layers, nr) > 0)
		put_stack(c, "upstream", "Failures at the upstream /s", 76, &c->picture->upstream,
			  layers, nr);
}

/* The rest ------------------------------------------------------------------------------------ */

static struct chart_value latency_value(const struct series_points *points, uint32_t i,
					uint32_t percent)
{
	double ms = flow_latency_ms(&points->counts[i * points->nr_counts], percent / 100.0);

	return (struct chart_value){ms, ms, ms, ms >= 0};
}

static struct chart_curve latency_curve(const char *class, const char *words,
					const struct series_points *points, uint32_t percent)
{
	return (struct chart_curve){
		.class = class,
		.words = words,
		.unit = "ms",
		.points = points,
		.value = latency_value,
		.what = percent,
		.gap_ns = 3 * NSEC_PER_SEC,
	};
}

/* Clients' side where it can be read, for that is what hurts; else the upstream's. */
static const struct series_points *latency_points(const struct picture *p)
{
	for (uint32_t i = 0; i < p->clients.nr; i++)
		if (latency_value(&p->clients, i, 50).has)
			return &p->clients;
	return &p->upstream;
}

void chart_latency(struct chart *c)
{
	static const struct chart_legend legends[] = {{"line p95", "p95"}, {"line p50", "p50"}};
	const struct series_points *points = latency_points(c->picture);
	struct chart_curve p50 = latency_curve("p50", "latency p50", points, 50);
	struct chart_curve p95 = latency_curve("p95", "latency p95", points, 95);
	double min = 1e9, max = 0;
	struct scale s;

	for (uint32_t i = 0; i < points->nr; i++) {
		struct chart_value low = latency_value(points, i, 50),
				   high = latency_value(points, i, 95);

		if (low.has)
			min = fmin(min, low.low);
		max = fmax(max, high.high);
	}
	if (max <= 0)
		return;
	chart_open_panel(c, "latency", 84);
	chart_put_places(c, points);
	scale_decades(&s, min, max, c->y, c->y + 84);
	chart_put_title(c,
			points == &c->picture->clients ? "Latency of answers"
						       : "Latency of the upstream",
			legends, 2);
	chart_put_axis(c, &s, UNIT_MS);
	chart_put_curve(c, &s, &p95);
	chart_put_curve(c, &s, &p50);
	chart_close_panel(c, 84);
}

void chart_in_flight(struct chart *c)
{
	const struct series_points *points = &c->picture->upstream;
	double max = chart_highest(points, FLOW_IN_FLIGHT);
	struct chart_curve curve = {
		.class = "in-flight",
		.words = "requests in flight",
		.unit = "count",
		.points = points,
		.value = chart_gauge_value,
		.what = FLOW_IN_FLIGHT,
	};
	struct scale s;

	if (max <= 0)
		return;
	chart_open_panel(c, "in-flight", 48);
	chart_put_places(c, points);
	scale_counts(&s, max, c->y, c->y + 48);
	chart_put_title(c, "Requests in flight", NULL, 0);
	chart_put_axis(c, &s, UNIT_NUMBER);
	chart_put_curve(c, &s, &curve);
	chart_close_panel(c, 48);
}

static struct chart_value reclaim_value(const struct series_points *points, uint32_t i,
					uint32_t what)
{
	const double *counts = &points->counts[i * points->nr_counts];
	double ms = (counts[RECLAIM_DIRECT_US] + counts[RECLAIM_MEMCG_US]) / 1000 /
		    seconds_of(&points->at[i]);

	(void)what;
	return (struct chart_value){ms, ms, ms, true};
}

void chart_reclaim(struct chart *c)
{
	const struct series_points *points = &c->picture->reclaim;
	struct chart_curve curve = {
		.class = "reclaim",
		.words = "reclaim time per second",
		.unit = "ms",
		.points = points,
		.value = reclaim_value,
	};
	double max = 0;
	struct scale s;

	for (uint32_t i = 0; i < points->nr; i++)
		max = fmax(max, reclaim_value(points, i, 0).high);
	if (max <= 0)
		return;
	chart_open_panel(c, "reclaim", 48);
	chart_put_places(c, points);
	scale_counts(&s, max, c->y, c->y + 48);
	chart_put_title(c, "Reclaim in its cgroup, ms per second", NULL, 0);
	chart_put_axis(c, &s, UNIT_NUMBER);
	fprintf(c->to, "<path class=\"bars reclaim\"");
	chart_put_values(c, &curve);
	fputs(" d=\"", c->to);
	for (uint32_t i = 0; i < points->nr; i++) {
		double x = chart_x(c, points->at[i].start_ns);
		double width = fmax(chart_x(c, points->at[i].end_ns) - x, 0.6);
		double y = scale_place(&s, reclaim_value(points, i, 0).high);

		fprintf(c->to, "M%.1f %.1fh%.1fV%.1fh-%.1fz", x, s.bottom, width,
			fmin(y, s.bottom - CHART_MIN_DRAWN), width);
	}
	fputs("\"/>\n", c->to);
	chart_close_panel(c, 48);
}
