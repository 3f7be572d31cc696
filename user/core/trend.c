/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* trend.c - see trend.h. */
#include "core/trend.h"

#include <math.h>
#include <string.h>

#include "base/units.h"

#define MAX_PAIRS (TREND_BUCKETS * (TREND_BUCKETS - 1) / 2)

/* p < .001 one-sided; the size gate removes drift that is significant but tiny. */
#define SIGNIFICANT_Z	     3.29
#define MIN_GROWTH_BYTES     (8.0 * 1024 * 1024)
#define MIN_GROWTH_OF_MEDIAN 0.05

#define HALF_MIN_Z	  1.64
#define HALF_MIN_SLOPE	  0.5
#define QUARTER_MIN_SLOPE 0.25

static void close_bucket(struct trend_ring *ring)
{
	ring->points[ring->head] = ring->open;
	ring->head = (uint8_t)((ring->head + 1) % TREND_BUCKETS);
	if (ring->nr < TREND_BUCKETS)
		ring->nr++;
	ring->open = ring->last;
}

bool trend_add(struct trend_ring *ring, uint64_t width_ns, uint64_t ts_ns, struct trend_point p)
{
	uint64_t bucket = ts_ns / width_ns;
	bool closed = false;

	if (!ring->started) {
		ring->started = true;
		ring->bucket = bucket;
		ring->open = p;
	}
	if (bucket > ring->bucket) {
		uint64_t gap = min_u64(bucket - ring->bucket, TREND_BUCKETS + 1);

		for (uint64_t i = 0; i < gap; i++)
			close_bucket(ring);
		ring->bucket = bucket;
		closed = true;
	}
	if (p.floor_kib < ring->open.floor_kib)
		ring->open = p;
	ring->last = p;
	return closed;
}

uint32_t trend_points(const struct trend_ring *ring, struct trend_point out[TREND_BUCKETS])
{
	uint32_t first = (uint32_t)(ring->head + TREND_BUCKETS - ring->nr) % TREND_BUCKETS;

	for (uint32_t i = 0; i < ring->nr; i++)
		out[i] = ring->points[(first + i) % TREND_BUCKETS];
	return ring->nr;
}

/* Shell sort: in place and without allocation, which the C library's qsort does not promise. */
static void sort_doubles(double *v, uint32_t nr)
{
	static const uint32_t gaps[] = {301, 132, 57, 23, 10, 4, 1};

	for (uint32_t g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++) {
		for (uint32_t i = gaps[g]; i < nr; i++) {
			double x = v[i];
			uint32_t j = i;

			for (; j >= gaps[g] && v[j - gaps[g]] > x; j -= gaps[g])
				v[j] = v[j - gaps[g]];
			v[j] = x;
		}
	}
}

/* Linear interpolation between order statistics; `v` sorted, nr > 0. */
static double quantile(const double *v, uint32_t nr, double q)
{
	double at = q * (nr - 1);
	uint32_t low = (uint32_t)at;

	if (low + 1 >= nr)
		return v[nr - 1];
	return v[low] + (at - low) * (v[low + 1] - v[low]);
}

/* Sum over groups of equal values of t(t-1)(2t+5). */
static double tie_correction(const double *values, uint32_t nr)
{
	double sorted[TREND_BUCKETS];
	double sum = 0;

	memcpy(sorted, values, nr * sizeof(*values));
	sort_doubles(sorted, nr);
	for (uint32_t i = 0, t; i < nr; i += t) {
		for (t = 1; i + t < nr && sorted[i + t] == sorted[i]; t++)
			;
		sum += (double)t * (t - 1) * (2.0 * t + 5);
	}
	return sum;
}

double trend_mann_kendall(const double *values, uint32_t nr)
{
	double n = nr;
	double variance;
	int s = 0;

	for (uint32_t i = 0; i < nr; i++)
		for (uint32_t j = i + 1; j < nr; j++)
			s += (values[j] > values[i]) - (values[j] < values[i]);
	variance = (n * (n - 1) * (2 * n + 5) - tie_correction(values, nr)) / 18;
	if (s == 0 || variance <= 0)
		return 0;
	return (s > 0 ? s - 1 : s + 1) / sqrt(variance);
}

