/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_identity.c - what is the same thing as before, and what only looks like it: a pid that another
 * process has now, an address that another process serves now, a wall clock that was set, a machine or a
 * tracer that slept in between. Told as whole stories to the core.
 */
#include "story.h"

#define LIMIT (300 * MIB)

static void oom_kill(struct story *s, struct proc_id id, uint64_t anon)
{
	s->now_ns += 10 * NSEC_PER_MSEC;
	story_signal(s, id, id, SIGKILL, SI_KERNEL, "node");
	s->now_ns += 40000;
	story_oom(s, id, anon, LIMIT);
	s->now_ns += 3 * NSEC_PER_MSEC;
	story_exit(s, id, SIGKILL, anon);
}

static void set_clock(struct story *s, int64_t wall_offset_ns)
{
	struct record r = story_record(s, RECORD_CLOCK);

	r.clock.wall_offset_ns = wall_offset_ns;
	story_feed(s, &r);
}

/* A leak, an OOM kill, an outage; something may happen half way up. */
static struct story *leak_story(void (*meanwhile)(struct story *s))
{
	struct story *s = story_new();

	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 40 * MIB, 160 * MIB, 25, LIMIT);
	if (meanwhile)
		meanwhile(s);
	story_grow(s, 160 * MIB, 290 * MIB, 25, LIMIT);
	oom_kill(s, NODE, 290 * MIB);
	story_outage(s);
	return s;
}

/* PIDs ---------------------------------------------------------------------------------------- */

static void successor_with_the_same_pid_is_another_process(void **state)
{
	struct story *s = leak_story(NULL);
	struct proc_id next = story_proc_id(NODE.tgid, 1060);
	const struct report_incident *r;

	(void)state;
	story_restart(s, next);
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	r = story_last(s);
	assert_int_equal(r->culprit.id.start_ns, NODE.start_ns);
	assert_int_equal(r->next_tgid, NODE.tgid);
	assert_int_equal(r->memory.anon_bytes_at_death.value, 290 * MIB);
	/* The new one is alive: neither dead nor near its limit because its namesake was. */
	story_memory(s, next, 40 * MIB, LIMIT);
	story_exit(s, next, 0, 40 * MIB);
	story_tick(s);
	assert_int_equal(s->exit.proc.id.start_ns, next.start_ns);
	assert_false(s->exit.death.oom_kill);
	story_free(s);
}

/* A signal and an OOM mark that were meant for the old one arrive with its start time: not for ours. */
static void facts_about_an_earlier_owner_of_a_pid_do_not_hit_the_later(void **state)
{
	struct story *s = story_new();
	struct proc_id earlier = story_proc_id(NODE.tgid, 800);

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 40 * MIB, 41 * MIB, 20, LIMIT);
	oom_kill(s, earlier, 290 * MIB);
	story_grow(s, 41 * MIB, 42 * MIB, 5, LIMIT);
	story_signal(s, NODE, SHELL, SIGKILL, SI_USER, "bash");
	story_exit(s, NODE, SIGKILL, 42 * MIB);
	story_outage(s);
	assert_int_not_equal(story_last(s)->verdict.class, VERDICT_MEMORY_DEATH);
	assert_false(story_last(s)->death.oom_kill);
	story_free(s);
}

/* Addresses ------------------------------------------------------------------------------------ */

/* Somebody else serves the address 300 ms after the death, and later fails in its own way. */
static void heir_of_an_address_inherits_no_failures(void **state)
{
	struct story *s = leak_story(NULL);
	struct proc_id heir = story_proc_id(777, 1050);
	uint32_t before;

	(void)state;
	story_proc(s, heir, story_proc_id(1, 1), "caddy");
	story_exe(s, heir, RUNTIME_GO, false);
	story_listener(s, heir, UPSTREAM, 9, LISTENER_UP);
	for (int i = 0; i < 900; i++) {
		s->now_ns += NSEC_PER_SEC;
		story_good_flows(s, heir, 100);
		story_tick(s);
	}
	before = s->nr_incidents;
	assert_int_equal(story_last(s)->record, INCIDENT_CLOSE);
	assert_int_equal(story_last(s)->verdict.class, VERDICT_MEMORY_DEATH);
	story_signal(s, heir, SHELL, SIGKILL, SI_USER, "bash");
	story_exit(s, heir, SIGKILL, 20 * MIB);
	story_listener(s, heir, UPSTREAM, 9, LISTENER_DOWN);
	for (int i = 0; i < 5; i++)
		story_refused_second(s, 100);
	story_stop(s);
	assert_true(s->nr_incidents > before);
	for (uint32_t i = before; i < s->nr_incidents; i++)
		assert_int_not_equal(s->incidents[i].verdict.class, VERDICT_MEMORY_DEATH);
	assert_int_equal(story_last(s)->culprit.id.tgid, heir.tgid);
	assert_int_equal(story_last(s)->impact.upstream_fail[FLOW_FAIL_REFUSED], 500);
	story_free(s);
}

