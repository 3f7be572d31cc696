/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_take.c - what records leave in the tables of the core: what a process is, and its traffic. */
#include "story.h"

#include "core/state.h"

static struct proc *proc_of(struct story *s, struct proc_id id)
{
	return proctab_find(&s->core->procs, &id);
}

static struct record exe_record(const struct story *s, struct proc_id id)
{
	struct record r = story_record(s, RECORD_EXE);

	r.exe.proc = id;
	r.exe.runtime = RUNTIME_NODEJS;
	r.exe.runtime_version = 20;
	r.exe.oom_exit = OOM_EXIT_ABORT;
	r.exe.heap_limit_bytes = 100 * MIB;
	r.exe.supervisor_limit_bytes = 300 * MIB;
	strcpy(r.exe.path, "/usr/bin/node");
	return r;
}

static void serve(struct story *s, struct proc_id id, uint64_t requests)
{
	struct record r = story_flow(s, id, FLOW_SERVER, UPSTREAM);

	r.flow.requests = r.flow.responses = requests;
	story_feed(s, &r);
}

static void story_refused_maps(struct story *s, struct proc_id id, uint64_t mmap, uint64_t munmap)
{
	struct record r = story_record(s, RECORD_VM);

	r.vm.proc = id;
	r.vm.mmap_failures = mmap;
	r.vm.munmap_failures = munmap;
	story_feed(s, &r);
}

static void what_a_process_was_told_about_its_memory_passes_to_forks_but_not_over_exec(void **state)
{
	struct story *s = story_new();
	struct proc_id worker = story_proc_id(400, 950);
	struct record r;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	r = exe_record(s, NODE);
	story_feed(s, &r);
	story_proc(s, worker, NODE, "node");
	for (int i = 0; i < 2; i++) {
		const struct proc *p = proc_of(s, i ? worker : NODE);

		assert_int_equal(p->runtime_version, 20);
		assert_int_equal(p->oom_exit, OOM_EXIT_ABORT);
		assert_int_equal(p->heap_limit_bytes, 100 * MIB);
		assert_int_equal(p->supervisor_limit_bytes, 300 * MIB);
	}
	r = story_record(s, RECORD_EXEC);
	r.exec.proc = worker;
	story_feed(s, &r);
	assert_int_equal(proc_of(s, worker)->runtime_version, 0);
	assert_int_equal(proc_of(s, worker)->oom_exit, OOM_EXIT_NONE);
	assert_int_equal(proc_of(s, worker)->heap_limit_bytes, 0);
	assert_int_equal(proc_of(s, worker)->supervisor_limit_bytes, 0);
	story_free(s);
}

static void refused_memory_is_noted_when_it_happens_again(void **state)
{
	struct story *s = story_new();
	uint64_t first_ns = s->now_ns;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_refused_maps(s, NODE, 0, 5); /* nothing was asked for */
	assert_int_equal(proc_of(s, NODE)->map_failed_ns, 0);
	story_refused_maps(s, NODE, 2, 5);
	assert_int_equal(proc_of(s, NODE)->map_failed_ns, first_ns);
	s->now_ns += SECONDS(9);
	story_refused_maps(s, NODE, 2, 6);
	assert_int_equal(proc_of(s, NODE)->map_failed_ns, first_ns);
	story_refused_maps(s, NODE, UINT64_MAX, UINT64_MAX);
	assert_int_equal(proc_of(s, NODE)->map_failed_ns, s->now_ns);
	story_free(s);
}

static void who_serves_has_traffic_and_each_worker_its_own(void **state)
{
	struct story *s = story_new();
	struct proc_id worker = story_proc_id(401, 950);
	struct traffic_story told;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_proc(s, worker, NODE, "node");
	story_memory(s, SHELL, 50 * MIB, 0);
	assert_int_equal(proc_of(s, SHELL)->traffic, 0);
	serve(s, worker, 10);
	serve(s, NODE, 20);
	assert_true(proc_of(s, worker)->traffic != 0);
	assert_true(proc_of(s, NODE)->traffic != 0);
	assert_true(proc_of(s, worker)->traffic != proc_of(s, NODE)->traffic);
	traffic_conclude(&s->core->traffics.all[proc_of(s, worker)->traffic], s->now_ns, &told);
	assert_true(told.known);
	assert_int_equal(told.rate_now, 10);
	story_free(s);
}

