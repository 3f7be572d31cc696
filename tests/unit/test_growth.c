/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_growth.c - levels, predictions, and what is said about memory after a death. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/growth.h"

struct run {
	struct growth g;
	struct growth_ceiling ceiling;
	struct report_growth report; /* newest */
	uint64_t now_ns;
	uint64_t anon_bytes;
	int reports;
};

static struct run begin(uint64_t anon_bytes)
{
	return (struct run){.now_ns = 100000 * NSEC_PER_SEC, .anon_bytes = anon_bytes};
}

static void grow(struct run *r, int seconds, int64_t bytes_per_s)
{
	struct report_growth report;

	for (int i = 0; i < seconds; i++) {
		r->now_ns += NSEC_PER_SEC;
		r->anon_bytes += (uint64_t)bytes_per_s;
		r->ceiling.used_bytes = r->anon_bytes;
		growth_sample(&r->g, r->now_ns, r->anon_bytes);
		if (!growth_evaluate(&r->g, r->now_ns, NSEC_PER_SEC, &r->ceiling, &report))
			continue;
		r->report = report;
		r->reports++;
	}
}

static struct growth_story conclude(const struct run *r, uint64_t end_bytes)
{
	struct growth_end end = {.ts_ns = r->now_ns,
				 .anon_bytes = end_bytes,
				 .managed_heap = true,
				 .requests = 1000,
				 .tick_ns = NSEC_PER_SEC};
	struct growth_story story;

	growth_conclude(&r->g, &end, &story);
	return story;
}

static void one_window_is_a_suspicion_half_a_window_more_makes_it_probable(void **state)
{
	struct run r = begin(50 * MIB);

	(void)state;
	grow(&r, 331, MIB / 8);
	assert_int_equal(r.reports, 1);
	assert_int_equal(r.report.level, GROWTH_SUSPECTED);
	assert_false(r.report.exhaustion_s.has);
	assert_string_equal(r.report.ceiling_source, "");
	grow(&r, 165, MIB / 8);
	assert_int_equal(r.reports, 2);
	assert_int_equal(r.report.level, GROWTH_PROBABLE);
	assert_true(fabs(r.report.slope_bytes_per_s - MIB / 8.0) < 1000);
}

static void growth_that_stops_is_taken_back(void **state)
{
	struct run r = begin(50 * MIB);

	(void)state;
	grow(&r, 600, MIB / 8);
	grow(&r, 600, 0);
	assert_int_equal(r.report.level, GROWTH_NONE);
}

static void near_ceiling_is_told_once_more(void **state)
{
	struct run r = begin(50 * MIB);

	(void)state;
	r.ceiling.bytes = 600 * MIB;
	grow(&r, 600, MIB / 8);
	assert_int_equal(r.reports, 2);
	assert_true(r.report.exhaustion_s.has);
	assert_true(r.report.exhaustion_s.value > 1800);
	grow(&r, 2600, MIB / 8);
	assert_int_equal(r.reports, 3);
	assert_true(r.report.exhaustion_s.value < 1800);
	assert_true(r.g.prediction_ns != 0);
}

static void seconds_of_growth_speak_only_near_the_ceiling(void **state)
{
	struct run far = begin(50 * MIB), near = begin(50 * MIB);

	(void)state;
	far.ceiling.bytes = 64 * 1024 * MIB;
	grow(&far, 45, 4 * MIB);
	assert_int_equal(far.reports, 0);
	near.ceiling.bytes = 400 * MIB;
	grow(&near, 45, 4 * MIB);
	assert_true(near.reports > 0);
	assert_true(near.report.exhaustion_s.value < 300);
}

static void long_and_short_leaks_are_found_after_a_death(void **state)
{
	struct run slow = begin(50 * MIB), fast = begin(50 * MIB);

	(void)state;
	grow(&slow, 7200, MIB / 64);
	assert_true(conclude(&slow, slow.anon_bytes).grew);
	assert_true(conclude(&slow, slow.anon_bytes).trend.window_s >= 600);
	grow(&fast, 20, 10 * MIB);
	assert_true(conclude(&fast, fast.anon_bytes).grew);
	assert_false(conclude(&fast, fast.anon_bytes).insufficient);
}

static void jump_at_the_end_of_a_flat_life_is_no_growth(void **state)
{
	struct run r = begin(50 * MIB);
	struct growth_story story;

	(void)state;
	grow(&r, 1000, 0);
	story = conclude(&r, 400 * MIB);
	assert_true(story.known);
	assert_false(story.grew);
	assert_true(story.jump_share > 0.99);
}

static void warm_up_then_jump_is_no_growth(void **state)
{
	struct run r = begin(10 * MIB);

	(void)state;
	grow(&r, 10, 6 * MIB);
	grow(&r, 40, 0);
	assert_false(conclude(&r, 400 * MIB).grew);
}

static void coarse_ticks_do_not_fake_a_trend(void **state)
{
	struct growth_end end = {.anon_bytes = 140 * MIB, .tick_ns = 10 * NSEC_PER_SEC};
	struct growth_story story;
	struct growth g = {0};

	(void)state;
	for (uint64_t i = 0; i < 4; i++) /* three steps in half a minute */
		growth_sample(&g, (1000 + 10 * i) * NSEC_PER_SEC, (50 + 30 * i) * MIB);
	end.ts_ns = 1031 * NSEC_PER_SEC;
	growth_conclude(&g, &end, &story);
	assert_false(story.grew);
	assert_true(story.insufficient); /* and no growth is not proven either */
}

static void buffers_that_come_and_go_are_not_native_growth(void **state)
{
	struct run r = begin(50 * MIB);
	struct growth_story story;

	(void)state;
	r.g.native.has_vm = true;
	for (int i = 0; i < 30; i++) {
		/* Each second 8 MiB of buffers are allocated and freed; the heap is what grows. */
		r.g.native.malloc_mapped_bytes += 8 * MIB;
		r.g.native.malloc_unmapped_bytes += 8 * MIB;
		grow(&r, 1, 6 * MIB);
	}
	story = conclude(&r, r.anon_bytes);
	assert_true(story.native_share.has);
	assert_true(story.native_share.value < 0.05);
	assert_true(story.bytes_per_request.has);
}

static void full_pool_says_so(void **state)
{
	struct growths *t = calloc(1, sizeof(*t));
	struct proc_id id = {1, 1};

	(void)state;
	assert_non_null(t);
	for (int i = 0; i < GROWTH_MAX; i++)
		assert_int_not_equal(growth_take(t, &id), 0);
	assert_true(growth_full(t));
	assert_int_equal(growth_take(t, &id), 0);
	growth_put(t, 17);
	assert_int_equal(growth_take(t, &id), 17);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_window_is_a_suspicion_half_a_window_more_makes_it_probable),
		cmocka_unit_test(growth_that_stops_is_taken_back),
		cmocka_unit_test(near_ceiling_is_told_once_more),
		cmocka_unit_test(seconds_of_growth_speak_only_near_the_ceiling),
		cmocka_unit_test(long_and_short_leaks_are_found_after_a_death),
		cmocka_unit_test(jump_at_the_end_of_a_flat_life_is_no_growth),
		cmocka_unit_test(warm_up_then_jump_is_no_growth),
		cmocka_unit_test(coarse_ticks_do_not_fake_a_trend),
		cmocka_unit_test(buffers_that_come_and_go_are_not_native_growth),
		cmocka_unit_test(full_pool_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
