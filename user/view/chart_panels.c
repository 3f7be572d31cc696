/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * chart_panels.c - the curves of a picture, each panel from its points. A point keeps its least and
 * largest value, so no peak is lost however narrow it is drawn.
 */
#include <math.h>
#include <string.h>

#include "base/units.h"
#include "view/chart.h"
#include "view/words.h"

#define GAP	  30  /* between panels, with the title of the lower one */
#define MIN_DRAWN 1.0 /* a failure is never too small to be seen */

double chart_x(const struct chart *c, uint64_t ts_ns)
{
	return PLOT_LEFT + PLOT_WIDTH * picture_column(c->picture, ts_ns) / PICTURE_COLUMNS;
}

/* Frames -------------------------------------------------------------------------------------- */

struct legend {
	const char *class;
	const char *words;
};

static void put_quantity(FILE *to, enum unit unit, double value)
{
	char buffer[80];
	struct text t;

	text_init(&t, buffer, sizeof(buffer));
	if (unit == UNIT_MS && value < 1000)
		text_add(&t, value < 1 ? "%.1f ms" : "%.0f ms", value);
	else if (unit == UNIT_BYTES && value == 0)
		text_add(&t, "0");
	else
		text_add_unit(&t, unit, value);
	html_text(to, buffer);
}

static void put_axis(struct chart *c, const struct scale *s, enum unit unit)
{
	for (uint32_t i = 0; i < s->nr_ticks; i++) {
		double y = scale_place(s, s->ticks[i]);

		fprintf(c->to, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>", PLOT_LEFT, y,
			PLOT_RIGHT);
		fprintf(c->to, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
			PLOT_LEFT - 8, y + 4);
		put_quantity(c->to, unit, s->ticks[i]);
		fputs("</text>\n", c->to);
	}
}

/* Room that words take in the widest of the page's fonts, where m is half as wide again as most. */
static double room_of(const char *words, double letter)
{
	double room = 0;

	for (; *words; words++)
		room += strchr("mMwW", *words) ? letter * 1.6 : letter;
	return room;
}

/* Title on the left, what the colours mean on the right of it. */
static void put_title(struct chart *c, const char *title, const struct legend *legends, size_t nr)
{
	double x = PLOT_LEFT + 6.0 + room_of(title, 8.0);
	double y = c->y - 9;

	fprintf(c->to, "<text class=\"panel-title\" x=\"%d\" y=\"%.0f\">%s</text>", PLOT_LEFT, y,
		title);
	for (size_t i = 0; i < nr; i++) {
		fprintf(c->to,
			"<rect class=\"key %s\" x=\"%.0f\" y=\"%.0f\" width=\"14\" height=\"%d\"/>",
			legends[i].class, x + 12, y - (strstr(legends[i].class, "line") ? 5 : 9),
			strstr(legends[i].class, "line") ? 3 : 10);
		fprintf(c->to, "<text class=\"legend\" x=\"%.0f\" y=\"%.0f\">%s</text>", x + 31, y,
			legends[i].words);
		x += 31 + room_of(legends[i].words, 7.6);
	}
	fputc('\n', c->to);
}

static void open_panel(struct chart *c, const char *name, double height)
{
	c->y += GAP;
	fprintf(c->to,
		"<g class=\"panel %s\" data-panel=\"%s\" data-top=\"%.0f\" data-bottom=\"%.0f\"",
		name, name, c->y, c->y + height);
}

static void put_places(struct chart *c, const struct series_points *points)
{
	fputs(" data-x=\"", c->to);
	for (uint32_t i = 0; i < points->nr; i++)
		fprintf(c->to, "%s%.1f", i ? " " : "", chart_x(c, points->at[i].end_ns));
	fputs("\">\n", c->to);
}

static void close_panel(struct chart *c, double height)
{
	fprintf(c->to, "<path class=\"axis\" d=\"M%d %.1fH%d\"/></g>\n", PLOT_LEFT, c->y + height,
		PLOT_RIGHT);
	c->y += height;
}

/* Lines --------------------------------------------------------------------------------------- */

