/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_overview.c - what the core tells a view, and that looking changes nothing. */
#include "story.h"

#define LIMIT (300 * MIB)

struct seen {
	struct overview_process node;
	struct overview_leg leg;
	uint32_t nr_processes;
	uint32_t nr_legs;
};

static void see_process(void *arg, const struct overview_process *process)
{
	struct seen *seen = arg;

	seen->nr_processes++;
	if (process->proc.id.tgid == 300)
		seen->node = *process;
}

static void see_leg(void *arg, const struct overview_leg *leg)
{
	struct seen *seen = arg;

	seen->nr_legs++;
	seen->leg = *leg;
}

static struct seen look(struct story *s)
{
	struct seen seen = {0};
	struct overview_sink sink = {.process = see_process, .leg = see_leg, .arg = &seen};

	core_overview(s->core, &sink);
	return seen;
}

static void a_growing_service_shows_its_ceiling_and_the_time_to_it(void **state)
{
	struct story *s = story_new();
	struct seen seen;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 20 * MIB, 280 * MIB, 60, LIMIT);
	seen = look(s);
	assert_in_range(seen.node.anon_bytes, 270 * MIB, 280 * MIB);
	assert_int_equal(seen.node.ceiling.source, CEILING_CGROUP);
	assert_int_equal(seen.node.ceiling.bytes, LIMIT);
	assert_true(seen.node.level >= GROWTH_SUSPECTED);
	assert_true(seen.node.exhaustion_s.has && seen.node.exhaustion_s.value < 30);
	assert_true(seen.node.grown_bytes > 200 * MIB);
	assert_true(seen.node.requests_per_s.has && seen.node.requests_per_s.value > 1);
	assert_int_equal(seen.node.service.port, 3000);
	assert_int_equal(seen.node.failures, 0);
	assert_int_equal(seen.nr_legs, 1);
	assert_string_equal(seen.leg.gateway.personality, "nginx");
	assert_false(seen.leg.burst_open);
	story_free(s);
}

static void failures_show_at_the_leg_and_at_the_service(void **state)
{
	struct story *s = story_new();
	struct seen seen;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 20 * MIB, 40 * MIB, 20, LIMIT);
	for (int i = 0; i < 5; i++)
		story_refused_second(s, 20);
	seen = look(s);
	assert_true(seen.node.failures >= 80);
	assert_true(seen.leg.burst_open);
	assert_true(seen.leg.recent.upstream_fail[FLOW_FAIL_REFUSED] >= 80);
	story_free(s);
}

static void the_dead_are_not_shown(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 20 * MIB, 40 * MIB, 20, LIMIT);
	story_exit(s, NODE, 9, 40 * MIB);
	story_tick(s);
	assert_int_equal(look(s).node.proc.id.tgid, 0);
	story_free(s);
}

/* The whole life of a leak, told twice: once with somebody who looks at every tick. */
static uint64_t tell(bool looked_at)
{
	struct story *s = story_new();
	uint64_t digest;

	story_cast(s, RUNTIME_NODEJS, true);
	for (uint64_t i = 0; i < 40; i++) {
		story_grow(s, (20 + 6 * i) * MIB, (26 + 6 * i) * MIB, 1, LIMIT);
		if (looked_at)
			look(s);
	}
	story_oom(s, NODE, 260 * MIB, LIMIT);
	story_signal(s, NODE, NODE, SIGKILL, SI_KERNEL, "node");
	story_exit(s, NODE, 9, 260 * MIB);
	for (int i = 0; i < 20; i++) {
		story_refused_second(s, 20);
		if (looked_at)
			look(s);
	}
	story_restart(s, story_proc_id(400, 1100));
	story_stop(s);
	assert_true(s->nr_incidents > 0);
	digest = s->digest;
	story_free(s);
	return digest;
}

static void looking_changes_no_report(void **state)
{
	(void)state;
	assert_int_equal(tell(false), tell(true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_growing_service_shows_its_ceiling_and_the_time_to_it),
		cmocka_unit_test(failures_show_at_the_leg_and_at_the_service),
		cmocka_unit_test(the_dead_are_not_shown),
		cmocka_unit_test(looking_changes_no_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