/* The same within the second, while the incident is open. */
static void heir_that_comes_at_once_is_not_the_one_that_died(void **state)
{
	struct story *s = story_new();
	struct proc_id heir = story_proc_id(777, 1050);
	struct story_failures f = {.rst = 8, .client_502 = 8, .good = 50};

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 40 * MIB, 290 * MIB, 50, LIMIT);
	oom_kill(s, NODE, 290 * MIB);
	s->now_ns += NSEC_PER_MSEC;
	story_listener(s, NODE, UPSTREAM, 2, LISTENER_DOWN);
	s->now_ns += 300 * NSEC_PER_MSEC;
	story_proc(s, heir, story_proc_id(1, 1), "caddy");
	story_listener(s, heir, UPSTREAM, 9, LISTENER_UP);
	s->now_ns += 300 * NSEC_PER_MSEC;
	story_bad_flows(s, &f);
	story_tick(s);
	for (int i = 0; i < 20; i++) {
		s->now_ns += NSEC_PER_SEC;
		story_good_flows(s, heir, 100);
		story_tick(s);
	}
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	assert_int_equal(story_last(s)->culprit.id.tgid, NODE.tgid);
	assert_int_equal(story_last(s)->impact.client_status[FLOW_STATUS_502], 8);
	story_free(s);
}

/* Time ----------------------------------------------------------------------------------------- */

static void step_back(struct story *s)
{
	set_clock(s, 1600000000LL * 1000000000LL);
}

static void step_ahead(struct story *s)
{
	set_clock(s, 1800000000LL * 1000000000LL);
}

/* Durations, order and the verdict come from the boot clock; only what is printed as a date moves. */
static void setting_the_wall_clock_changes_dates_only(void **state)
{
	struct story *plain = leak_story(NULL);
	struct story *stepped[] = {leak_story(step_back), leak_story(step_ahead)};
	const struct report_incident *a = story_last(plain);

	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct report_incident *b = story_last(stepped[i]);

		assert_int_equal(stepped[i]->nr_incidents, plain->nr_incidents);
		assert_int_equal(b->verdict.class, VERDICT_MEMORY_DEATH);
		assert_int_equal(b->verdict.cause, a->verdict.cause);
		assert_true(b->verdict.confidence == a->verdict.confidence);
		assert_int_equal(b->zero_ns, a->zero_ns);
		assert_int_equal(b->nr_moments, a->nr_moments);
		for (uint32_t m = 0; m < a->nr_moments; m++)
			assert_int_equal(b->timeline[m].ts_ns, a->timeline[m].ts_ns);
		assert_true(b->memory.floor_slope_bytes_per_s.value ==
			    a->memory.floor_slope_bytes_per_s.value);
		story_free(stepped[i]);
	}
	story_free(plain);
}

/* Eight hours in which the machine, and with it every process, slept; the boot clock went on. */
static void sleep_eight_hours(struct story *s)
{
	s->now_ns += SECONDS(8 * 3600);
}

static void a_night_of_sleep_is_neither_outage_nor_growth(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 100 * MIB, 101 * MIB, 60, LIMIT);
	sleep_eight_hours(s);
	story_tick(s);
	story_grow(s, 101 * MIB, 102 * MIB, 60, LIMIT);
	assert_int_equal(s->nr_incidents, 0);
	assert_int_equal(s->nr_reports[REPORT_GROWTH], 0);
	story_free(s);
}

static void a_death_after_the_sleep_is_what_it_is(void **state)
{
	struct story *s = leak_story(sleep_eight_hours);

	(void)state;
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	assert_int_equal(story_last(s)->culprit.id.tgid, NODE.tgid);
	story_free(s);
}

/* The tracer alone was stopped: what happened meanwhile comes in one late batch. */
static void what_happened_while_the_tracer_slept_is_told_late_but_told(void **state)
{
	struct story *s = story_new();
	struct story_failures f = {.refused = 500, .rst = 8, .client_502 = 508};

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 40 * MIB, 285 * MIB, 50, LIMIT);
	oom_kill(s, NODE, 290 * MIB);
	story_listener(s, NODE, UPSTREAM, 2, LISTENER_DOWN);
	s->now_ns += SECONDS(5);
	story_bad_flows(s, &f);
	story_tick(s);
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	assert_int_equal(story_last(s)->impact.client_status[FLOW_STATUS_502], 508);
	story_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(successor_with_the_same_pid_is_another_process),
		cmocka_unit_test(facts_about_an_earlier_owner_of_a_pid_do_not_hit_the_later),
		cmocka_unit_test(heir_of_an_address_inherits_no_failures),
		cmocka_unit_test(heir_that_comes_at_once_is_not_the_one_that_died),
		cmocka_unit_test(setting_the_wall_clock_changes_dates_only),
		cmocka_unit_test(a_night_of_sleep_is_neither_outage_nor_growth),
		cmocka_unit_test(a_death_after_the_sleep_is_what_it_is),
		cmocka_unit_test(what_happened_while_the_tracer_slept_is_told_late_but_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
