/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_chart_scale.c - scales of a picture fit what they show, and their ticks are round. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/units.h"
#include "view/chart_scale.h"

static void assert_sane(const struct scale *s)
{
	assert_in_range(s->nr_ticks, 1, SCALE_MAX_TICKS);
	assert_true(isfinite(s->low) && isfinite(s->high) && s->high > s->low);
	for (uint32_t i = 0; i < s->nr_ticks; i++) {
		double y = scale_place(s, s->ticks[i]);

		assert_true(y <= s->bottom + 1e-6 && y >= s->top - 1e-6);
		assert_true(i == 0 || s->ticks[i] > s->ticks[i - 1]);
	}
}

static void any_maximum_gives_a_scale(void **state)
{
	static const double values[] = {0,   -1,	1e-9, 1,    3,	      17, 428,
					1e6, 167772160, 1e15, 1e30, INFINITY, NAN};
	struct scale s;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		scale_bytes(&s, values[i], 10, 200);
		assert_sane(&s);
		for (double height = 40; height < 200; height += 30) {
			scale_counts(&s, values[i], 10, 10 + height);
			assert_sane(&s);
			assert_true(s.nr_ticks <= height / 20 + 2);
		}
	}
}

static void bytes_have_ticks_at_powers_of_two(void **state)
{
	struct scale s;

	(void)state;
	scale_bytes(&s, 160.0 * MIB, 0, 100);
	assert_int_equal(s.nr_ticks, 3);
	assert_true(s.ticks[1] == 64.0 * MIB && s.ticks[2] == 128.0 * MIB);
	assert_true(scale_place(&s, 160.0 * MIB) > 0); /* room above the largest */
}

static void places_never_leave_the_scale(void **state)
{
	struct scale s;

	(void)state;
	scale_counts(&s, 100, 0, 50);
	assert_true(scale_place(&s, -5) == 50);
	assert_true(scale_place(&s, 1e9) == 0);
	scale_decades(&s, 0.9, 70, 0, 50);
	assert_true(s.low <= 0.9 && s.high == 100);
	assert_true(scale_place(&s, 0) == 50);
	assert_true(fabs(scale_place(&s, sqrt(s.low * s.high)) - 25) < 1e-6);
	scale_decades(&s, 0, 0, 0, 50);
	assert_sane(&s);
}

static void time_steps_are_those_of_a_clock(void **state)
{
	(void)state;
	assert_int_equal(scale_time_step(60 * NSEC_PER_SEC, 6), 10 * NSEC_PER_SEC);
	assert_int_equal(scale_time_step(3 * NSEC_PER_SEC, 4), NSEC_PER_SEC);
	assert_int_equal(scale_time_step(86400 * NSEC_PER_SEC, 8), 10800 * NSEC_PER_SEC);
	assert_int_equal(scale_time_step(NSEC_PER_SEC, 5), 200 * NSEC_PER_MSEC);
	assert_true(scale_time_step(400 * 86400 * NSEC_PER_SEC, 4) >= 86400 * NSEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_maximum_gives_a_scale),
		cmocka_unit_test(bytes_have_ticks_at_powers_of_two),
		cmocka_unit_test(places_never_leave_the_scale),
		cmocka_unit_test(time_steps_are_those_of_a_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
