/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_usual.c - medians from a histogram. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/usual.h"

static void nothing_has_no_median(void **state)
{
	struct usual u = {0};

	(void)state;
	assert_true(usual_median(&u) == -1);
	usual_add(&u, 5, 0);
	assert_true(usual_median(&u) == -1);
}

static void small_values_are_exact_and_others_close(void **state)
{
	(void)state;
	for (uint64_t value = 0; value < 1ULL << 27; value = value * 9 / 8 + 1) {
		struct usual u = {0};

		usual_add(&u, value, 3);
		if (value < 16)
			assert_true(usual_median(&u) == (double)value);
		else
			assert_true(fabs(usual_median(&u) / (double)value - 1) < 0.07);
	}
}

static void a_minority_does_not_move_it(void **state)
{
	struct usual u = {0};

	(void)state;
	usual_add(&u, 10, 60);
	usual_add(&u, UINT64_MAX, 40);
	assert_true(usual_median(&u) == 10);
}

static void what_is_new_wins_in_the_end(void **state)
{
	struct usual u = {0};

	(void)state;
	for (int i = 0; i < 100000; i++)
		usual_add(&u, 3, 1);
	usual_add(&u, 3, UINT64_MAX);
	for (int i = 0; i < 200000; i++)
		usual_add(&u, 12, 1);
	assert_true(usual_median(&u) == 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_has_no_median),
		cmocka_unit_test(small_values_are_exact_and_others_close),
		cmocka_unit_test(a_minority_does_not_move_it),
		cmocka_unit_test(what_is_new_wins_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