static void who_listens_is_followed_before_its_first_request(void **state)
{
	struct story *s = story_new();
	struct traffic_story told;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	for (uint64_t i = 0; i < 40; i++) {
		s->now_ns += NSEC_PER_SEC;
		story_memory(s, NODE, (40 + 2 * i) * MIB, 0);
	}
	assert_true(proc_of(s, NODE)->traffic != 0);
	s->now_ns += NSEC_PER_SEC;
	serve(s, NODE, 1);
	traffic_conclude(&s->core->traffics.all[proc_of(s, NODE)->traffic], s->now_ns, &told);
	assert_true(told.explained.background.value > 0.8);
	story_free(s);
}

static void memory_at_the_begin_of_service_is_unknown_to_who_came_later(void **state)
{
	struct story *s = story_new();
	struct proc_id young = story_proc_id(402, 1001);
	struct traffic_story told;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	s->now_ns += SECONDS(2);
	story_proc(s, young, SHELL, "node");
	for (int i = 0; i < 2; i++) {
		struct proc_id id = i ? young : NODE;

		story_memory(s, id, 40 * MIB, 0);
		serve(s, id, 1);
		traffic_conclude(&s->core->traffics.all[proc_of(s, id)->traffic], s->now_ns, &told);
		assert_int_equal(told.baseline_anon_bytes, i ? 40 * MIB : 0);
	}
	story_free(s);
}

static void flows_read_after_a_death_are_told_with_it(void **state)
{
	struct story *s = story_new();
	const struct traffic_story *told;
	struct record r;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	for (int i = 0; i < 20; i++) {
		s->now_ns += NSEC_PER_SEC;
		story_memory(s, NODE, 40 * MIB, 300 * MIB);
		serve(s, NODE, 50);
		story_tick(s);
	}
	s->now_ns += 300 * NSEC_PER_MSEC;
	story_memory(s, NODE, 280 * MIB, 300 * MIB);
	story_oom(s, NODE, 290 * MIB, 300 * MIB);
	story_exit(s, NODE, SIGKILL, 290 * MIB);
	story_tick(s);
	s->now_ns += 100 * NSEC_PER_MSEC;
	r = story_flow(s, NODE, FLOW_SERVER, UPSTREAM);
	r.flow.requests = 4;
	r.flow.request_bytes = 120 * MIB;
	r.flow.max_request_bytes = 60 * MIB;
	story_feed(s, &r);
	told = &s->core->deaths.all[proc_of(s, NODE)->death].traffic;
	assert_true(told->payload_growth_share > 0.9);
	assert_int_equal(told->largest_request_bytes, 60 * MIB);
	story_free(s);
}

static void a_full_table_forgets_the_dead_first_and_counts_who_finds_no_room(void **state)
{
	struct story *s = story_new();

	(void)state;
	for (uint32_t i = 1; i <= TRAFFIC_MAX; i++) {
		story_proc(s, story_proc_id(i, i), SHELL, "worker");
		serve(s, story_proc_id(i, i), 1);
	}
	assert_int_equal(s->core->traffics.nr_used, TRAFFIC_MAX);
	story_exit(s, story_proc_id(7, 7), 0, 0);
	assert_true(proc_of(s, story_proc_id(7, 7))->traffic != 0);
	serve(s, story_proc_id(9000, 900), 1);
	assert_int_equal(proc_of(s, story_proc_id(7, 7))->traffic, 0);
	assert_true(proc_of(s, story_proc_id(9000, 900))->traffic != 0);
	assert_int_equal(s->core->traffics.refused, 0);
	for (int i = 0; i < 3; i++)
		serve(s, story_proc_id(9001, 901), 1);
	assert_int_equal(proc_of(s, story_proc_id(9001, 901))->traffic, 0);
	assert_int_equal(s->core->traffics.refused, 1);
	story_free(s);
}

static void what_is_forgotten_gives_its_traffic_back(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	serve(s, NODE, 1);
	story_exit(s, NODE, 0, 0);
	assert_int_equal(s->core->traffics.nr_used, 1);
	s->now_ns += PROCTAB_KEEP_DEAD_NS + SECONDS(1);
	story_tick(s);
	assert_null(proc_of(s, NODE));
	assert_int_equal(s->core->traffics.nr_used, 0);
	story_free(s);
}

