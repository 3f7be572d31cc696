/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_executables.c - which files keep their uprobes: those that are run, then those that were run
 * last; and what finds no room is counted once. Links are counted here, not made: tests/live makes
 * real ones (test_many_executables.sh).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "source/decode.h"
#include "source/executables.h"
#include "source/losses.h"
#include "source/procfs.h"
#include "source/uprobe_broker.h"

#define NS_PER_S 1000000000ULL

/* What makes this test's own file one with a V8, of a size that is looked into. */
void v8_fatal(void) __asm__("_ZN2v88internal2V823FatalProcessOutOfMemoryEPNS0_7IsolateEPKc");
__attribute__((noinline, used)) void v8_fatal(void)
{
	__asm__ volatile("");
}
__attribute__((used)) static const char weight[9 << 20] = "node.js/v20.20.2";

static uint32_t nr_destroyed;

/* In place of libbpf's. */
struct bpf_link;
int bpf_link__fd(const struct bpf_link *link);
int bpf_link__destroy(struct bpf_link *link);

int bpf_link__fd(const struct bpf_link *link)
{
	(void)link;
	return -1;
}

int bpf_link__destroy(struct bpf_link *link)
{
	(void)link;
	nr_destroyed++;
	return 0;
}

struct rig {
	struct executables executables;
	struct uprobe_broker broker;
	struct losses losses;
	uint64_t now_ns;
};

/* Every place is taken, by files of two uprobes. */
static int setup(void **state)
{
	static struct rig rig;
	const struct bpf_program *const programs[NR_V8_FATAL_KINDS] = {(const void *)&rig,
								       (const void *)&rig};

	memset(&rig, 0, sizeof(rig));
	rig.broker.fd = -1;
	nr_destroyed = 0;
	executables_init(&rig.executables, programs, &rig.broker, &rig.losses);
	for (uint32_t i = 0; i < EXECUTABLES_MAX_WATCHED; i++) {
		rig.executables.watched[i].key.ino = i + 1;
		rig.executables.watched[i].nr_uprobes = 2;
	}
	*state = &rig;
	return 0;
}

static int teardown(void **state)
{
	executables_free(&((struct rig *)*state)->executables);
	return 0;
}

/* A sweep a second later; files from place `first` on were run before it. */
static void sweep(struct rig *rig, int first)
{
	for (int place = first; place <= EXECUTABLES_MAX_WATCHED; place++)
		executables_used(&rig->executables, place);
	rig->now_ns += NS_PER_S;
	executables_sweep(&rig->executables, rig->now_ns);
}

static int describe_self(struct rig *rig)
{
	struct executables_query query = {.proc.tgid = (uint32_t)getpid()};
	char stat[1024];
	ssize_t len = procfs_read_file("/proc/self/stat", stat, sizeof(stat));
	struct record record;
	uint64_t ticks;

	assert_true(len > 0);
	assert_int_equal(procfs_parse_start_ticks(stat, (size_t)len, &ticks), 0);
	query.proc.start_ns = ticks * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
	record_init(&record, RECORD_EXE, 1);
	return executables_describe(&rig->executables, &query, &record);
}

static void what_nobody_runs_goes_after_the_grace(void **state)
{
	struct rig *rig = *state;
	uint64_t grace_s = EXECUTABLES_GRACE_NS / NS_PER_S;

	sweep(rig, 1);
	for (uint64_t s = 2; s < grace_s; s++)
		sweep(rig, 3);
	assert_int_equal(nr_destroyed, 0);
	sweep(rig, 3);
	/* One file a sweep. */
	assert_int_equal(nr_destroyed, 2);
	sweep(rig, 3);
	for (uint64_t s = 0; s < 2 * grace_s; s++)
		sweep(rig, 3);
	assert_int_equal(nr_destroyed, 4);
	assert_int_equal(rig->executables.watched[2].nr_uprobes, 2);
}

static void no_room_is_one_loss_of_each_file(void **state)
{
	struct rig *rig = *state;

	sweep(rig, 1);
	assert_int_equal(describe_self(rig), 0);
	sweep(rig, 1);
	assert_int_equal(describe_self(rig), 0);
	assert_int_equal(nr_destroyed, 0);
	assert_int_equal(rig->losses.nr_pending, 1);
	assert_string_equal(rig->losses.pending[0].reason, "uprobe_limit");
	assert_int_equal(rig->losses.pending[0].count, 1);
}

static void the_least_recently_used_makes_room(void **state)
{
	struct rig *rig = *state;

	sweep(rig, 1);
	sweep(rig, 2); /* nobody runs the first any more */
	sweep(rig, 3); /* nor the second */
	for (int i = 0; i < 3; i++)
		sweep(rig, 3);
	/* There is no broker, so it gets the place but no uprobe. */
	assert_int_equal(describe_self(rig), 0);
	assert_int_equal(nr_destroyed, 2);
	assert_int_equal(rig->executables.watched[0].nr_uprobes, 0);
	assert_int_equal(rig->executables.watched[1].nr_uprobes, 2);
	assert_int_equal(rig->losses.nr_pending, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_nobody_runs_goes_after_the_grace, setup,
						teardown),
		cmocka_unit_test_setup_teardown(no_room_is_one_loss_of_each_file, setup, teardown),
		cmocka_unit_test_setup_teardown(the_least_recently_used_makes_room, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
