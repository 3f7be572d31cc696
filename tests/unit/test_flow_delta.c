/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_flow_delta.c - flow counters: CPUs added up, episodes merged, deltas never negative. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "source/decode.h"
#include "source/flow_delta.h"

#define MS 1000000ULL

static void counters_of_all_cpus_are_added_up(void **state)
{
	struct wire_flow_stats rows[3] = {
		{.requests = 5, .responses = 4, .max_request_bytes = 10, .opened = 1},
		{0},
		{.requests = 2, .responses = 2, .max_request_bytes = 99, .closed = 1},
	};
	struct wire_flow_stats sum;

	(void)state;
	rows[0].status[WIRE_STATUS_502] = 3;
	rows[2].status[WIRE_STATUS_502] = 4;
	rows[0].latency[7] = 1;
	rows[1].latency[7] = 1;
	flow_sum(rows, 3, &sum);
	assert_int_equal(sum.requests, 7);
	assert_int_equal(sum.responses, 6);
	assert_int_equal(sum.max_request_bytes, 99);
	assert_int_equal(sum.status[WIRE_STATUS_502], 7);
	assert_int_equal(sum.latency[7], 2);
	assert_int_equal(sum.opened, 1);
	assert_int_equal(sum.closed, 1);
}

static void marks_of_one_episode_become_one(void **state)
{
	/* cpu 1 bridges what lies 800 ms apart on cpus 0 and 2 */
	struct wire_flow_stats rows[3] = {0};
	struct wire_flow_stats sum;

	(void)state;
	rows[0].fail[WIRE_FAIL_REFUSED] = 1;
	rows[0].fail_mark[WIRE_FAIL_REFUSED] = (struct wire_mark){1000 * MS, 1000 * MS};
	rows[1].fail_mark[WIRE_FAIL_REFUSED] = (struct wire_mark){1400 * MS, 1400 * MS};
	rows[2].fail_mark[WIRE_FAIL_REFUSED] = (struct wire_mark){1800 * MS, 1900 * MS};
	flow_sum(rows, 3, &sum);
	assert_int_equal(sum.fail_mark[WIRE_FAIL_REFUSED].first_ns, 1000 * MS);
	assert_int_equal(sum.fail_mark[WIRE_FAIL_REFUSED].last_ns, 1900 * MS);
}

static void an_older_episode_is_forgotten(void **state)
{
	struct wire_flow_stats rows[2] = {0};
	struct wire_flow_stats sum;

	(void)state;
	rows[0].fail[WIRE_FAIL_STATUS] = 1;
	rows[0].fail_mark[WIRE_FAIL_STATUS] = (struct wire_mark){5000 * MS, 5100 * MS};
	rows[1].fail_mark[WIRE_FAIL_STATUS] = (struct wire_mark){1000 * MS, 4000 * MS};
	flow_sum(rows, 2, &sum);
	assert_int_equal(sum.fail_mark[WIRE_FAIL_STATUS].first_ns, 5000 * MS);
	assert_int_equal(sum.fail_mark[WIRE_FAIL_STATUS].last_ns, 5100 * MS);
}

static void the_order_of_cpus_does_not_matter(void **state)
{
	static const struct wire_mark marks[4] = {
		{100 * MS, 200 * MS},
		{900 * MS, 950 * MS},
		{1300 * MS, 1310 * MS},
		{600 * MS, 700 * MS},
	};
	struct wire_flow_stats rows[4], sum;

	(void)state;
	for (unsigned int shift = 0; shift < 4; shift++) {
		memset(rows, 0, sizeof(rows));
		for (unsigned int i = 0; i < 4; i++)
			rows[i].ok_mark = marks[(i + shift) % 4];
		flow_sum(rows, 4, &sum);
		assert_int_equal(sum.ok_mark.first_ns, 100 * MS);
		assert_int_equal(sum.ok_mark.last_ns, 1310 * MS);
	}
}

static void a_mark_caught_half_written_has_just_begun(void **state)
{
	struct wire_flow_stats row = {.ok_mark = {.first_ns = 9000 * MS, .last_ns = 10 * MS}};
	struct wire_flow_stats sum;

	(void)state;
	flow_sum(&row, 1, &sum);
	assert_int_equal(sum.ok_mark.first_ns, 9000 * MS);
	assert_int_equal(sum.ok_mark.last_ns, 9000 * MS);
}

static void the_reason_of_the_newest_reset_is_told(void **state)
{
	struct wire_flow_stats rows[2] = {{.rst_reason = 11}, {.rst_reason = 14}};
	struct wire_flow_stats sum;

	(void)state;
	rows[0].fail_mark[WIRE_FAIL_RST_SENT].last_ns = 20;
	rows[1].fail_mark[WIRE_FAIL_RST_SENT].last_ns = 10;
	flow_sum(rows, 2, &sum);
	assert_int_equal(sum.rst_reason, 11);
}

