/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * series.c - see series.h. A row is its step's number, the gauges, then the counts; both tracks hold
 * the same rows in steps of their own. Memory doubles with use.
 */
#include "view/series.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROWS 16

struct row {
	uint64_t step; /* number since phase_ns, in steps of its track */
	struct series_gauge gauges[];
};

static size_t row_bytes(const struct series_shape *shape)
{
	size_t bytes = sizeof(struct row) + shape->nr_gauges * sizeof(struct series_gauge) +
		       shape->nr_counts * sizeof(uint32_t);

	return (bytes + 7) & ~(size_t)7;
}

static uint32_t *row_counts(const struct series_shape *shape, struct row *row)
{
	return (uint32_t *)(void *)&row->gauges[shape->nr_gauges];
}

/* The i-th oldest row. */
static struct row *row_at(const struct series *s, const struct series_track *track, uint32_t i)
{
	uint32_t place = track->capacity ? (track->first + i) % track->capacity : 0;

	return (struct row *)(void *)(track->rows + place * row_bytes(&s->shape));
}

static uint32_t add_u32(uint32_t a, uint64_t b)
{
	uint64_t sum = a + b;

	return sum < b || sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

static void merge_gauge(struct series_gauge *into, const struct series_gauge *from)
{
	if (!from->has)
		return;
	if (!into->has) {
		*into = *from;
		return;
	}
	into->min = from->min < into->min ? from->min : into->min;
	into->max = from->max > into->max ? from->max : into->max;
	into->last = from->last;
}

static void merge_row(const struct series_shape *shape, struct row *into, struct row *from)
{
	for (uint32_t i = 0; i < shape->nr_gauges; i++)
		merge_gauge(&into->gauges[i], &from->gauges[i]);
	for (uint32_t i = 0; i < shape->nr_counts; i++)
		row_counts(shape, into)[i] =
			add_u32(row_counts(shape, into)[i], row_counts(shape, from)[i]);
}

/* Steps of twice the length: neighbours become one row. The track is no ring: it never wraps. */
static void halve(struct series *s, struct series_track *track)
{
	uint32_t nr = 0;

	track->step_ns *= 2;
	for (uint32_t i = 0; i < track->nr; i++) {
		struct row *row = row_at(s, track, i);
		struct row *last = nr ? row_at(s, track, nr - 1) : NULL;

		row->step /= 2;
		if (last && last->step == row->step) {
			merge_row(&s->shape, last, row);
			continue;
		}
		if (nr != i)
			memcpy(row_at(s, track, nr), row, row_bytes(&s->shape));
		nr++;
	}
	track->nr = nr;
}

/* Room for twice as many rows, oldest first. */
static bool grow(struct series *s, struct series_track *track, uint32_t limit)
{
	uint32_t capacity = track->capacity ? track->capacity * 2 : FIRST_ROWS;
	size_t bytes = row_bytes(&s->shape);
	uint8_t *rows;

	if (track->capacity >= limit)
		return false;
	rows = malloc(capacity * bytes);
	if (!rows)
		return false;
	for (uint32_t i = 0; i < track->nr; i++)
		memcpy(rows + i * bytes, row_at(s, track, i), bytes);
	free(track->rows);
	track->rows = rows;
	track->first = 0;
	track->capacity = capacity;
	return true;
}

static uint64_t step_of(const struct series *s, const struct series_track *track, uint64_t ts_ns)
{
	return ts_ns > s->shape.phase_ns ? (ts_ns - s->shape.phase_ns) / track->step_ns : 0;
}

/* The row a value of that time belongs to; NULL without memory. */
static struct row *row_for(struct series *s, struct series_track *track, uint64_t ts_ns)
{
	bool ring = track == &s->recent;
	uint64_t step = step_of(s, track, ts_ns);
	struct row *row = track->nr ? row_at(s, track, track->nr - 1) : NULL;

	if (row && step <= row->step)
		return row;
	if (track->nr == track->capacity && !grow(s, track, ring ? SERIES_RECENT : SERIES_WHOLE)) {
		if (!track->nr)
			return NULL;
		if (ring) {
			track->first = (track->first + 1) % track->capacity;
			track->nr--;
		} else {
			while (track->nr == track->capacity)
				halve(s, track);
			return row_for(s, track, ts_ns);
		}
	}
	row = row_at(s, track, track->nr++);
	memset(row, 0, row_bytes(&s->shape));
	row->step = step;
	return row;
}

void series_init(struct series *s, const struct series_shape *shape)
{
	*s = (struct series){.shape = *shape};
	if (!s->shape.step_ns)
		s->shape.step_ns = 1;
	s->recent.step_ns = s->shape.step_ns;
	s->whole.step_ns = s->shape.step_ns;
}

void series_free(struct series *s)
{
	free(s->recent.rows);
	free(s->whole.rows);
	s->recent.rows = NULL;
	s->whole.rows = NULL;
	s->recent.nr = s->recent.capacity = 0;
	s->whole.nr = s->whole.capacity = 0;
}

void series_set(struct series *s, uint64_t ts_ns, uint32_t gauge, double value)
{
	struct series_gauge now = {(float)value, (float)value, (float)value, true};
	struct row *recent = row_for(s, &s->recent, ts_ns);
	struct row *whole = row_for(s, &s->whole, ts_ns);

	if (recent)
		merge_gauge(&recent->gauges[gauge], &now);
	if (whole)
		merge_gauge(&whole->gauges[gauge], &now);
}

void series_add(struct series *s, uint64_t ts_ns, uint32_t count, uint64_t n)
{
	struct series_track *tracks[] = {&s->recent, &s->whole};

	for (int i = 0; i < 2; i++) {
		struct row *row = row_for(s, tracks[i], ts_ns);

		if (row)
			row_counts(&s->shape, row)[count] =
				add_u32(row_counts(&s->shape, row)[count], n);
	}
}

void series_add_all(struct series *s, uint64_t ts_ns, const uint64_t *counts)
{
	struct series_track *tracks[] = {&s->recent, &s->whole};

	for (int i = 0; i < 2; i++) {
		struct row *row = row_for(s, tracks[i], ts_ns);

		for (uint32_t c = 0; row && c < s->shape.nr_counts; c++)
			if (counts[c])
				row_counts(&s->shape, row)[c] =
					add_u32(row_counts(&s->shape, row)[c], counts[c]);
	}
}

/* Reading ------------------------------------------------------------------------------------- */

static uint64_t row_start(const struct series *s, const struct series_track *track,
			  const struct row *row)
{
	return s->shape.phase_ns + row->step * track->step_ns;
}

/* Number of the interval that holds ts_ns; -1 outside. */
static int64_t interval_of(const struct series_window *window, uint64_t ts_ns)
{
	uint32_t low = 0, high = window->nr;

	if (!window->nr || ts_ns < window->edges[0] || ts_ns >= window->edges[window->nr])
		return -1;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (window->edges[middle] <= ts_ns)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static int points_alloc(struct series_points *out, uint32_t max, uint32_t nr_gauges,
			uint32_t nr_counts)
{
	*out = (struct series_points){.nr_gauges = nr_gauges, .nr_counts = nr_counts};
	out->at = calloc(max + 1, sizeof(*out->at));
	out->gauges = calloc((size_t)max * nr_gauges + 1, sizeof(*out->gauges));
	out->counts = calloc((size_t)max * nr_counts + 1, sizeof(*out->counts));
	if (out->at && out->gauges && out->counts)
		return 0;
	series_points_free(out);
	return -ENOMEM;
}

void series_points_free(struct series_points *points)
{
	free(points->at);
	free(points->gauges);
	free(points->counts);
	*points = (struct series_points){0};
}

static void take_row(const struct series *s, struct row *row, struct series_points *out,
		     uint32_t point)
{
	for (uint32_t i = 0; i < s->shape.nr_gauges; i++)
		merge_gauge(&out->gauges[point * out->nr_gauges + i], &row->gauges[i]);
	for (uint32_t i = 0; i < s->shape.nr_counts; i++)
		out->counts[point * out->nr_counts + i] += row_counts(&s->shape, row)[i];
}

/* What one track adds: its rows that begin in [from_ns, until_ns). */
struct reading {
	const struct series *s;
	const struct series_window *window;
	struct series_points *out;
	int64_t interval; /* of the newest point; -1 none yet */
};

static void read_track(struct reading *r, const struct series_track *track, uint64_t from_ns,
		       uint64_t until_ns)
{
	for (uint32_t i = 0; i < track->nr; i++) {
		struct row *row = row_at(r->s, track, i);
		uint64_t start_ns = row_start(r->s, track, row);
		int64_t interval = interval_of(r->window, start_ns + track->step_ns / 2);

		if (start_ns < from_ns || start_ns >= until_ns || interval < 0)
			continue;
		if (interval != r->interval) {
			r->out->at[r->out->nr++].start_ns = start_ns;
			r->interval = interval;
		}
		r->out->at[r->out->nr - 1].end_ns = start_ns + track->step_ns;
		take_row(r->s, row, r->out, r->out->nr - 1);
	}
}

int series_read(const struct series *s, const struct series_window *window,
		struct series_points *out)
{
	struct reading r = {s, window, out, -1};
	uint64_t fine_ns = 0; /* where the fine rows begin: on an edge of a coarse one */
	int err = points_alloc(out, window->nr, s->shape.nr_gauges, s->shape.nr_counts);

	if (err)
		return err;
	/* A ring that never dropped a row tells all there is. */
	if (s->recent.nr && s->recent.nr == SERIES_RECENT) {
		uint64_t oldest = row_start(s, &s->recent, row_at(s, &s->recent, 0));
		uint64_t step = step_of(s, &s->whole, oldest) + 1;

		fine_ns = s->shape.phase_ns + step * s->whole.step_ns;
		if (window->nr && window->edges[0] >= oldest)
			fine_ns = oldest;
		else
			read_track(&r, &s->whole, 0, fine_ns);
	}
	read_track(&r, &s->recent, fine_ns, UINT64_MAX);
	return 0;
}

static void add_gauge(struct series_gauge *sum, const struct series_gauge *more)
{
	if (!more->has)
		return;
	if (!sum->has) {
		*sum = *more;
		return;
	}
	sum->min += more->min;
	sum->max += more->max;
	sum->last += more->last;
}

static void copy_point(struct series_points *to, uint32_t at, const struct series_points *from,
		       uint32_t i)
{
	to->at[at] = from->at[i];
	memcpy(&to->gauges[at * to->nr_gauges], &from->gauges[i * to->nr_gauges],
	       to->nr_gauges * sizeof(*to->gauges));
	memcpy(&to->counts[at * to->nr_counts], &from->counts[i * to->nr_counts],
	       to->nr_counts * sizeof(*to->counts));
}

static void add_point(struct series_points *to, uint32_t at, const struct series_points *from,
		      uint32_t i)
{
	if (from->at[i].end_ns > to->at[at].end_ns)
		to->at[at].end_ns = from->at[i].end_ns;
	for (uint32_t g = 0; g < to->nr_gauges; g++)
		add_gauge(&to->gauges[at * to->nr_gauges + g],
			  &from->gauges[i * to->nr_gauges + g]);
	for (uint32_t c = 0; c < to->nr_counts; c++)
		to->counts[at * to->nr_counts + c] += from->counts[i * to->nr_counts + c];
}

/* Points of both begin on the same steps, so the same time is the same point. */
int series_points_add(struct series_points *sum, const struct series_points *more)
{
	struct series_points both;
	uint32_t a = 0, b = 0;
	int err = points_alloc(&both, sum->nr + more->nr, more->nr_gauges, more->nr_counts);

	if (err)
		return err;
	while (a < sum->nr || b < more->nr) {
		bool from_sum = b == more->nr ||
				(a < sum->nr && sum->at[a].start_ns <= more->at[b].start_ns);
		const struct series_points *from = from_sum ? sum : more;
		uint32_t i = from_sum ? a++ : b++;

		if (both.nr && from->at[i].start_ns < both.at[both.nr - 1].end_ns)
			add_point(&both, both.nr - 1, from, i);
		else
			copy_point(&both, both.nr++, from, i);
	}
	series_points_free(sum);
	*sum = both;
	return 0;
}

int series_points_insert(struct series_points *points, uint32_t i)
{
	struct series_points more;
	int err = points_alloc(&more, points->nr + 1, points->nr_gauges, points->nr_counts);

	if (err)
		return err;
	for (uint32_t from = 0; from < points->nr; from++) {
		copy_point(&more, more.nr++, points, from);
		if (from == i)
			copy_point(&more, more.nr++, points, from);
	}
	series_points_free(points);
	*points = more;
	return 0;
}

size_t series_bytes(const struct series *s)
{
	return (s->recent.capacity + s->whole.capacity) * row_bytes(&s->shape);
}
