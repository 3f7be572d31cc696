/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * series.h - what a few quantities did over time, in bounded memory: the recent past in fine steps,
 * the whole of it in steps that double when they become too many.
 *
 * A row is one step of time that something was told in. Gauges keep their least, largest and last
 * value, counts their sum, so no peak and no event is lost by merging rows. Time that nothing was
 * told in has no row.
 *
 * Limits: SERIES_RECENT rows of the base step, SERIES_WHOLE rows of any step. Rows are taken as they
 * are needed.
 */
#ifndef MEMSWELL_SERIES_H
#define MEMSWELL_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIES_RECENT 2048
#define SERIES_WHOLE  512

struct series_gauge {
	float min;
	float max;
	float last;
	bool has;
};

/* How many quantities of each kind, and how long a base step is; steps begin at phase_ns. */
struct series_shape {
	uint16_t nr_gauges;
	uint16_t nr_counts;
	uint64_t step_ns;
	uint64_t phase_ns;
};

struct series_track {
	uint8_t *rows;
	uint32_t nr;
	uint32_t first; /* of the ring */
	uint32_t capacity;
	uint64_t step_ns;
};

struct series {
	struct series_shape shape;
	struct series_track recent;
	struct series_track whole;
};

void series_init(struct series *s, const struct series_shape *shape);
void series_free(struct series *s);

/*
 * Take a value told at ts_ns. Earlier times than the newest row's go into that one. -ENOMEM is not
 * told: the series then ends early.
 */
void series_set(struct series *s, uint64_t ts_ns, uint32_t gauge, double value);
void series_add(struct series *s, uint64_t ts_ns, uint32_t count, uint64_t n);
/* All counts of the shape at once. */
void series_add_all(struct series *s, uint64_t ts_ns, const uint64_t *counts);

/* Where a reader wants its points: edges[0] <= ... <= edges[nr]; at most one point in each. */
struct series_window {
	const uint64_t *edges;
	uint32_t nr;
};

/* From and until when the rows of a point reach. Its values lie in arrays of series_points. */
struct series_point {
	uint64_t start_ns;
	uint64_t end_ns;
};

struct series_points {
	uint32_t nr;
	uint32_t nr_gauges;
	uint32_t nr_counts;
	struct series_point *at;
	struct series_gauge *gauges; /* [point * nr_gauges + gauge] */
	double *counts;		     /* [point * nr_counts + count] */
};

/* Rows within the window as points. 0 or -ENOMEM. Several series of one shape add up, see below. */
int series_read(const struct series *s, const struct series_window *window,
		struct series_points *out);
void series_points_free(struct series_points *points);

/*
 * Add the points of `more` to `sum`, read through the same window: counts and gauges add up, what
 * only one of them tells stands for itself. 0 or -ENOMEM.
 */
int series_points_add(struct series_points *sum, const struct series_points *more);

/* A copy of point i behind it. 0 or -ENOMEM. */
int series_points_insert(struct series_points *points, uint32_t i);

/* Bytes taken. */
size_t series_bytes(const struct series *s);

#endif
