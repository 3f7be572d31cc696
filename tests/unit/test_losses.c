/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_losses.c - produced = delivered + lost: every loss is told once, by stream and reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "losses_rig.h"

struct rig {
	struct losses_rig kernel;
	uint64_t told[2]; /* exit/ring_full, output/slow_consumer */
	uint32_t nr_records;
};

static int setup(void **state)
{
	static struct rig rig;

	memset(&rig, 0, sizeof(rig));
	losses_rig_init(&rig.kernel);
	*state = &rig;
	return 0;
}

static int teardown(void **state)
{
	batch_free(&((struct rig *)*state)->kernel.batch);
	return 0;
}

static void take(void *arg, const struct record *r)
{
	struct rig *rig = arg;

	assert_int_equal(r->kind, RECORD_LOSS);
	rig->nr_records++;
	if (!strcmp(r->loss.stream, "exit") && !strcmp(r->loss.reason, "ring_full"))
		rig->told[0] += r->loss.count;
	if (!strcmp(r->loss.stream, "output") && !strcmp(r->loss.reason, "slow_consumer"))
		rig->told[1] += r->loss.count;
}

static void collect(struct rig *rig)
{
	losses_read(&rig->kernel.losses);
	losses_collect(&rig->kernel.losses, 1000, &rig->kernel.batch);
	batch_emit(&rig->kernel.batch, take, rig);
}

static void adds_up_the_cpus_and_tells_once(void **state)
{
	struct rig *rig = *state;

	rig->kernel.rows[0].count[WIRE_LOSS_RING_EXIT] = 5;
	rig->kernel.rows[2].count[WIRE_LOSS_RING_EXIT] = 7;
	collect(rig);
	assert_int_equal(rig->told[0], 12);
	collect(rig);
	assert_int_equal(rig->nr_records, 1);
	rig->kernel.rows[1].count[WIRE_LOSS_RING_EXIT] = 1;
	collect(rig);
	assert_int_equal(rig->told[0], 13);
}

static void adds_up_what_user_space_lost(void **state)
{
	struct rig *rig = *state;

	losses_add(&rig->kernel.losses, "output", "slow_consumer", 0);
	losses_add(&rig->kernel.losses, "output", "slow_consumer", 3);
	losses_add(&rig->kernel.losses, "output", "slow_consumer", 4);
	collect(rig);
	assert_int_equal(rig->nr_records, 1);
	assert_int_equal(rig->told[1], 7);
	collect(rig);
	assert_int_equal(rig->nr_records, 1);
}

static void more_reasons_than_room_are_still_counted(void **state)
{
	struct rig *rig = *state;
	uint64_t sum = 0;
	char reason[32];

	for (int i = 0; i < 2 * LOSSES_MAX_PENDING; i++) {
		snprintf(reason, sizeof(reason), "reason_%d", i);
		losses_add(&rig->kernel.losses, "stream", reason, 1);
	}
	for (uint32_t i = 0; i < rig->kernel.losses.nr_pending; i++)
		sum += rig->kernel.losses.pending[i].count;
	assert_int_equal(sum, 2 * LOSSES_MAX_PENDING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(adds_up_the_cpus_and_tells_once, setup, teardown),
		cmocka_unit_test_setup_teardown(adds_up_what_user_space_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(more_reasons_than_room_are_still_counted, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
