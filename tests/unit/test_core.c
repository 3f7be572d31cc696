/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_core.c - whole stories: records in, incidents out. */
#include <stdio.h>

#include "story.h"

#define LIMIT (300 * MIB)

static void assert_story_order(const struct report_incident *r)
{
	for (uint32_t i = 1; i < r->nr_moments; i++)
		assert_true(r->timeline[i - 1].ts_ns <= r->timeline[i].ts_ns);
}

static void oom_kill_of(struct story *s, struct proc_id id, uint64_t anon)
{
	s->now_ns += 10 * NSEC_PER_MSEC;
	story_signal(s, id, id, SIGKILL, SI_KERNEL, "node");
	s->now_ns += 40000;
	story_oom(s, id, anon, LIMIT);
	s->now_ns += 3 * NSEC_PER_MSEC;
	story_exit(s, id, SIGKILL, anon);
}

static void leak_until_oom_behind_nginx_is_a_heap_leak(void **state)
{
	struct story *s = story_new();
	const struct report_incident *r;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_vm(s, NODE, 0, MIB);
	story_grow(s, 40 * MIB, 290 * MIB, 40, LIMIT);
	story_vm(s, NODE, MIB, 250 * MIB);
	oom_kill_of(s, NODE, 290 * MIB);
	story_outage(s);
	story_restart(s, story_proc_id(400, 1050));

	assert_int_equal(s->first_kind, REPORT_START);
	assert_int_equal(s->nr_reports[REPORT_OOM_KILL], 1);
	assert_true(s->oom.confirmed);
	assert_int_equal(s->nr_reports[REPORT_PROCESS_EXIT], 1);
	assert_int_equal(s->nr_reports[REPORT_BURST], 2);
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	r = story_last(s);
	assert_int_equal(r->record, INCIDENT_CLOSE);
	assert_int_equal(r->status, STATUS_RECOVERED);
	assert_int_equal(r->verdict.cause, CAUSE_HEAP_LEAK);
	assert_true(r->verdict.confidence > 0.9);
	assert_false(r->verdict.insufficient_history);
	assert_true(r->has_culprit && r->died);
	assert_int_equal(r->culprit.id.tgid, 300);
	assert_true(r->death.oom_kill && r->death.memcg_oom);
	assert_int_equal(r->death.exit_code, 137);
	assert_int_equal(r->gateway.proc.id.tgid, 20);
	assert_int_equal(r->gateway.nr_workers, 1);
	assert_int_equal(r->impact.client_status[FLOW_STATUS_502], 1008);
	assert_int_equal(r->impact.upstream_fail[FLOW_FAIL_REFUSED], 1000);
	assert_int_equal(r->impact.upstream_fail[FLOW_FAIL_RST_BEFORE], 8);
	assert_int_equal(r->impact.no_live, 0);
	assert_int_equal(r->impact.masked_by_retry, 0);
	assert_int_equal(r->next_tgid, 400);
	assert_int_equal(r->restarts_10m, 1);
	assert_true(r->memory.native_share.has && r->memory.native_share.value < 0.5);
	assert_true(r->memory.floor_slope_bytes_per_s.value > 5e6);
	assert_story_order(r);
	assert_true(story_has_moment(r, MOMENT_OOM_MARK));
	assert_true(story_has_moment(r, MOMENT_SIGNAL));
	assert_true(story_has_moment(r, MOMENT_LISTENER_UP));
	assert_true(story_has_moment(r, MOMENT_RECOVERED));
	assert_int_equal(strlen(r->id), 26);
	for (uint32_t i = 0; i < s->nr_incidents; i++)
		assert_string_equal(s->incidents[i].id, r->id);
	assert_int_equal(s->incidents[0].record, INCIDENT_OPEN);
	/* Known at once: from the open to the close nothing changed. */
	assert_int_equal(s->nr_incidents, 2);
	story_free(s);
}

static void fast_leak_predicts_before_it_dies(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 20 * MIB, 280 * MIB, 60, LIMIT);
	assert_true(s->nr_reports[REPORT_GROWTH] >= 1);
	assert_true(s->growth.exhaustion_s.has);
	assert_true(s->growth.exhaustion_s.value < 60);
	assert_int_equal(s->growth.ceiling_source, CEILING_CGROUP);
	oom_kill_of(s, NODE, 280 * MIB);
	story_outage(s);
	assert_true(story_has_moment(story_last(s), MOMENT_PREDICTION));
	assert_true(story_last(s)->forecast.newest_s.has);
	story_free(s);
}

static void growth_of_buffers_is_a_native_leak(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	for (uint64_t i = 0; i < 40; i++) {
		s->now_ns += NSEC_PER_SEC;
		story_vm(s, NODE, i * 6 * MIB, i * 6 * MIB + MIB);
		story_memory(s, NODE, (40 + i * 6) * MIB, LIMIT);
		story_good_flows(s, NODE, 100);
		story_tick(s);
	}
	oom_kill_of(s, NODE, 280 * MIB);
	story_outage(s);
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	assert_int_equal(story_last(s)->verdict.cause, CAUSE_NATIVE_LEAK);
	assert_true(story_last(s)->memory.native_share.value > 0.9);
	story_free(s);
}

/* The counters of mmap stand still from the shedding on: that is no sign of a growing heap. */
static void shed_counters_do_not_tell_where_it_grew(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_vm(s, NODE, 0, MIB);
	story_grow(s, 39 * MIB, 40 * MIB, 5, LIMIT);
	story_probe(s, "vm_events", PROBE_SHED);
	story_grow(s, 40 * MIB, 290 * MIB, 40, LIMIT);
	oom_kill_of(s, NODE, 290 * MIB);
	story_outage(s);
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	assert_false(story_last(s)->memory.native_share.has);
	assert_int_equal(story_last(s)->nr_missing_probes, 1);
	assert_string_equal(story_last(s)->missing_probes[0], "vm_events");
	story_free(s);
}

static void growth_of_a_process_without_managed_heap_is_a_heap_leak(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_PYTHON, false);
	story_grow(s, 40 * MIB, 290 * MIB, 40, LIMIT);
	oom_kill_of(s, NODE, 290 * MIB);
	story_outage(s);
	assert_int_equal(story_last(s)->verdict.cause, CAUSE_HEAP_LEAK);
	assert_false(story_last(s)->memory.native_share.has);
	story_free(s);
}

static void one_large_payload_is_unknown_growth(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 60 * MIB, 61 * MIB, 40, LIMIT);
	oom_kill_of(s, NODE, 295 * MIB);
	story_outage(s);
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	assert_int_equal(story_last(s)->verdict.cause, CAUSE_UNKNOWN_GROWTH);
	assert_false(story_last(s)->memory.floor_slope_bytes_per_s.has);
	story_free(s);
}

static void leak_that_dies_young_says_so(void **state)
{
	struct story *s = story_new();
	struct proc_id young = story_proc_id(310, 1011);

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	for (int i = 0; i < 10; i++)
		story_good_second(s);
	s->now_ns = SECONDS(1011);
	story_proc(s, young, SHELL, "node");
	story_exe(s, young, RUNTIME_NODEJS, true);
	story_listener(s, young, UPSTREAM, 9, LISTENER_UP);
	for (uint64_t i = 1; i < 7; i++) {
		s->now_ns += NSEC_PER_SEC;
		story_memory(s, young, (20 + 40 * i) * MIB, LIMIT);
		story_good_flows(s, young, 100);
		story_tick(s);
	}
	oom_kill_of(s, young, 295 * MIB);
	story_outage(s);
	assert_int_equal(story_last(s)->culprit.id.tgid, 310);
	assert_int_equal(story_last(s)->verdict.cause, CAUSE_HEAP_LEAK);
	assert_true(story_last(s)->verdict.insufficient_history);
	assert_true(story_last(s)->verdict.confidence <= 0.8);
	story_free(s);
}

static void oom_kill_of_a_process_watched_for_seconds_is_unknown_growth(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true); /* began 100 s ago */
	story_grow(s, 240 * MIB, 290 * MIB, 5, LIMIT);
	oom_kill_of(s, NODE, 290 * MIB);
	story_outage(s);
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	assert_int_equal(story_last(s)->verdict.cause, CAUSE_UNKNOWN_GROWTH);
	assert_true(story_last(s)->verdict.insufficient_history);
	assert_true(story_last(s)->verdict.confidence <= 0.8);
	story_free(s);
}

static void leak_that_stalls_at_its_limit_is_still_a_leak(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 40 * MIB, 290 * MIB, 20, LIMIT);
	story_grow(s, 290 * MIB, 292 * MIB, 12, LIMIT);
	oom_kill_of(s, NODE, 292 * MIB);
	story_outage(s);
	assert_int_equal(story_last(s)->verdict.cause, CAUSE_HEAP_LEAK);
	story_free(s);
}

static void v8_abort(struct story *s, struct proc_id id, bool probe)
{
	struct record r = story_record(s, RECORD_V8_OOM);

	r.v8_oom.proc = id;
	if (probe)
		story_feed(s, &r);
	s->now_ns += NSEC_PER_MSEC;
	story_signal(s, id, id, SIGABRT, SI_TKILL, "node");
	s->now_ns += 9 * NSEC_PER_MSEC;
	story_exit(s, id, SIGABRT | 0x80, 118 * MIB);
}

static void v8_abort_is_memory_death(void **state)
{
	struct story *s = story_new();
	const struct report_incident *r;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 20 * MIB, 118 * MIB, 30, 0);
	v8_abort(s, NODE, true);
	story_outage(s);
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	r = story_last(s);
	assert_int_equal(r->verdict.cause, CAUSE_HEAP_LEAK);
	assert_int_equal(r->death.exit_code, 134);
	assert_true(r->death.v8_oom);
	assert_false(r->death.oom_kill);
	assert_int_equal(r->memory.ceiling_source, CEILING_V8_OBSERVED);
	assert_true(story_has_moment(r, MOMENT_V8_FATAL));
	story_free(s);
}

static void v8_gives_up(struct story *s, struct proc_id id)
{
	struct record r = story_record(s, RECORD_V8_OOM);

	r.v8_oom.proc = id;
	story_feed(s, &r);
}

