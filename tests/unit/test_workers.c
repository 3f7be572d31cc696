/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_workers.c - several processes behind one listener: which of them an incident is about. */
#include "story.h"

#define PRIMARY	 story_proc_id(300, 900)
#define LEAKER	 story_proc_id(301, 901)
#define SIBLING	 story_proc_id(302, 902)
#define FIRST_MS 2 /* CPU per request */

struct worker {
	struct proc_id id;
	uint64_t anon_bytes;
	uint64_t cpu_ns;
	uint64_t cpu_ms_per_request;
};

/* The primary listens; both workers answer, and the sibling is the bigger one. */
struct cluster {
	struct story *s;
	struct worker leaker, sibling;
};

static struct cluster cluster_new(void)
{
	struct story *s = story_new();
	struct cluster c = {
		.s = s,
		.leaker = {LEAKER, 40 * MIB, 0, FIRST_MS},
		.sibling = {SIBLING, 400 * MIB, 0, FIRST_MS},
	};

	story_cast(s, RUNTIME_NODEJS, true);
	story_proc(s, LEAKER, PRIMARY, "node");
	story_exe(s, LEAKER, RUNTIME_NODEJS, true);
	story_proc(s, SIBLING, PRIMARY, "node");
	story_exe(s, SIBLING, RUNTIME_NODEJS, true);
	return c;
}

static void work(struct story *s, struct worker *w, uint64_t requests, uint64_t in_flight)
{
	struct record r = story_record(s, RECORD_TASK);

	w->cpu_ns += requests * w->cpu_ms_per_request * NSEC_PER_MSEC;
	r.task.proc = w->id;
	r.task.memcg = (struct cgroup_id){.id = 77, .hierarchy = 0};
	r.task.anon_bytes = w->anon_bytes;
	r.task.cpu_ns = w->cpu_ns;
	r.task.memcg_limit_bytes = RECORD_NO_LIMIT;
	story_feed(s, &r);
	r = story_flow(s, w->id, FLOW_SERVER, UPSTREAM);
	r.flow.requests = r.flow.responses = r.flow.status[FLOW_STATUS_2XX] = requests;
	r.flow.in_flight = in_flight;
	story_feed(s, &r);
}

static void gateway_second(struct story *s, uint64_t good, uint64_t in_vain)
{
	struct record r = story_flow(s, NGINX, FLOW_CLIENT, UPSTREAM);

	r.flow.requests = good + in_vain;
	r.flow.responses = r.flow.status[FLOW_STATUS_2XX] = good;
	if (good) {
		r.flow.ok_mark.first_ns = s->now_ns - 900 * NSEC_PER_MSEC;
		r.flow.ok_mark.last_ns = s->now_ns - NSEC_PER_MSEC;
	}
	story_mark(&r, FLOW_FAIL_ABANDONED, in_vain);
	story_feed(s, &r);
	r = story_flow(s, NGINX, FLOW_SERVER, FRONT);
	r.flow.requests = r.flow.responses = good + in_vain;
	r.flow.status[FLOW_STATUS_2XX] = good;
	r.flow.status[FLOW_STATUS_504] = in_vain;
	story_mark(&r, FLOW_FAIL_STATUS, in_vain);
	story_feed(s, &r);
	story_tick(s);
}

/* What each second of a cluster's life brings: requests that are answered and that wait in vain. */
struct second {
	uint64_t leaker, leaker_in_flight;
	uint64_t sibling, sibling_in_flight;
	uint64_t good, in_vain;
};

static void live(struct cluster *c, uint64_t to, uint64_t seconds, const struct second *each)
{
	uint64_t step = (to - c->leaker.anon_bytes) / seconds;

	for (uint64_t i = 0; i < seconds; i++) {
		c->s->now_ns += NSEC_PER_SEC;
		c->leaker.anon_bytes += step;
		work(c->s, &c->leaker, each->leaker, each->leaker_in_flight);
		work(c->s, &c->sibling, each->sibling, each->sibling_in_flight);
		gateway_second(c->s, each->good, each->in_vain);
	}
}

