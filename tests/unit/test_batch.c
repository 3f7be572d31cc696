/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_batch.c - records come out whole, in order of time, and what did not fit is counted. */
#include <stdlib.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "source/batch.h"
#include "source/decode.h"

struct seen {
	struct record records[8];
	uint32_t nr;
};

static void on_record(void *arg, const struct record *record)
{
	struct seen *seen = arg;

	if (seen->nr < 8)
		seen->records[seen->nr] = *record;
	seen->nr++;
}

static void add_tick(struct batch *batch, uint64_t ts_ns, uint8_t alarm)
{
	struct record record;

	record_init(&record, RECORD_TICK, ts_ns);
	record.tick.alarm = alarm;
	batch_add(batch, &record);
}

static void records_come_out_in_order_of_time(void **state)
{
	struct batch batch = {0};
	struct seen seen = {.nr = 0};

	(void)state;
	add_tick(&batch, 30, 1);
	add_tick(&batch, 10, 2);
	add_tick(&batch, 20, 3);
	assert_int_equal(batch.last_ns, 30);
	batch_emit(&batch, on_record, &seen);
	assert_int_equal(seen.nr, 3);
	assert_int_equal(seen.records[0].tick.alarm, 2);
	assert_int_equal(seen.records[1].tick.alarm, 3);
	assert_int_equal(seen.records[2].tick.alarm, 1);
	assert_int_equal(batch.last_ns, 30);
	batch_free(&batch);
}

static void equal_times_keep_their_order(void **state)
{
	struct batch batch = {0};
	struct seen seen = {.nr = 0};
	static const uint8_t values[] = {5, 0, 0, 9, 1};

	(void)state;
	for (size_t i = 0; i < sizeof(values); i++)
		add_tick(&batch, 7, values[i]);
	batch_emit(&batch, on_record, &seen);
	for (size_t i = 0; i < sizeof(values); i++)
		assert_int_equal(seen.records[i].tick.alarm, values[i]);
	batch_free(&batch);
}

static void a_record_survives_to_the_byte(void **state)
{
	struct batch batch = {0};
	struct seen seen = {.nr = 0};
	struct record record;

	(void)state;
	record_init(&record, RECORD_EXE, 3);
	record.exe.proc.tgid = 5;
	strcpy(record.exe.path, "/usr/bin/node");
	batch_add(&batch, &record);
	batch_emit(&batch, on_record, &seen);
	assert_memory_equal(&seen.records[0], &record, sizeof(record));
	memset(&record, 0xff, sizeof(record));
	record.kind = RECORD_FLOW;
	batch_add(&batch, &record);
	batch_emit(&batch, on_record, &seen);
	assert_memory_equal(&seen.records[1].flow, &record.flow, sizeof(record.flow));
	batch_free(&batch);
}

/* Stored are the bytes that are not 0: any mixture of both must come back, in any length. */
static void zeroes_anywhere_survive(void **state)
{
	size_t offset = offsetof(struct record, header);
	struct record record;
	uint32_t random = 1;

	(void)state;
	for (size_t end = offset; end <= sizeof(record); end++) {
		struct batch batch = {0};
		struct seen seen = {.nr = 0};

		record_init(&record, RECORD_FLOW, 9);
		for (size_t i = offset; i < end; i++) {
			random = random * 1664525 + 1013904223;
			((uint8_t *)&record)[i] = random >> 31 ? (uint8_t)(random >> 16) : 0;
		}
		batch_add(&batch, &record);
		batch_add(&batch, &record);
		batch_emit(&batch, on_record, &seen);
		assert_int_equal(seen.nr, 2);
		assert_memory_equal(&seen.records[0], &record, sizeof(record));
		assert_memory_equal(&seen.records[1], &record, sizeof(record));
		batch_free(&batch);
	}
}

static void beyond_the_limit_records_are_counted_not_kept(void **state)
{
	struct batch batch = {0};
	struct seen seen = {.nr = 0};
	struct record record;
	uint64_t offered, dropped, again;

	(void)state;
	memset(&record, 0xff, sizeof(record));
	record.kind = RECORD_FLOW;
	for (size_t i = 0; i < 2 * BATCH_MAX_BYTES / sizeof(record); i++)
		batch_add(&batch, &record);
	batch_take_counts(&batch, &offered, &dropped);
	assert_int_equal(offered, 2 * BATCH_MAX_BYTES / sizeof(record));
	assert_true(dropped > 0);
	batch_take_counts(&batch, &offered, &again);
	assert_int_equal(offered + again, 0);
	batch_emit(&batch, on_record, &seen);
	assert_int_equal(seen.nr + dropped, 2 * BATCH_MAX_BYTES / sizeof(record));
	/* what one burst took is given back */
	assert_int_equal(batch.size, 0);
	batch_free(&batch);
}

struct order {
	uint64_t nr;
	uint64_t last_ns;
};

static void on_ordered(void *arg, const struct record *record)
{
	struct order *order = arg;

	assert_true(record->ts_ns > order->last_ns);
	order->last_ns = record->ts_ns;
	order->nr++;
}

static void a_full_batch_is_handed_on_where_somebody_takes_it(void **state)
{
	struct batch batch = {0};
	struct record record;
	struct order order = {0};
	uint64_t offered, dropped;

	(void)state;
	batch_hand_on(&batch, on_ordered, &order);
	record_init(&record, RECORD_EXIT, 0);
	for (uint32_t i = 1; i <= 3 * BATCH_MAX_ENTRIES; i++) {
		record.ts_ns = i;
		batch_add(&batch, &record);
	}
	assert_in_range(order.nr, 2 * BATCH_MAX_ENTRIES, 3 * BATCH_MAX_ENTRIES);
	batch_emit(&batch, on_ordered, &order);
	assert_int_equal(order.nr, 3 * BATCH_MAX_ENTRIES);
	batch_take_counts(&batch, &offered, &dropped);
	assert_int_equal(offered, order.nr);
	assert_int_equal(dropped, 0);
	batch_free(&batch);
}

/* Or nothing would be decided, and what was dropped never told. */
static void a_full_batch_still_takes_losses_and_the_tick(void **state)
{
	struct batch batch = {0};
	struct record record;
	uint64_t offered, dropped;

	(void)state;
	memset(&record, 0xff, sizeof(record));
	record.kind = RECORD_FLOW;
	for (size_t i = 0; i < 2 * BATCH_MAX_BYTES / sizeof(record); i++)
		batch_add(&batch, &record);
	batch_take_counts(&batch, &offered, &dropped);
	record.kind = RECORD_LOSS;
	for (int i = 0; i < 40; i++)
		batch_add(&batch, &record);
	record.kind = RECORD_TICK;
	batch_add(&batch, &record);
	batch_take_counts(&batch, &offered, &dropped);
	assert_int_equal(offered, 41);
	assert_int_equal(dropped, 0);
	batch_free(&batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_out_in_order_of_time),
		cmocka_unit_test(equal_times_keep_their_order),
		cmocka_unit_test(a_record_survives_to_the_byte),
		cmocka_unit_test(zeroes_anywhere_survive),
		cmocka_unit_test(beyond_the_limit_records_are_counted_not_kept),
		cmocka_unit_test(a_full_batch_is_handed_on_where_somebody_takes_it),
		cmocka_unit_test(a_full_batch_still_takes_losses_and_the_tick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