/* Its heap goes back before the process ends, by an exception in the main thread. */
static void worker_thread_at_its_heap_limit_is_memory_death(void **state)
{
	struct story *s = story_new();
	const struct report_incident *r;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 20 * MIB, 118 * MIB, 30, 0);
	v8_gives_up(s, NODE);
	s->now_ns += 50 * NSEC_PER_MSEC;
	story_memory(s, NODE, 14 * MIB, 0);
	story_exit(s, NODE, 1 << 8, 10 * MIB);
	story_outage(s);
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	r = story_last(s);
	assert_int_equal(r->verdict.cause, CAUSE_HEAP_LEAK);
	assert_int_equal(r->death.exit_code, 1);
	assert_true(r->memory.ceiling_bytes > 100 * MIB);
	assert_true(r->memory.floor_slope_bytes_per_s.value > 2e6);
	story_free(s);
}

static void process_that_outlived_a_worker_thread_may_die_of_something_else(void **state)
{
	(void)state;
	for (int later = 0; later < 2; later++) {
		struct story *s = story_new();

		story_cast(s, RUNTIME_NODEJS, true);
		story_grow(s, 20 * MIB, 118 * MIB, 30, 0);
		v8_gives_up(s, NODE);
		story_grow(s, 30 * MIB, 31 * MIB, later ? 60 : 5, 0);
		if (later) {
			story_exit(s, NODE, 1 << 8, 31 * MIB);
		} else {
			story_signal(s, NODE, SHELL, SIGKILL, SI_USER, "bash");
			story_exit(s, NODE, SIGKILL, 31 * MIB);
		}
		story_outage(s);
		story_assert_class(s, VERDICT_UPSTREAM_DOWN_NONMEMORY);
		story_free(s);
	}
}

static void v8_abort_without_uprobe_needs_growth(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, false);
	story_grow(s, 20 * MIB, 118 * MIB, 30, 0);
	v8_abort(s, NODE, false);
	story_outage(s);
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	assert_int_equal(story_last(s)->verdict.cause, CAUSE_HEAP_LEAK);
	story_free(s);

	s = story_new();
	story_cast(s, RUNTIME_NODEJS, false);
	story_grow(s, 60 * MIB, 60 * MIB, 30, 0);
	v8_abort(s, NODE, false);
	story_outage(s);
	story_assert_class(s, VERDICT_UNEXPLAINED);
	story_free(s);
}

static void abort_of_a_watched_v8_without_last_words_is_not_memory(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 20 * MIB, 118 * MIB, 30, 0);
	v8_abort(s, NODE, false);
	story_outage(s);
	story_assert_class(s, VERDICT_UPSTREAM_DOWN_NONMEMORY);
	story_free(s);
}

static void v8_abort_as_pid_1_is_memory_death_with_139(void **state)
{
	for (int probe = 0; probe < 2; probe++) {
		struct story *s = story_new();
		const struct report_incident *r;
		struct record v8;

		(void)state;
		story_cast(s, RUNTIME_NODEJS, probe);
		story_grow(s, 20 * MIB, 118 * MIB, 30, 0);
		v8 = story_record(s, RECORD_V8_OOM);
		v8.v8_oom.proc = NODE;
		if (probe)
			story_feed(s, &v8);
		story_signal_ignored(s, NODE, SIGABRT);
		s->now_ns += NSEC_PER_MSEC;
		story_signal(s, NODE, NODE, SIGSEGV, SI_KERNEL, "node");
		s->now_ns += 9 * NSEC_PER_MSEC;
		story_exit(s, NODE, SIGSEGV, 118 * MIB);
		story_outage(s);
		story_assert_class(s, VERDICT_MEMORY_DEATH);
		r = story_last(s);
		assert_int_equal(r->verdict.cause, CAUSE_HEAP_LEAK);
		assert_int_equal(r->death.exit_code, 139);
		assert_int_equal(r->death.signal, SIGSEGV);
		assert_true(r->death.abort_ignored);
		story_free(s);
	}
}

static void kill_9_of_a_big_healthy_process_names_the_sender(void **state)
{
	struct story *s = story_new();
	const struct report_incident *r;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 400 * MIB, 401 * MIB, 40, 1024 * MIB);
	story_signal(s, NODE, story_proc_id(777, 1039), SIGKILL, SI_USER, "kill");
	s->now_ns += NSEC_PER_MSEC;
	story_exit(s, NODE, SIGKILL, 400 * MIB);
	story_outage(s);
	story_restart(s, story_proc_id(400, 1050));
	story_assert_class(s, VERDICT_UPSTREAM_DOWN_NONMEMORY);
	r = story_last(s);
	assert_true(r->verdict.confidence > 0.9);
	assert_int_equal(r->death.sender_tgid, 777);
	assert_string_equal(r->death.sender_comm, "kill");
	assert_non_null(strstr(r->summary, "kill (pid 777)"));
	assert_int_equal(s->nr_reports[REPORT_GROWTH], 0);
	story_free(s);
}

static void kill_9_at_the_limit_wins_over_a_later_oom_mark(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 40 * MIB, 290 * MIB, 40, LIMIT);
	story_signal(s, NODE, story_proc_id(777, 1039), SIGKILL, SI_USER, "kubelet");
	s->now_ns += NSEC_PER_MSEC;
	story_oom(s, NODE, 290 * MIB, LIMIT);
	s->now_ns += NSEC_PER_MSEC;
	story_exit(s, NODE, SIGKILL, 290 * MIB);
	story_outage(s);
	story_assert_class(s, VERDICT_UPSTREAM_DOWN_NONMEMORY);
	story_free(s);
}

static void segfault_and_exit_code_are_not_memory(void **state)
{
	static const uint32_t statuses[] = {SIGSEGV, 1 << 8, SIGTERM, 0};

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct story *s = story_new();

		story_cast(s, RUNTIME_NODEJS, true);
		story_grow(s, 40 * MIB, 290 * MIB, 40, LIMIT);
		if (statuses[i] && statuses[i] < 128)
			story_signal(s, NODE, SHELL, (int)statuses[i], SI_USER, "bash");
		story_exit(s, NODE, statuses[i], 290 * MIB);
		story_outage(s);
		story_assert_class(s, VERDICT_UPSTREAM_DOWN_NONMEMORY);
		story_free(s);
	}
}

/* A second in which clients wait in vain: the gateway gives up and says 504. */
static void timeout_second(struct story *s, uint64_t n)
{
	struct record r;

	s->now_ns += SECONDS(1);
	r = story_flow(s, NGINX, FLOW_CLIENT, UPSTREAM);
	r.flow.requests = n;
	story_mark(&r, FLOW_FAIL_ABANDONED, n);
	story_feed(s, &r);
	r = story_flow(s, NGINX, FLOW_SERVER, FRONT);
	r.flow.requests = r.flow.responses = r.flow.status[FLOW_STATUS_504] = n;
	story_mark(&r, FLOW_FAIL_STATUS, n);
	story_feed(s, &r);
	story_tick(s);
}

static void timeouts_before_an_oom_kill_do_not_hide_it(void **state)
{
	struct story *s = story_new();
	const struct report_incident *r;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 40 * MIB, 290 * MIB, 40, LIMIT);
	for (int i = 0; i < 12; i++)
		timeout_second(s, 50);
	story_assert_class(s, VERDICT_UNEXPLAINED);
	oom_kill_of(s, NODE, 295 * MIB);
	story_outage(s);
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	r = story_last(s);
	assert_int_equal(r->culprit.id.tgid, 300);
	assert_int_equal(r->impact.client_status[FLOW_STATUS_504], 600);
	assert_story_order(r);
	story_restart(s, story_proc_id(400, 1050));
	assert_int_equal(story_last(s)->record, INCIDENT_CLOSE);
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	story_free(s);
}

static void restart_within_a_race_is_not_its_cause(void **state)
{
	struct story *s = story_new();
	struct story_failures f = {.rst = 20, .reused_rst = 20, .client_502 = 20, .good = 200};

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_good_second(s);
	for (int i = 0; i < 30; i++) {
		if (i == 15) {
			story_signal(s, NODE, SHELL, SIGTERM, SI_USER, "bash");
			story_exit(s, NODE, 0, 60 * MIB);
			story_listener(s, NODE, UPSTREAM, 2, LISTENER_DOWN);
			story_proc(s, story_proc_id(400, 1016), SHELL, "node");
			story_listener(s, story_proc_id(400, 1016), UPSTREAM, 3, LISTENER_UP);
		}
		s->now_ns += SECONDS(1);
		story_bad_flows(s, &f);
		story_tick(s);
		assert_false(story_last(s)->has_culprit);
	}
	story_free(s);
}

static void keepalive_race_blames_nobody(void **state)
{
	struct story *s = story_new();
	const struct report_incident *r;

	(void)state;
	story_cast(s, RUNTIME_PYTHON, false);
	for (int i = 0; i < 20; i++)
		story_good_second(s);
	for (int i = 0; i < 15; i++) {
		struct story_failures f = {.fin = 3, .reused_fin = 3, .client_502 = 3, .good = 7};

		s->now_ns += NSEC_PER_SEC;
		story_bad_flows(s, &f);
		story_tick(s);
	}
	story_stop(s);
	story_assert_class(s, VERDICT_KEEPALIVE_RACE);
	r = story_last(s);
	assert_int_equal(r->record, INCIDENT_UPDATE);
	assert_int_equal(r->status, STATUS_ONGOING);
	assert_false(r->has_culprit);
	assert_true(r->verdict.confidence > 0.9);
	assert_int_equal(r->impact.client_status[FLOW_STATUS_502], 45);
	assert_int_equal(r->impact.upstream_fail[FLOW_FAIL_FIN_BEFORE], 45);
	story_free(s);
}

static void burst_without_any_sign_is_unexplained(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	for (int i = 0; i < 5; i++)
		story_good_second(s);
	for (int i = 0; i < 5; i++) {
		struct story_failures f = {.rst = 20, .client_502 = 20, .good = 50};

		s->now_ns += NSEC_PER_SEC;
		story_bad_flows(s, &f);
		story_tick(s);
	}
	story_assert_class(s, VERDICT_UNEXPLAINED);
	assert_true(story_last(s)->verdict.confidence <= 0.5);
	assert_false(story_last(s)->has_culprit);
	story_free(s);
}