/* Pair slopes per bucket, sorted. Returns their number. */
static uint32_t pair_slopes(const double *v, uint32_t nr, double *slopes)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < nr; i++)
		for (uint32_t j = i + 1; j < nr; j++)
			slopes[n++] = (v[j] - v[i]) / (j - i);
	sort_doubles(slopes, n);
	return n;
}

static double median_slope(const double *v, uint32_t nr)
{
	double slopes[MAX_PAIRS];
	uint32_t n = pair_slopes(v, nr, slopes);

	return n ? quantile(slopes, n, 0.5) : 0;
}

static double median(const double *v, uint32_t nr)
{
	double sorted[TREND_BUCKETS];

	memcpy(sorted, v, nr * sizeof(*v));
	sort_doubles(sorted, nr);
	return quantile(sorted, nr, 0.5);
}

static bool still_growing(const double *v, uint32_t nr, double slope, double late_slope)
{
	uint32_t half = nr / 2;
	uint32_t quarter = nr / 4;

	return late_slope >= HALF_MIN_SLOPE * slope &&
	       trend_mann_kendall(v + nr - half, half) > HALF_MIN_Z &&
	       median_slope(v + nr - quarter, quarter) > QUARTER_MIN_SLOPE * slope;
}

/* The line of that slope through the median point of the series, at its end. */
static double end_of_line(const double *v, uint32_t nr, double slope)
{
	double above[TREND_BUCKETS];

	for (uint32_t i = 0; i < nr; i++)
		above[i] = v[i] - slope * i;
	return median(above, nr) + slope * nr;
}

/* Part of the growth that the native series explains, by the slopes of both. */
static double native_share(const struct trend_point *points, uint32_t nr, double slope)
{
	double v[TREND_BUCKETS];
	double share;

	for (uint32_t i = 0; i < nr; i++)
		v[i] = (double)points[i].native_kib * KIB;
	share = median_slope(v, nr) / slope;
	return fmin(fmax(share, 0), 1);
}

static double spread(const double *v, uint32_t nr)
{
	double low = v[0], high = v[0];

	for (uint32_t i = 1; i < nr; i++) {
		low = fmin(low, v[i]);
		high = fmax(high, v[i]);
	}
	return high - low;
}

static void evaluate_slope(const double *v, uint32_t nr, double width_s, struct trend *out)
{
	double slopes[MAX_PAIRS];
	uint32_t n = pair_slopes(v, nr, slopes);
	double slope = quantile(slopes, n, 0.5);
	double gate = fmax(MIN_GROWTH_BYTES, MIN_GROWTH_OF_MEDIAN * median(v, nr));
	double late_slope = median_slope(v + nr - nr / 2, nr / 2);

	out->slope = slope / width_s;
	out->early_slope = median_slope(v, nr / 2) / width_s;
	out->late_slope = late_slope / width_s;
	out->end_bytes = end_of_line(v, nr, slope);
	out->slope_p10 = quantile(slopes, n, 0.1) / width_s;
	out->slope_p90 = quantile(slopes, n, 0.9) / width_s;
	out->significant = out->mk_z > SIGNIFICANT_Z && slope * nr > gate;
	out->growing = out->significant && still_growing(v, nr, slope, late_slope);
}

void trend_evaluate(const struct trend_point *points, uint32_t nr, double width_s,
		    struct trend *out)
{
	double v[TREND_BUCKETS];

	memset(out, 0, sizeof(*out));
	if (nr < TREND_MIN_BUCKETS || nr > TREND_BUCKETS)
		return;
	for (uint32_t i = 0; i < nr; i++)
		v[i] = (double)points[i].floor_kib * KIB;
	out->nr = nr;
	out->window_s = nr * width_s;
	out->first_bytes = points[0].floor_kib * KIB;
	out->last_bytes = points[nr - 1].floor_kib * KIB;
	/* A series that never moved this far has no trend; most processes end here. */
	if (spread(v, nr) * nr / (nr - 1) < MIN_GROWTH_BYTES)
		return;
	out->mk_z = trend_mann_kendall(v, nr);
	if (out->mk_z <= HALF_MIN_Z)
		return;
	evaluate_slope(v, nr, width_s, out);
	if (out->significant)
		out->native_share = native_share(points, nr, out->slope * width_s);
}