/* All is well while the leaker grows. */
static void grow(struct cluster *c, uint64_t to, uint64_t seconds)
{
	static const struct second well = {50, 0, 50, 0, 100, 0};

	live(c, to, seconds, &well);
}

/* Some requests are answered in time, and more are not. */
static void wait_in_vain(struct cluster *c, uint64_t to, uint64_t seconds)
{
	static const struct second stuck = {40, 5, 50, 1, 40, 50};

	live(c, to, seconds, &stuck);
}

static void v8_dies(struct story *s, const struct worker *w)
{
	struct record r = story_record(s, RECORD_V8_OOM);

	r.v8_oom.proc = w->id;
	story_feed(s, &r);
	story_signal(s, w->id, w->id, SIGABRT, SI_TKILL, "node");
	s->now_ns += NSEC_PER_MSEC;
	story_exit(s, w->id, SIGABRT, w->anon_bytes);
}

static void assert_names(const struct cluster *c, enum verdict_class class, struct proc_id id)
{
	story_assert_class(c->s, class);
	assert_true(story_last(c->s)->has_culprit);
	assert_int_equal(story_last(c->s)->culprit.id.tgid, id.tgid);
}

/* Its connections are few, and failures do not rise with its end: requests go on waiting. */
static void death_by_memory_explains_the_waiting_before_it(void **state)
{
	struct cluster c = cluster_new();

	(void)state;
	grow(&c, 100 * MIB, 40);
	wait_in_vain(&c, 104 * MIB, 20);
	assert_false(story_last(c.s)->has_culprit);
	v8_dies(c.s, &c.leaker);
	gateway_second(c.s, 40, 50);
	assert_names(&c, VERDICT_MEMORY_DEATH, LEAKER);
	story_free(c.s);
}

static void memory_that_filled_while_requests_waited_explains_no_waiting(void **state)
{
	struct cluster c = cluster_new();

	(void)state;
	grow(&c, 44 * MIB, 40);
	wait_in_vain(&c, 104 * MIB, 20);
	v8_dies(c.s, &c.leaker);
	gateway_second(c.s, 40, 50);
	assert_false(story_last(c.s)->has_culprit);
	assert_int_equal(story_last(c.s)->verdict.class, VERDICT_UNEXPLAINED);
	story_free(c.s);
}

/* Somebody kills one, and within the same burst memory kills another that had been there before. */
static void sibling_that_dies_later_takes_no_blame(void **state)
{
	struct story_failures reset = {.rst = 8, .client_502 = 8, .good = 40};
	struct cluster c = cluster_new();

	(void)state;
	grow(&c, 100 * MIB, 40);
	story_signal(c.s, SIBLING, SHELL, SIGKILL, SI_USER, "bash");
	story_exit(c.s, SIBLING, SIGKILL, 400 * MIB);
	c.s->now_ns += 100 * NSEC_PER_MSEC;
	story_bad_flows(c.s, &reset);
	story_tick(c.s);
	assert_names(&c, VERDICT_UPSTREAM_DOWN_NONMEMORY, SIBLING);
	c.s->now_ns += SECONDS(6);
	v8_dies(c.s, &c.leaker);
	c.s->now_ns += 100 * NSEC_PER_MSEC;
	story_bad_flows(c.s, &reset);
	story_tick(c.s);
	assert_names(&c, VERDICT_UPSTREAM_DOWN_NONMEMORY, SIBLING);
	story_free(c.s);
}

/* ... but two failures do not outweigh what follows. */
static void sibling_that_brings_most_failures_is_the_one(void **state)
{
	struct story_failures few = {.rst = 5, .client_502 = 5, .good = 40};
	struct story_failures many = {.rst = 30, .client_502 = 30, .good = 40};
	struct cluster c = cluster_new();

	(void)state;
	grow(&c, 100 * MIB, 40);
	story_signal(c.s, SIBLING, SHELL, SIGKILL, SI_USER, "bash");
	story_exit(c.s, SIBLING, SIGKILL, 400 * MIB);
	c.s->now_ns += 100 * NSEC_PER_MSEC;
	story_bad_flows(c.s, &few);
	story_tick(c.s);
	c.s->now_ns += SECONDS(6);
	v8_dies(c.s, &c.leaker);
	c.s->now_ns += 100 * NSEC_PER_MSEC;
	story_bad_flows(c.s, &many);
	story_tick(c.s);
	assert_int_equal(story_last(c.s)->verdict.class, VERDICT_MEMORY_DEATH);
	assert_int_equal(story_last(c.s)->culprit.id.tgid, LEAKER.tgid);
	story_free(c.s);
}