static void death_masked_by_retries_is_still_an_incident(void **state)
{
	struct story *s = story_new();
	const struct report_incident *r;
	struct story_failures f = {.refused = 50, .rst = 4, .good = 100};

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 40 * MIB, 290 * MIB, 40, LIMIT);
	oom_kill_of(s, NODE, 290 * MIB);
	s->now_ns += SECONDS(1);
	story_bad_flows(s, &f);
	story_tick(s);
	r = story_last(s);
	assert_int_equal(r->verdict.class, VERDICT_MEMORY_DEATH);
	assert_int_equal(r->severity_number, 13);
	assert_int_equal(r->impact.masked_by_retry, 54);
	assert_int_equal(r->impact.client_status[FLOW_STATUS_502], 0);
	story_free(s);
}

/* An upstream fails, and the gateway tells its clients so in another way than by 502. */
static void clients_told_otherwise(struct story *s, uint64_t n, enum flow_status status, bool close)
{
	struct story_failures f = {.refused = n, .good = 100};
	struct record r;

	s->now_ns += SECONDS(1);
	story_bad_flows(s, &f);
	r = story_flow(s, NGINX, FLOW_SERVER, FRONT);
	r.flow.requests = n;
	if (close)
		story_mark(&r, FLOW_FAIL_FIN_BEFORE, n);
	else
		r.flow.responses = r.flow.status[status] = n;
	story_feed(s, &r);
	story_tick(s);
}

static void client_told_by_500_or_a_closed_connection_is_not_masked(void **state)
{
	const struct report_impact *i;

	(void)state;
	for (int close = 0; close < 2; close++) {
		struct story *s = story_new();

		story_cast(s, RUNTIME_NODEJS, true);
		story_good_second(s);
		clients_told_otherwise(s, 50, FLOW_STATUS_5XX, close);
		i = &story_last(s)->impact;
		assert_int_equal(i->masked_by_retry, 0);
		assert_int_equal(close ? i->client_closed : i->client_errors, 50);
		assert_true(i->failure_ratio > 0.1);
		assert_int_equal(story_last(s)->severity_number, 17);
		assert_non_null(
			strstr(story_last(s)->summary, close ? "closed 50 clients unanswered"
							     : "answered 50 x another 5xx"));
		story_free(s);
	}
}

static void error_of_the_upstream_itself_is_not_the_gateways(void **state)
{
	struct story *s = story_new();
	struct story_failures f = {.refused = 50, .good = 100};
	struct record r;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_good_second(s);
	s->now_ns += SECONDS(1);
	story_bad_flows(s, &f);
	r = story_flow(s, NGINX, FLOW_CLIENT, UPSTREAM);
	r.flow.requests = r.flow.responses = r.flow.status[FLOW_STATUS_5XX] = 30;
	story_feed(s, &r);
	r = story_flow(s, NGINX, FLOW_SERVER, FRONT);
	r.flow.requests = r.flow.responses = r.flow.status[FLOW_STATUS_5XX] = 30;
	story_feed(s, &r);
	story_tick(s);
	assert_int_equal(story_last(s)->impact.client_errors, 0);
	assert_int_equal(story_last(s)->impact.masked_by_retry, 50);
	story_free(s);
}

static void retry_that_fails_as_well_masks_nothing(void **state)
{
	struct story *s = story_new();
	struct story_failures f = {.refused = 20, .rst = 16, .reused_rst = 16, .client_502 = 20};

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_good_second(s);
	s->now_ns += SECONDS(1);
	story_bad_flows(s, &f);
	story_tick(s);
	assert_int_equal(story_last(s)->impact.masked_by_retry, 0);
	for (int i = 0; i < 5; i++)
		story_good_second(s);
	story_stop(s);
	assert_int_equal(story_last(s)->impact.masked_by_retry, 0);
	story_free(s);
}

static void two_dead_replicas_mask_nothing(void **state)
{
	struct story *s = story_new();
	struct story_failures f = {.refused = 50, .client_502 = 50};
	struct record r;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_good_second(s);
	s->now_ns += SECONDS(1);
	r = story_flow(s, NGINX, FLOW_CLIENT, story_endpoint("127.0.0.1", 3001));
	story_mark(&r, FLOW_FAIL_REFUSED, 50);
	story_feed(s, &r);
	story_bad_flows(s, &f);
	story_tick(s);
	assert_int_equal(s->nr_incidents, 2);
	for (uint32_t i = 0; i < s->nr_incidents; i++)
		assert_int_equal(s->incidents[i].impact.masked_by_retry, 0);
	story_free(s);
}

static void few_failures_are_no_incident(void **state)
{
	struct story *s = story_new();
	struct story_failures f = {.rst = 4, .client_502 = 4, .good = 100};

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_good_second(s);
	s->now_ns += SECONDS(1);
	story_bad_flows(s, &f);
	story_tick(s);
	for (int i = 0; i < 40; i++)
		story_good_second(s);
	assert_int_equal(s->nr_incidents, 0);
	story_free(s);
}

/* One worker of many dies of memory: two requests fail, the listener stays. */
static void one_failure_is_enough_behind_a_memory_death_but_only_once(void **state)
{
	struct story *s = story_new();
	struct story_failures f = {.rst = 1, .client_502 = 1, .good = 100};

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 40 * MIB, 290 * MIB, 40, LIMIT);
	oom_kill_of(s, NODE, 290 * MIB);
	s->now_ns += SECONDS(1);
	story_bad_flows(s, &f);
	story_tick(s);
	assert_int_equal(s->nr_incidents, 1);
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	assert_int_equal(story_last(s)->impact.client_status[FLOW_STATUS_502], 1);
	for (int i = 0; i < 12; i++)
		story_good_second(s);
	assert_int_equal(story_last(s)->record, INCIDENT_CLOSE);
	story_bad_flows(s, &f); /* by chance, half a minute after the death */
	story_tick(s);
	assert_int_equal(story_last(s)->record, INCIDENT_CLOSE);
	story_free(s);
}

static void one_failure_behind_another_death_is_no_incident(void **state)
{
	struct story *s = story_new();
	struct story_failures f = {.rst = 1, .client_502 = 1, .good = 100};

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_good_second(s);
	story_exit(s, NODE, 1 << 8, 40 * MIB);
	s->now_ns += SECONDS(1);
	story_bad_flows(s, &f);
	story_tick(s);
	assert_int_equal(s->nr_incidents, 0);
	story_free(s);
}

/* Retries made it good: below the limit that is how restarts should be, at the limit a warning. */
static void masked_restart_at_a_limit_that_was_told_is_an_incident(void **state)
{
	struct story_failures f = {.rst = 2, .good = 100};

	(void)state;
	for (uint64_t below = 0; below < 2; below++) {
		struct story *s = story_new();
		struct proc_id next = story_proc_id(400, 1062);
		struct record r;

		story_cast(s, RUNTIME_NODEJS, true);
		r = story_record(s, RECORD_EXE);
		r.exe.proc = NODE;
		r.exe.runtime = RUNTIME_NODEJS;
		r.exe.v8_probe = 1;
		r.exe.supervisor_limit_bytes = 150 * MIB;
		strcpy(r.exe.path, "/usr/bin/nodejs");
		story_feed(s, &r);
		story_grow(s, 40 * MIB, (below ? 60 : 150) * MIB, 60, 0);
		s->now_ns = SECONDS(1062);
		story_proc(s, next, SHELL, "node");
		story_exe(s, next, RUNTIME_NODEJS, true);
		story_listener(s, next, UPSTREAM, 30, LISTENER_UP);
		story_signal(s, NODE, SHELL, SIGINT, SI_USER, "bash");
		s->now_ns += 300 * NSEC_PER_MSEC;
		story_exit(s, NODE, 0, (below ? 60 : 150) * MIB);
		s->now_ns += NSEC_PER_SEC;
		story_bad_flows(s, &f);
		story_tick(s);
		for (int i = 0; i < 15; i++) {
			s->now_ns += NSEC_PER_SEC;
			story_good_flows(s, next, 100);
			story_tick(s);
		}
		assert_int_equal(s->nr_incidents, below ? 0 : 2);
		if (!below) {
			story_assert_class(s, VERDICT_SUPERVISOR_MEMORY_RESTART);
			assert_int_equal(story_last(s)->severity_number, 13);
			assert_int_equal(story_last(s)->impact.masked_by_retry, 2);
		}
		story_free(s);
	}
}

