/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_retention.c - what fills keeps ever less per request, what leaks does not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/retention.h"

#define BASE_KIB 40000.0

struct run {
	struct retention r;
	double requests;
	uint32_t anon_kib;
};

typedef double (*memory_fn)(double requests);

static struct run begin(void)
{
	return (struct run){.anon_kib = (uint32_t)BASE_KIB};
}

static void serve(struct run *run, int seconds, uint64_t rate, memory_fn memory)
{
	for (int i = 0; i < seconds; i++) {
		uint32_t before = run->anon_kib;

		run->requests += (double)rate;
		run->anon_kib = (uint32_t)(BASE_KIB + memory(run->requests));
		retention_add(&run->r, rate, before, run->anon_kib);
	}
}

static struct retention_shape tell(const struct run *run)
{
	struct retention_shape shape;

	retention_tell(&run->r, &shape);
	return shape;
}

static double leak(double requests)
{
	return 60 * requests;
}

/* 200 MiB of entries, asked for at random. */
static double fill(double requests)
{
	return 200 * 1024 * (1 - exp(-requests / 1000));
}

/* 20 MiB in the first hundred requests, then a leak: code, buffers, pools of connections. */
static double leak_after_warm_up(double requests)
{
	return 20 * 1024 * (1 - exp(-requests / 30)) + leak(requests);
}

static double collected_leak(double requests)
{
	return leak(requests) + 20 * 1024 * fmod(requests, 700) / 700;
}

static void leak_keeps_as_much_with_each_request(void **state)
{
	struct run run = begin();

	(void)state;
	serve(&run, 30, 100, leak);
	assert_true(tell(&run).known);
	assert_false(tell(&run).declines);
	assert_true(fabs(tell(&run).ratio - 1) < 0.01);
}

static void what_fills_keeps_ever_less(void **state)
{
	struct run run = begin();

	(void)state;
	serve(&run, 14, 100, fill); /* to three quarters */
	assert_true(tell(&run).declines);
	assert_true(tell(&run).ratio < 0.45);
}

static void changing_rates_do_not_matter(void **state)
{
	struct run cache = begin(), leaking = begin();

	(void)state;
	for (uint64_t i = 1; i <= 20; i++) { /* ever faster: straight in time */
		serve(&cache, 1, 10 * i, fill);
		serve(&leaking, 1, 210 - 10 * i, leak);
	}
	assert_true(tell(&cache).declines);
	assert_false(tell(&leaking).declines);
}

static void warm_up_and_collections_are_no_decline(void **state)
{
	struct run warm = begin(), collected = begin();

	(void)state;
	serve(&warm, 20, 100, leak_after_warm_up);
	assert_false(tell(&warm).declines);
	serve(&collected, 40, 100, collected_leak);
	assert_false(tell(&collected).declines);
}

static void long_lives_keep_their_shape(void **state)
{
	struct run run = begin();

	(void)state;
	serve(&run, 100000, 3, leak);
	assert_true(run.r.nr <= RETENTION_POINTS);
	assert_int_equal(run.r.now.requests, 300000);
	assert_true(fabs(tell(&run).ratio - 1) < 0.01);
}

static void too_little_says_nothing(void **state)
{
	struct run few = begin(), small = begin(), empty = begin();

	(void)state;
	serve(&few, 30, 1, leak);
	assert_false(tell(&few).known);
	serve(&small, 30, 4, leak); /* 7 MiB */
	assert_false(tell(&small).known);
	assert_false(tell(&empty).known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leak_keeps_as_much_with_each_request),
		cmocka_unit_test(what_fills_keeps_ever_less),
		cmocka_unit_test(changing_rates_do_not_matter),
		cmocka_unit_test(warm_up_and_collections_are_no_decline),
		cmocka_unit_test(long_lives_keep_their_shape),
		cmocka_unit_test(too_little_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
