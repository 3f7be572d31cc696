/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * chart.c - the frame of a picture: the marks with their numbers, the stretched part of the time
 * scale, the time axis, and what is read aloud. See chart.h.
 */
#include "view/chart.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/units.h"

#define MARK_ROWS   4
#define MARK_HEIGHT 19
#define BADGE	    16
#define AXIS_HEIGHT 40

/* Marks --------------------------------------------------------------------------------------- */

struct placed {
	double x;
	uint32_t row;
	bool with_words;
};

static double words_width(const struct mark *mark)
{
	return BADGE + 8 + 6.1 * (double)strlen(mark->words);
}

/*
 * Each mark in the topmost row that has room for its words, else for its number alone; where all are
 * full, on top of the last row: the list of moments tells them apart.
 */
static uint32_t place_marks(const struct chart *c, struct placed *placed)
{
	double ends[MARK_ROWS] = {0};
	uint32_t nr_rows = 1;

	for (uint32_t i = 0; i < c->incident->nr_marks; i++) {
		const struct mark *mark = &c->incident->marks[i];
		double x = chart_x(c, mark->ts_ns);
		bool fits = x + words_width(mark) <= CHART_WIDTH;
		uint32_t row = 0;

		while (row < MARK_ROWS && ends[row] > x - BADGE / 2.0)
			row++;
		if (row == MARK_ROWS)
			row = MARK_ROWS - 1;
		/* Words must not be run over by the next mark of their row; later rows may be free. */
		placed[i] = (struct placed){x, row, fits};
		ends[row] = x + (fits && row < MARK_ROWS - 1 ? words_width(mark) : BADGE / 2.0 + 1);
		if (row == MARK_ROWS - 1)
			placed[i].with_words = false;
		if (row + 1 > nr_rows)
			nr_rows = row + 1;
	}
	if (nr_rows && c->incident->nr_marks)
		placed[c->incident->nr_marks - 1].with_words =
			placed[c->incident->nr_marks - 1].x +
				words_width(&c->incident->marks[c->incident->nr_marks - 1]) <=
			CHART_WIDTH;
	return nr_rows;
}

static void put_mark(const struct chart *c, const struct mark *mark, const struct placed *at,
		     double top, double bottom)
{
	double y = top + at->row * MARK_HEIGHT + MARK_HEIGHT / 2.0;

	fputs("<g class=\"mark m-", c->to);
	html_text(c->to, mark->kind);
	fprintf(c->to, "\" data-number=\"%u\" data-x=\"%.1f\" data-name=\"", mark->number, at->x);
	html_text(c->to, mark->words);
	if (*mark->detail) {
		fputs(": ", c->to);
		html_text(c->to, mark->detail);
	}
	fprintf(c->to, "\"><path class=\"hair\" d=\"M%.1f %.1fV%.1f\"/>", at->x, y, bottom);
	fprintf(c->to, "<circle class=\"badge\" cx=\"%.1f\" cy=\"%.1f\" r=\"%d\"/>", at->x, y,
		BADGE / 2);
	fprintf(c->to, "<text class=\"badge-number\" x=\"%.1f\" y=\"%.1f\">%u</text>", at->x,
		y + 3.6, mark->number);
	if (at->with_words) {
		fprintf(c->to, "<text class=\"mark-name\" x=\"%.1f\" y=\"%.1f\">",
			at->x + BADGE / 2.0 + 4, y + 4);
		html_text(c->to, mark->words);
		fputs("</text>", c->to);
	}
	fputs("</g>\n", c->to);
}

/* Time ---------------------------------------------------------------------------------------- */

static void put_time(const struct chart *c, double x, int64_t wall_ns, bool with_ms)
{
	time_t seconds = (time_t)(wall_ns / (int64_t)NSEC_PER_SEC);
	char text[16];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	fprintf(c->to,
		"<path class=\"axis\" d=\"M%.1f %.1fv5\"/><text class=\"tick time\" x=\"%.1f\" "
		"y=\"%.1f\">%s",
		x, c->y, x, c->y + 18, text);
	if (with_ms)
		fprintf(c->to, ".%03d",
			(int)(wall_ns % (int64_t)NSEC_PER_SEC / (int64_t)NSEC_PER_MSEC));
	fputs("</text>\n", c->to);
}

