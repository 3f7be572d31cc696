/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_load.c - a surge is measured against what is usual, silence and jumps of time do no harm. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/load.h"

struct run {
	struct load l;
	uint64_t now_ns;
};

static void seconds(struct run *r, int n, uint64_t requests)
{
	for (int i = 0; i < n; i++) {
		r->now_ns += NSEC_PER_SEC;
		load_add(&r->l, r->now_ns, requests);
	}
}

static double ratio(const struct run *r)
{
	return load_to_usual(&r->l, r->now_ns);
}

static void nothing_is_usual_at_first(void **state)
{
	struct run r = {.now_ns = 1000 * NSEC_PER_SEC};

	(void)state;
	seconds(&r, 20, 100);
	assert_true(ratio(&r) == 0);
}

static void steady_load_is_usual(void **state)
{
	struct run r = {.now_ns = 1000 * NSEC_PER_SEC};

	(void)state;
	seconds(&r, 60, 100);
	assert_true(fabs(ratio(&r) - 1) < 0.01);
}

static void surge_shows_at_once_and_for_half_a_minute(void **state)
{
	struct run r = {.now_ns = 1000 * NSEC_PER_SEC};

	(void)state;
	seconds(&r, 120, 100);
	seconds(&r, 6, 1000);
	assert_true(ratio(&r) > 8);
	seconds(&r, 20, 100);
	assert_true(ratio(&r) > 6);
	seconds(&r, 60, 100);
	assert_true(ratio(&r) < 1.5);
}

static void next_to_no_traffic_has_no_ratio(void **state)
{
	struct run r = {.now_ns = 1000 * NSEC_PER_SEC};

	(void)state;
	for (int i = 0; i < 30; i++) {
		seconds(&r, 1, 1);
		seconds(&r, 9, 0);
	}
	seconds(&r, 5, 10);
	assert_true(ratio(&r) == 0);
}

static void silence_is_forgotten_and_time_that_jumps_does_no_harm(void **state)
{
	struct run r = {.now_ns = 1000 * NSEC_PER_SEC};

	(void)state;
	seconds(&r, 120, 100);
	r.now_ns += 3600 * NSEC_PER_SEC;
	seconds(&r, 2, 100);
	assert_true(ratio(&r) == 0);
	load_add(&r.l, UINT64_MAX, UINT64_MAX);
	load_add(&r.l, 0, UINT64_MAX);
	load_add(&r.l, UINT64_MAX, UINT64_MAX);
	assert_false(isnan(load_to_usual(&r.l, UINT64_MAX)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_usual_at_first),
		cmocka_unit_test(steady_load_is_usual),
		cmocka_unit_test(surge_shows_at_once_and_for_half_a_minute),
		cmocka_unit_test(next_to_no_traffic_has_no_ratio),
		cmocka_unit_test(silence_is_forgotten_and_time_that_jumps_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
