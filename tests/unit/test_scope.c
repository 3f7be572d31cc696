/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_scope.c - what is inside some cgroups passes, and nothing else about a process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "caught_records.h"
#include "source/decode.h"
#include "source/scope.h"

#define INSIDE	11
#define OUTSIDE 22

static struct scope scope;

/* How many records come out of one, the last of which is that one. */
static uint32_t feed(const struct record *record)
{
	nr_out = 0;
	scope_take(&scope, record, take, NULL);
	if (nr_out)
		assert_memory_equal(&out[nr_out - 1], record, sizeof(*record));
	return nr_out;
}

static uint32_t names(uint64_t id, const char *path)
{
	struct record r;

	record_init(&r, RECORD_CGROUP, SECOND);
	r.cgroup.memcg.id = id;
	snprintf(r.cgroup.path, sizeof(r.cgroup.path), "%s", path);
	return feed(&r);
}

static uint32_t is_born(uint32_t tgid, uint32_t parent, uint64_t cgroup)
{
	struct record r;

	record_init(&r, RECORD_PROC, SECOND);
	r.proc.proc = proc_of(tgid);
	r.proc.parent = proc_of(parent);
	r.proc.memcg.id = cgroup;
	r.proc.origin = PROC_FORKED;
	return feed(&r);
}

static uint32_t executes(uint32_t tgid, uint64_t cgroup)
{
	struct record r;

	record_init(&r, RECORD_EXEC, SECOND);
	r.exec.proc = proc_of(tgid);
	r.exec.memcg.id = cgroup;
	snprintf(r.exec.comm, sizeof(r.exec.comm), "node");
	return feed(&r);
}

static uint32_t is_sampled(uint32_t tgid, uint64_t cgroup)
{
	struct record r;

	record_init(&r, RECORD_TASK, SECOND);
	r.task.proc = proc_of(tgid);
	r.task.memcg.id = cgroup;
	return feed(&r);
}

static uint32_t ends(uint32_t tgid, uint64_t ts_ns)
{
	struct record r;

	record_init(&r, RECORD_EXIT, ts_ns);
	r.exit.proc = proc_of(tgid);
	return feed(&r);
}

/* Everything else that is about a process. */
static uint32_t is_told_of(uint32_t tgid)
{
	static const struct {
		enum record_kind kind;
		size_t proc;
	} kinds[] = {
		{RECORD_EXE, offsetof(struct record, exe.proc)},
		{RECORD_SIGNAL, offsetof(struct record, signal.target)},
		{RECORD_OOM, offsetof(struct record, oom.victim)},
		{RECORD_V8_OOM, offsetof(struct record, v8_oom.proc)},
		{RECORD_RSS, offsetof(struct record, rss.proc)},
		{RECORD_VM, offsetof(struct record, vm.proc)},
		{RECORD_LISTENER, offsetof(struct record, listener.owner)},
		{RECORD_FLOW, offsetof(struct record, flow.proc)},
	};
	struct proc_id proc = proc_of(tgid);
	uint32_t passed = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct record r;

		record_init(&r, kinds[i].kind, SECOND);
		memcpy((uint8_t *)&r + kinds[i].proc, &proc, sizeof(proc));
		passed += feed(&r);
	}
	assert_true(passed == 0 || passed == sizeof(kinds) / sizeof(kinds[0]));
	return passed;
}

static int setup(void **state)
{
	const struct scope_roots roots = {.paths = {"/a", "/far/off/"}, .nr = 2};

	(void)state;
	scope_init(&scope, &roots);
	names(INSIDE, "/a/b");
	names(OUTSIDE, "/ab");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scope_free(&scope);
	return 0;
}

static void without_roots_everything_passes(void **state)
{
	const struct scope_roots none = {0};

	(void)state;
	scope_free(&scope);
	scope_init(&scope, &none);
	assert_int_equal(is_born(1, 0, OUTSIDE), 1);
	assert_int_not_equal(is_told_of(2), 0);
}

static void a_root_holds_what_is_below_it_and_no_namesake(void **state)
{
	(void)state;
	assert_int_equal(is_born(1, 0, INSIDE), 1);
	assert_int_not_equal(is_told_of(1), 0);
	assert_int_equal(is_born(2, 0, OUTSIDE), 0);
	assert_int_equal(is_told_of(2), 0);
	names(33, "/far/off");
	assert_int_equal(is_born(3, 0, 33), 1);
	names(44, "/far");
	assert_int_equal(is_born(4, 0, 44), 0);
}

