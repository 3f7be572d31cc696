/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * chart_parts.c - see chart_parts.h. A point keeps its least and largest value, so no peak is lost however
 * narrow it is drawn.
 */
#include "view/chart_parts.h"

#include <math.h>
#include <string.h>

#include "base/units.h"

#define GAP 30 /* between panels, with the title of the lower one */

double chart_x(const struct chart *c, uint64_t ts_ns)
{
	return PLOT_LEFT + PLOT_WIDTH * picture_column(c->picture, ts_ns) / PICTURE_COLUMNS;
}

/* Frames -------------------------------------------------------------------------------------- */

void chart_put_quantity(FILE *to, enum unit unit, double value)
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

void chart_put_axis(struct chart *c, const struct scale *s, enum unit unit)
{
	for (uint32_t i = 0; i < s->nr_ticks; i++) {
		double y = scale_place(s, s->ticks[i]);

		fprintf(c->to, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>", PLOT_LEFT, y,
			PLOT_RIGHT);
		fprintf(c->to, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
			PLOT_LEFT - 8, y + 4);
		chart_put_quantity(c->to, unit, s->ticks[i]);
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

void chart_put_title(struct chart *c, const char *title, const struct chart_legend *legends,
		     size_t nr)
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

void chart_open_panel(struct chart *c, const char *name, double height)
{
	c->y += GAP;
	fprintf(c->to,
		"<g class=\"panel %s\" data-panel=\"%s\" data-top=\"%.0f\" data-bottom=\"%.0f\"",
		name, name, c->y, c->y + height);
}

void chart_put_places(struct chart *c, const struct series_points *points)
{
	fputs(" data-x=\"", c->to);
	for (uint32_t i = 0; i < points->nr; i++)
		fprintf(c->to, "%s%.1f", i ? " " : "", chart_x(c, points->at[i].end_ns));
	fputs("\">\n", c->to);
}

void chart_close_panel(struct chart *c, double height)
{
	fprintf(c->to, "<path class=\"axis\" d=\"M%d %.1fH%d\"/></g>\n", PLOT_LEFT, c->y + height,
		PLOT_RIGHT);
	c->y += height;
}

/* Curves -------------------------------------------------------------------------------------- */

struct chart_value chart_gauge_value(const struct series_points *points, uint32_t i, uint32_t gauge)
{
	const struct series_gauge *g = &points->gauges[i * points->nr_gauges + gauge];

	return (struct chart_value){g->min, g->max, g->last, g->has};
}

void chart_put_values(struct chart *c, const struct chart_curve *curve)
{
	fprintf(c->to, " data-name=\"%s\" data-unit=\"%s\" data-v=\"", curve->words, curve->unit);
	for (uint32_t i = 0; i < curve->points->nr; i++) {
		struct chart_value v = curve->value(curve->points, i, curve->what);

		fputs(i ? " " : "", c->to);
		if (v.has)
			fprintf(c->to, "%.4g", v.high);
		else
			fputc('-', c->to);
	}
	fputc('"', c->to);
}

static double tenth(double v)
{
	return round(v * 10) / 10;
}

void chart_pen_to(struct chart_pen *pen, double x, double y)
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

void chart_put_curve(struct chart *c, const struct scale *s, const struct chart_curve *curve)
{
	struct chart_pen pen = {.to = c->to};
	uint64_t before_ns = 0;

	fprintf(c->to, "<path class=\"curve %s\"", curve->class);
	chart_put_values(c, curve);
	fputs(" d=\"", c->to);
	for (uint32_t i = 0; i < curve->points->nr; i++) {
		const struct series_point *at = &curve->points->at[i];
		struct chart_value v = curve->value(curve->points, i, curve->what);
		double x = chart_x(c, at->end_ns);
		double y = scale_place(s, v.last);

		if (!v.has)
			continue;
		if (curve->gap_ns && before_ns && at->start_ns > before_ns + curve->gap_ns)
			pen.down = false;
		before_ns = at->end_ns;
		if (pen.down && scale_place(s, v.low) - y > CHART_MIN_DRAWN)
			chart_pen_to(&pen, x, scale_place(s, v.low));
		if (pen.down && y - scale_place(s, v.high) > CHART_MIN_DRAWN)
			chart_pen_to(&pen, x, scale_place(s, v.high));
		chart_pen_to(&pen, x, y);
	}
	fputs("\"/>\n", c->to);
}

double chart_highest(const struct series_points *points, uint32_t gauge)
{
	double max = 0;

	for (uint32_t i = 0; i < points->nr; i++) {
		struct chart_value v = chart_gauge_value(points, i, gauge);

		if (v.has && v.high > max)
			max = v.high;
	}
	return max;
}