/* One failure is an accident, until memory ends somebody: of whatever the one before it was. */
static void death_by_memory_is_told_after_a_failure_of_another_kind(void **state)
{
	static const uint64_t pauses_s[] = {5, 15};

	(void)state;
	for (size_t i = 0; i < sizeof(pauses_s) / sizeof(pauses_s[0]); i++) {
		struct story_failures one = {.rst = 1, .client_502 = 1, .good = 40};
		struct cluster c = cluster_new();

		grow(&c, 100 * MIB, 40);
		story_signal(c.s, SIBLING, SHELL, SIGKILL, SI_USER, "bash");
		story_exit(c.s, SIBLING, SIGKILL, 400 * MIB);
		c.s->now_ns += 100 * NSEC_PER_MSEC;
		story_bad_flows(c.s, &one);
		story_tick(c.s);
		assert_int_equal(c.s->nr_incidents, 0);
		c.s->now_ns += SECONDS(pauses_s[i]);
		v8_dies(c.s, &c.leaker);
		c.s->now_ns += 100 * NSEC_PER_MSEC;
		story_bad_flows(c.s, &one);
		story_tick(c.s);
		assert_names(&c, VERDICT_MEMORY_DEATH, LEAKER);
		assert_int_equal(story_last(c.s)->impact.client_status[FLOW_STATUS_502], 1);
		story_free(c.s);
	}
}

static void worker_that_thrashes_is_named_beside_a_bigger_one(void **state)
{
	struct cluster c = cluster_new();

	(void)state;
	grow(&c, 100 * MIB, 60);
	c.leaker.cpu_ms_per_request = 8 * FIRST_MS;
	wait_in_vain(&c, 104 * MIB, 12);
	assert_names(&c, VERDICT_GC_THRASH, LEAKER);
	/* ... and stays named when it is over, and when nothing but its sibling is left */
	c.leaker.cpu_ms_per_request = FIRST_MS;
	wait_in_vain(&c, 105 * MIB, 20);
	assert_names(&c, VERDICT_GC_THRASH, LEAKER);
	story_free(c.s);
}

/* The one that was killed has been replaced, and all went well until its sibling began to thrash. */
static void death_of_who_was_replaced_explains_nothing(void **state)
{
	struct cluster c = cluster_new();

	(void)state;
	grow(&c, 90 * MIB, 45);
	story_signal(c.s, SIBLING, SHELL, SIGKILL, SI_USER, "bash");
	story_exit(c.s, SIBLING, SIGKILL, 400 * MIB);
	c.sibling.id = story_proc_id(303, c.s->now_ns / NSEC_PER_SEC + 1);
	story_proc(c.s, c.sibling.id, PRIMARY, "node");
	story_exe(c.s, c.sibling.id, RUNTIME_NODEJS, true);
	grow(&c, 100 * MIB, 15);
	c.leaker.cpu_ms_per_request = 8 * FIRST_MS;
	wait_in_vain(&c, 104 * MIB, 12);
	assert_names(&c, VERDICT_GC_THRASH, LEAKER);
	story_free(c.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(death_by_memory_explains_the_waiting_before_it),
		cmocka_unit_test(memory_that_filled_while_requests_waited_explains_no_waiting),
		cmocka_unit_test(sibling_that_dies_later_takes_no_blame),
		cmocka_unit_test(sibling_that_brings_most_failures_is_the_one),
		cmocka_unit_test(death_by_memory_is_told_after_a_failure_of_another_kind),
		cmocka_unit_test(death_of_who_was_replaced_explains_nothing),
		cmocka_unit_test(worker_that_thrashes_is_named_beside_a_bigger_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