static void enters_cgroup(struct story *s, struct proc_id id, uint64_t cgroup, const char *path,
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

static void killed_at(struct story *s, uint64_t cgroup, struct proc_id id, uint64_t anon)
{
	struct record r = story_record(s, RECORD_OOM);

	r.oom.victim = r.oom.trigger = id;
	r.oom.memcg = (struct cgroup_id){.id = cgroup, .hierarchy = 0};
	r.oom.anon_bytes = anon;
	r.oom.usage_bytes = r.oom.limit_bytes = LIMIT;
	story_feed(s, &r);
	story_signal(s, id, id, SIGKILL, SI_KERNEL, "node");
	s->now_ns += 3 * NSEC_PER_MSEC;
	story_exit(s, id, SIGKILL, anon);
}

/*
 * Another process grows, and both are killed. In the container of the service it is to blame for
 * that one's end; in another below the limit of both the service is a victim.
 */
static void grower_is_the_culprit_only_in_the_same_container(void **state)
{
	(void)state;
	for (int apart = 0; apart < 2; apart++) {
		struct story *s = story_new();
		struct proc_id hog = story_proc_id(350, 990);
		uint64_t limit = apart ? 10 : 11;

		story_cast(s, RUNTIME_NODEJS, true);
		story_proc(s, hog, SHELL, "hog");
		enters_cgroup(s, (struct proc_id){0}, 10, "/pod", 0);
		for (uint64_t i = 0; i < 40; i++) {
			s->now_ns += NSEC_PER_SEC;
			enters_cgroup(s, NODE, 11, "/pod/a", 80 * MIB);
			enters_cgroup(s, hog, apart ? 12 : 11, apart ? "/pod/b" : "/pod/a",
				      (20 + 5 * i) * MIB);
			story_good_flows(s, NODE, 100);
			story_tick(s);
		}
		killed_at(s, limit, NODE, 80 * MIB);
		killed_at(s, limit, hog, 215 * MIB);
		story_outage(s);
		story_assert_class(s, apart ? VERDICT_NODE_PRESSURE_VICTIM : VERDICT_MEMORY_DEATH);
		assert_int_equal(story_last(s)->culprit.id.tgid, apart ? NODE.tgid : hog.tgid);
		assert_int_equal(story_last(s)->nr_victims, 1);
		assert_int_equal(story_last(s)->victims[0].tgid, apart ? hog.tgid : NODE.tgid);
		story_free(s);
	}
}

/* The runtime's file could not be read before; of another container nothing is taken. */
static void names_that_come_after_the_death_complete_the_incident(void **state)
{
	static const char id[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	struct story *s = story_new();
	const struct report_incident *last;
	struct record r;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	for (uint64_t i = 0; i < 20; i++) {
		s->now_ns += NSEC_PER_SEC;
		enters_cgroup(s, NODE, 11,
			      "/libpod_parent/libpod-0123456789abcdef0123456789abcdef"
			      "0123456789abcdef0123456789abcdef",
			      (20 + 7 * i) * MIB);
		story_good_flows(s, NODE, 100);
		story_tick(s);
	}
	killed_at(s, 11, NODE, 160 * MIB);
	story_outage(s);
	last = story_last(s);
	assert_string_equal(last->culprit.workload->container_id, id);
	assert_string_equal(last->culprit.workload->container_name, "");
	assert_string_equal(last->culprit.service_name, "node:3000");
	r = story_record(s, RECORD_CONTAINER);
	memset(r.container.id, 'f', strlen(id));
	strcpy(r.container.name, "another");
	story_feed(s, &r);
	strcpy(r.container.id, id);
	strcpy(r.container.name, "api");
	story_feed(s, &r);
	story_refused_second(s, 10);
	last = story_last(s);
	assert_int_equal(last->record, INCIDENT_UPDATE);
	assert_string_equal(last->culprit.workload->container_name, "api");
	assert_string_equal(last->culprit.service_name, "api");
	story_free(s);
}

static void answers_of_the_upstream_itself_are_told_apart(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	for (int i = 0; i < 10; i++) {
		struct record r;

		s->now_ns += NSEC_PER_SEC;
		r = story_flow(s, NGINX, FLOW_CLIENT, UPSTREAM);
		r.flow.requests = r.flow.responses = r.flow.status[FLOW_STATUS_502] = 50;
		story_mark(&r, FLOW_FAIL_STATUS, 50);
		story_feed(s, &r);
		r = story_flow(s, NGINX, FLOW_SERVER, FRONT);
		r.flow.requests = r.flow.responses = r.flow.status[FLOW_STATUS_502] = 50;
		story_mark(&r, FLOW_FAIL_STATUS, 50);
		story_feed(s, &r);
		story_tick(s);
	}
	assert_int_equal(s->nr_incidents, 1);
	story_stop(s);
	assert_int_equal(story_last(s)->impact.app_answered, 500);
	assert_int_equal(story_last(s)->impact.client_status[FLOW_STATUS_502], 500);
	assert_int_equal(story_last(s)->impact.no_live, 0);
	assert_int_equal(story_last(s)->impact.masked_by_retry, 0);
	story_free(s);
}

static void no_live_upstreams_belong_to_who_failed_before(void **state)
{
	struct story *s = story_new();
	struct story_failures none = {.client_502 = 300};

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 40 * MIB, 290 * MIB, 40, LIMIT);
	oom_kill_of(s, NODE, 290 * MIB);
	story_outage(s);
	for (int i = 0; i < 3; i++) {
		s->now_ns += NSEC_PER_SEC;
		story_bad_flows(s, &none);
		story_tick(s);
	}
	story_stop(s);
	assert_int_equal(story_last(s)->impact.client_status[FLOW_STATUS_502], 1908);
	assert_int_equal(story_last(s)->impact.no_live, 900);
	story_free(s);
}

static void reused_pid_is_not_blamed(void **state)
{
	struct story *s = story_new();
	struct proc_id stranger = story_proc_id(300, 1041);

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	for (int i = 0; i < 40; i++)
		story_good_second(s);
	/* The exit of the service was lost; its pid lives on in another program and is killed. */
	s->now_ns = SECONDS(1041);
	story_proc(s, stranger, SHELL, "sleep");
	s->now_ns += NSEC_PER_SEC;
	oom_kill_of(s, stranger, 10 * MIB);
	story_outage(s);
	story_assert_class(s, VERDICT_UNEXPLAINED);
	assert_false(story_last(s)->has_culprit);
	story_free(s);
}

static void handover_of_the_listener_is_no_outage(void **state)
{
	struct story *s = story_new();
	struct proc_id next = story_proc_id(301, 1010);

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	for (int i = 0; i < 10; i++)
		story_good_second(s);
	story_proc(s, next, SHELL, "node");
	story_listener(s, next, UPSTREAM, 4, LISTENER_UP);
	assert_false(s->listener.outage_ms.has);
	story_exit(s, NODE, 0, 50 * MIB);
	story_listener(s, NODE, UPSTREAM, 2, LISTENER_DOWN);
	for (int i = 0; i < 20; i++) {
		s->now_ns += NSEC_PER_SEC;
		story_good_flows(s, next, 100);
		story_tick(s);
	}
	assert_int_equal(s->nr_incidents, 0);
	/* Failures now have nothing to do with the old one. */
	for (int i = 0; i < 3; i++) {
		struct story_failures f = {.rst = 20, .client_502 = 20, .good = 50};

		s->now_ns += NSEC_PER_SEC;
		story_bad_flows(s, &f);
		story_tick(s);
	}
	assert_true(s->nr_incidents > 0);
	story_free(s);
}

static void worker_without_listener_is_found_by_its_flows(void **state)
{
	struct story *s = story_new();
	struct proc_id worker = story_proc_id(302, 950);
	struct story_failures f = {.rst = 12, .client_502 = 12, .good = 50};

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_proc(s, worker, NODE, "node");
	for (uint64_t i = 0; i < 40; i++) {
		s->now_ns += NSEC_PER_SEC;
		story_memory(s, worker, (40 + i * 6) * MIB, LIMIT);
		story_good_flows(s, worker, 100);
		story_tick(s);
	}
	oom_kill_of(s, worker, 280 * MIB);
	s->now_ns += SECONDS(1);
	story_bad_flows(s, &f);
	story_tick(s);
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	assert_int_equal(story_last(s)->culprit.id.tgid, 302);
	story_free(s);
}

static void gateway_in_another_namespace_finds_its_victim(void **state)
{
	static const struct {
		const char *local, *upstream;
		bool found;
	} cases[] = {
		{"172.17.0.2", "172.17.0.2", true}, {"0.0.0.0", "172.17.0.2", true},
		{"::", "172.17.0.2", true},	    {"127.0.0.1", "127.0.0.1", false},
		{"0.0.0.0", "127.0.0.1", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct story *s = story_new();
		struct endpoint local = story_endpoint(cases[i].local, 3001);
		struct endpoint remote = story_endpoint(cases[i].upstream, 3001);
		struct record r;

		local.netns++;
		story_cast(s, RUNTIME_NODEJS, true);
		story_listener(s, NODE, local, 50, LISTENER_UP);
		story_good_second(s);
		oom_kill_of(s, NODE, 100 * MIB);
		story_listener(s, NODE, local, 50, LISTENER_DOWN);
		s->now_ns += SECONDS(1);
		r = story_flow(s, NGINX, FLOW_CLIENT, remote);
		story_mark(&r, FLOW_FAIL_REFUSED, 30);
		story_feed(s, &r);
		story_tick(s);
		assert_int_equal(story_last(s)->has_culprit, cases[i].found);
		story_free(s);
	}
}

static void exit_in_a_later_batch_updates_the_incident(void **state)
{
	struct story *s = story_new();
	uint64_t died_ns;
	struct record r;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 40 * MIB, 290 * MIB, 40, LIMIT);
	died_ns = s->now_ns + 10 * NSEC_PER_MSEC;
	story_refused_second(s, 100);
	assert_int_equal(story_last(s)->verdict.class, VERDICT_UNEXPLAINED);
	/* The critical ring was read late: older times come after newer ones. */
	r = story_record(s, RECORD_OOM);
	r.ts_ns = died_ns;
	r.oom.victim = NODE;
	r.oom.memcg.id = 77;
	r.oom.limit_bytes = LIMIT;
	r.oom.anon_bytes = 290 * MIB;
	story_feed(s, &r);
	r = story_record(s, RECORD_SIGNAL);
	r.ts_ns = died_ns;
	r.signal.target = r.signal.sender = NODE;
	r.signal.sig = SIGKILL;
	r.signal.code = SI_KERNEL;
	story_feed(s, &r);
	r = story_record(s, RECORD_EXIT);
	r.ts_ns = died_ns + NSEC_PER_MSEC;
	r.exit.proc = NODE;
	r.exit.status = SIGKILL;
	story_feed(s, &r);
	story_refused_second(s, 100);
	assert_int_equal(story_last(s)->record, INCIDENT_UPDATE);
	assert_int_equal(story_last(s)->verdict.class, VERDICT_MEMORY_DEATH);
	assert_int_equal(story_last(s)->verdict.cause, CAUSE_HEAP_LEAK);
	assert_int_equal(s->nr_incidents, 2);
	story_free(s);
}

static void losses_and_missing_hooks_lower_the_confidence(void **state)
{
	double sure, unsure;

	(void)state;
	for (int lossy = 0; lossy < 2; lossy++) {
		struct story *s = story_new();
		struct record r;

		story_probe(s, "signal", lossy ? PROBE_UNAVAILABLE : PROBE_ATTACHED);
		story_cast(s, RUNTIME_NODEJS, true);
		story_grow(s, 40 * MIB, 290 * MIB, 40, LIMIT);
		r = story_record(s, RECORD_LOSS);
		strcpy(r.loss.stream, "exit");
		strcpy(r.loss.reason, "ring_full");
		r.loss.count = 3;
		if (lossy)
			story_feed(s, &r);
		oom_kill_of(s, NODE, 290 * MIB);
		story_outage(s);
		story_assert_class(s, VERDICT_MEMORY_DEATH);
		assert_int_equal(story_last(s)->events_lost, lossy ? 3 : 0);
		assert_int_equal(story_last(s)->nr_missing_probes, lossy);
		*(lossy ? &unsure : &sure) = story_last(s)->verdict.confidence;
		story_free(s);
	}
	assert_true(unsure < sure - 0.1);
}

static void story_gap(struct story *s, enum gap_cause cause, uint64_t from_ns)
{
	struct record r = story_record(s, RECORD_GAP);

	r.gap.cause = (uint8_t)cause;
	r.gap.from_ns = from_ns;
	story_feed(s, &r);
}

/* A gap lowers the confidence of what happened around it, and of nothing else. */
static void a_gap_in_the_window_lowers_the_confidence(void **state)
{
	enum { WATCHED, GAP_NOW, GAP_LONG_AGO, NR };
	double confidence[NR];

	(void)state;
	for (int i = 0; i < NR; i++) {
		struct story *s = story_new();

		story_cast(s, RUNTIME_NODEJS, true);
		if (i == GAP_LONG_AGO)
			story_gap(s, GAP_STALLED, s->now_ns - SECONDS(5));
		story_grow(s, 40 * MIB, 290 * MIB, 60, LIMIT);
		if (i == GAP_NOW)
			story_gap(s, GAP_STALLED, s->now_ns - SECONDS(5));
		oom_kill_of(s, NODE, 290 * MIB);
		story_outage(s);
		story_assert_class(s, VERDICT_MEMORY_DEATH);
		assert_int_equal(story_last(s)->unwatched_ns, i == GAP_NOW ? SECONDS(5) : 0);
		assert_int_equal(s->nr_reports[REPORT_GAP], i != WATCHED);
		confidence[i] = story_last(s)->verdict.confidence;
		story_free(s);
	}
	assert_true(confidence[GAP_NOW] < confidence[WATCHED] - 0.05);
	assert_true(confidence[GAP_LONG_AGO] == confidence[WATCHED]);
}

static void the_gap_before_this_run_names_who_is_gone(void **state)
{
	struct story *s = story_new();
	struct record r;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_gap(s, GAP_KILLED, s->now_ns - SECONDS(30));
	for (uint32_t i = 0; i < REPORT_MAX_GAP_SERVICES + 4; i++) {
		r = story_record(s, RECORD_GAP_SERVICE);
		r.gap_service.proc = (struct proc_id){.tgid = 9000 + i, .start_ns = 1};
		r.gap_service.local.port = (uint16_t)(3000 + i);
		r.gap_service.successor = NODE;
		memset(r.gap_service.comm, 'x', sizeof(r.gap_service.comm));
		story_feed(s, &r);
	}
	for (int i = 0; i < REPORT_MAX_GAP_INCIDENTS + 2; i++) {
		r = story_record(s, RECORD_GAP_INCIDENT);
		strcpy(r.gap_incident.id, "01J");
		story_feed(s, &r);
	}
	assert_int_equal(s->nr_reports[REPORT_GAP], 0);
	story_tick(s);
	assert_int_equal(s->nr_reports[REPORT_GAP], 1);
	assert_int_equal(s->gap.gap.cause, GAP_KILLED);
	assert_int_equal(s->gap.nr_services, REPORT_MAX_GAP_SERVICES);
	assert_int_equal(s->gap.services[3].proc.id.tgid, 9003);
	assert_int_equal(s->gap.services[3].successor.id.tgid, NODE.tgid);
	assert_int_equal(s->gap.nr_incidents, REPORT_MAX_GAP_INCIDENTS);
	/* two in one batch are two reports; what belongs to none is nothing */
	story_gap(s, GAP_STALLED, s->now_ns - SECONDS(9));
	story_gap(s, GAP_SUSPENDED, s->now_ns - SECONDS(3));
	story_tick(s);
	story_feed(s, &r);
	story_tick(s);
	assert_int_equal(s->nr_reports[REPORT_GAP], 3);
	story_free(s);
}

static void a_stream_that_ends_in_order_shows_its_books_closed(void **state)
{
	struct story *s = story_new();
	struct record r;
	uint32_t beats;

	(void)state;
	story_tick(s);
	beats = s->nr_reports[REPORT_HEARTBEAT];
	for (int i = 0; i < REPORT_MAX_STREAMS + 3; i++) {
		r = story_record(s, RECORD_STREAM);
		snprintf(r.stream.stream, sizeof(r.stream.stream), "stream%d", i);
		r.stream.produced = 5;
		story_feed(s, &r);
	}
	strcpy(r.stream.stream, "stream0");
	r.stream.delivered = 5;
	story_feed(s, &r);
	r = story_record(s, RECORD_STOP);
	story_feed(s, &r);
	assert_int_equal(s->nr_reports[REPORT_HEARTBEAT], beats + 1);
	assert_int_equal(s->heartbeat.nr_streams, REPORT_MAX_STREAMS);
	assert_int_equal(s->heartbeat.streams[0].delivered, 5);
	assert_int_equal(s->heartbeat.streams[1].delivered, 0);
	story_free(s);
}

static void sigkill_of_unknown_origin_accuses_nobody_without_the_oom_hook(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_probe(s, "oom", PROBE_UNAVAILABLE);
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 40 * MIB, 290 * MIB, 40, LIMIT);
	story_signal(s, NODE, NODE, SIGKILL, SI_KERNEL, "node");
	story_exit(s, NODE, SIGKILL, 290 * MIB);
	story_outage(s);
	story_assert_class(s, VERDICT_UNEXPLAINED);
	story_free(s);
}

