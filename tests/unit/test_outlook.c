/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_outlook.c - lives and ceilings as the core brings them together, and what it notes about a
 * death: read from its tables, because an incident shows only part of it.
 */
#include "story.h"

#include "core/outlook.h"
#include "core/state.h"

static struct death *death_of(struct story *s, struct proc_id id)
{
	struct proc *p = proctab_find(&s->core->procs, &id);

	assert_non_null(p);
	assert_true(p->death != 0);
	return &s->core->deaths.all[p->death];
}

static void next_life(struct story *s, struct proc_id id, const char *comm)
{
	story_proc(s, id, SHELL, comm);
	story_exe(s, id, RUNTIME_NODEJS, false);
	story_listener(s, id, UPSTREAM, id.tgid, LISTENER_UP);
}

/* One life of `seconds` up to `peak`, that ends with this status. */
static void live(struct story *s, struct proc_id id, uint64_t peak, uint32_t status)
{
	next_life(s, id, "node");
	for (uint64_t i = 1; i <= 20; i++) {
		s->now_ns += NSEC_PER_SEC;
		story_memory(s, id, peak / 20 * i, 0);
		story_tick(s);
	}
	story_exit(s, id, status, peak);
	story_listener(s, id, UPSTREAM, id.tgid, LISTENER_DOWN);
	s->now_ns += NSEC_PER_SEC;
	story_tick(s);
}

static void lives_of_one_address_are_told_at_each_death(void **state)
{
	struct story *s = story_new();
	struct proc_id ids[3];

	(void)state;
	story_proc(s, SHELL, story_proc_id(1, 1), "bash");
	for (uint32_t i = 0; i < 3; i++) {
		ids[i] = story_proc_id(400 + i, 1001 + 30 * i);
		live(s, ids[i], 100 * MIB, 1 << 8);
	}
	assert_int_equal(death_of(s, ids[0])->lives.lives, 0);
	assert_int_equal(death_of(s, ids[2])->lives.lives, 2);
	assert_int_equal(death_of(s, ids[2])->lives.peak_bytes, 100 * MIB);
	assert_int_equal(death_of(s, ids[2])->lives.memory_deaths, 0);
	assert_int_equal(death_of(s, ids[2])->peak_anon_bytes, 100 * MIB);
	story_free(s);
}

static void worker_without_listener_lives_for_its_parents_address(void **state)
{
	struct story *s = story_new();
	struct proc_id worker = story_proc_id(401, 1005), stranger = story_proc_id(402, 1005);
	const struct endpoint *service;

	(void)state;
	next_life(s, NODE, "node");
	story_proc(s, worker, NODE, "node");
	story_proc(s, stranger, NODE, "logger");
	story_exe(s, stranger, RUNTIME_NATIVE, false);
	service = outlook_service(s->core, proctab_find(&s->core->procs, &worker));
	assert_non_null(service);
	assert_int_equal(service->port, 3000);
	assert_null(outlook_service(s->core, proctab_find(&s->core->procs, &stranger)));
	story_free(s);
}

static void place(struct story *s, struct proc_id id, uint64_t cgroup, const char *path,
		  uint64_t anon)
{
	struct record r = story_record(s, RECORD_CGROUP);

	r.cgroup.memcg = (struct cgroup_id){.id = cgroup, .hierarchy = 0};
	strcpy(r.cgroup.path, path);
	story_feed(s, &r);
	if (!id.tgid)
		return;
	r = story_record(s, RECORD_TASK);
	r.task.proc = id;
	r.task.memcg = (struct cgroup_id){.id = cgroup, .hierarchy = 0};
	r.task.anon_bytes = anon;
	story_feed(s, &r);
}

