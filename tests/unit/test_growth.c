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
	struct ceilings ceilings;
	bool thrashing;
	double cgroup_pace;
	struct report_growth report; /* newest */
	uint64_t now_ns;
	uint64_t anon_bytes;
	int reports;
};

static struct run begin(uint64_t anon_bytes)
{
	return (struct run){.now_ns = 100000 * NSEC_PER_SEC, .anon_bytes = anon_bytes};
}

static void limit(struct run *r, enum ceiling_source source, uint64_t bytes)
{
	r->ceilings.all[r->ceilings.nr++] = (struct report_ceiling){source, bytes};
}

static void grow(struct run *r, int seconds, int64_t bytes_per_s)
{
	struct growth_now now = {.tick_ns = NSEC_PER_SEC, .ceilings = &r->ceilings};
	struct report_growth report;

	now.thrashing = r->thrashing;
	now.cgroup_pace = r->cgroup_pace;
	for (int i = 0; i < seconds; i++) {
		r->now_ns += NSEC_PER_SEC;
		now.now_ns = r->now_ns;
		r->anon_bytes += (uint64_t)bytes_per_s;
		for (uint32_t c = 0; c < r->ceilings.nr; c++)
			r->ceilings.used[c] = r->anon_bytes;
		growth_sample(&r->g, r->now_ns, r->anon_bytes);
		if (!growth_evaluate(&r->g, &now, &report))
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

static void one_window_is_a_suspicion_that_becomes_probable_if_it_lasts(void **state)
{
	struct run r = begin(50 * MIB);

	(void)state;
	grow(&r, 300, MIB / 8);
	assert_int_equal(r.reports, 0);
	grow(&r, 40, MIB / 8);
	assert_int_equal(r.reports, 1);
	assert_int_equal(r.report.level, GROWTH_SUSPECTED); /* far from any ceiling */
	assert_false(r.report.exhaustion_s.has);
	assert_int_equal(r.report.ceiling_source, CEILING_NONE);
	grow(&r, 420, MIB / 8);
	assert_int_equal(r.reports, 1);
	grow(&r, 80, MIB / 8);
	assert_int_equal(r.reports, 2);
	assert_int_equal(r.report.level, GROWTH_PROBABLE);
	assert_true(fabs(r.report.slope_bytes_per_s - MIB / 8.0) < 1000);
}

static void minutes_that_tire_or_began_just_now_are_no_suspicion(void **state)
{
	struct run warm_up = begin(50 * MIB), step = begin(50 * MIB), late = begin(50 * MIB);

	(void)state;
	for (int i = 0; i < 1200; i++)
		grow(&warm_up, 1, (int64_t)(2 * MIB * exp(-i / 100.0)));
	assert_int_equal(warm_up.reports, 0);
	grow(&step, 600, 0);
	grow(&step, 60, MIB);
	grow(&step, 600, 0);
	assert_int_equal(step.reports, 0);
	grow(&late, 600, 0);
	grow(&late, 180, MIB / 8);
	assert_int_equal(late.reports, 0);
	grow(&late, 180, MIB / 8);
	assert_int_equal(late.report.level, GROWTH_SUSPECTED);
}

static void growth_that_stops_is_taken_back(void **state)
{
	struct run r = begin(50 * MIB);

	(void)state;
	grow(&r, 3000, MIB / 8);
	assert_int_equal(r.report.level, GROWTH_PROBABLE);
	grow(&r, 3000, 0);
	assert_int_equal(r.report.level, GROWTH_NONE);
}

static void each_step_towards_the_ceiling_is_told_once(void **state)
{
	struct run r = begin(50 * MIB);

	(void)state;
	limit(&r, CEILING_CGROUP, 900 * MIB);
	grow(&r, 3000, MIB / 8);
	assert_int_equal(r.reports, 2);
	assert_int_equal(r.report.level, GROWTH_PROBABLE);
	assert_int_equal(r.report.ceiling_source, CEILING_CGROUP);
	assert_true(r.report.exhaustion_s.value > 1800);
	grow(&r, 2100, MIB / 8);
	assert_int_equal(r.reports, 3);
	assert_in_range((uint64_t)r.report.exhaustion_s.value, 1700, 1800);
	grow(&r, 1640, MIB / 8);
	assert_int_equal(r.reports, 4);
	assert_int_equal(r.report.level, GROWTH_IMMINENT);
	assert_in_range((uint64_t)r.report.exhaustion_s.value, 115, 120);
	assert_true(r.g.first_prediction_ns < r.g.prediction_ns);
}

static void level_is_kept_where_memory_stops_below_its_ceiling(void **state)
{
	struct run r = begin(15 * MIB);

	(void)state;
	limit(&r, CEILING_CGROUP, 100 * MIB);
	grow(&r, 60, 5 * MIB / 4);
	assert_int_equal(r.report.level, GROWTH_IMMINENT);
	grow(&r, 60, 0); /* at 90 % */
	assert_int_equal(r.report.level, GROWTH_IMMINENT);
	assert_int_equal(r.reports, 1);
	grow(&r, 300, 0);
	assert_int_equal(r.report.level, GROWTH_NONE);
	assert_int_equal(r.reports, 2);
}

static void thrashing_near_a_full_heap_is_imminent_however_flat(void **state)
{
	struct run r = begin(92 * MIB), small = begin(60 * MIB);

	(void)state;
	limit(&r, CEILING_HEAP_FLAG, 100 * MIB);
	grow(&r, 20, 0);
	assert_int_equal(r.reports, 0);
	r.thrashing = true;
	grow(&r, 5, 0);
	assert_int_equal(r.report.level, GROWTH_IMMINENT);
	assert_int_equal(r.reports, 1);
	limit(&small, CEILING_HEAP_FLAG, 100 * MIB);
	small.thrashing = true;
	grow(&small, 20, 0);
	assert_int_equal(small.reports, 0);
}

static void heap_limits_are_no_goal_of_what_grows_beside_the_heap(void **state)
{
	struct run r = begin(20 * MIB);

	(void)state;
	limit(&r, CEILING_HEAP_FLAG, 150 * MIB);
	limit(&r, CEILING_CGROUP, 300 * MIB);
	r.g.native.has_vm = true;
	for (int i = 0; i < 100; i++) {
		r.g.native.malloc_mapped_bytes += 2 * MIB;
		grow(&r, 1, 2 * MIB);
	}
	assert_int_equal(r.report.level, GROWTH_IMMINENT);
	assert_int_equal(r.report.ceiling_source, CEILING_CGROUP);
}

static void company_in_the_cgroup_shortens_the_time(void **state)
{
	struct run alone = begin(20 * MIB), shared = begin(20 * MIB);

	(void)state;
	limit(&alone, CEILING_CGROUP, 150 * MIB);
	limit(&shared, CEILING_CGROUP, 150 * MIB);
	shared.cgroup_pace = 3;
	grow(&alone, 60, 3 * MIB / 2);
	grow(&shared, 60, 3 * MIB / 2);
	assert_true(fabs(shared.report.exhaustion_s.value * 3 - alone.report.exhaustion_s.value) <
		    5);
}

static void java_that_fills_its_heap_is_not_warned_of(void **state)
{
	struct run r = begin(20 * MIB);

	(void)state;
	limit(&r, CEILING_HEAP_FLAG, 150 * MIB);
	r.ceilings.heap_fills_anyway = true;
	grow(&r, 60, 2 * MIB);
	assert_int_equal(r.reports, 0);
}

static void what_fell_once_must_grow_beyond_that(void **state)
{
	struct run r = begin(30 * MIB);

	(void)state;
	limit(&r, CEILING_CGROUP, 200 * MIB);
	for (int i = 0; i < 5; i++) {
		grow(&r, 6, 15 * MIB);
		grow(&r, 1, -90 * (int64_t)MIB);
	}
	grow(&r, 30, 5 * MIB / 2);
	assert_int_equal(r.reports, 0); /* 105 of 200 MiB, but 120 was there before */
	grow(&r, 15, 5 * MIB / 2);
	assert_int_equal(r.report.level, GROWTH_IMMINENT);
}

static void seconds_of_growth_speak_only_near_the_ceiling(void **state)
{
	struct run far = begin(50 * MIB), near = begin(50 * MIB);

	(void)state;
	limit(&far, CEILING_CGROUP, 64 * 1024 * MIB);
	grow(&far, 45, 4 * MIB);
	assert_int_equal(far.reports, 0);
	limit(&near, CEILING_CGROUP, 400 * MIB);
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

static void filling_cache_is_concave_and_a_leak_is_straight(void **state)
{
	struct run cache = begin(50 * MIB), leak = begin(50 * MIB);
	struct growth_story story;

	(void)state;
	for (int i = 0; i < 200; i++)
		grow(&cache, 1, (int64_t)(3 * MIB * exp(-i / 60.0)));
	story = conclude(&cache, 400 * MIB);
	assert_true(story.concave);
	assert_true(story.concavity < 0.75);
	grow(&leak, 60, 3 * MIB);
	story = conclude(&leak, leak.anon_bytes);
	assert_false(story.concave);
	assert_true(fabs(story.concavity - 1) < 0.05);
	assert_int_equal(story.grown_bytes, 59 * 3 * MIB);
	/* Its last stretch is flat, as at the limit of a heap: the way up was straight. */
	grow(&leak, 10, MIB / 8);
	assert_false(conclude(&leak, leak.anon_bytes).concave);
}

static void growth_is_remembered_while_it_stands_still_at_the_ceiling(void **state)
{
	struct run r = begin(15 * MIB);
	struct growth_story story;

	(void)state;
	limit(&r, CEILING_CGROUP, 100 * MIB);
	grow(&r, 60, 5 * MIB / 4);
	assert_int_equal(r.report.level, GROWTH_IMMINENT);
	grow(&r, 60, 0); /* the window has forgotten */
	story = conclude(&r, r.anon_bytes);
	assert_true(story.grew);
	assert_false(story.insufficient);
	assert_true(fabs(story.trend.slope - 5 * MIB / 4.0) < MIB / 8.0);
	assert_true(story.onset_ns && story.onset_ns < r.now_ns - 60 * NSEC_PER_SEC);
	assert_false(conclude(&r, 40 * MIB).grew); /* it gave back */
}

static void growth_of_the_last_minute_is_known(void **state)
{
	struct run r = begin(50 * MIB), young = begin(50 * MIB);

	(void)state;
	grow(&r, 300, MIB / 8);
	grow(&r, 60, MIB);
	assert_in_range(growth_of_last_minute(&r.g, r.now_ns, r.anon_bytes), 55 * MIB, 65 * MIB);
	grow(&young, 10, MIB);
	assert_int_equal(growth_of_last_minute(&young.g, young.now_ns, young.anon_bytes), 9 * MIB);
	assert_int_equal(growth_of_last_minute(&r.g, r.now_ns + 600 * NSEC_PER_SEC, r.anon_bytes),
			 0);
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

static void growth_beyond_what_the_heap_may_hold_is_native(void **state)
{
	struct run r = begin(50 * MIB);
	struct growth_end end = {.managed_heap = true, .heap_most_bytes = 40 * MIB};
	struct growth_story story;

	(void)state;
	r.g.native.has_vm = true; /* and nothing of malloc's was seen */
	grow(&r, 30, 6 * MIB);
	end.ts_ns = r.now_ns;
	end.anon_bytes = r.anon_bytes;
	growth_conclude(&r.g, &end, &story);
	assert_true(story.native_share.has);
	assert_in_range((int)(story.native_share.value * 100), 70, 85);
	end.heap_most_bytes = 0;
	growth_conclude(&r.g, &end, &story);
	assert_true(story.native_share.value < 0.05);
}

static void full_pool_says_so(void **state)
{
	struct growths *t = calloc(1, sizeof(*t));
	struct proc_id id = {.start_ns = 1, .tgid = 1};

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
		cmocka_unit_test(one_window_is_a_suspicion_that_becomes_probable_if_it_lasts),
		cmocka_unit_test(minutes_that_tire_or_began_just_now_are_no_suspicion),
		cmocka_unit_test(growth_that_stops_is_taken_back),
		cmocka_unit_test(each_step_towards_the_ceiling_is_told_once),
		cmocka_unit_test(level_is_kept_where_memory_stops_below_its_ceiling),
		cmocka_unit_test(thrashing_near_a_full_heap_is_imminent_however_flat),
		cmocka_unit_test(heap_limits_are_no_goal_of_what_grows_beside_the_heap),
		cmocka_unit_test(company_in_the_cgroup_shortens_the_time),
		cmocka_unit_test(java_that_fills_its_heap_is_not_warned_of),
		cmocka_unit_test(what_fell_once_must_grow_beyond_that),
		cmocka_unit_test(filling_cache_is_concave_and_a_leak_is_straight),
		cmocka_unit_test(growth_is_remembered_while_it_stands_still_at_the_ceiling),
		cmocka_unit_test(growth_of_the_last_minute_is_known),
		cmocka_unit_test(seconds_of_growth_speak_only_near_the_ceiling),
		cmocka_unit_test(long_and_short_leaks_are_found_after_a_death),
		cmocka_unit_test(jump_at_the_end_of_a_flat_life_is_no_growth),
		cmocka_unit_test(warm_up_then_jump_is_no_growth),
		cmocka_unit_test(coarse_ticks_do_not_fake_a_trend),
		cmocka_unit_test(buffers_that_come_and_go_are_not_native_growth),
		cmocka_unit_test(growth_beyond_what_the_heap_may_hold_is_native),
		cmocka_unit_test(full_pool_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