/* A value for each point; not has: a gap. */
struct value {
	double low, high, last;
	bool has;
};

struct curve {
	const char *class;
	const char *words;
	const char *unit; /* for report.js */
	const struct series_points *points;
	struct value (*value)(const struct series_points *points, uint32_t i, uint32_t what);
	uint32_t what;
	uint64_t gap_ns; /* points farther apart than this are not joined; 0: all are */
};

static struct value gauge_value(const struct series_points *points, uint32_t i, uint32_t gauge)
{
	const struct series_gauge *g = &points->gauges[i * points->nr_gauges + gauge];

	return (struct value){g->min, g->max, g->last, g->has};
}

static struct value latency_value(const struct series_points *points, uint32_t i, uint32_t percent)
{
	double ms = flow_latency_ms(&points->counts[i * points->nr_counts], percent / 100.0);

	return (struct value){ms, ms, ms, ms >= 0};
}

static void put_values(struct chart *c, const struct curve *curve)
{
	fprintf(c->to, " data-name=\"%s\" data-unit=\"%s\" data-v=\"", curve->words, curve->unit);
	for (uint32_t i = 0; i < curve->points->nr; i++) {
		struct value v = curve->value(curve->points, i, curve->what);

		fputs(i ? " " : "", c->to);
		if (v.has)
			fprintf(c->to, "%.4g", v.high);
		else
			fputc('-', c->to);
	}
	fputc('"', c->to);
}

/* The pen: absolute where it sets down, relative where it draws, for brevity. */
struct pen {
	FILE *to;
	double x, y;
	bool down;
};

static double tenth(double v)
{
	return round(v * 10) / 10;
}

static void pen_to(struct pen *pen, double x, double y)
{
	x = tenth(x);
	y = tenth(y);
	if (!pen->down)
		fprintf(pen->to, "M%.6g %.6g", x, y);
	else
		fprintf(pen->to, "l%.4g %.4g", tenth(x - pen->x), tenth(y - pen->y));
	pen->x = x;
	pen->y = y;
	pen->down = true;
}

static void put_curve(struct chart *c, const struct scale *s, const struct curve *curve)
{
	struct pen pen = {.to = c->to};
	uint64_t before_ns = 0;

	fprintf(c->to, "<path class=\"curve %s\"", curve->class);
	put_values(c, curve);
	fputs(" d=\"", c->to);
	for (uint32_t i = 0; i < curve->points->nr; i++) {
		const struct series_point *at = &curve->points->at[i];
		struct value v = curve->value(curve->points, i, curve->what);
		double x = chart_x(c, at->end_ns);
		double y = scale_place(s, v.last);

		if (!v.has)
			continue;
		if (curve->gap_ns && before_ns && at->start_ns > before_ns + curve->gap_ns)
			pen.down = false;
		before_ns = at->end_ns;
		if (pen.down && scale_place(s, v.low) - y > MIN_DRAWN)
			pen_to(&pen, x, scale_place(s, v.low));
		if (pen.down && y - scale_place(s, v.high) > MIN_DRAWN)
			pen_to(&pen, x, scale_place(s, v.high));
		pen_to(&pen, x, y);
	}
	fputs("\"/>\n", c->to);
}

static double highest(const struct series_points *points, uint32_t gauge)
{
	double max = 0;

	for (uint32_t i = 0; i < points->nr; i++) {
		struct value v = gauge_value(points, i, gauge);

		if (v.has && v.high > max)
			max = v.high;
	}
	return max;
}

/* Memory -------------------------------------------------------------------------------------- */

#define MEMORY_HEIGHT 190
#define FAR_CEILING   2.5 /* times the peak: then it would press the curve flat */