static void gateway_filters_choose(void **state)
{
	struct core_options by_port = {.nr_gateways = 1, .gateways = {{.port = 8080}}};
	struct core_options by_comm = {.nr_gateways = 1, .gateways = {{.comm = "nginx"}}};
	struct core_options other = {.nr_gateways = 1, .gateways = {{.comm = "haproxy"}}};
	const struct core_options *all[] = {&by_port, &by_comm, &other};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct story *s = story_new_with(all[i]);

		story_cast(s, RUNTIME_NODEJS, true);
		story_good_second(s);
		story_refused_second(s, 100);
		assert_int_equal(s->nr_incidents, i < 2);
		story_free(s);
	}
}

static void client_that_serves_nobody_is_no_gateway(void **state)
{
	struct story *s = story_new();
	struct proc_id curl = story_proc_id(500, 999);
	struct record r;

	(void)state;
	story_proc(s, curl, SHELL, "curl");
	s->now_ns += SECONDS(1);
	r = story_flow(s, curl, FLOW_CLIENT, UPSTREAM);
	story_mark(&r, FLOW_FAIL_REFUSED, 50);
	story_feed(s, &r);
	story_tick(s);
	assert_int_equal(s->nr_incidents, 0);
	story_free(s);
}

static void upstream_that_never_comes_back_stays_ongoing(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_good_second(s);
	story_exit(s, NODE, 1 << 8, 50 * MIB);
	story_outage(s);
	for (int i = 0; i < 12; i++) {
		s->now_ns += SECONDS(1);
		story_tick(s);
	}
	assert_int_equal(story_last(s)->record, INCIDENT_CLOSE);
	assert_int_equal(story_last(s)->status, STATUS_ONGOING);
	assert_false(story_has_moment(story_last(s), MOMENT_RECOVERED));
	story_free(s);
}

static void upstream_that_never_was_there_does_not_recover(void **state)
{
	struct story *s = story_new();
	struct record r;

	(void)state;
	story_proc(s, MASTER, story_proc_id(1, 1), "nginx");
	story_proc(s, NGINX, MASTER, "nginx");
	for (int i = 0; i < 10; i++)
		story_refused_second(s, 10);
	for (int i = 0; i < 12; i++) {
		s->now_ns += SECONDS(1);
		r = story_flow(s, NGINX, FLOW_SERVER, FRONT);
		r.flow.requests = r.flow.responses = r.flow.status[FLOW_STATUS_2XX] = 5;
		story_feed(s, &r);
		story_tick(s);
	}
	story_assert_class(s, VERDICT_CONFIG);
	assert_false(story_last(s)->has_culprit);
	assert_int_equal(story_last(s)->record, INCIDENT_CLOSE);
	assert_int_equal(story_last(s)->status, STATUS_ONGOING);
	assert_false(story_has_moment(story_last(s), MOMENT_RECOVERED));
	story_free(s);
}

/* Of a program that never listens some lives end by memory; then nobody is where the gateway asks. */
static struct story *story_of_deaths_before_listening(uint32_t nr)
{
	struct story *s = story_new();

	story_proc(s, MASTER, story_proc_id(1, 1), "nginx");
	story_proc(s, NGINX, MASTER, "nginx");
	for (uint32_t i = 0; i < nr; i++) {
		struct proc_id id = story_proc_id(400 + i, 1000 + i);

		story_proc(s, id, SHELL, "java");
		story_exe(s, id, RUNTIME_JVM, false);
		story_memory(s, id, 64 * MIB, 64 * MIB);
		story_oom(s, id, 64 * MIB, 64 * MIB);
		story_exit(s, id, SIGKILL, 64 * MIB);
	}
	for (int i = 0; i < 10; i++)
		story_refused_second(s, 10);
	return s;
}

static void who_dies_again_and_again_before_it_listens_may_be_the_upstream(void **state)
{
	static const struct {
		uint32_t deaths;
		enum verdict_class class;
	} rows[] = {{0, VERDICT_CONFIG}, {1, VERDICT_CONFIG}, {3, VERDICT_UNEXPLAINED}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct story *s = story_of_deaths_before_listening(rows[i].deaths);

		story_assert_class(s, rows[i].class);
		story_free(s);
	}
}

/* The gateway asks 127.0.0.1, the service listens on ::1 only. */
static void listener_that_refuses_all_along_does_not_recover(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_proc(s, MASTER, story_proc_id(1, 1), "nginx");
	story_proc(s, NGINX, MASTER, "nginx");
	story_proc(s, NODE, SHELL, "node");
	story_listener(s, NODE, story_endpoint("::1", 3000), 2, LISTENER_FOUND);
	for (int i = 0; i < 10; i++)
		story_refused_second(s, 10);
	for (int i = 0; i < 12; i++) {
		s->now_ns += SECONDS(1);
		story_tick(s);
	}
	story_assert_class(s, VERDICT_CONFIG);
	assert_int_equal(story_last(s)->record, INCIDENT_CLOSE);
	assert_int_equal(story_last(s)->status, STATUS_ONGOING);
	story_free(s);
}