static void a_cgroup_that_is_gone_leaves(void **state)
{
	struct record r;

	(void)state;
	record_init(&r, RECORD_CGROUP, SECOND);
	r.cgroup.memcg.id = INSIDE;
	r.cgroup.removed = 1;
	assert_int_equal(feed(&r), 1);
	assert_int_equal(scope.cgroups.nr, 0);
	assert_int_equal(is_born(1, 0, INSIDE), 0);
}

static void an_unknown_cgroup_is_outside(void **state)
{
	(void)state;
	assert_int_equal(is_born(1, 0, 55), 0);
	assert_int_equal(is_born(2, 0, 0), 0);
	assert_int_equal(is_told_of(0), 0);
}

static void who_executes_inside_is_introduced_with_his_parent(void **state)
{
	(void)state;
	assert_int_equal(is_born(1, 7, OUTSIDE), 0);
	assert_int_equal(executes(1, OUTSIDE), 0);
	assert_int_equal(executes(1, INSIDE), 2);
	assert_int_equal(out[0].kind, RECORD_PROC);
	assert_int_equal(out[0].proc.proc.tgid, 1);
	assert_int_equal(out[0].proc.parent.tgid, 7);
	assert_int_equal(out[0].proc.origin, PROC_FORKED);
	assert_int_equal(out[0].proc.memcg.id, INSIDE);
	assert_string_equal(out[0].proc.comm, "node");
	assert_int_equal(executes(1, INSIDE), 1);
	assert_int_not_equal(is_told_of(1), 0);
}

static void who_is_moved_in_is_met_at_his_next_sample_and_stays(void **state)
{
	(void)state;
	is_born(1, 7, OUTSIDE);
	assert_int_equal(is_sampled(1, OUTSIDE), 0);
	assert_int_equal(is_sampled(1, INSIDE), 2);
	assert_int_equal(is_sampled(1, OUTSIDE), 1);
	assert_int_equal(is_born(2, 1, OUTSIDE), 0);
}

static void what_is_read_after_the_end_still_belongs_to_it(void **state)
{
	struct record tick;

	(void)state;
	is_born(1, 0, INSIDE);
	assert_int_equal(ends(1, 2 * SECOND), 1);
	assert_int_not_equal(is_told_of(1), 0);
	record_init(&tick, RECORD_TICK, 100 * SECOND);
	assert_int_equal(feed(&tick), 1);
	assert_int_equal(scope.processes.nr, 0);
	assert_int_equal(is_told_of(1), 0);
}

static void facts_about_the_host_and_names_pass(void **state)
{
	static const enum record_kind kinds[] = {RECORD_HEADER, RECORD_PROBE, RECORD_CLOCK,
						 RECORD_LOSS,	RECORD_SELF,  RECORD_STREAM,
						 RECORD_GAP,	RECORD_TICK,  RECORD_STOP};
	struct record r;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		record_init(&r, kinds[i], SECOND);
		assert_int_equal(feed(&r), 1);
	}
	assert_int_equal(names(66, "/else"), 1);
	record_init(&r, RECORD_RECLAIM, SECOND);
	r.reclaim.memcg.id = INSIDE;
	assert_int_equal(feed(&r), 1);
	r.reclaim.memcg.id = OUTSIDE;
	assert_int_equal(feed(&r), 0);
}

static void beyond_the_limit_is_outside(void **state)
{
	(void)state;
	for (uint32_t tgid = 1; tgid <= SCOPE_MAX_PROCESSES; tgid++)
		assert_int_equal(is_born(tgid, 0, INSIDE), 1);
	assert_int_equal(is_born(SCOPE_MAX_PROCESSES + 1, 0, INSIDE), 0);
	assert_int_equal(is_sampled(1, INSIDE), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_roots_everything_passes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_root_holds_what_is_below_it_and_no_namesake,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_cgroup_that_is_gone_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(an_unknown_cgroup_is_outside, setup, teardown),
		cmocka_unit_test_setup_teardown(who_executes_inside_is_introduced_with_his_parent,
						setup, teardown),
		cmocka_unit_test_setup_teardown(who_is_moved_in_is_met_at_his_next_sample_and_stays,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_read_after_the_end_still_belongs_to_it,
						setup, teardown),
		cmocka_unit_test_setup_teardown(facts_about_the_host_and_names_pass, setup,
						teardown),
		cmocka_unit_test_setup_teardown(beyond_the_limit_is_outside, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