static double memory_top(const struct chart *c)
{
	const struct picture *p = c->picture;
	double max = highest(&p->culprit.memory, MEMORY_ANON);
	double usage = highest(&p->culprit.memory, MEMORY_USAGE);
	double top;

	for (uint32_t i = 0; i < p->nr_others; i++)
		max = fmax(max, highest(&p->others[i].memory, MEMORY_ANON));
	for (uint32_t i = 0; i < p->nr_forecasts; i++)
		max = fmax(max, (double)p->forecasts[i].floor_bytes);
	if (usage < FAR_CEILING * max || max == 0)
		max = fmax(max, usage);
	top = max;
	for (uint32_t i = 0; i < c->incident->nr_ceilings; i++) {
		const struct ceiling *ceiling = &c->incident->ceilings[i];

		if (ceiling->nearest || max == 0 || (double)ceiling->bytes < FAR_CEILING * max)
			top = fmax(top, (double)ceiling->bytes);
	}
	return top;
}

/* Names of ceilings that are near each other stand beside each other, from the right. */
static void put_ceilings(struct chart *c, const struct scale *s)
{
	double used_y = -100, right = PLOT_RIGHT - 4, width = 0;
	uint32_t nr_far = 0;

	for (uint32_t i = 0; i < c->incident->nr_ceilings; i++) {
		const struct ceiling *ceiling = &c->incident->ceilings[i];
		bool far = (double)ceiling->bytes > s->high;
		double y = far ? s->top : scale_place(s, (double)ceiling->bytes);
		double label_y = far ? s->top + 26 + 13 * nr_far++ : y - 4;

		if (!far)
			fprintf(c->to,
				"<path class=\"ceiling%s\" data-bytes=\"%llu\" d=\"M%d %.1fH%d\"/>",
				ceiling->nearest ? " nearest" : "",
				(unsigned long long)ceiling->bytes, PLOT_LEFT, y, PLOT_RIGHT);
		right = fabs(label_y - used_y) < 12 ? right - width : PLOT_RIGHT - 4;
		width = 7.4 * (double)strlen(ceiling->words) + 86;
		used_y = label_y;
		fprintf(c->to,
			"<text class=\"ceiling-name\" x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">",
			right, label_y);
		html_text(c->to, ceiling->words);
		fputc(' ', c->to);
		put_quantity(c->to, UNIT_BYTES, (double)ceiling->bytes);
		fputs(far ? " (above)</text>\n" : "</text>\n", c->to);
	}
}

/* From where it stood to where it would be after `left_s`, bending where the time scale does. */
static void forecast_path(struct chart *c, const struct scale *s, const struct history_forecast *f,
			  double left_s)
{
	const struct picture *p = c->picture;
	uint64_t left_ns = u64_of(fmin(left_s, 1e8) * (double)NSEC_PER_SEC);
	uint64_t end_ns = min_u64(f->ts_ns + left_ns, picture_end(p));
	uint64_t bends[] = {p->edges[p->zoom_from], p->edges[p->zoom_until], end_ns};
	double rise = (double)f->ceiling_bytes - (double)f->floor_bytes;
	struct pen pen = {.to = c->to};

	pen_to(&pen, chart_x(c, f->ts_ns), scale_place(s, (double)f->floor_bytes));
	for (int i = 0; i < 3; i++) {
		double part;

		if (bends[i] <= f->ts_ns || bends[i] > end_ns || (i < 2 && bends[i] == end_ns))
			continue;
		part = left_ns ? (double)(bends[i] - f->ts_ns) / (double)left_ns : 1;
		pen_to(&pen, chart_x(c, bends[i]),
		       scale_place(s, (double)f->floor_bytes + rise * part));
	}
}

static void put_fan(struct chart *c, const struct scale *s, const struct history_forecast *f)
{
	if (f->exhaustion_p10_s < 0 || f->exhaustion_p90_s < 0)
		return;
	fputs("<path class=\"fan\" d=\"", c->to);
	forecast_path(c, s, f, f->exhaustion_p10_s);
	fputs("\"/><path class=\"fan\" d=\"", c->to);
	forecast_path(c, s, f, f->exhaustion_p90_s);
	fputs("\"/>", c->to);
}