#define CONTAINER "5e32fc305b83657eae72a74317f302151590b8b760424e5caf61548c6d97add3"

static void story_cgroup(struct story *s, const char *path)
{
	struct record r = story_record(s, RECORD_CGROUP);

	r.cgroup.memcg = (struct cgroup_id){.id = 77};
	r.cgroup.removed = path == NULL;
	snprintf(r.cgroup.path, sizeof(r.cgroup.path), "%s", path ? path : "");
	story_feed(s, &r);
}

static void story_container(struct story *s, const char *name, const char *pod)
{
	struct record r = story_record(s, RECORD_CONTAINER);

	strcpy(r.container.id, CONTAINER);
	strcpy(r.container.name, name);
	strcpy(r.container.pod_name, pod);
	story_feed(s, &r);
}

/* The runtime's files and the cgroup are gone before the gateway's failures are. */
static void an_incident_says_whose_container_died(void **state)
{
	struct story *s = story_new();
	const struct report_incident *last;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_cgroup(s, "/kubepods/burstable/pod1b9c3c39/" CONTAINER);
	story_container(s, "api", "checkout-7d4b9c6f5d-x2x9k");
	story_grow(s, 20 * MIB, 280 * MIB, 60, 300 * MIB);
	story_signal(s, NODE, NODE, SIGKILL, SI_KERNEL, "node");
	story_oom(s, NODE, 280 * MIB, 300 * MIB);
	story_exit(s, NODE, SIGKILL, 280 * MIB);
	story_cgroup(s, NULL);
	story_outage(s);
	last = story_last(s);
	assert_string_equal(last->service_name, "checkout");
	assert_string_equal(last->culprit.service_name, "checkout");
	assert_non_null(strstr(last->summary, "checkout (node, pid "));
	assert_string_equal(last->culprit.workload->container_id, CONTAINER);
	assert_string_equal(last->culprit.workload->container_name, "api");
	assert_string_equal(last->culprit.workload->pod_uid, "1b9c3c39");
	assert_string_equal(s->exit.proc.workload->pod_name, "checkout-7d4b9c6f5d-x2x9k");
	story_free(s);
}

static void what_becomes_known_later_completes_it(void **state)
{
	struct story *s = story_new();
	struct record r;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_memory(s, NODE, 50 * MIB, 300 * MIB);
	story_listener(s, NODE, UPSTREAM, 2, LISTENER_DOWN);
	story_listener(s, NODE, UPSTREAM, 2, LISTENER_UP);
	assert_string_equal(s->listener.owner.service_name, "node:3000");
	story_cgroup(s, "/system.slice/docker-" CONTAINER ".scope");
	story_container(s, "shop-web-1", "");
	story_listener(s, NODE, UPSTREAM, 2, LISTENER_DOWN);
	assert_string_equal(s->listener.owner.service_name, "shop-web-1");
	assert_int_equal(s->listener.owner.workload->runtime, CONTAINER_RUNTIME_DOCKER);
	r = exe_record(s, NODE);
	r.exe.name_source = NAME_SOURCE_OTEL;
	strcpy(r.exe.name, "shop");
	story_feed(s, &r);
	story_listener(s, NODE, UPSTREAM, 2, LISTENER_UP);
	assert_string_equal(s->listener.owner.service_name, "shop");
	r = story_record(s, RECORD_EXEC);
	r.exec.proc = NODE;
	story_feed(s, &r);
	story_listener(s, NODE, UPSTREAM, 2, LISTENER_DOWN);
	assert_string_equal(s->listener.owner.service_name, "shop-web-1");
	story_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_a_process_was_told_about_its_memory_passes_to_forks_but_not_over_exec),
		cmocka_unit_test(refused_memory_is_noted_when_it_happens_again),
		cmocka_unit_test(who_serves_has_traffic_and_each_worker_its_own),
		cmocka_unit_test(who_listens_is_followed_before_its_first_request),
		cmocka_unit_test(memory_at_the_begin_of_service_is_unknown_to_who_came_later),
		cmocka_unit_test(flows_read_after_a_death_are_told_with_it),
		cmocka_unit_test(a_full_table_forgets_the_dead_first_and_counts_who_finds_no_room),
		cmocka_unit_test(what_is_forgotten_gives_its_traffic_back),
		cmocka_unit_test(an_incident_says_whose_container_died),
		cmocka_unit_test(what_becomes_known_later_completes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