/* Again and again ------------------------------------------------------------------------------ */

/* A life of half a minute from its start to its OOM kill, and the outage after it. */
static void live_and_die(struct story *s, struct proc_id id, uint64_t sock_id)
{
	story_proc(s, id, SHELL, "node");
	story_exe(s, id, RUNTIME_NODEJS, true);
	story_listener(s, id, UPSTREAM, sock_id, LISTENER_UP);
	for (uint64_t i = 0; i < 30; i++) {
		s->now_ns += NSEC_PER_SEC;
		story_memory(s, id, (40 + 8 * i) * MIB, LIMIT);
		story_good_flows(s, id, 100);
		story_tick(s);
	}
	oom_kill_of(s, id, 290 * MIB);
	s->now_ns += NSEC_PER_MSEC;
	story_listener(s, id, UPSTREAM, sock_id, LISTENER_DOWN);
	for (int i = 0; i < 3; i++)
		story_refused_second(s, 100);
}

static uint32_t count_records(const struct story *s, enum incident_record record)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->nr_incidents; i++)
		n += s->incidents[i].record == record;
	return n;
}

static void crash_loop_is_one_incident(void **state)
{
	struct story *s = story_new();
	const struct report_incident *r;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_listener(s, NODE, UPSTREAM, 2, LISTENER_DOWN);
	for (uint32_t i = 0; i < 4; i++)
		live_and_die(s, story_proc_id(400 + i, s->now_ns / NSEC_PER_SEC), 10 + i);
	story_restart(s, story_proc_id(500, s->now_ns / NSEC_PER_SEC));
	assert_int_equal(count_records(s, INCIDENT_OPEN), 1);
	assert_int_equal(count_records(s, INCIDENT_CLOSE), 4);
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	r = story_last(s);
	for (uint32_t i = 0; i < s->nr_incidents; i++) {
		assert_string_equal(s->incidents[i].id, r->id);
		assert_int_equal(s->incidents[i].revision, i + 1);
	}
	assert_int_equal(r->status, STATUS_CRASH_LOOP);
	assert_int_equal(r->deaths_10m, 4);
	assert_int_equal(r->culprit.id.tgid, 403);
	assert_int_equal(r->supervisor_tgid, SHELL.tgid);
	/* Each burst has an id of its own, and knows its incident. */
	assert_int_equal(s->nr_reports[REPORT_BURST], 8);
	assert_string_equal(s->burst.incident_id, r->id);
	story_free(s);
}

/* The outage lasts on from one life to the next: one burst, and the newest life is told. */
static void deaths_within_one_burst_are_followed(void **state)
{
	struct story *s = story_new();
	struct proc_id next;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 40 * MIB, 290 * MIB, 30, LIMIT);
	oom_kill_of(s, NODE, 290 * MIB);
	story_outage(s);
	for (uint32_t i = 0; i < 2; i++) {
		next = story_proc_id(400 + i, s->now_ns / NSEC_PER_SEC);
		story_proc(s, next, SHELL, "node");
		story_exe(s, next, RUNTIME_NODEJS, true);
		story_memory(s, next, 280 * MIB, LIMIT);
		for (int j = 0; j < 4; j++)
			story_refused_second(s, 100);
		story_listener(s, next, UPSTREAM, 20 + i, LISTENER_UP);
		oom_kill_of(s, next, 290 * MIB);
		s->now_ns += NSEC_PER_MSEC;
		story_listener(s, next, UPSTREAM, 20 + i, LISTENER_DOWN);
		story_refused_second(s, 100);
	}
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	assert_int_equal(story_last(s)->culprit.id.tgid, 401);
	assert_int_equal(story_last(s)->status, STATUS_CRASH_LOOP);
	assert_int_equal(count_records(s, INCIDENT_OPEN), 1);
	story_free(s);
}

static void another_reason_or_a_later_time_is_another_incident(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct story *s = story_new();
		struct story_failures race = {
			.fin = 20, .reused_fin = 20, .client_502 = 20, .good = 200};
		struct proc_id next;

		story_cast(s, RUNTIME_NODEJS, true);
		story_listener(s, NODE, UPSTREAM, 2, LISTENER_DOWN);
		live_and_die(s, story_proc_id(400, 1000), 10);
		next = story_proc_id(401, s->now_ns / NSEC_PER_SEC);
		story_restart(s, next);
		assert_int_equal(story_last(s)->record, INCIDENT_CLOSE);
		if (late) {
			for (int i = 0; i < 620; i++) {
				s->now_ns += NSEC_PER_SEC;
				story_good_flows(s, next, 10);
				story_tick(s);
			}
			oom_kill_of(s, next, 290 * MIB);
			story_listener(s, next, UPSTREAM, 3, LISTENER_DOWN);
			story_refused_second(s, 100);
		}
		for (int i = 0; i < 30 && !late; i++)
			story_good_second(s);
		for (int i = 0; i < 3 && !late; i++) {
			s->now_ns += NSEC_PER_SEC;
			story_bad_flows(s, &race);
			story_tick(s);
		}
		assert_int_equal(count_records(s, INCIDENT_OPEN), 2);
		assert_string_not_equal(story_last(s)->id, s->incidents[0].id);
		story_free(s);
	}
}

/* Ended by somebody ---------------------------------------------------------------------------- */

static void successor_listens(struct story *s, struct proc_id next, struct proc_id parent)
{
	story_proc(s, next, parent, "node");
	story_exe(s, next, RUNTIME_NODEJS, true);
	story_listener(s, next, UPSTREAM, 30, LISTENER_UP);
	s->now_ns += NSEC_PER_SEC;
	story_good_flows(s, next, 100);
	story_tick(s);
}

static void restart_by_sigterm_is_a_deploy_and_by_sigkill_is_not(void **state)
{
	static const int signals[] = {SIGTERM, SIGKILL};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct story *s = story_new();

		story_cast(s, RUNTIME_NODEJS, true);
		story_grow(s, 60 * MIB, 61 * MIB, 40, 1024 * MIB);
		story_signal(s, NODE, story_proc_id(777, 1039), signals[i], SI_USER, "deploy");
		s->now_ns += NSEC_PER_MSEC;
		story_exit(s, NODE, (uint32_t)signals[i], 60 * MIB);
		story_outage(s);
		assert_int_equal(story_last(s)->verdict.class, VERDICT_UPSTREAM_DOWN_NONMEMORY);
		successor_listens(s, story_proc_id(400, s->now_ns / NSEC_PER_SEC), SHELL);
		assert_int_equal(story_last(s)->verdict.class,
				 i ? VERDICT_UPSTREAM_DOWN_NONMEMORY : VERDICT_DEPLOY_RESTART);
		assert_int_equal(story_last(s)->supervisor_tgid, i ? 0 : SHELL.tgid);
		story_free(s);
	}
}

/* Its parent, a supervisor, was told a limit and ends it there; below, it is only a restart. */
static void restart_by_the_parent_at_the_limit_it_was_told(void **state)
{
	(void)state;
	for (int below = 0; below < 2; below++) {
		struct story *s = story_new();
		struct record r;

		story_cast(s, RUNTIME_NODEJS, true);
		r = story_record(s, RECORD_EXE);
		r.exe.proc = NODE;
		r.exe.runtime = RUNTIME_NODEJS;
		r.exe.v8_probe = 1;
		r.exe.supervisor_limit_bytes = 150 * MIB;
		strcpy(r.exe.path, "/usr/bin/nodejs");
		story_feed(s, &r);
		story_grow(s, 40 * MIB, (below ? 60 : 150) * MIB, 60, 0);
		story_signal(s, NODE, SHELL, SIGINT, SI_USER, "bash");
		s->now_ns += 300 * NSEC_PER_MSEC;
		story_exit(s, NODE, 0, (below ? 60 : 150) * MIB);
		story_outage(s);
		successor_listens(s, story_proc_id(400, s->now_ns / NSEC_PER_SEC), SHELL);
		assert_int_equal(story_last(s)->verdict.class,
				 below ? VERDICT_DEPLOY_RESTART
				       : VERDICT_SUPERVISOR_MEMORY_RESTART);
		assert_int_equal(story_last(s)->supervisor_tgid, SHELL.tgid);
		assert_string_equal(story_last(s)->supervisor_comm, "bash");
		story_free(s);
	}
}

static void deploy_on_a_moving_port_is_a_deploy(void **state)
{
	struct story *s = story_new();
	struct proc_id next = story_proc_id(400, 1038);

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 60 * MIB, 61 * MIB, 40, 1024 * MIB);
	story_proc(s, next, SHELL, "node");
	story_exe(s, next, RUNTIME_NODEJS, true);
	story_listener(s, next, story_endpoint("127.0.0.1", 3001), 30, LISTENER_UP);
	story_signal(s, NODE, SHELL, SIGTERM, SI_USER, "bash");
	story_exit(s, NODE, SIGTERM, 60 * MIB);
	story_outage(s);
	story_assert_class(s, VERDICT_DEPLOY_RESTART);
	story_free(s);
}

/* Alive, but of no use ------------------------------------------------------------------------- */

/* At its limit: the kernel reclaims all the time, requests wait, clients get 504. */
static void stalled_second(struct story *s, uint64_t memcg_count)
{
	struct record r;

	r = story_record(s, RECORD_RECLAIM);
	r.ts_ns += NSEC_PER_SEC - 2 * NSEC_PER_MSEC;
	r.reclaim.memcg = (struct cgroup_id){.id = 77, .hierarchy = 0};
	r.reclaim.memcg_ns = 300 * NSEC_PER_MSEC;
	r.reclaim.memcg_count = memcg_count;
	story_feed(s, &r);
	r = story_flow(s, NODE, FLOW_SERVER, UPSTREAM);
	r.ts_ns += NSEC_PER_SEC - NSEC_PER_MSEC;
	r.flow.requests = 20;
	r.flow.in_flight = 40;
	story_feed(s, &r);
	timeout_second(s, 20);
}

static void stall(struct story *s)
{
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 40 * MIB, 292 * MIB, 60, LIMIT);
	story_memory(s, NODE, 293 * MIB, LIMIT);
	for (int i = 0; i < 12; i++)
		stalled_second(s, 60000);
}