static void kill_below(struct story *s, struct proc_id victim, uint64_t cgroup, uint64_t anon)
{
	struct record r = story_record(s, RECORD_OOM);

	r.oom.victim = r.oom.trigger = victim;
	r.oom.memcg = (struct cgroup_id){.id = cgroup, .hierarchy = 0};
	r.oom.anon_bytes = anon;
	story_feed(s, &r);
	story_exit(s, victim, SIGKILL, anon);
	story_tick(s);
}

static void shared_limit_tells_who_filled_it(void **state)
{
	struct story *s = story_new();
	struct proc_id other = story_proc_id(500, 950), outside = story_proc_id(501, 950);
	struct death *d;

	(void)state;
	next_life(s, NODE, "node");
	place(s, (struct proc_id){0}, 10, "/pod", 0);
	for (uint64_t i = 0; i < 30; i++) {
		s->now_ns += NSEC_PER_SEC;
		place(s, NODE, 11, "/pod/a", 50 * MIB);
		place(s, other, 12, "/pod/b", (50 + 5 * i) * MIB);
		place(s, outside, 13, "/podium", 500 * MIB);
		story_tick(s);
	}
	kill_below(s, NODE, 10, 50 * MIB);
	d = death_of(s, NODE);
	assert_true(d->oom_shared_limit);
	assert_true(d->oom_other_grew);
	assert_true(d->oom_share > 0.19 && d->oom_share < 0.21); /* 50 of 50 + 195 + none outside */
	assert_int_equal(s->core->lives.all[0].ring[0].end, LIFE_ENDED_OTHERWISE);
	story_free(s);
}

static void own_limit_that_it_filled_alone(void **state)
{
	struct story *s = story_new();
	struct death *d;

	(void)state;
	next_life(s, NODE, "node");
	for (uint64_t i = 0; i < 30; i++) {
		s->now_ns += NSEC_PER_SEC;
		place(s, NODE, 11, "/pod/a", (50 + 5 * i) * MIB);
		story_tick(s);
	}
	kill_below(s, NODE, 11, 200 * MIB);
	d = death_of(s, NODE);
	assert_false(d->oom_shared_limit);
	assert_false(d->oom_other_grew);
	assert_true(d->oom_share == 1);
	assert_int_equal(s->core->lives.all[0].ring[0].end, LIFE_OOM);
	story_free(s);
}

static void restart_by_who_started_it_is_a_supervisors(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_proc(s, SHELL, story_proc_id(1, 1), "pm2");
	next_life(s, NODE, "node");
	story_memory(s, NODE, 90 * MIB, 0);
	story_signal(s, NODE, SHELL, SIGINT, SI_USER, "pm2");
	s->now_ns += NSEC_PER_SEC;
	story_exit(s, NODE, 0, 90 * MIB);
	story_tick(s);
	assert_int_equal(s->core->lives.all[0].ring[0].end, LIFE_SUPERVISOR);
	story_free(s);
}

static void told_exit_of_a_full_heap_is_known(void **state)
{
	struct story *s = story_new();
	struct proc *p;

	(void)state;
	next_life(s, NODE, "java");
	p = proctab_find(&s->core->procs,
			 &(struct proc_id){.start_ns = NODE.start_ns, .tgid = NODE.tgid});
	p->oom_exit = OOM_EXIT_CODE;
	story_exit(s, NODE, 3 << 8, 90 * MIB);
	story_tick(s);
	assert_true(death_of(s, NODE)->heap_full_exit);
	assert_true(death_by_memory(death_of(s, NODE)));
	assert_int_equal(s->core->lives.all[0].ring[0].end, LIFE_HEAP_FULL);
	story_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lives_of_one_address_are_told_at_each_death),
		cmocka_unit_test(worker_without_listener_lives_for_its_parents_address),
		cmocka_unit_test(shared_limit_tells_who_filled_it),
		cmocka_unit_test(own_limit_that_it_filled_alone),
		cmocka_unit_test(restart_by_who_started_it_is_a_supervisors),
		cmocka_unit_test(told_exit_of_a_full_heap_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
