/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_budget.c - when a hook has to go, and that the one whose turn it is goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "source/budget.h"
#include "source/probes.h"

#define S  1000000000ULL
#define MS 1000000ULL

/* Runs `seconds` at a steady cost; returns how often it had to shed. */
static int run(struct budget *budget, uint64_t *now, uint64_t *agent, uint64_t *bpf, int seconds,
	       uint64_t agent_per_s, uint64_t bpf_per_s)
{
	int sheds = 0;

	for (int i = 0; i < seconds; i++) {
		*now += S;
		*agent += agent_per_s;
		*bpf += bpf_per_s;
		sheds += budget_spend(budget, *now, *agent, *bpf);
	}
	return sheds;
}

static void what_stays_below_keeps_its_hooks(void **state)
{
	struct budget budget = {.ppm = 10000};
	uint64_t now = 5 * S, agent = 0, bpf = 0;

	(void)state;
	assert_int_equal(run(&budget, &now, &agent, &bpf, 100, 4 * MS, 5 * MS), 0);
	assert_int_equal(budget.cost_ppm, 9000);
}

static void agent_and_programs_count_together(void **state)
{
	struct budget budget = {.ppm = 10000};
	uint64_t now = 5 * S, agent = 0, bpf = 0;

	(void)state;
	assert_int_equal(run(&budget, &now, &agent, &bpf, 11, 6 * MS, 5 * MS), 1);
	assert_int_equal(budget.cost_ppm, 11000);
}

static void each_step_gets_a_stretch_of_its_own(void **state)
{
	struct budget budget = {.ppm = 10000};
	uint64_t now = 5 * S, agent = 0, bpf = 0;

	(void)state;
	assert_int_equal(run(&budget, &now, &agent, &bpf, 10, 0, 20 * MS), 0);
	assert_int_equal(run(&budget, &now, &agent, &bpf, 1, 0, 20 * MS), 1);
	assert_int_equal(run(&budget, &now, &agent, &bpf, 9, 0, 20 * MS), 0);
	assert_int_equal(run(&budget, &now, &agent, &bpf, 21, 0, 20 * MS), 3);
}

static void a_spike_is_averaged_away(void **state)
{
	struct budget budget = {.ppm = 10000};
	uint64_t now = 5 * S, agent = 0, bpf = 0;

	(void)state;
	assert_int_equal(run(&budget, &now, &agent, &bpf, 5, 1 * MS, 0), 0);
	assert_int_equal(run(&budget, &now, &agent, &bpf, 1, 50 * MS, 0), 0);
	assert_int_equal(run(&budget, &now, &agent, &bpf, 60, 1 * MS, 0), 0);
}

static void what_was_spent_before_the_first_look_does_not_count(void **state)
{
	struct budget budget = {.ppm = 10000};
	uint64_t now = 5 * S, agent = 900 * MS, bpf = 300 * MS;

	(void)state;
	assert_int_equal(run(&budget, &now, &agent, &bpf, 30, 1 * MS, 1 * MS), 0);
}

static void without_a_budget_cost_is_only_told(void **state)
{
	struct budget budget = {0};
	uint64_t now = 5 * S, agent = 0, bpf = 0;

	(void)state;
	assert_int_equal(run(&budget, &now, &agent, &bpf, 60, 900 * MS, 900 * MS), 0);
	assert_int_equal(budget.cost_ppm, 1800000);
}

static void counters_that_go_back_cost_nothing(void **state)
{
	struct budget budget = {.ppm = 1};

	(void)state;
	assert_false(budget_spend(&budget, 5 * S, 100, 100));
	assert_false(budget_spend(&budget, 16 * S, 50, 50));
	assert_false(budget_spend(&budget, 4 * S, 200, 200));
}

/* The order that docs/performance.md states; what is essential or counts failures is not in it. */
static void hooks_are_shed_in_the_stated_order(void **state)
{
	static const char *const order[] = {"vm_events", "owner_recv", "reclaim_direct", "rss_step",
					    "reclaim_memcg"};
	uint32_t nr, nr_found = 0;
	const struct probe_hook *table = probes_table(&nr);

	(void)state;
	for (uint32_t i = 0; i < nr; i++) {
		uint8_t turn = table[i].shed_turn;

		if (!turn)
			continue;
		assert_false(table[i].essential || table[i].traffic);
		assert_in_range(turn, 1, 5);
		assert_string_equal(table[i].name, order[turn - 1]);
		nr_found++;
	}
	assert_int_equal(nr_found, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stays_below_keeps_its_hooks),
		cmocka_unit_test(agent_and_programs_count_together),
		cmocka_unit_test(each_step_gets_a_stretch_of_its_own),
		cmocka_unit_test(a_spike_is_averaged_away),
		cmocka_unit_test(what_was_spent_before_the_first_look_does_not_count),
		cmocka_unit_test(without_a_budget_cost_is_only_told),
		cmocka_unit_test(counters_that_go_back_cost_nothing),
		cmocka_unit_test(hooks_are_shed_in_the_stated_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
