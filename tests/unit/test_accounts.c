/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_accounts.c - produced = delivered + lost + pending, for every stream and after every step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "losses_rig.h"
#include "source/accounts.h"

#define SECOND 1000000000ULL

struct rig {
	struct losses_rig kernel;
	struct accounts accounts;
	struct record_stream streams[NR_ACCOUNTS];
	uint32_t nr_streams;
	uint64_t told_lost[NR_ACCOUNTS]; /* sum of RECORD_LOSS, by the place of its stream */
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

	if (r->kind == RECORD_STREAM)
		rig->streams[rig->nr_streams++] = r->stream;
	if (r->kind == RECORD_LOSS)
		rig->told_lost[account_named(r->loss.stream)] += r->loss.count;
}

static void collect(struct rig *rig, uint64_t now_ns)
{
	bool any;

	rig->nr_streams = 0;
	losses_read(&rig->kernel.losses);
	any = losses_collect(&rig->kernel.losses, now_ns, &rig->kernel.batch);
	accounts_collect(&rig->accounts, &rig->kernel.losses, any, now_ns, &rig->kernel.batch);
	batch_emit(&rig->kernel.batch, take, rig);
	for (uint32_t i = 0; i < rig->nr_streams; i++) {
		const struct record_stream *s = &rig->streams[i];

		assert_int_equal(s->produced, s->delivered + s->lost + s->pending);
		assert_int_equal(s->lost, rig->told_lost[account_named(s->stream)]);
	}
}

static void produce(struct rig *rig, uint32_t cpu, enum wire_kind kind, uint64_t count)
{
	rig->kernel.rows[cpu].produced[kind - WIRE_FORK] += count;
}

static void lose(struct rig *rig, uint32_t cpu, enum wire_kind kind, uint64_t count)
{
	rig->kernel.rows[cpu].count[WIRE_LOSS_RING_FORK + (kind - WIRE_FORK)] += count;
}

static void every_ring_kind_has_an_account_and_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(account_of_kind(WIRE_NONE), NR_ACCOUNTS);
	for (uint32_t kind = WIRE_FORK; kind <= WIRE_ALARM; kind++)
		assert_int_equal(account_of_kind(kind), kind - WIRE_FORK);
	assert_int_equal(account_of_kind(WIRE_TASK), NR_ACCOUNTS);
	assert_int_equal(account_of_kind(UINT32_MAX), NR_ACCOUNTS);
	assert_int_equal(account_named("output"), ACCOUNT_OUTPUT);
	assert_int_equal(account_named("nobody"), NR_ACCOUNTS);
}

static void adds_up_over_cpus_and_places_of_loss(void **state)
{
	struct rig *rig = *state;

	produce(rig, 0, WIRE_EXIT, 10);
	produce(rig, 2, WIRE_EXIT, 5);
	lose(rig, 2, WIRE_EXIT, 4);
	accounts_deliver(&rig->accounts, account_of_kind(WIRE_EXIT), 8);
	accounts_lose(&rig->accounts, account_of_kind(WIRE_EXIT), "bad_record", 1,
		      &rig->kernel.losses);
	collect(rig, SECOND);
	assert_int_equal(rig->nr_streams, 1);
	assert_string_equal(rig->streams[0].stream, "exit");
	assert_int_equal(rig->streams[0].produced, 15);
	assert_int_equal(rig->streams[0].delivered, 8);
	assert_int_equal(rig->streams[0].lost, 5);
	assert_int_equal(rig->streams[0].pending, 2);
	assert_int_equal(accounts_in_rings(&rig->accounts, &rig->kernel.losses), 2);
}

static void streams_of_user_space_have_books_too(void **state)
{
	struct rig *rig = *state;

	accounts_produce(&rig->accounts, ACCOUNT_OUTPUT, 9);
	accounts_deliver(&rig->accounts, ACCOUNT_OUTPUT, 4);
	accounts_lose(&rig->accounts, ACCOUNT_OUTPUT, "slow_consumer", 2, &rig->kernel.losses);
	accounts_lose(&rig->accounts, ACCOUNT_OUTPUT, "disk_full", 1, &rig->kernel.losses);
	collect(rig, SECOND);
	assert_int_equal(rig->nr_streams, 1);
	assert_int_equal(rig->streams[0].lost, 3);
	assert_int_equal(rig->streams[0].pending, 2);
	assert_int_equal(accounts_in_rings(&rig->accounts, &rig->kernel.losses), 0);
}

static void shows_the_books_when_due_and_with_every_loss(void **state)
{
	struct rig *rig = *state;

	produce(rig, 0, WIRE_FORK, 1);
	collect(rig, SECOND);
	assert_int_equal(rig->nr_streams, 1);
	collect(rig, 2 * SECOND);
	assert_int_equal(rig->nr_streams, 0);
	lose(rig, 0, WIRE_FORK, 1);
	collect(rig, 3 * SECOND);
	assert_int_equal(rig->nr_streams, 1);
	collect(rig, 3 * SECOND + ACCOUNTS_EVERY_NS);
	assert_int_equal(rig->nr_streams, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_ring_kind_has_an_account_and_nothing_else),
		cmocka_unit_test_setup_teardown(adds_up_over_cpus_and_places_of_loss, setup,
						teardown),
		cmocka_unit_test_setup_teardown(streams_of_user_space_have_books_too, setup,
						teardown),
		cmocka_unit_test_setup_teardown(shows_the_books_when_due_and_with_every_loss, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