static void put_forecasts(struct chart *c, const struct scale *s)
{
	const struct picture *p = c->picture;

	for (uint32_t i = 0; i < p->nr_forecasts; i++) {
		const struct history_forecast *f = &p->forecasts[i];
		bool told = i == 0 || i + 1 == p->nr_forecasts;

		if (f->exhaustion_s < 0 || !f->ceiling_bytes || f->ts_ns < picture_start(p) ||
		    f->ts_ns > picture_end(p))
			continue;
		if (told)
			put_fan(c, s, f);
		fprintf(c->to,
			"<path class=\"forecast\" data-made=\"%lld\" data-left-s=\"%.3f\" d=\"",
			(long long)((int64_t)f->ts_ns + p->wall_offset_ns) / 1000000,
			f->exhaustion_s);
		forecast_path(c, s, f, f->exhaustion_s);
		fprintf(c->to,
			"\"/><circle class=\"forecast-made\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>\n",
			chart_x(c, f->ts_ns), scale_place(s, (double)f->floor_bytes));
	}
}

static bool has_forecast(const struct picture *p)
{
	for (uint32_t i = 0; i < p->nr_forecasts; i++)
		if (p->forecasts[i].exhaustion_s >= 0 && p->forecasts[i].ceiling_bytes)
			return true;
	return false;
}

/* Where samples are missing, the floors that were told along with forecasts are better than none. */
static void put_floors(struct chart *c, const struct scale *s)
{
	const struct picture *p = c->picture;

	for (uint32_t i = 0; i < p->nr_forecasts; i++)
		fprintf(c->to, "<circle class=\"floor\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n",
			chart_x(c, p->forecasts[i].ts_ns),
			scale_place(s, (double)p->forecasts[i].floor_bytes));
}

void chart_memory(struct chart *c)
{
	static const struct legend legends[] = {{"line anon", "anonymous memory"},
						{"line usage", "cgroup usage"},
						{"line other", "other lives"},
						{"line forecast", "forecast as made"}};
	const struct picture *p = c->picture;
	const struct series_points *points = &p->culprit.memory;
	struct curve anon = {"anon",	  "anonymous memory", "bytes", points,
			     gauge_value, MEMORY_ANON,	      0};
	struct curve usage = {"usage",	   "cgroup usage", "bytes", points,
			      gauge_value, MEMORY_USAGE,   0};
	struct legend shown[4] = {legends[0], legends[1]};
	size_t nr = points->nr ? 2 : 0;
	struct scale s;

	if (!points->nr && !p->nr_forecasts && !p->nr_others)
		return;
	open_panel(c, "memory", MEMORY_HEIGHT);
	scale_bytes(&s, memory_top(c), c->y, c->y + MEMORY_HEIGHT);
	fprintf(c->to, " data-high=\"%.0f\"", s.high);
	put_places(c, points);
	if (!points->nr && p->nr_forecasts)
		shown[nr++] = (struct legend){"floor", "floor, as reported"};
	if (p->nr_others)
		shown[nr++] = legends[2];
	if (has_forecast(p))
		shown[nr++] = legends[3];
	put_title(c, "Memory", shown, nr);
	put_axis(c, &s, UNIT_BYTES);
	put_ceilings(c, &s);
	for (uint32_t i = 0; i < p->nr_others; i++) {
		struct curve other = {"other",	   "other life", "bytes", &p->others[i].memory,
				      gauge_value, MEMORY_ANON,	 0};

		fprintf(c->to, "<g class=\"life\">");
		put_curve(c, &s, &other);
		fputs("</g>", c->to);
	}
	put_curve(c, &s, &usage);
	put_forecasts(c, &s);
	if (points->nr)
		put_curve(c, &s, &anon);
	else
		put_floors(c, &s);
	close_panel(c, MEMORY_HEIGHT);
}

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
				fmax(height, MIN_DRAWN), width);
	}
	fputs("\"/>\n", c->to);
}

