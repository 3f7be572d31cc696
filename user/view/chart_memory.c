/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * chart_memory.c - the panel of memory: the culprit's and that of other lives, the ceilings above it, and the
 * forecasts as they were made.
 */
#include <math.h>
#include <string.h>

#include "base/units.h"
#include "view/chart_parts.h"

#define MEMORY_HEIGHT 190
#define FAR_CEILING   2.5 /* times the peak: then it would press the curve flat */

static double memory_top(const struct chart *c)
{
	const struct picture *p = c->picture;
	double max = chart_highest(&p->culprit.memory, MEMORY_ANON);
	double usage = chart_highest(&p->culprit.memory, MEMORY_USAGE);
	double top;

	for (uint32_t i = 0; i < p->nr_others; i++)
		max = fmax(max, chart_highest(&p->others[i].memory, MEMORY_ANON));
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
		chart_put_quantity(c->to, UNIT_BYTES, (double)ceiling->bytes);
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
	struct chart_pen pen = {.to = c->to};

	chart_pen_to(&pen, chart_x(c, f->ts_ns), scale_place(s, (double)f->floor_bytes));
	for (int i = 0; i < 3; i++) {
		double part;

		if (bends[i] <= f->ts_ns || bends[i] > end_ns || (i < 2 && bends[i] == end_ns))
			continue;
		part = left_ns ? (double)(bends[i] - f->ts_ns) / (double)left_ns : 1;
		chart_pen_to(&pen, chart_x(c, bends[i]),
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

static struct chart_curve gauge_curve(const char *class, const char *words,
				      const struct series_points *points, enum memory_gauge gauge)
{
	return (struct chart_curve){
		.class = class,
		.words = words,
		.unit = "bytes",
		.points = points,
		.value = chart_gauge_value,
		.what = gauge,
	};
}

/* Into out, of what is drawn; how many. */
static size_t list_legends(const struct picture *p, struct chart_legend out[4])
{
	size_t nr = 0;

	if (p->culprit.memory.nr) {
		out[nr++] = (struct chart_legend){"line anon", "anonymous memory"};
		out[nr++] = (struct chart_legend){"line usage", "cgroup usage"};
	} else if (p->nr_forecasts) {
		out[nr++] = (struct chart_legend){"floor", "floor, as reported"};
	}
	if (p->nr_others)
		out[nr++] = (struct chart_legend){"line other", "other lives"};
	if (has_forecast(p))
		out[nr++] = (struct chart_legend){"line forecast", "forecast as made"};
	return nr;
}

static void put_other_lives(struct chart *c, const struct scale *s)
{
	const struct picture *p = c->picture;

	for (uint32_t i = 0; i < p->nr_others; i++) {
		struct chart_curve other =
			gauge_curve("other", "other life", &p->others[i].memory, MEMORY_ANON);

		fputs("<g class=\"life\">", c->to);
		chart_put_curve(c, s, &other);
		fputs("</g>", c->to);
	}
}

void chart_memory(struct chart *c)
{
	const struct picture *p = c->picture;
	const struct series_points *points = &p->culprit.memory;
	struct chart_curve anon = gauge_curve("anon", "anonymous memory", points, MEMORY_ANON);
	struct chart_curve usage = gauge_curve("usage", "cgroup usage", points, MEMORY_USAGE);
	struct chart_legend legends[4];
	struct scale s;

	if (!points->nr && !p->nr_forecasts && !p->nr_others)
		return;
	chart_open_panel(c, "memory", MEMORY_HEIGHT);
	scale_bytes(&s, memory_top(c), c->y, c->y + MEMORY_HEIGHT);
	fprintf(c->to, " data-high=\"%.0f\"", s.high);
	chart_put_places(c, points);
	chart_put_title(c, "Memory", legends, list_legends(p, legends));
	chart_put_axis(c, &s, UNIT_BYTES);
	put_ceilings(c, &s);
	put_other_lives(c, &s);
	chart_put_curve(c, &s, &usage);
	put_forecasts(c, &s);
	if (points->nr)
		chart_put_curve(c, &s, &anon);
	else
		put_floors(c, &s);
	chart_close_panel(c, MEMORY_HEIGHT);
}
