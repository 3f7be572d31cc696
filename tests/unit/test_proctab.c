/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_proctab.c - identity, reuse of pids, and what a full table does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/proctab.h"

static int released;

static void on_release(void *arg, struct proc *p)
{
	(void)arg;
	assert_non_null(p);
	released++;
}

static struct proctab *new_table(void)
{
	struct proctab *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	released = 0;
	proctab_init(t, on_release, NULL);
	return t;
}

static struct proc_id id_of(uint32_t tgid, uint64_t start_ns)
{
	return (struct proc_id){.start_ns = start_ns, .tgid = tgid};
}

static struct proc *get(struct proctab *t, uint32_t tgid, uint64_t start_ns)
{
	struct proc_id id = id_of(tgid, start_ns);

	return proctab_get(t, &id);
}

static struct proc *find(struct proctab *t, uint32_t tgid, uint64_t start_ns)
{
	struct proc_id id = id_of(tgid, start_ns);

	return proctab_find(t, &id);
}

static void process_is_its_pid_and_its_start(void **state)
{
	struct proctab *t = new_table();
	struct proc *p = get(t, 7, 100);

	(void)state;
	assert_ptr_equal(get(t, 7, 100), p);
	assert_null(find(t, 7, 101));
	assert_null(find(t, 8, 100));
	assert_null(get(t, 0, 100));
	assert_int_equal(t->nr_alive, 1);
	assert_int_equal(t->refused, 0);
	free(t);
}

static void reused_pid_ends_the_earlier_life(void **state)
{
	struct proctab *t = new_table();
	struct proc *old = get(t, 7, 100);
	struct proc *new = get(t, 7, 900);

	(void)state;
	assert_ptr_not_equal(old, new);
	assert_int_equal(old->exit_ns, 900);
	assert_int_equal(new->exit_ns, 0);
	assert_ptr_equal(find(t, 7, 0), new);
	assert_int_equal(t->nr_alive, 1);
	free(t);
}

static void record_of_an_earlier_life_does_not_raise_the_dead(void **state)
{
	struct proctab *t = new_table();
	struct proc *new = get(t, 7, 900);
	struct proc *old = get(t, 7, 100);

	(void)state;
	assert_int_equal(new->exit_ns, 0);
	assert_int_equal(old->exit_ns, 900);
	assert_int_equal(t->nr_alive, 1);
	free(t);
}

static void dead_stay_for_ten_minutes(void **state)
{
	struct proctab *t = new_table();
	struct proc *p = get(t, 7, 100);

	(void)state;
	proctab_exit(t, p, 1000);
	proctab_exit(t, p, 2000); /* only once */
	assert_int_equal(p->exit_ns, 1000);
	proctab_expire(t, 1000 + PROCTAB_KEEP_DEAD_NS - 1);
	assert_non_null(find(t, 7, 100));
	proctab_expire(t, 1000 + PROCTAB_KEEP_DEAD_NS);
	assert_null(find(t, 7, 100));
	assert_int_equal(released, 1);
	free(t);
}

static void full_table_drops_the_oldest_dead_then_refuses(void **state)
{
	struct proctab *t = new_table();

	(void)state;
	for (uint32_t i = 1; i <= PROCTAB_SIZE; i++)
		assert_non_null(get(t, i, i));
	assert_null(get(t, PROCTAB_SIZE + 1, 1));
	assert_int_equal(t->refused, 1);
	proctab_exit(t, find(t, 5, 5), 50);
	proctab_exit(t, find(t, 3, 3), 60);
	assert_non_null(get(t, PROCTAB_SIZE + 1, 1));
	assert_null(find(t, 5, 5));
	assert_non_null(find(t, 3, 3));
	assert_int_equal(t->nr_alive, PROCTAB_SIZE - 1);
	free(t);
}

static void churn_leaves_every_living_process_findable(void **state)
{
	struct proctab *t = new_table();

	(void)state;
	for (uint32_t i = 1; i <= 200000; i++) {
		struct proc *p = get(t, i % 30000 + 1, i);

		assert_non_null(p);
		assert_ptr_equal(find(t, i % 30000 + 1, i), p);
		if (i % 10)
			proctab_exit(t, p, i);
		proctab_expire(t, i);
	}
	for (uint32_t i = 200000; i > 195000; i--)
		assert_non_null(find(t, i % 30000 + 1, i));
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(process_is_its_pid_and_its_start),
		cmocka_unit_test(reused_pid_ends_the_earlier_life),
		cmocka_unit_test(record_of_an_earlier_life_does_not_raise_the_dead),
		cmocka_unit_test(dead_stay_for_ten_minutes),
		cmocka_unit_test(full_table_drops_the_oldest_dead_then_refuses),
		cmocka_unit_test(churn_leaves_every_living_process_findable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