static void silence_at_the_limit_is_a_stall_whoever_ends_it(void **state)
{
	struct story *s = story_new();
	const struct report_incident *r;

	(void)state;
	stall(s);
	story_assert_class(s, VERDICT_MEMORY_STALL);
	r = story_last(s);
	assert_int_equal(r->verdict.cause, CAUSE_HEAP_LEAK);
	assert_true(r->has_culprit && !r->died);
	assert_int_equal(r->culprit.id.tgid, 300);
	story_signal(s, NODE, story_proc_id(777, 990), SIGKILL, SI_USER, "watcher");
	s->now_ns += NSEC_PER_MSEC;
	story_exit(s, NODE, SIGKILL, 293 * MIB);
	story_outage(s);
	story_assert_class(s, VERDICT_MEMORY_STALL);
	assert_true(story_last(s)->died);
	story_restart(s, story_proc_id(400, s->now_ns / NSEC_PER_SEC));
	assert_int_equal(story_last(s)->record, INCIDENT_CLOSE);
	assert_int_equal(story_last(s)->status, STATUS_RECOVERED);
	story_assert_class(s, VERDICT_MEMORY_STALL);
	story_free(s);
}

static void stall_that_the_oom_killer_ends_is_a_memory_death(void **state)
{
	struct story *s = story_new();

	(void)state;
	stall(s);
	assert_int_equal(story_last(s)->verdict.class, VERDICT_MEMORY_STALL);
	oom_kill_of(s, NODE, 293 * MIB);
	story_outage(s);
	assert_int_equal(story_last(s)->verdict.class, VERDICT_MEMORY_DEATH);
	assert_int_equal(count_records(s, INCIDENT_OPEN), 1);
	story_free(s);
}

/* Somebody else frees the memory: what was seen of the stall remains. */
static void stall_that_passes_stays_what_it_was(void **state)
{
	struct story *s = story_new();

	(void)state;
	stall(s);
	for (uint64_t i = 0; i < 25; i++) {
		s->now_ns += NSEC_PER_SEC;
		story_memory(s, NODE, 100 * MIB, LIMIT);
		story_good_flows(s, NODE, 100);
		story_tick(s);
	}
	assert_int_equal(story_last(s)->record, INCIDENT_CLOSE);
	story_assert_class(s, VERDICT_MEMORY_STALL);
	story_free(s);
}

static void silence_with_room_is_no_stall(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 100 * MIB, 101 * MIB, 60, LIMIT);
	for (int i = 0; i < 12; i++)
		stalled_second(s, 0);
	assert_true(s->nr_incidents > 0);
	for (uint32_t i = 0; i < s->nr_incidents; i++)
		assert_false(s->incidents[i].verdict.class == VERDICT_MEMORY_STALL);
	story_signal(s, NODE, story_proc_id(777, 990), SIGKILL, SI_USER, "watcher");
	story_exit(s, NODE, SIGKILL, 101 * MIB);
	story_outage(s);
	assert_int_equal(story_last(s)->verdict.class, VERDICT_UPSTREAM_DOWN_NONMEMORY);
	story_free(s);
}

/* Answers of others ---------------------------------------------------------------------------- */

/* A second in which an upstream answers 503 itself, and its gateway passes that on. */
static void app_error_flows(struct story *s, struct proc_id gateway, struct endpoint front,
			    struct endpoint upstream, uint64_t n)
{
	struct record r = story_flow(s, gateway, FLOW_CLIENT, upstream);

	r.flow.requests = r.flow.responses = r.flow.status[FLOW_STATUS_503] = n;
	story_mark(&r, FLOW_FAIL_STATUS, n);
	story_feed(s, &r);
	r = story_flow(s, gateway, FLOW_SERVER, front);
	r.flow.requests = r.flow.responses = r.flow.status[FLOW_STATUS_503] = n;
	story_mark(&r, FLOW_FAIL_STATUS, n);
	story_feed(s, &r);
}

static void errors_the_application_answers_are_its_own(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	for (int i = 0; i < 5; i++)
		story_good_second(s);
	for (int i = 0; i < 5; i++) {
		s->now_ns += NSEC_PER_SEC;
		story_good_flows(s, NODE, 20);
		app_error_flows(s, NGINX, FRONT, UPSTREAM, 50);
		story_tick(s);
	}
	story_assert_class(s, VERDICT_APP_ERROR_STATUS);
	assert_int_equal(story_last(s)->culprit.id.tgid, 300);
	assert_false(story_last(s)->died);
	story_free(s);
}

/* Clients ask an outer gateway, that one nginx, that one the service, which dies of memory. */
static void chain_of_gateways_is_one_incident(void **state)
{
	struct story *s = story_new();
	struct proc_id outer = story_proc_id(50, 12);
	struct endpoint edge = story_endpoint("0.0.0.0", 80);
	struct endpoint inner = story_endpoint("127.0.0.1", 8080);

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_proc(s, outer, story_proc_id(1, 1), "haproxy");
	story_listener(s, outer, edge, 60, LISTENER_FOUND);
	for (uint64_t i = 0; i < 40; i++) {
		struct record r;

		s->now_ns += NSEC_PER_SEC;
		story_memory(s, NODE, (40 + 6 * i) * MIB, LIMIT);
		story_good_flows(s, NODE, 100);
		r = story_flow(s, outer, FLOW_SERVER, edge);
		r.flow.requests = r.flow.responses = r.flow.status[FLOW_STATUS_2XX] = 100;
		story_feed(s, &r);
		r = story_flow(s, outer, FLOW_CLIENT, inner);
		r.flow.requests = r.flow.responses = r.flow.status[FLOW_STATUS_2XX] = 100;
		story_feed(s, &r);
		story_tick(s);
	}
	oom_kill_of(s, NODE, 290 * MIB);
	s->now_ns += NSEC_PER_MSEC;
	story_listener(s, NODE, UPSTREAM, 2, LISTENER_DOWN);
	for (int i = 0; i < 6; i++) {
		struct story_failures f = {.refused = 50, .client_502 = 50};

		s->now_ns += NSEC_PER_SEC;
		story_bad_flows(s, &f);
		app_error_flows(s, outer, edge, inner, 50);
		story_tick(s);
	}
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	assert_int_equal(count_records(s, INCIDENT_OPEN), 1);
	assert_int_equal(story_last(s)->upstream.port, 3000);
	story_free(s);
}

/* The gateway has no local port left: it fails without asking anybody. */
static void portless_second(struct story *s)
{
	struct record r;

	s->now_ns += NSEC_PER_SEC;
	r = story_flow(s, NGINX, FLOW_CLIENT, UPSTREAM);
	story_mark(&r, FLOW_FAIL_NO_PORT, 30);
	story_feed(s, &r);
	r = story_flow(s, NGINX, FLOW_SERVER, FRONT);
	r.flow.requests = r.flow.responses = r.flow.status[FLOW_STATUS_5XX] = 30;
	story_feed(s, &r);
	story_tick(s);
}

static void gateway_without_ports_fails_by_itself(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	for (int i = 0; i < 5; i++)
		story_good_second(s);
	for (int i = 0; i < 5; i++)
		portless_second(s);
	story_assert_class(s, VERDICT_PROXY_LOCAL_EXHAUSTION);
	assert_false(story_last(s)->has_culprit);
	story_free(s);
}

/* A second in which the gateway accepts clients and closes on them at once, as when it is full. */
static void turned_away_second(struct story *s)
{
	struct record r;

	s->now_ns += NSEC_PER_SEC;
	r = story_flow(s, NGINX, FLOW_SERVER, FRONT);
	r.flow.requests = 30;
	story_mark(&r, FLOW_FAIL_RST_BEFORE, 30);
	story_feed(s, &r);
	story_tick(s);
}

static bool is_told_to_be_full(const struct story *s)
{
	for (uint32_t i = 0; i < s->nr_incidents; i++)
		if (s->incidents[i].verdict.class == VERDICT_PROXY_LOCAL_EXHAUSTION)
			return true;
	return false;
}

static void gateway_that_is_full_of_waiting_requests_is_no_incident_of_its_own(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_good_second(s);
	for (int i = 0; i < 12; i++)
		timeout_second(s, 50);
	for (int i = 0; i < 30; i++)
		turned_away_second(s);
	assert_false(is_told_to_be_full(s));
	/* ... unless it is full for longer than anything waits */
	for (int i = 0; i < 60; i++)
		turned_away_second(s);
	assert_true(is_told_to_be_full(s));
	story_free(s);
}

/* One OOM kill for a whole cgroup -------------------------------------------------------------- */

static void group_kill_names_who_grew_though_it_serves_nobody(void **state)
{
	struct story *s = story_new();
	struct proc_id helper = story_proc_id(600, 950);
	const struct report_incident *r;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_proc(s, helper, SHELL, "helper");
	for (uint64_t i = 0; i < 40; i++) {
		s->now_ns += NSEC_PER_SEC;
		story_memory(s, NODE, 60 * MIB, LIMIT);
		story_memory(s, helper, (10 + 5 * i) * MIB, LIMIT);
		story_good_flows(s, NODE, 100);
		story_tick(s);
	}
	oom_kill_of(s, NODE, 60 * MIB);
	oom_kill_of(s, helper, 210 * MIB);
	story_outage(s);
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	r = story_last(s);
	assert_int_equal(r->culprit.id.tgid, 600);
	assert_string_equal(r->culprit.comm, "helper");
	story_free(s);
}

static void group_kill_leaves_the_service_guilty_of_its_own_growth(void **state)
{
	struct story *s = story_new();
	struct proc_id helper = story_proc_id(600, 950);

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_proc(s, helper, SHELL, "helper");
	story_memory(s, helper, 20 * MIB, LIMIT);
	story_grow(s, 40 * MIB, 260 * MIB, 40, LIMIT);
	oom_kill_of(s, helper, 20 * MIB);
	oom_kill_of(s, NODE, 260 * MIB);
	story_outage(s);
	story_assert_class(s, VERDICT_MEMORY_DEATH);
	assert_int_equal(story_last(s)->culprit.id.tgid, 300);
	story_free(s);
}

static void nothing_is_told_after_the_stop(void **state)
{
	struct story *s = story_new();
	uint64_t told;

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_good_second(s);
	story_refused_second(s, 100);
	story_stop(s);
	told = s->next_seq;
	story_refused_second(s, 100);
	story_stop(s);
	assert_int_equal(s->next_seq, told);
	story_free(s);
}

