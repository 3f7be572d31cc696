/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_series.c - values over time stay bounded without losing a peak or a count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "view/series.h"

#define S 1000000000ULL

static const struct series_shape shape = {.nr_gauges = 1, .nr_counts = 1, .step_ns = S};

/* Edges of nr equal intervals. */
static const uint64_t *evenly(uint64_t from, uint64_t until, uint32_t nr)
{
	static uint64_t edges[5000];

	for (uint32_t i = 0; i <= nr; i++)
		edges[i] = from + (until - from) * i / nr;
	return edges;
}

static struct series_points read_all(const struct series *s, uint64_t from, uint64_t until,
				     uint32_t nr)
{
	struct series_window window = {evenly(from, until, nr), nr};
	struct series_points points;

	assert_int_equal(series_read(s, &window, &points), 0);
	assert_true(points.nr <= nr);
	return points;
}

static double total(const struct series_points *points)
{
	double sum = 0;

	for (uint32_t i = 0; i < points->nr; i++)
		sum += points->counts[i];
	return sum;
}

static float highest(const struct series_points *points)
{
	float max = -1;

	for (uint32_t i = 0; i < points->nr; i++)
		if (points->gauges[i].has && points->gauges[i].max > max)
			max = points->gauges[i].max;
	return max;
}

static void a_day_of_seconds_stays_bounded_and_loses_no_peak_and_no_count(void **state)
{
	struct series s;
	struct series_points points;

	(void)state;
	series_init(&s, &shape);
	for (uint64_t t = 0; t < 86400; t++) {
		series_set(&s, t * S, 0, t == 4711 ? 1000 : 10);
		series_add(&s, t * S, 0, 3);
	}
	assert_true(s.whole.nr <= SERIES_WHOLE);
	assert_true(s.recent.nr <= SERIES_RECENT);
	assert_true(series_bytes(&s) < 256 * 1024);
	points = read_all(&s, 0, 86400 * S, 240);
	assert_true(highest(&points) == 1000);
	/* coarse and fine rows meet on an edge: nothing twice, nothing missing */
	assert_true(total(&points) == 3 * 86400);
	assert_true(points.nr > 230);
	series_points_free(&points);
	series_free(&s);
}

static void the_recent_past_is_fine(void **state)
{
	struct series s;
	struct series_points points;

	(void)state;
	series_init(&s, &shape);
	for (uint64_t t = 0; t < 20000; t++)
		series_set(&s, t * S, 0, (double)t);
	points = read_all(&s, 19900 * S, 20000 * S, 100);
	assert_int_equal(points.nr, 100);
	for (uint32_t i = 0; i < points.nr; i++) {
		assert_int_equal(points.at[i].start_ns, (19900 + i) * S);
		assert_int_equal(points.at[i].end_ns, (19901 + i) * S);
		assert_true(points.gauges[i].min == 19900 + i && points.gauges[i].max == 19900 + i);
	}
	series_points_free(&points);
	series_free(&s);
}

static void merged_points_keep_least_largest_and_last(void **state)
{
	static const double values[] = {5, 9, 2, 7};
	struct series s;
	struct series_points points;

	(void)state;
	series_init(&s, &shape);
	for (uint64_t t = 0; t < 4; t++)
		series_set(&s, t * S, 0, values[t]);
	points = read_all(&s, 0, 4 * S, 1);
	assert_int_equal(points.nr, 1);
	assert_true(points.gauges[0].min == 2);
	assert_true(points.gauges[0].max == 9);
	assert_true(points.gauges[0].last == 7);
	series_points_free(&points);
	series_free(&s);
}

static void silence_has_no_points_and_outside_counts_nothing(void **state)
{
	struct series s;
	struct series_points points;

	(void)state;
	series_init(&s, &shape);
	series_add(&s, 1 * S, 0, 1);
	series_add(&s, 50 * S, 0, 1);
	series_add(&s, 200 * S, 0, 1);
	points = read_all(&s, 0, 100 * S, 100);
	assert_int_equal(points.nr, 2);
	assert_true(total(&points) == 2);
	series_points_free(&points);
	series_free(&s);
}

static void a_late_value_joins_the_newest_row(void **state)
{
	struct series s;
	struct series_points points;

	(void)state;
	series_init(&s, &shape);
	series_add(&s, 10 * S, 0, 1);
	series_add(&s, 3 * S, 0, 2);
	points = read_all(&s, 0, 20 * S, 20);
	assert_int_equal(points.nr, 1);
	assert_int_equal(points.at[0].start_ns, 10 * S);
	assert_true(total(&points) == 3);
	series_points_free(&points);
	series_free(&s);
}

static void series_of_one_shape_add_up(void **state)
{
	struct series a, b;
	struct series_points sum, more;

	(void)state;
	series_init(&a, &shape);
	series_init(&b, &shape);
	for (uint64_t t = 0; t < 10; t++) {
		series_add(&a, t * S, 0, 1);
		series_set(&a, t * S, 0, 4);
	}
	for (uint64_t t = 5; t < 15; t++) {
		series_add(&b, t * S, 0, 10);
		series_set(&b, t * S, 0, 6);
	}
	sum = read_all(&a, 0, 20 * S, 20);
	more = read_all(&b, 0, 20 * S, 20);
	assert_int_equal(series_points_add(&sum, &more), 0);
	assert_int_equal(sum.nr, 15);
	assert_true(total(&sum) == 110);
	assert_true(sum.counts[7] == 11);
	assert_true(sum.gauges[7].max == 10);
	assert_true(sum.gauges[2].max == 4 && sum.gauges[14].max == 6);
	series_points_free(&sum);
	series_points_free(&more);
	series_free(&a);
	series_free(&b);
}

static void a_wild_clock_does_not_take_memory(void **state)
{
	struct series s;

	(void)state;
	series_init(&s, &shape);
	series_add(&s, 1, 0, 1);
	series_add(&s, UINT64_MAX, 0, 1);
	series_add(&s, 5, 0, UINT64_MAX);
	series_add(&s, UINT64_MAX / 2, 0, 1);
	assert_true(s.whole.nr <= 2 && s.recent.nr <= 2);
	series_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_of_seconds_stays_bounded_and_loses_no_peak_and_no_count),
		cmocka_unit_test(the_recent_past_is_fine),
		cmocka_unit_test(merged_points_keep_least_largest_and_last),
		cmocka_unit_test(silence_has_no_points_and_outside_counts_nothing),
		cmocka_unit_test(a_late_value_joins_the_newest_row),
		cmocka_unit_test(series_of_one_shape_add_up),
		cmocka_unit_test(a_wild_clock_does_not_take_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