static void put_stack(struct chart *c, const char *name, const char *title, double height,
		      const struct series_points *points, const struct layer *layers, size_t nr)
{
	double base[PICTURE_COLUMNS + 8] = {0}; /* two points may have been split */
	struct legend legends[12];
	size_t nr_legends = 0;
	struct scale s;

	open_panel(c, name, height);
	put_places(c, points);
	scale_counts(&s, layers_top(points, layers, nr), c->y, c->y + height);
	for (size_t l = 0; l < nr; l++)
		if (layer_is_used(points, &layers[l]))
			legends[nr_legends++] = (struct legend){layers[l].class, layers[l].words};
	put_title(c, title, legends, nr_legends);
	put_axis(c, &s, UNIT_NUMBER);
	for (size_t l = 0; l < nr; l++)
		if (layer_is_used(points, &layers[l]))
			put_layer(c, &s, points, &layers[l], base);
	close_panel(c, height);
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
	static const struct legend legends[] = {{"line p95", "p95"}, {"line p50", "p50"}};
	const struct series_points *points = latency_points(c->picture);
	struct curve p50 = {"p50", "latency p50",   "ms", points, latency_value,
			    50,	   3 * NSEC_PER_SEC};
	struct curve p95 = {"p95", "latency p95",   "ms", points, latency_value,
			    95,	   3 * NSEC_PER_SEC};
	double min = 1e9, max = 0;
	struct scale s;

	for (uint32_t i = 0; i < points->nr; i++) {
		struct value low = latency_value(points, i, 50),
			     high = latency_value(points, i, 95);

		if (low.has)
			min = fmin(min, low.low);
		max = fmax(max, high.high);
	}
	if (max <= 0)
		return;
	open_panel(c, "latency", 84);
	put_places(c, points);
	scale_decades(&s, min, max, c->y, c->y + 84);
	put_title(c,
		  points == &c->picture->clients ? "Latency of answers" : "Latency of the upstream",
		  legends, 2);
	put_axis(c, &s, UNIT_MS);
	put_curve(c, &s, &p95);
	put_curve(c, &s, &p50);
	close_panel(c, 84);
}

void chart_in_flight(struct chart *c)
{
	const struct series_points *points = &c->picture->upstream;
	double max = highest(points, FLOW_IN_FLIGHT);
	struct curve curve = {"in-flight", "requests in flight", "count", points,
			      gauge_value, FLOW_IN_FLIGHT,	 0};
	struct scale s;

	if (max <= 0)
		return;
	open_panel(c, "in-flight", 48);
	put_places(c, points);
	scale_counts(&s, max, c->y, c->y + 48);
	put_title(c, "Requests in flight", NULL, 0);
	put_axis(c, &s, UNIT_NUMBER);
	put_curve(c, &s, &curve);
	close_panel(c, 48);
}

static struct value reclaim_value(const struct series_points *points, uint32_t i, uint32_t what)
{
	const double *counts = &points->counts[i * points->nr_counts];
	double ms = (counts[RECLAIM_DIRECT_US] + counts[RECLAIM_MEMCG_US]) / 1000 /
		    seconds_of(&points->at[i]);

	(void)what;
	return (struct value){ms, ms, ms, true};
}

void chart_reclaim(struct chart *c)
{
	const struct series_points *points = &c->picture->reclaim;
	struct curve curve = {"reclaim", "reclaim time per second", "ms", points, reclaim_value, 0,
			      0};
	double max = 0;
	struct scale s;

	for (uint32_t i = 0; i < points->nr; i++)
		max = fmax(max, reclaim_value(points, i, 0).high);
	if (max <= 0)
		return;
	open_panel(c, "reclaim", 48);
	put_places(c, points);
	scale_counts(&s, max, c->y, c->y + 48);
	put_title(c, "Reclaim in its cgroup, ms per second", NULL, 0);
	put_axis(c, &s, UNIT_NUMBER);
	fprintf(c->to, "<path class=\"bars reclaim\"");
	put_values(c, &curve);
	fputs(" d=\"", c->to);
	for (uint32_t i = 0; i < points->nr; i++) {
		double x = chart_x(c, points->at[i].start_ns);
		double width = fmax(chart_x(c, points->at[i].end_ns) - x, 0.6);
		double y = scale_place(&s, reclaim_value(points, i, 0).high);

		fprintf(c->to, "M%.1f %.1fh%.1fV%.1fh-%.1fz", x, s.bottom, width,
			fmin(y, s.bottom - MIN_DRAWN), width);
	}
	fputs("\"/>\n", c->to);
	close_panel(c, 48);
}
