/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_trend.c - the trend gate on series whose truth is known: how often it calls a leak a leak,
 * and how often it is fooled. Generators are seeded, so rates are exact from run to run.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/trend.h"
#include "base/units.h"

#define SERIES	 300
#define BUCKET_S 30
#define SAMPLES	 (TREND_BUCKETS * BUCKET_S)

struct random {
	uint64_t state;
};

static double uniform(struct random *r, double low, double high)
{
	r->state += 0x9e3779b97f4a7c15ULL;
	return low + (high - low) * (double)(hash_u64(r->state) >> 11) / (double)(1ULL << 53);
}

static double normal(struct random *r)
{
	double sum = 0;

	for (int i = 0; i < 12; i++)
		sum += uniform(r, 0, 1);
	return sum - 6;
}

/* MiB at second t of a series; `p` are its own parameters, drawn once per series. */
typedef double (*shape_fn)(struct random *r, int t, const double *p);

static double saw(int t, double period, double height)
{
	return fmod(t, period) / period * height;
}

static double flat(struct random *r, int t, const double *p)
{
	return 100 + saw(t, 4 + 6 * p[0], 10) + normal(r);
}

static double lazy_gc(struct random *r, int t, const double *p)
{
	return 80 + saw(t + (int)(p[1] * 900), 420 + 480 * p[0], 60) + normal(r);
}

static double warm_up(struct random *r, int t, const double *p)
{
	return 60 + 80 * (1 - exp(-t / (60 + 60 * p[0]))) + saw(t, 8, 8) + normal(r);
}

static double step(struct random *r, int t, const double *p)
{
	return 80 + (t > (0.2 + 0.6 * p[0]) * SAMPLES ? 60 : 0) + saw(t, 8, 8) + normal(r);
}

static double surge(struct random *r, int t, const double *p)
{
	double center = (0.3 + 0.4 * p[0]) * SAMPLES;

	return 80 + 60 * exp(-pow((t - center) / 120, 2)) + saw(t, 8, 8) + normal(r);
}

static double slow_leak(struct random *r, int t, const double *p)
{
	return 80 + (1 + 2 * p[0]) * t / 60 + saw(t, 10, 12) + normal(r);
}

static double fast_leak(struct random *r, int t, const double *p)
{
	return 80 + (4 + 16 * p[0]) * t / 60 + saw(t, 10, 12) + normal(r);
}

static struct trend_point point(double mib)
{
	return (struct trend_point){.floor_kib = (uint32_t)(mib * 1024)};
}

static struct trend evaluate_series(shape_fn shape, uint64_t seed)
{
	struct random r = {seed * 1000003};
	double p[2] = {uniform(&r, 0, 1), uniform(&r, 0, 1)};
	struct trend_point points[TREND_BUCKETS];
	struct trend_ring ring = {0};
	struct trend trend;

	for (int t = 0; t <= SAMPLES; t++)
		trend_add(&ring, BUCKET_S * NSEC_PER_SEC, (uint64_t)t * NSEC_PER_SEC,
			  point(shape(&r, t, p)));
	trend_evaluate(points, trend_points(&ring, points), BUCKET_S, &trend);
	return trend;
}

static double rate(shape_fn shape)
{
	int growing = 0;

	for (uint64_t seed = 1; seed <= SERIES; seed++)
		growing += evaluate_series(shape, seed).growing;
	return (double)growing / SERIES;
}

static void flat_and_sawtooth_never_grow(void **state)
{
	(void)state;
	assert_true(rate(flat) == 0);
}

static void warm_up_is_not_growth(void **state)
{
	(void)state;
	assert_true(rate(warm_up) <= 0.02);
}

static void filled_cache_is_seldom_growth(void **state)
{
	(void)state;
	assert_true(rate(step) <= 0.15);
}

static void surge_is_seldom_growth(void **state)
{
	(void)state;
	assert_true(rate(surge) <= 0.06);
}

static void lazy_gc_fools_one_evaluation_in_three_at_most(void **state)
{
	(void)state;
	assert_true(rate(lazy_gc) <= 0.35);
}

static void slow_leak_is_mostly_found_by_one_evaluation(void **state)
{
	(void)state;
	assert_true(rate(slow_leak) >= 0.75);
}

static void fast_leak_is_nearly_always_found(void **state)
{
	(void)state;
	assert_true(rate(fast_leak) >= 0.98);
}

static void slope_of_a_leak_is_what_it_leaks(void **state)
{
	struct trend_point points[TREND_BUCKETS];
	struct trend trend;

	(void)state;
	for (int i = 0; i < TREND_BUCKETS; i++)
		points[i] = (struct trend_point){.floor_kib = (uint32_t)(50 + i) * 1024,
						 .native_kib = (uint32_t)i * 256};
	trend_evaluate(points, TREND_BUCKETS, 10, &trend);
	assert_true(trend.growing);
	assert_true(fabs(trend.slope - 1024 * 1024 / 10.0) < 1);
	assert_true(fabs(trend.slope_p10 - trend.slope_p90) < 1);
	assert_true(fabs(trend.native_share - 0.25) < 0.01);
	assert_int_equal(trend.first_bytes, 50 * MIB);
	assert_int_equal(trend.last_bytes, 81 * MIB);
}