static void hostile_strings_stay_inside_their_arrays(void **state)
{
	struct story *s = story_new();
	struct record r;

	(void)state;
	r = story_record(s, RECORD_PROC);
	r.proc.proc = NODE;
	memset(r.proc.comm, 'A', sizeof(r.proc.comm));
	story_feed(s, &r);
	r = story_record(s, RECORD_EXE);
	r.exe.proc = NODE;
	memset(r.exe.path, 0xf0, sizeof(r.exe.path));
	r.exe.runtime = 255;
	story_feed(s, &r);
	r = story_record(s, RECORD_CGROUP);
	r.cgroup.memcg.id = 77;
	memset(r.cgroup.path, '/', sizeof(r.cgroup.path));
	story_feed(s, &r);
	r = story_record(s, RECORD_PROBE);
	memset(&r.probe, 'x', sizeof(r.probe));
	story_feed(s, &r);
	r = story_record(s, RECORD_LOSS);
	memset(&r.loss, 'y', sizeof(r.loss));
	for (int i = 0; i < 100; i++) {
		r.loss.reason[0] = (char)i;
		story_feed(s, &r);
	}
	story_signal(s, NODE, SHELL, SIGKILL, 0, "\xff\xfe\x80");
	story_listener(s, NODE, UPSTREAM, 2, LISTENER_UP);
	story_good_second(s);
	story_exit(s, NODE, SIGKILL, 1);
	story_outage(s);
	assert_true(story_last(s)->has_culprit);
	story_free(s);
}

static void every_field_full_of_ones_is_survived(void **state)
{
	struct story *s = story_new();

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int kind = 0; kind < NR_RECORD_KINDS + 2; kind++) {
			struct record r;

			if (kind == RECORD_STOP)
				continue;
			memset(&r, round == 1 ? 0xff : round, sizeof(r));
			r.kind = (enum record_kind)kind;
			story_feed(s, &r);
		}
	}
	story_stop(s);
	story_free(s);
}

static void unknown_everything_is_unexplained(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_probe(s, "exit", PROBE_UNAVAILABLE);
	story_good_second(s);
	story_refused_second(s, 100);
	story_assert_class(s, VERDICT_UNEXPLAINED);
	assert_string_equal(story_last(s)->gateway.personality, "generic");
	story_free(s);
}

static void full_tables_are_counted_not_crashed(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	for (uint32_t i = 0; i < 40000; i++) {
		struct proc_id id = story_proc_id(1000 + i, 1000);
		struct endpoint e = story_endpoint("10.0.0.1", (uint16_t)i);
		struct record r;

		story_proc(s, id, SHELL, "many");
		story_memory(s, id, 20 * MIB, 0);
		story_listener(s, id, e, i, LISTENER_UP);
		r = story_flow(s, id, FLOW_CLIENT, e);
		story_mark(&r, FLOW_FAIL_REFUSED, 10);
		story_feed(s, &r);
		story_oom(s, id, MIB, MIB);
	}
	s->now_ns += SECONDS(11);
	story_tick(s);
	assert_true(s->heartbeat.nr_losses >= 4);
	for (uint32_t i = 1; i < s->heartbeat.nr_losses; i++)
		assert_true(strcmp(s->heartbeat.losses[i - 1].reason,
				   s->heartbeat.losses[i].reason) < 0);
	story_free(s);
}

static void the_same_records_give_the_same_reports(void **state)
{
	uint64_t digest[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct story *s = story_new();

		story_cast(s, RUNTIME_NODEJS, true);
		story_grow(s, 40 * MIB, 290 * MIB, 40, LIMIT);
		oom_kill_of(s, NODE, 290 * MIB);
		story_outage(s);
		story_restart(s, story_proc_id(400, 1050));
		digest[i] = s->digest;
		story_free(s);
	}
	assert_int_equal(digest[0], digest[1]);
}

static void heartbeat_comes_every_ten_seconds(void **state)
{
	struct story *s = story_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	for (int i = 0; i < 60; i++)
		story_good_second(s);
	assert_int_equal(s->nr_reports[REPORT_HEARTBEAT], 6);
	assert_int_equal(s->heartbeat.processes, 4);
	assert_int_equal(s->heartbeat.flows, 3);
	story_free(s);
}

static void memory_stays_below_its_ceiling(void **state)
{
	(void)state;
	assert_true(core_memory_ceiling() <= 16 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leak_until_oom_behind_nginx_is_a_heap_leak),
		cmocka_unit_test(fast_leak_predicts_before_it_dies),
		cmocka_unit_test(growth_of_buffers_is_a_native_leak),
		cmocka_unit_test(shed_counters_do_not_tell_where_it_grew),
		cmocka_unit_test(growth_of_a_process_without_managed_heap_is_a_heap_leak),
		cmocka_unit_test(one_large_payload_is_unknown_growth),
		cmocka_unit_test(leak_that_dies_young_says_so),
		cmocka_unit_test(oom_kill_of_a_process_watched_for_seconds_is_unknown_growth),
		cmocka_unit_test(leak_that_stalls_at_its_limit_is_still_a_leak),
		cmocka_unit_test(v8_abort_is_memory_death),
		cmocka_unit_test(worker_thread_at_its_heap_limit_is_memory_death),
		cmocka_unit_test(process_that_outlived_a_worker_thread_may_die_of_something_else),
		cmocka_unit_test(v8_abort_without_uprobe_needs_growth),
		cmocka_unit_test(abort_of_a_watched_v8_without_last_words_is_not_memory),
		cmocka_unit_test(v8_abort_as_pid_1_is_memory_death_with_139),
		cmocka_unit_test(kill_9_of_a_big_healthy_process_names_the_sender),
		cmocka_unit_test(kill_9_at_the_limit_wins_over_a_later_oom_mark),
		cmocka_unit_test(segfault_and_exit_code_are_not_memory),
		cmocka_unit_test(timeouts_before_an_oom_kill_do_not_hide_it),
		cmocka_unit_test(restart_within_a_race_is_not_its_cause),
		cmocka_unit_test(keepalive_race_blames_nobody),
		cmocka_unit_test(burst_without_any_sign_is_unexplained),
		cmocka_unit_test(death_masked_by_retries_is_still_an_incident),
		cmocka_unit_test(client_told_by_500_or_a_closed_connection_is_not_masked),
		cmocka_unit_test(error_of_the_upstream_itself_is_not_the_gateways),
		cmocka_unit_test(retry_that_fails_as_well_masks_nothing),
		cmocka_unit_test(two_dead_replicas_mask_nothing),
		cmocka_unit_test(few_failures_are_no_incident),
		cmocka_unit_test(one_failure_is_enough_behind_a_memory_death_but_only_once),
		cmocka_unit_test(one_failure_behind_another_death_is_no_incident),
		cmocka_unit_test(masked_restart_at_a_limit_that_was_told_is_an_incident),
		cmocka_unit_test(grower_is_the_culprit_only_in_the_same_container),
		cmocka_unit_test(names_that_come_after_the_death_complete_the_incident),
		cmocka_unit_test(answers_of_the_upstream_itself_are_told_apart),
		cmocka_unit_test(no_live_upstreams_belong_to_who_failed_before),
		cmocka_unit_test(reused_pid_is_not_blamed),
		cmocka_unit_test(handover_of_the_listener_is_no_outage),
		cmocka_unit_test(worker_without_listener_is_found_by_its_flows),
		cmocka_unit_test(gateway_in_another_namespace_finds_its_victim),
		cmocka_unit_test(exit_in_a_later_batch_updates_the_incident),
		cmocka_unit_test(losses_and_missing_hooks_lower_the_confidence),
		cmocka_unit_test(a_gap_in_the_window_lowers_the_confidence),
		cmocka_unit_test(the_gap_before_this_run_names_who_is_gone),
		cmocka_unit_test(a_stream_that_ends_in_order_shows_its_books_closed),
		cmocka_unit_test(sigkill_of_unknown_origin_accuses_nobody_without_the_oom_hook),
		cmocka_unit_test(gateway_filters_choose),
		cmocka_unit_test(client_that_serves_nobody_is_no_gateway),
		cmocka_unit_test(upstream_that_never_comes_back_stays_ongoing),
		cmocka_unit_test(upstream_that_never_was_there_does_not_recover),
		cmocka_unit_test(who_dies_again_and_again_before_it_listens_may_be_the_upstream),
		cmocka_unit_test(listener_that_refuses_all_along_does_not_recover),
		cmocka_unit_test(crash_loop_is_one_incident),
		cmocka_unit_test(deaths_within_one_burst_are_followed),
		cmocka_unit_test(another_reason_or_a_later_time_is_another_incident),
		cmocka_unit_test(restart_by_sigterm_is_a_deploy_and_by_sigkill_is_not),
		cmocka_unit_test(restart_by_the_parent_at_the_limit_it_was_told),
		cmocka_unit_test(deploy_on_a_moving_port_is_a_deploy),
		cmocka_unit_test(silence_at_the_limit_is_a_stall_whoever_ends_it),
		cmocka_unit_test(stall_that_the_oom_killer_ends_is_a_memory_death),
		cmocka_unit_test(stall_that_passes_stays_what_it_was),
		cmocka_unit_test(silence_with_room_is_no_stall),
		cmocka_unit_test(errors_the_application_answers_are_its_own),
		cmocka_unit_test(chain_of_gateways_is_one_incident),
		cmocka_unit_test(gateway_without_ports_fails_by_itself),
		cmocka_unit_test(
			gateway_that_is_full_of_waiting_requests_is_no_incident_of_its_own),
		cmocka_unit_test(group_kill_names_who_grew_though_it_serves_nobody),
		cmocka_unit_test(group_kill_leaves_the_service_guilty_of_its_own_growth),
		cmocka_unit_test(nothing_is_told_after_the_stop),
		cmocka_unit_test(hostile_strings_stay_inside_their_arrays),
		cmocka_unit_test(every_field_full_of_ones_is_survived),
		cmocka_unit_test(unknown_everything_is_unexplained),
		cmocka_unit_test(full_tables_are_counted_not_crashed),
		cmocka_unit_test(the_same_records_give_the_same_reports),
		cmocka_unit_test(heartbeat_comes_every_ten_seconds),
		cmocka_unit_test(memory_stays_below_its_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
