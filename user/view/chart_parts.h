/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * chart_parts.h - what panels are made of (chart_parts.c): their frame, its scale, and curves from points.
 */
#ifndef MEMSWELL_CHART_PARTS_H
#define MEMSWELL_CHART_PARTS_H

#include "view/chart.h"
#include "view/words.h"

#define CHART_MIN_DRAWN 1.0 /* a failure is never too small to be seen */

/* What a colour means. */
struct chart_legend {
	const char *class;
	const char *words;
};

/* Opens an element, whose attributes go on with chart_put_places(). */
void chart_open_panel(struct chart *c, const char *name, double height);
void chart_put_places(struct chart *c, const struct series_points *points);
/* Title on the left, what the colours mean on the right of it. */
void chart_put_title(struct chart *c, const char *title, const struct chart_legend *legends,
		     size_t nr);
void chart_put_axis(struct chart *c, const struct scale *s, enum unit unit);
void chart_close_panel(struct chart *c, double height);

void chart_put_quantity(FILE *to, enum unit unit, double value);

/* A value for each point; not has: a gap. */
struct chart_value {
	double low, high, last;
	bool has;
};

struct chart_curve {
	const char *class;
	const char *words;
	const char *unit; /* for report.js */
	const struct series_points *points;
	struct chart_value (*value)(const struct series_points *points, uint32_t i, uint32_t what);
	uint32_t what;
	uint64_t gap_ns; /* points farther apart than this are not joined; 0: all are */
};

struct chart_value chart_gauge_value(const struct series_points *points, uint32_t i,
				     uint32_t gauge);
double chart_highest(const struct series_points *points, uint32_t gauge);

/* As attributes, for report.js. */
void chart_put_values(struct chart *c, const struct chart_curve *curve);
void chart_put_curve(struct chart *c, const struct scale *s, const struct chart_curve *curve);

/* The pen: absolute where it sets down, relative where it draws, for brevity. */
struct chart_pen {
	FILE *to;
	double x, y;
	bool down;
};

void chart_pen_to(struct chart_pen *pen, double x, double y);

#endif
