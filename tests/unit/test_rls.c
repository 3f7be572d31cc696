/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_rls.c - coefficients of known series, of inputs that cannot be told apart, of hostile ones. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/rls.h"

#define KEEP 0.995

static const double wide[RLS_INPUTS] = {100, 100, 100, 100};

/* Uniform in -1..1, the same every time. */
static double noise(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (double)(*seed >> 11) / (double)(1ULL << 52) - 1;
}

static void assert_near(double value, double expected, double tolerance)
{
	if (fabs(value - expected) > tolerance)
		fail_msg("%g is not %g +- %g", value, expected, tolerance);
}

static void independent_inputs_get_their_coefficients(void **state)
{
	static const double truth[RLS_INPUTS] = {3, 0.5, 0, 7};
	struct rls r = {0};
	uint64_t seed = 1;
	double c[RLS_INPUTS];

	(void)state;
	for (int i = 0; i < 300; i++) {
		double x[RLS_INPUTS] = {1, 50 + 50 * noise(&seed), 10 + 10 * noise(&seed),
					3 * noise(&seed)};
		double y = noise(&seed);

		for (int k = 0; k < RLS_INPUTS; k++)
			y += truth[k] * x[k];
		rls_add(&r, x, y, KEEP);
	}
	assert_true(rls_solve(&r, wide, 0.1, c));
	for (int k = 0; k < RLS_INPUTS; k++)
		assert_near(c[k], truth[k], 0.2);
}

static void inputs_that_only_vary_together_go_to_the_wider_prior_and_stay_finite(void **state)
{
	static const double spread[RLS_INPUTS] = {0.15, 1, 1, 1};
	struct rls r = {0};
	double c[RLS_INPUTS];

	(void)state;
	for (int i = 0; i < 1000000; i++)
		rls_add(&r, (const double[]){1, 1, 0, 0}, 1, KEEP);
	assert_true(rls_solve(&r, spread, 0.01, c));
	assert_near(c[0] + c[1], 1, 0.01);
	assert_true(c[1] > 0.95);
	assert_true(r.xx[0][0] < 201);
}

static void enough_evidence_beats_a_narrow_prior(void **state)
{
	static const double spread[RLS_INPUTS] = {0.15, 1, 0, 0};
	struct rls r = {0};
	double c[RLS_INPUTS];

	(void)state;
	for (int i = 0; i < 200; i++) /* idle every fourth time, and it grows all the same */
		rls_add(&r, (const double[]){1, i % 4 ? 1 : 0, 0, 0}, 1, KEEP);
	assert_true(rls_solve(&r, spread, 0.01, c));
	assert_near(c[0], 1, 0.05);
	assert_near(c[1], 0, 0.05);
}

static void coefficients_are_never_negative(void **state)
{
	struct rls r = {0};
	uint64_t seed = 3;
	double c[RLS_INPUTS];

	(void)state;
	for (int i = 0; i < 200; i++) {
		double x[RLS_INPUTS] = {1, 5 + 5 * noise(&seed), 0, 0};

		rls_add(&r, x, 20 - 2 * x[1], KEEP);
	}
	assert_true(rls_solve(&r, wide, 0.01, c));
	for (int k = 0; k < RLS_INPUTS; k++)
		assert_true(c[k] >= 0);
	assert_near(c[0], 10, 0.5);
}

static void old_observations_are_forgotten(void **state)
{
	struct rls r = {0};
	double c[RLS_INPUTS];

	(void)state;
	for (int i = 0; i < 3000; i++)
		rls_add(&r, (const double[]){0, 1 + i % 3, 0, 0}, (i < 1500 ? 9 : 2) * (1 + i % 3),
			KEEP);
	assert_true(rls_solve(&r, wide, 0.01, c));
	assert_near(c[1], 2, 0.1);
}

static void nothing_tells_nothing(void **state)
{
	struct rls r = {0};
	double c[RLS_INPUTS] = {1, 1, 1, 1};

	(void)state;
	assert_false(rls_solve(&r, wide, 1, c));
	rls_add(&r, (const double[]){1, 1, 1, 1}, 0, KEEP);
	assert_false(rls_solve(&r, wide, 1, c));
	for (int k = 0; k < RLS_INPUTS; k++)
		assert_true(c[k] == 0);
}

static void huge_and_tiny_inputs_give_numbers(void **state)
{
	static const double spread[RLS_INPUTS] = {1e-9, 1e9, 8, 256};
	struct rls r = {0};
	uint64_t seed = 5;
	double c[RLS_INPUTS];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		double x[RLS_INPUTS] = {i % 7 ? 1 : 1.8e10, 4.3e9 * noise(&seed), 4.3e9,
					-4.3e9 * (i % 2)};

		rls_add(&r, x, i % 3 ? 4.3e9 : -4.3e9, KEEP);
		if (!rls_solve(&r, spread, 64, c))
			continue;
		for (int k = 0; k < RLS_INPUTS; k++)
			assert_true(isfinite(c[k]) && c[k] >= 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(independent_inputs_get_their_coefficients),
		cmocka_unit_test(
			inputs_that_only_vary_together_go_to_the_wider_prior_and_stay_finite),
		cmocka_unit_test(enough_evidence_beats_a_narrow_prior),
		cmocka_unit_test(coefficients_are_never_negative),
		cmocka_unit_test(old_observations_are_forgotten),
		cmocka_unit_test(nothing_tells_nothing),
		cmocka_unit_test(huge_and_tiny_inputs_give_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
