/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_run_time.c - from a window of counting to the run time since start; and a real ring's fill. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "source/loader.h"
#include "source/ring_fill.h"
#include "source/run_time.h"

#define S 1000000000ULL

static const struct loader no_hooks = {.nr_hooks = 0};

static struct run_time window_of_one_in_ten(void)
{
	return (struct run_time){
		.every = 10,
		.stats_fd = -1,
		.floor_ns = 50,
		.covered_ns = 100 * S,
		.opened_ns = 109 * S,
		.at_open.groups[BPF_GROUP_TRAFFIC] = {.ns = 7000, .runs = 70},
	};
}

static void a_window_stands_for_all_the_time_before_it(void **state)
{
	struct run_time t = window_of_one_in_ten();
	struct run_totals after = {
		.groups[BPF_GROUP_TRAFFIC] = {.ns = 7000 + 150 * 1000, .runs = 1070}};

	(void)state;
	run_time_extrapolate(&t, &after, 110 * S);
	assert_int_equal(t.spent.groups[BPF_GROUP_TRAFFIC].runs, 10000);
	assert_int_equal(t.spent.groups[BPF_GROUP_TRAFFIC].ns, 10 * (150 - 50) * 1000);
	assert_int_equal(run_time_ns(&t), 1000000);
	assert_int_equal(t.covered_ns, 110 * S);
	assert_int_equal(t.source, BPF_TIME_SAMPLED);
}

static void less_than_the_counting_costs_is_nothing(void **state)
{
	struct run_time t = window_of_one_in_ten();
	struct run_totals after = {.groups[BPF_GROUP_TRAFFIC] = {.ns = 7100, .runs = 170}};

	(void)state;
	run_time_extrapolate(&t, &after, 110 * S);
	assert_int_equal(t.spent.groups[BPF_GROUP_TRAFFIC].runs, 1000);
	assert_int_equal(run_time_ns(&t), 0);
}

/* A hook was shed inside the window: its group is less than before. */
static void totals_that_shrink_add_nothing(void **state)
{
	struct run_time t = window_of_one_in_ten();
	struct run_totals after = {0};

	(void)state;
	run_time_extrapolate(&t, &after, 110 * S);
	assert_int_equal(run_time_ns(&t), 0);
	assert_int_equal(t.covered_ns, 110 * S);
}

static void an_empty_window_tells_nothing(void **state)
{
	struct run_time t = window_of_one_in_ten();
	struct run_totals after = {.groups[BPF_GROUP_TRAFFIC] = {.ns = 99999999, .runs = 9999}};

	(void)state;
	run_time_extrapolate(&t, &after, 109 * S);
	assert_int_equal(t.covered_ns, 100 * S);
	assert_int_equal(t.source, BPF_TIME_NONE);
}

static void where_counting_is_refused_work_is_counted(void **state)
{
	struct run_time t = {.every = 5, .stats_fd = -1, .refused = true};

	(void)state;
	assert_true(run_time_tick(&t, &no_hooks, 1 * S, 1000, 10));
	assert_true(run_time_tick(&t, &no_hooks, 2 * S, 500, 10));
	assert_int_equal(t.source, BPF_TIME_ESTIMATED);
	assert_int_equal(t.spent.groups[BPF_GROUP_TRAFFIC].runs, 1500);
	assert_int_equal(run_time_ns(&t), 1500 * RUN_TIME_MESSAGE_NS + 20 * RUN_TIME_SAMPLE_NS);
}

static void what_was_not_asked_for_is_not_done(void **state)
{
	struct run_time t;

	(void)state;
	run_time_init(&t, 0, 1 * S);
	for (uint64_t i = 2; i < 100; i++)
		assert_false(run_time_tick(&t, &no_hooks, i * S, 1000, 1000));
	assert_int_equal(run_time_ns(&t), 0);
	assert_int_equal(t.source, BPF_TIME_NONE);
	run_time_free(&t);
}

static void a_rings_fill_is_the_distance_of_its_positions(void **state)
{
	uint64_t consumer = 1000, producer = 1000 + 640;
	struct ring_fill fill = {.consumer = &consumer, .producer = &producer, .size_bytes = 4096};

	(void)state;
	ring_fill_look(&fill);
	assert_int_equal(fill.used_bytes, 640);
	consumer = producer;
	ring_fill_look(&fill);
	assert_int_equal(fill.used_bytes, 0);
	assert_int_equal(fill.peak_bytes, 640);
	fill.consumer = NULL;
	ring_fill_look(&fill);
	assert_int_equal(fill.peak_bytes, 640);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_stands_for_all_the_time_before_it),
		cmocka_unit_test(less_than_the_counting_costs_is_nothing),
		cmocka_unit_test(totals_that_shrink_add_nothing),
		cmocka_unit_test(an_empty_window_tells_nothing),
		cmocka_unit_test(where_counting_is_refused_work_is_counted),
		cmocka_unit_test(what_was_not_asked_for_is_not_done),
		cmocka_unit_test(a_rings_fill_is_the_distance_of_its_positions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
