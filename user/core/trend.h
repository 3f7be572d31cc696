/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * trend.h - does the floor of a memory series grow, how fast, and does it still grow?
 *
 * The floor is the minimum per bucket: garbage collectors make memory a saw-tooth whose minima
 * are what survives a collection. Mann-Kendall alone calls any drift significant, so growth also
 * has to be large (Theil-Sen slope over the window) and to persist in the last half and quarter,
 * which is what tells a leak from warm-up and from a cache that filled.
 *
 * Pure mathematics over 32 numbers; it knows no process and keeps no table.
 */
#ifndef MEMSWELL_TREND_H
#define MEMSWELL_TREND_H

#include <stdbool.h>
#include <stdint.h>

#define TREND_BUCKETS 32
/* Fewer buckets cannot pass the gate on the last quarter in any meaningful way. */
#define TREND_MIN_BUCKETS 12

struct trend_point {
	uint32_t floor_kib;  /* minimum of the series in its bucket */
	uint32_t native_kib; /* the part outside a managed heap, at that minimum */
};

struct trend_ring {
	struct trend_point points[TREND_BUCKETS]; /* closed buckets */
	struct trend_point last;		  /* newest sample */
	struct trend_point open;		  /* minimum of the open bucket */
	uint64_t bucket;			  /* number of the open bucket, ts / width */
	uint8_t head;				  /* where the next closed bucket goes */
	uint8_t nr;
	bool started;
};

/*
 * Take a sample. A bucket without samples repeats the last one, because sources are silent while
 * nothing moves. A sample older than the open bucket counts into the open one. Returns whether a
 * bucket was closed.
 */
bool trend_add(struct trend_ring *ring, uint64_t width_ns, uint64_t ts_ns, struct trend_point p);

/* Closed buckets in time order; returns how many. */
uint32_t trend_points(const struct trend_ring *ring, struct trend_point out[TREND_BUCKETS]);

struct trend {
	uint32_t nr;	  /* buckets it is made of */
	double mk_z;	  /* Mann-Kendall, corrected for ties */
	double slope;	  /* Theil-Sen, bytes per second */
	double slope_p10; /* 10 % and 90 % quantile of the pair slopes */
	double slope_p90;
	double early_slope; /* of the first and of the last half of the window */
	double late_slope;
	double window_s;
	double end_bytes;     /* where the line of the floor stands at the end of the window */
	uint64_t first_bytes; /* floor at the begin and at the end of the window */
	uint64_t last_bytes;
	double native_share; /* part of the growth that is native, 0..1 */
	bool significant;    /* z and size */
	bool growing;	     /* significant, and it goes on in the last half and quarter */
};

/* Evaluate `nr` points of `width_s` seconds each; all zero with less than TREND_MIN_BUCKETS. */
void trend_evaluate(const struct trend_point *points, uint32_t nr, double width_s,
		    struct trend *out);

/* Mann-Kendall z of `nr` values (1 <= nr <= TREND_BUCKETS). */
double trend_mann_kendall(const double *values, uint32_t nr);

#endif