static void grows_then_frees_is_not_a_leak(void **state)
{
	struct trend_point points[TREND_BUCKETS];
	struct trend trend;

	(void)state;
	for (int i = 0; i < TREND_BUCKETS; i++)
		points[i] = point(i < 24 ? 50 + 5 * i : 50);
	trend_evaluate(points, TREND_BUCKETS, 10, &trend);
	assert_false(trend.growing);
}

static void tiny_but_steady_drift_is_not_growth(void **state)
{
	struct trend_point points[TREND_BUCKETS];
	struct trend trend;

	(void)state;
	for (int i = 0; i < TREND_BUCKETS; i++)
		points[i] = point(500 + 0.5 * i);
	trend_evaluate(points, TREND_BUCKETS, 10, &trend);
	assert_false(trend.significant);
}

static void mann_kendall_agrees_with_the_textbook(void **state)
{
	const double rising[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
	const double ties[] = {1, 1, 2, 2, 3, 3, 4, 4, 5, 5};
	const double same[] = {7, 7, 7, 7};

	(void)state;
	/* S = 45, variance 125. */
	assert_true(fabs(trend_mann_kendall(rising, 10) - 44 / sqrt(125)) < 1e-9);
	/* S = 40, variance (10*9*25 - 5 * 2*1*9) / 18 = 120. */
	assert_true(fabs(trend_mann_kendall(ties, 10) - 39 / sqrt(120)) < 1e-9);
	assert_true(trend_mann_kendall(same, 4) == 0);
	assert_true(trend_mann_kendall(same, 1) == 0);
}

static void silence_repeats_the_last_value(void **state)
{
	struct trend_point points[TREND_BUCKETS];
	struct trend_ring ring = {0};

	(void)state;
	assert_false(trend_add(&ring, NSEC_PER_SEC, 5 * NSEC_PER_SEC, point(10)));
	assert_true(trend_add(&ring, NSEC_PER_SEC, 9 * NSEC_PER_SEC, point(20)));
	assert_int_equal(trend_points(&ring, points), 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(points[i].floor_kib, 10 * 1024);
	/* A jump over everything fills the ring once, not four billion times. */
	trend_add(&ring, NSEC_PER_SEC, UINT64_MAX, point(30));
	assert_int_equal(trend_points(&ring, points), TREND_BUCKETS);
	assert_int_equal(points[TREND_BUCKETS - 1].floor_kib, 20 * 1024);
}

static void late_sample_counts_into_the_open_bucket(void **state)
{
	struct trend_point points[TREND_BUCKETS];
	struct trend_ring ring = {0};

	(void)state;
	trend_add(&ring, NSEC_PER_SEC, 9 * NSEC_PER_SEC, point(20));
	assert_false(trend_add(&ring, NSEC_PER_SEC, 3 * NSEC_PER_SEC, point(5)));
	trend_add(&ring, NSEC_PER_SEC, 10 * NSEC_PER_SEC, point(20));
	assert_int_equal(trend_points(&ring, points), 1);
	assert_int_equal(points[0].floor_kib, 5 * 1024);
}

static void too_few_points_have_no_trend(void **state)
{
	struct trend_point points[TREND_BUCKETS] = {0};
	struct trend trend;

	(void)state;
	for (uint32_t i = 0; i < TREND_MIN_BUCKETS; i++)
		points[i] = point(10.0 * i);
	trend_evaluate(points, TREND_MIN_BUCKETS - 1, 1, &trend);
	assert_int_equal(trend.nr, 0);
	trend_evaluate(points, TREND_MIN_BUCKETS, 1, &trend);
	assert_true(trend.growing);
	trend_evaluate(points, TREND_BUCKETS + 1, 1, &trend);
	assert_int_equal(trend.nr, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flat_and_sawtooth_never_grow),
		cmocka_unit_test(warm_up_is_not_growth),
		cmocka_unit_test(filled_cache_is_seldom_growth),
		cmocka_unit_test(surge_is_seldom_growth),
		cmocka_unit_test(lazy_gc_fools_one_evaluation_in_three_at_most),
		cmocka_unit_test(slow_leak_is_mostly_found_by_one_evaluation),
		cmocka_unit_test(fast_leak_is_nearly_always_found),
		cmocka_unit_test(slope_of_a_leak_is_what_it_leaks),
		cmocka_unit_test(grows_then_frees_is_not_a_leak),
		cmocka_unit_test(tiny_but_steady_drift_is_not_growth),
		cmocka_unit_test(mann_kendall_agrees_with_the_textbook),
		cmocka_unit_test(silence_repeats_the_last_value),
		cmocka_unit_test(late_sample_counts_into_the_open_bucket),
		cmocka_unit_test(too_few_points_have_no_trend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
