/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_lives.c - what the earlier lives of a service tell about the present one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/lives.h"

#define SECONDS(n) ((uint64_t)(n)*NSEC_PER_SEC)

static const struct life nobody;

static struct endpoint address(uint16_t port)
{
	return (struct endpoint){.addr = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1},
				 .port = port};
}

static struct lives_table *new_table(void)
{
	struct lives_table *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	return t;
}

static struct life life(uint64_t start_s, uint64_t end_s, uint64_t peak_mib, enum life_end end)
{
	return (struct life){.proc = {SECONDS(start_s), (uint32_t)start_s},
			     .end_ns = SECONDS(end_s),
			     .peak_anon_bytes = peak_mib * MIB,
			     .baseline_anon_bytes = 20 * MIB,
			     .grew = peak_mib > 40,
			     .end = (uint8_t)end};
}

static void add(struct lives_table *t, uint16_t port, struct life l)
{
	struct endpoint e = address(port);

	lives_add(t, &e, &l);
}

static struct lives_story tell(struct lives_table *t, uint16_t port, const struct life *current,
			       uint64_t now_s)
{
	struct endpoint e = address(port);
	struct lives_story story;

	lives_tell(lives_find(t, &e), current, SECONDS(now_s), &story);
	return story;
}

static void unknown_service_tells_nothing(void **state)
{
	struct lives_table *t = new_table();
	struct lives_story story = tell(t, 3000, &nobody, 100);

	(void)state;
	assert_int_equal(story.lives, 0);
	assert_int_equal(story.memory_ceiling_bytes, 0);
	free(t);
}

static void both_loopback_addresses_are_one_service(void **state)
{
	struct lives_table *t = new_table();
	struct endpoint six = {.addr = {[15] = 1}, .port = 3000};
	struct life l = life(10, 20, 100, LIFE_OOM);

	(void)state;
	lives_add(t, &six, &l);
	assert_int_equal(tell(t, 3000, &nobody, 30).lives, 1);
	assert_int_equal(tell(t, 3001, &nobody, 30).lives, 0);
	free(t);
}

static void equal_memory_deaths_are_a_loop_with_a_ceiling(void **state)
{
	struct lives_table *t = new_table();
	struct life current = life(300, 390, 101, LIFE_HEAP_FULL);
	struct lives_story story;

	(void)state;
	add(t, 3000, life(0, 90, 100, LIFE_HEAP_FULL));
	add(t, 3000, life(100, 192, 97, LIFE_HEAP_FULL));
	add(t, 3000, life(200, 288, 103, LIFE_OOM));
	story = tell(t, 3000, &current, 390);
	assert_int_equal(story.lives, 3);
	assert_int_equal(story.memory_deaths, 3);
	assert_int_equal(story.deaths_10m, 3);
	assert_true(story.similar_peaks);
	assert_true(story.similar_spans);
	assert_int_equal(story.memory_ceiling_bytes, 97 * MIB);
	assert_int_equal(story.median_span_ns, SECONDS(90));
	assert_int_equal(tell(t, 3000, &current, 800).deaths_10m, 1);
	free(t);
}

static void peaks_and_spans_that_differ_are_told_apart(void **state)
{
	struct lives_table *t = new_table();
	struct life current = life(300, 310, 150, LIFE_OOM);
	struct lives_story story;

	(void)state;
	add(t, 3000, life(0, 90, 100, LIFE_OOM));
	story = tell(t, 3000, &current, 310);
	assert_false(story.similar_peaks);
	assert_false(story.similar_spans);
	/* One that still lives is not compared: it is not as big yet as it will be. */
	current = life(300, 390, 20, LIFE_OOM);
	current.end_ns = 0;
	story = tell(t, 3000, &current, 310);
	assert_false(story.similar_peaks);
	free(t);
}

static void other_ends_break_the_run_of_memory_deaths(void **state)
{
	struct lives_table *t = new_table();
	struct lives_story story;

	(void)state;
	add(t, 3000, life(0, 90, 100, LIFE_OOM));
	add(t, 3000, life(100, 190, 80, LIFE_ENDED_OTHERWISE));
	story = tell(t, 3000, &nobody, 200);
	assert_int_equal(story.memory_deaths, 0);
	assert_int_equal(story.peak_bytes, 80 * MIB);
	assert_int_equal(story.memory_ceiling_bytes, 100 * MIB);
	free(t);
}

static void ceiling_is_forgotten_once_somebody_lived_above_it(void **state)
{
	struct lives_table *t = new_table();
	struct life current = life(300, 0, 120, LIFE_ENDED_OTHERWISE);

	(void)state;
	add(t, 3000, life(0, 90, 100, LIFE_OOM));
	assert_int_equal(tell(t, 3000, &nobody, 200).memory_ceiling_bytes, 100 * MIB);
	assert_int_equal(tell(t, 3000, &current, 400).memory_ceiling_bytes, 0);
	add(t, 3000, life(100, 190, 200, LIFE_ENDED_OTHERWISE));
	assert_int_equal(tell(t, 3000, &nobody, 200).memory_ceiling_bytes, 0);
	free(t);
}