/* Ticks of one stretch of time; its share of the width says how many. */
static void put_stretch(const struct chart *c, uint32_t from, uint32_t until, double *used)
{
	const struct picture *p = c->picture;
	uint64_t start = p->edges[from], end = p->edges[until];
	uint32_t nr = (until - from) * 9 / PICTURE_COLUMNS;
	uint64_t step = nr ? scale_time_step(end - start, nr) : 0;
	int64_t wall = (int64_t)start + p->wall_offset_ns;

	if (!step || wall < 0)
		return;
	for (uint64_t t = ((uint64_t)wall / step + 1) * step;; t += step) {
		uint64_t ts_ns = (uint64_t)((int64_t)t - p->wall_offset_ns);
		double x = chart_x(c, ts_ns);

		if (ts_ns > end)
			return;
		if (x - *used < 66)
			continue;
		put_time(c, x, (int64_t)t, step < NSEC_PER_SEC);
		*used = x;
	}
}

static void put_time_axis(struct chart *c)
{
	const struct picture *p = c->picture;
	double used = 0;

	if (p->zoom_from) /* 0: it begins with the stretched part */
		put_stretch(c, 0, p->zoom_from, &used);
	if (p->zoom_from < PICTURE_COLUMNS) {
		put_stretch(c, p->zoom_from, p->zoom_until, &used);
		put_stretch(c, p->zoom_until, PICTURE_COLUMNS, &used);
	}
	fprintf(c->to, "<text class=\"tick\" x=\"%d\" y=\"%.0f\" text-anchor=\"end\">UTC</text>\n",
		PLOT_LEFT - 8, c->y + 18);
}

static bool is_stretched(const struct picture *p)
{
	return p->zoom_from < PICTURE_COLUMNS;
}

static void put_stretched(const struct chart *c, double top, double bottom)
{
	const struct picture *p = c->picture;
	double from = chart_x(c, p->edges[p->zoom_from]);
	double until = chart_x(c, p->edges[p->zoom_until]);

	fprintf(c->to,
		"<rect class=\"stretched\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
		from, top, until - from, bottom - top);
	fprintf(c->to,
		"<text class=\"stretched-name\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">time "
		"stretched %.0f times</text>\n",
		(from + until) / 2, bottom + 34, p->zoom_factor > 1 ? p->zoom_factor : 1);
}

/* The whole ----------------------------------------------------------------------------------- */

/* Places and times the scale bends at, in milliseconds since 1970. */
static void put_scale(const struct chart *c)
{
	const struct picture *p = c->picture;
	uint32_t columns[] = {0, p->zoom_from, p->zoom_until, PICTURE_COLUMNS};

	fputs(" data-scale=\"", c->to);
	for (int i = 0; i < 4; i++) {
		uint64_t ts_ns = p->edges[columns[i]];

		fprintf(c->to, "%s%.1f %.3f", i ? " " : "", chart_x(c, ts_ns),
			(double)((int64_t)ts_ns + p->wall_offset_ns) / (double)NSEC_PER_MSEC);
	}
	fputc('"', c->to);
}

/* Panels come first, into memory: the height of the sheet is only known after them. */
static char *draw_panels(struct chart *c, double top, double *bottom)
{
	char *text = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&text, &len);
	struct chart inner = *c;

	if (!memory)
		return NULL;
	inner.to = memory;
	inner.y = top;
	chart_memory(&inner);
	chart_clients(&inner);
	chart_upstream(&inner);
	chart_latency(&inner);
	chart_in_flight(&inner);
	chart_reclaim(&inner);
	put_time_axis(&inner);
	*bottom = inner.y;
	if (fclose(memory)) {
		free(text);
		return NULL;
	}
	return text;
}

void chart_write(const struct document *d, const struct doc_incident *incident, uint32_t number,
		 FILE *to)
{
	struct chart c = {
		.to = to, .incident = incident, .picture = incident->picture, .number = number};
	struct placed placed[DOCUMENT_MAX_MARKS];
	uint32_t rows = place_marks(&c, placed);
	double top = rows * MARK_HEIGHT + 4, bottom = top;
	char *panels = draw_panels(&c, top, &bottom);

	(void)d;
	fprintf(to,
		"<svg class=\"chart\" viewBox=\"0 0 %d %.0f\" role=\"img\" "
		"aria-labelledby=\"ct%u\"",
		CHART_WIDTH, bottom + AXIS_HEIGHT, number);
	put_scale(&c);
	fprintf(to, " data-left=\"%d\" data-right=\"%d\" data-bottom=\"%.0f\"><title id=\"ct%u\">",
		PLOT_LEFT, PLOT_RIGHT, bottom, number);
	html_text(to, incident->summary);
	fprintf(to, ". %u marked moments; the numbers stand in the tables below.</title>\n",
		incident->nr_marks);
	if (is_stretched(c.picture))
		put_stretched(&c, top, bottom);
	fputs(panels ? panels : "", to);
	for (uint32_t i = 0; i < incident->nr_marks; i++)
		put_mark(&c, &incident->marks[i], &placed[i], 0, bottom);
	fputs("</svg>\n", to);
	free(panels);
}
