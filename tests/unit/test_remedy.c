/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_remedy.c - numbers of actions follow from what was measured, and are left out where it was not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/remedy.h"
#include "base/units.h"

static void a_limit_leaves_room_above_the_peak(void **state)
{
	(void)state;
	assert_true(remedy_limit_bytes(192 * MIB, 0) == 288 * MIB);
	assert_true(remedy_limit_bytes(1, 0) == 16 * MIB);
	assert_true(remedy_limit_bytes(112 * MIB, 0) == 160 * MIB);
}

static void a_limit_holds_a_whole_heap_and_what_lies_beside_it(void **state)
{
	(void)state;
	assert_true(remedy_limit_bytes(192 * MIB, 259 * MIB) == 368 * MIB);
	assert_true(remedy_limit_bytes(900 * MIB, 259 * MIB) == 1296 * MIB);
}

static void a_limit_needs_a_peak(void **state)
{
	(void)state;
	assert_true(remedy_limit_bytes(0, 0) == 0);
	assert_true(remedy_limit_bytes(0, 259 * MIB) == 0);
	assert_true(remedy_limit_bytes(UINT64_MAX, 0) == 0);
	assert_true(remedy_limit_bytes(MIB, UINT64_MAX) == 0);
}

static void a_heap_is_three_quarters_of_its_limit(void **state)
{
	(void)state;
	assert_true(remedy_heap_mib(512 * MIB) == 384);
	assert_true(remedy_heap_mib(0) == 0);
	assert_true(remedy_heap_mib(8 * MIB) == 0);
	assert_true(remedy_heap_mib(UINT64_MAX) == 0);
}

static void a_restart_comes_at_four_fifths_of_the_ceiling(void **state)
{
	(void)state;
	assert_true(remedy_restart_mib(200 * MIB) == 160);
	assert_true(remedy_restart_mib(0) == 0);
}

/* A fifth of 200 MiB in 30 s is 1.33 MiB/s. */
static void a_poll_is_in_time_for_slow_leaks_only(void **state)
{
	(void)state;
	assert_true(remedy_poll_in_time(1.3 * (double)MIB, 200 * MIB));
	assert_false(remedy_poll_in_time(1.4 * (double)MIB, 200 * MIB));
	assert_false(remedy_poll_in_time(1, 0));
}

static void time_left_needs_a_slope(void **state)
{
	(void)state;
	assert_true(remedy_seconds_left((double)MIB, 100 * MIB, 40 * MIB) == 60);
	assert_true(remedy_seconds_left((double)MIB, 100 * MIB, 140 * MIB) == 0);
	assert_true(remedy_seconds_left(0, 100 * MIB, 0) == 0);
	assert_true(remedy_seconds_left(-1, 100 * MIB, 0) == 0);
}

static void requests_are_counted_up_to_seven_tenths_and_rounded_down(void **state)
{
	(void)state;
	/* 70 % of 120 MiB without 20 MiB is 64 MiB; 114916 bytes each: 583 */
	assert_true(remedy_max_requests(120 * MIB, 20 * MIB, 114916) == 580);
	assert_true(remedy_max_requests(120 * MIB, 0, 114916) == 0);
	assert_true(remedy_max_requests(120 * MIB, 100 * MIB, 114916) == 0);
	assert_true(remedy_max_requests(120 * MIB, 20 * MIB, 0) == 0);
}

static void a_body_leaves_room_for_all_at_once(void **state)
{
	struct remedy_body in = {.ceiling_bytes = 300 * MIB,
				 .baseline_bytes = 28 * MIB,
				 .amplification = 3.4,
				 .largest_bytes = 60 * MIB,
				 .in_flight_peak = 4};

	(void)state;
	assert_true(remedy_bodies_at_once(&in) == 4);
	assert_true(remedy_body_bytes(&in) == 15 * MIB);
	in.in_flight_peak = 400;
	assert_true(remedy_body_bytes(&in) == 144 * KIB);
	in.in_flight_peak = UINT64_MAX;
	assert_true(remedy_body_bytes(&in) == 0);
}

/* The largest did not fill it alone, so there were more, or it was not the only one. */
static void a_body_is_smaller_than_the_one_that_killed(void **state)
{
	struct remedy_body in = {.ceiling_bytes = 200 * MIB,
				 .baseline_bytes = 10 * MIB,
				 .amplification = 2.1,
				 .largest_bytes = 31 * MIB,
				 .in_flight_peak = 1};

	(void)state;
	assert_true(remedy_bodies_at_once(&in) == 3);
	assert_true(remedy_body_bytes(&in) == 22 * MIB);
	in.in_flight_peak = 0;
	assert_true(remedy_body_bytes(&in) == 22 * MIB);
}

static void a_body_needs_all_its_numbers(void **state)
{
	const struct remedy_body all = {.ceiling_bytes = 300 * MIB,
					.baseline_bytes = 28 * MIB,
					.amplification = 3,
					.largest_bytes = 60 * MIB};
	struct remedy_body in = all;

	(void)state;
	assert_true(remedy_body_bytes(&in) != 0);
	in.amplification = 0;
	assert_true(remedy_body_bytes(&in) == 0);
	in = all;
	in.largest_bytes = 0;
	assert_true(remedy_body_bytes(&in) == 0);
	in = all;
	in.baseline_bytes = 0;
	assert_true(remedy_body_bytes(&in) == 0);
	in.baseline_bytes = 400 * MIB;
	assert_true(remedy_body_bytes(&in) == 0);
	in = all;
	in.ceiling_bytes = UINT64_MAX;
	assert_true(remedy_body_bytes(&in) == 0);
}

static void a_pool_follows_the_latency(void **state)
{
	(void)state;
	assert_int_equal(remedy_pool_size(7, 8.5, 10), 60);
	assert_int_equal(remedy_pool_size(7, 1.1, 10), 0);
	assert_int_equal(remedy_pool_size(1, 8, 10), 0);
	assert_int_equal(remedy_pool_size(0, 8, 10), 0);
	assert_int_equal(remedy_pool_size(1e9, 8, 10), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_leaves_room_above_the_peak),
		cmocka_unit_test(a_limit_holds_a_whole_heap_and_what_lies_beside_it),
		cmocka_unit_test(a_limit_needs_a_peak),
		cmocka_unit_test(a_heap_is_three_quarters_of_its_limit),
		cmocka_unit_test(a_restart_comes_at_four_fifths_of_the_ceiling),
		cmocka_unit_test(a_poll_is_in_time_for_slow_leaks_only),
		cmocka_unit_test(time_left_needs_a_slope),
		cmocka_unit_test(requests_are_counted_up_to_seven_tenths_and_rounded_down),
		cmocka_unit_test(a_body_leaves_room_for_all_at_once),
		cmocka_unit_test(a_body_is_smaller_than_the_one_that_killed),
		cmocka_unit_test(a_body_needs_all_its_numbers),
		cmocka_unit_test(a_pool_follows_the_latency),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
