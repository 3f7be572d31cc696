/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_verdict.c - what the rule table makes of facts, and that its sums can be redone. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/verdict.h"

static struct report_verdict decide(const struct verdict_facts *f)
{
	struct report_verdict out;

	verdict_decide(f, &out);
	return out;
}

static struct verdict_facts oom_after_growth(void)
{
	return (struct verdict_facts){
		.died = true,
		.oom_kill = true,
		.oom_confirmed = true,
		.killed = true,
		.signal_known = true,
		.signal_from_kernel = true,
		.managed_heap = true,
		.v8_runtime = true,
		.v8_watched = true,
		.service_known = true,
		.failures = 10,
		.story = {.known = true, .grew = true, .native_share = {0.1, true}},
	};
}

static struct verdict_facts race(void)
{
	return (struct verdict_facts){
		.failures = 40,
		.on_reused = 40,
		.answers = 100,
		.service_known = true,
		.listener_stayed = true,
	};
}

static void place_of_the_growth_decides_the_cause(void **state)
{
	struct verdict_facts f = oom_after_growth();

	(void)state;
	assert_int_equal(decide(&f).cause, CAUSE_HEAP_LEAK);
	assert_true(decide(&f).confidence >= 0.9);
	f.story.native_share.value = 0.8;
	assert_int_equal(decide(&f).cause, CAUSE_NATIVE_LEAK);
	f.managed_heap = false;
	assert_int_equal(decide(&f).cause, CAUSE_HEAP_LEAK);
	f.story.grew = false;
	assert_int_equal(decide(&f).cause, CAUSE_UNKNOWN_GROWTH);
}

static void full_v8_heap_is_in_the_heap_whatever_else_grew(void **state)
{
	struct verdict_facts f = oom_after_growth();

	(void)state;
	f.oom_kill = f.oom_confirmed = false;
	f.v8_oom = true;
	f.story.native_share.value = 0.8;
	assert_int_equal(decide(&f).cause, CAUSE_HEAP_LEAK);
}

static void growth_without_death_accuses_nobody(void **state)
{
	struct verdict_facts f = {.story = {.known = true, .grew = true}, .failures = 10};

	(void)state;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
}

static void growth_does_not_make_a_user_kill_a_memory_death(void **state)
{
	struct verdict_facts f = oom_after_growth();

	(void)state;
	f.oom_kill = f.oom_confirmed = f.signal_from_kernel = false;
	assert_int_equal(decide(&f).class, VERDICT_UPSTREAM_DOWN_NONMEMORY);
	assert_true(decide(&f).confidence >= 0.9);
}

static void short_history_is_never_confirmed(void **state)
{
	struct verdict_facts f = oom_after_growth();

	(void)state;
	f.story.insufficient = true;
	assert_int_equal(decide(&f).cause, CAUSE_HEAP_LEAK);
	assert_true(decide(&f).insufficient_history);
	assert_true(decide(&f).confidence <= 0.8);
}

static void race_needs_reuse_survivors_and_a_living_listener(void **state)
{
	struct verdict_facts f = race();

	(void)state;
	assert_int_equal(decide(&f).class, VERDICT_KEEPALIVE_RACE);
	f.on_reused = 20;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
	f = race();
	f.listener_stayed = false;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
	f = race();
	f.refused = 1;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
	f = race();
	f.deaths_behind = 1;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
	f = race();
	f.exits_unseen = true;
	f.answers = 0;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
}

static void unseen_oom_killer_leaves_a_sigkill_unexplained(void **state)
{
	struct verdict_facts f = {.died = true, .killed = true, .exit_code = 137};

	(void)state;
	assert_int_equal(decide(&f).class, VERDICT_UPSTREAM_DOWN_NONMEMORY);
	assert_true(decide(&f).confidence < 0.9);
	f.oom_unseen = true;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
	f.oom_unseen = false;
	f.events_lost = 1;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
}

static void losses_lower_the_confidence_and_say_so(void **state)
{
	struct verdict_facts f = oom_after_growth();
	double sure = decide(&f).confidence;
	struct report_verdict v;
	bool told = false;

	(void)state;
	f.events_lost = 7;
	v = decide(&f);
	assert_true(v.confidence < sure);
	for (uint32_t i = 0; i < v.nr_scores; i++)
		told |= strcmp(v.scores[i].rule, "events_lost") == 0 && v.scores[i].value == 7;
	assert_true(told);
}

static void probabilities_stay_within_one(void **state)
{
	struct verdict_facts f = oom_after_growth();
	struct report_verdict v = decide(&f);
	double sum = v.confidence;

	(void)state;
	for (uint32_t i = 0; i < v.nr_alternatives; i++) {
		assert_true(i == 0 ||
			    v.alternatives[i].confidence <= v.alternatives[i - 1].confidence);
		sum += v.alternatives[i].confidence;
	}
	assert_true(sum <= 1 + 1e-9);
	assert_true(v.nr_scores <= REPORT_MAX_SCORES);
}

static void scores_of_the_winner_tell_what_found_nothing(void **state)
{
	struct verdict_facts f = oom_after_growth();
	struct report_verdict v = decide(&f);
	bool looked = false;

	(void)state;
	for (uint32_t i = 0; i < v.nr_scores; i++)
		looked |= strcmp(v.scores[i].rule, "v8_fatal_oom") == 0 && v.scores[i].weight == 0;
	assert_true(looked);
}

static void nothing_known_is_unexplained_without_confidence(void **state)
{
	struct verdict_facts f = {0};

	(void)state;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
	assert_true(decide(&f).confidence <= 0.5);
	assert_int_equal(decide(&f).nr_alternatives, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(place_of_the_growth_decides_the_cause),
		cmocka_unit_test(full_v8_heap_is_in_the_heap_whatever_else_grew),
		cmocka_unit_test(growth_without_death_accuses_nobody),
		cmocka_unit_test(growth_does_not_make_a_user_kill_a_memory_death),
		cmocka_unit_test(short_history_is_never_confirmed),
		cmocka_unit_test(race_needs_reuse_survivors_and_a_living_listener),
		cmocka_unit_test(unseen_oom_killer_leaves_a_sigkill_unexplained),
		cmocka_unit_test(losses_lower_the_confidence_and_say_so),
		cmocka_unit_test(probabilities_stay_within_one),
		cmocka_unit_test(scores_of_the_winner_tell_what_found_nothing),
		cmocka_unit_test(nothing_known_is_unexplained_without_confidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