static void in_flight_is_what_waits_and_never_negative(void **state)
{
	struct wire_flow_stats total = {.requests = 10, .responses = 6, .opened = 4, .closed = 1};

	(void)state;
	assert_int_equal(flow_in_flight(&total), 4);
	total.fail[WIRE_FAIL_RST_BEFORE] = 1;
	total.fail[WIRE_FAIL_FIN_BEFORE] = 1;
	total.fail[WIRE_FAIL_ABANDONED] = 1;
	assert_int_equal(flow_in_flight(&total), 1);
	/* a reset amid the response and a refused connect end no waiting request */
	total.fail[WIRE_FAIL_RST_MID] = 5;
	total.fail[WIRE_FAIL_REFUSED] = 5;
	total.fail[WIRE_FAIL_FIN_MID] = 5;
	total.fail[WIRE_FAIL_ACCEPT_FULL] = 5;
	total.fail[WIRE_FAIL_UNREACHABLE] = 5;
	total.fail[WIRE_FAIL_NO_PORT] = 5;
	assert_int_equal(flow_in_flight(&total), 1);
	total.responses = 50;
	assert_int_equal(flow_in_flight(&total), 0);
	total.responses = 0;
	total.closed = total.opened;
	assert_int_equal(flow_in_flight(&total), 0);
}

static bool delta(const struct wire_flow_stats *last, const struct wire_flow_stats *now,
		  struct record *out)
{
	struct flow_told told;

	flow_told_set(&told, last);
	return flow_delta(&told, now, out);
}

static void a_quiet_flow_has_no_record(void **state)
{
	struct wire_flow_stats total = {.requests = 3, .responses = 3, .opened = 1};
	struct record record;

	(void)state;
	record_init(&record, RECORD_FLOW, 1);
	assert_false(delta(&total, &total, &record));
}

static void a_delta_has_marks_only_for_what_failed(void **state)
{
	struct wire_flow_stats last = {.requests = 3, .responses = 3, .opened = 2};
	struct wire_flow_stats now = last;
	struct record record;

	(void)state;
	last.fail[WIRE_FAIL_REFUSED] = now.fail[WIRE_FAIL_REFUSED] = 7;
	now.fail_mark[WIRE_FAIL_REFUSED] = (struct wire_mark){1, 2};
	now.requests = 5;
	now.fail[WIRE_FAIL_RST_BEFORE] = 1;
	now.fail_mark[WIRE_FAIL_RST_BEFORE] = (struct wire_mark){3, 4};
	now.rst_reason = 9;
	record_init(&record, RECORD_FLOW, 1);
	assert_true(delta(&last, &now, &record));
	assert_int_equal(record.flow.requests, 2);
	assert_int_equal(record.flow.responses, 0);
	assert_int_equal(record.flow.in_flight, 1);
	assert_int_equal(record.flow.fail[FLOW_FAIL_REFUSED], 0);
	assert_int_equal(record.flow.fail_mark[FLOW_FAIL_REFUSED].last_ns, 0);
	assert_int_equal(record.flow.fail[FLOW_FAIL_RST_BEFORE], 1);
	assert_int_equal(record.flow.fail_mark[FLOW_FAIL_RST_BEFORE].first_ns, 3);
	assert_int_equal(record.flow.fail_mark[FLOW_FAIL_RST_BEFORE].last_ns, 4);
	assert_int_equal(record.flow.rst_reason, 0);
}

static void a_counter_that_went_back_counts_as_unchanged(void **state)
{
	struct wire_flow_stats last = {.requests = 9, .response_bytes = 100};
	struct wire_flow_stats now = {.requests = 1, .response_bytes = 5};
	struct record record;

	(void)state;
	record_init(&record, RECORD_FLOW, 1);
	assert_false(delta(&last, &now, &record));
	assert_int_equal(record.flow.requests, 0);
	assert_int_equal(record.flow.response_bytes, 0);
}

static void counts_go_on_beyond_32_bits(void **state)
{
	struct wire_flow_stats last = {.requests = UINT32_MAX - 1ULL, .opened = 1};
	struct wire_flow_stats now = {.requests = UINT32_MAX + 3ULL, .opened = 1};
	struct record record;

	(void)state;
	last.response_bytes = 1ULL << 40;
	now.response_bytes = 3ULL << 40;
	record_init(&record, RECORD_FLOW, 1);
	assert_true(delta(&last, &now, &record));
	assert_int_equal(record.flow.requests, 4);
	assert_int_equal(record.flow.response_bytes, 2ULL << 40);
	assert_int_equal(record.flow.in_flight, UINT32_MAX + 3ULL);
	record_init(&record, RECORD_FLOW, 2);
	assert_false(delta(&now, &now, &record));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_of_all_cpus_are_added_up),
		cmocka_unit_test(marks_of_one_episode_become_one),
		cmocka_unit_test(an_older_episode_is_forgotten),
		cmocka_unit_test(the_order_of_cpus_does_not_matter),
		cmocka_unit_test(a_mark_caught_half_written_has_just_begun),
		cmocka_unit_test(the_reason_of_the_newest_reset_is_told),
		cmocka_unit_test(in_flight_is_what_waits_and_never_negative),
		cmocka_unit_test(a_quiet_flow_has_no_record),
		cmocka_unit_test(a_delta_has_marks_only_for_what_failed),
		cmocka_unit_test(a_counter_that_went_back_counts_as_unchanged),
		cmocka_unit_test(counts_go_on_beyond_32_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