static void two_alike_restarts_make_a_supervisor_ceiling(void **state)
{
	struct lives_table *t = new_table();

	(void)state;
	add(t, 3000, life(0, 90, 150, LIFE_SUPERVISOR));
	assert_int_equal(tell(t, 3000, &nobody, 100).supervisor_ceiling_bytes, 0);
	add(t, 3000, life(100, 190, 165, LIFE_SUPERVISOR));
	assert_int_equal(tell(t, 3000, &nobody, 200).supervisor_ceiling_bytes, 150 * MIB);
	assert_int_equal(tell(t, 3000, &nobody, 200).memory_ceiling_bytes, 0);
	free(t);
}

static void deploys_of_a_flat_service_are_no_supervisor_ceiling(void **state)
{
	struct lives_table *t = new_table();

	(void)state;
	for (uint64_t i = 0; i < 4; i++)
		add(t, 3000, life(100 * i, 100 * i + 90, 22, LIFE_SUPERVISOR));
	assert_int_equal(tell(t, 3000, &nobody, 500).supervisor_ceiling_bytes, 0);
	assert_int_equal(tell(t, 3000, &nobody, 500).peak_bytes, 22 * MIB);
	free(t);
}

/* Arbiters end workers that hang, each as big as it has been since its fork. */
static void restarts_without_growth_are_no_supervisor_ceiling(void **state)
{
	struct lives_table *t = new_table();

	(void)state;
	for (uint64_t i = 0; i < 4; i++) {
		struct life l = life(10 * i, 10 * i + 5, 150, LIFE_SUPERVISOR);

		l.grew = false;
		add(t, 3000, l);
		l.grew = true;
		l.baseline_anon_bytes = 0;
		add(t, 3000, l);
	}
	assert_int_equal(tell(t, 3000, &nobody, 50).supervisor_ceiling_bytes, 0);
	free(t);
}

static void only_the_last_lives_are_kept(void **state)
{
	struct lives_table *t = new_table();
	struct endpoint e = address(3000);

	(void)state;
	for (uint64_t i = 0; i < 20; i++)
		add(t, 3000, life(10 * i, 10 * i + 9, 100 + i, LIFE_OOM));
	assert_int_equal(lives_find(t, &e)->deaths, 20);
	assert_int_equal(tell(t, 3000, &nobody, 210).lives, LIVES_KEPT);
	assert_int_equal(tell(t, 3000, &nobody, 210).memory_ceiling_bytes, 112 * MIB);
	free(t);
}

static void full_table_lets_the_silent_go(void **state)
{
	struct lives_table *t = new_table();

	(void)state;
	for (uint16_t i = 0; i < LIVES_SERVICES; i++)
		add(t, (uint16_t)(1000 + i), life(0, 10 + i, 100, LIFE_OOM));
	add(t, 9000, life(0, 5000, 100, LIFE_OOM));
	assert_int_equal(t->refused, 0);
	assert_int_equal(tell(t, 1000, &nobody, 5000).lives, 0);
	assert_int_equal(tell(t, 1001, &nobody, 5000).lives, 1);
	assert_int_equal(tell(t, 9000, &nobody, 5000).lives, 1);
	add(t, 9001, life(0, 20, 100, LIFE_OOM));
	assert_int_equal(t->refused, 1);
	free(t);
}

static void no_address_is_no_service(void **state)
{
	struct lives_table *t = new_table();

	(void)state;
	add(t, 0, life(0, 10, 100, LIFE_OOM));
	assert_int_equal(tell(t, 0, &nobody, 100).lives, 0);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_service_tells_nothing),
		cmocka_unit_test(both_loopback_addresses_are_one_service),
		cmocka_unit_test(equal_memory_deaths_are_a_loop_with_a_ceiling),
		cmocka_unit_test(peaks_and_spans_that_differ_are_told_apart),
		cmocka_unit_test(other_ends_break_the_run_of_memory_deaths),
		cmocka_unit_test(ceiling_is_forgotten_once_somebody_lived_above_it),
		cmocka_unit_test(two_alike_restarts_make_a_supervisor_ceiling),
		cmocka_unit_test(deploys_of_a_flat_service_are_no_supervisor_ceiling),
		cmocka_unit_test(restarts_without_growth_are_no_supervisor_ceiling),
		cmocka_unit_test(only_the_last_lives_are_kept),
		cmocka_unit_test(full_table_lets_the_silent_go),
		cmocka_unit_test(no_address_is_no_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
