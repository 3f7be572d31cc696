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

/* A mark, or several that would lie on each other, as one badge. */
struct badge {
	double x;
	uint32_t row;
	uint32_t first, last; /* places in marks */
	uint32_t speaker;     /* the one whose words stand beside it */
	enum { WORDS_NONE, WORDS_RIGHT, WORDS_LEFT } words;
};

/* Of marks in one badge the first of these speaks. */
static uint32_t rank_of(const struct mark *mark)
{
	static const char *const kinds[] = {"exit",	   "death",	   "first_failure",
					    "listener_up", "last_failure", "oom_mark",
					    "prediction"};
	uint32_t i = 0;

	while (i < sizeof(kinds) / sizeof(kinds[0]) && strcmp(kinds[i], mark->kind) != 0)
		i++;
	return i;
}

static double badge_width(const struct badge *b)
{
	return b->first == b->last ? BADGE : 2.2 * BADGE;
}

static double words_width(const struct mark *mark)
{
	return 8 + 6.9 * (double)strlen(mark->words);
}

/* Right of it, or left where the sheet ends and nothing stands; `end` is what the row is taken to. */
static void place_words(const struct chart *c, struct badge *b, double taken, double *end)
{
	double width = words_width(&c->incident->marks[b->speaker]);

	*end = b->x - BADGE / 2.0 + badge_width(b);
	b->words = WORDS_NONE;
	if (*end + width <= CHART_WIDTH) {
		b->words = WORDS_RIGHT;
		*end += width;
	} else if (taken < b->x - BADGE / 2.0 - width) {
		b->words = WORDS_LEFT;
	}
}

static void join_badge(const struct chart *c, struct badge *b, uint32_t mark)
{
	const struct mark *marks = c->incident->marks;

	b->last = mark;
	if (rank_of(&marks[mark]) < rank_of(&marks[b->speaker]))
		b->speaker = mark;
}

/*
 * Each mark in the topmost row that is free there; words where they fit before the edge. In the last
 * row, marks that would lie on each other become one badge. Returns the number of badges.
 */
static uint32_t place_marks(const struct chart *c, struct badge *badges, uint32_t *nr_rows)
{
	double ends[MARK_ROWS] = {0};
	uint32_t in_last = DOCUMENT_MAX_MARKS; /* newest badge of the last row */
	uint32_t nr = 0;

	*nr_rows = 1;
	for (uint32_t i = 0; i < c->incident->nr_marks; i++) {
		double x = chart_x(c, c->incident->marks[i].ts_ns);
		struct badge *b = &badges[nr];
		uint32_t row = 0;

		while (row < MARK_ROWS - 1 && ends[row] > x - BADGE / 2.0)
			row++;
		if (row == MARK_ROWS - 1 && in_last < nr && ends[row] > x - BADGE / 2.0) {
			join_badge(c, &badges[in_last], i);
			b = &badges[in_last];
		} else {
			*b = (struct badge){
				.x = x, .row = row, .first = i, .last = i, .speaker = i};
			in_last = row == MARK_ROWS - 1 ? nr : in_last;
			nr++;
		}
		place_words(c, b, b->first == b->last ? ends[row] : CHART_WIDTH, &ends[row]);
		*nr_rows = row + 1 > *nr_rows ? row + 1 : *nr_rows;
	}
	return nr;
}

/* The line of each mark, wherever its badge is. */
static void put_hairs(const struct chart *c, const struct badge *b, double y, double bottom)
{
	for (uint32_t i = b->first; i <= b->last; i++) {
		const struct mark *mark = &c->incident->marks[i];
		double x = chart_x(c, mark->ts_ns);

		fputs("<g class=\"mark m-", c->to);
		html_text(c->to, mark->kind);
		fprintf(c->to, "\" data-number=\"%u\" data-x=\"%.1f\" data-name=\"", mark->number,
			x);
		html_text(c->to, mark->words);
		fputs(*mark->detail ? ": " : "", c->to);
		html_text(c->to, mark->detail);
		fprintf(c->to, "\"><path class=\"hair\" d=\"M%.1f %.1fV%.1f\"/></g>", x, y, bottom);
	}
}

static void put_badge(const struct chart *c, const struct badge *b, double bottom)
{
	const struct mark *speaker = &c->incident->marks[b->speaker];
	double y = b->row * MARK_HEIGHT + MARK_HEIGHT / 2.0;
	double width = badge_width(b);

	put_hairs(c, b, y, bottom);
	fputs("<g class=\"sign m-", c->to);
	html_text(c->to, speaker->kind);
	fprintf(c->to,
		"\"><rect class=\"badge\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" "
		"rx=\"%d\"/>",
		b->x - BADGE / 2.0, y - BADGE / 2.0, width, BADGE, BADGE / 2);
	fprintf(c->to, "<text class=\"badge-number\" x=\"%.1f\" y=\"%.1f\">%u",
		b->x - BADGE / 2.0 + width / 2, y + 3.7, c->incident->marks[b->first].number);
	if (b->first != b->last)
		fprintf(c->to, "\xe2\x80\x93%u", c->incident->marks[b->last].number);
	fputs("</text>", c->to);
	if (b->words != WORDS_NONE) {
		bool left = b->words == WORDS_LEFT;

		fprintf(c->to, "<text class=\"mark-name\" x=\"%.1f\" y=\"%.1f\"%s>",
			b->x - BADGE / 2.0 + (left ? -5 : width + 5), y + 4,
			left ? " text-anchor=\"end\"" : "");
		html_text(c->to, speaker->words);
		fputs(b->first != b->last ? " \xe2\x80\xa6</text>" : "</text>", c->to);
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
	double used = PLOT_LEFT - 30; /* beside the name of the zone */

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
	struct badge badges[DOCUMENT_MAX_MARKS];
	uint32_t rows, nr = place_marks(&c, badges, &rows);
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
	for (uint32_t i = 0; i < nr; i++)
		put_badge(&c, &badges[i], bottom);
	fputs("</svg>\n", to);
	free(panels);
}
