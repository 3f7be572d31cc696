/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_burst.c - when failures become a burst, when it ends, and that its counts are exact. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/burst.h"
#include "base/units.h"

struct run {
	struct burst b;
	uint64_t now_ns;
	int opened, closed;
};

static void second(struct run *r, uint32_t refused, uint32_t good)
{
	struct impact t = {
		.fail[FLOW_FAIL_REFUSED] = refused,
		.upstream_requests = good,
		.upstream_responses = good,
	};
	enum burst_change change;

	r->now_ns += NSEC_PER_SEC;
	if (refused) {
		t.first_ns = t.first_refused_ns = r->now_ns - 100;
		t.last_ns = r->now_ns - 10;
	}
	burst_add(&r->b, r->now_ns, &t);
	change = burst_decide(&r->b, r->now_ns);
	r->opened += change == BURST_OPENED;
	r->closed += change == BURST_CLOSED;
}

static void seconds(struct run *r, int n, uint32_t refused, uint32_t good)
{
	for (int i = 0; i < n; i++)
		second(r, refused, good);
}

static void tail_agrees_with_the_exact_sum(void **state)
{
	(void)state;
	/* P(X >= 1 | 1) = 1 - 1/e;  P(X >= 5 | 0.04) = 8.25e-10 */
	assert_true(fabs(burst_log10_tail(1, 0.5) - log10(1 - exp(-0.5))) < 1e-9);
	assert_true(fabs(burst_log10_tail(5, 0.04) - log10(8.25398e-10)) < 1e-3);
	assert_true(burst_log10_tail(3, 10) == 0);
	assert_true(burst_log10_tail(1000000, 1) < -1000000);
}

static void outage_opens_in_its_first_second(void **state)
{
	struct run r = {0};

	(void)state;
	seconds(&r, 30, 0, 100);
	second(&r, 50, 0);
	assert_int_equal(r.opened, 1);
	assert_true(r.b.log10_p < -6);
}

static void four_failures_are_no_burst(void **state)
{
	struct run r = {0};

	(void)state;
	second(&r, 4, 0);
	seconds(&r, 40, 0, 10);
	assert_int_equal(r.opened, 0);
}

static void less_than_one_percent_is_no_burst(void **state)
{
	struct run r = {0};

	(void)state;
	seconds(&r, 40, 0, 10000);
	seconds(&r, 10, 20, 10000);
	assert_int_equal(r.opened, 0);
}

static void steady_background_becomes_the_base_rate(void **state)
{
	struct run r = {0};

	(void)state;
	/* Rises slowly enough to be learnt: 1 in 20 s, then more. */
	for (int i = 0; i < 4000; i++)
		second(&r, i % 20 == 0, 10);
	assert_int_equal(r.opened, 0);
	assert_true(fabs(burst_base_rate(&r.b) - 0.05) < 0.01);
}

static void burst_closes_after_ten_quiet_seconds(void **state)
{
	struct run r = {0};

	(void)state;
	seconds(&r, 5, 50, 0);
	seconds(&r, 9, 0, 100);
	assert_int_equal(r.closed, 0);
	seconds(&r, 3, 0, 100);
	assert_int_equal(r.closed, 1);
	seconds(&r, 60, 0, 100);
	assert_int_equal(r.opened, 1);
	assert_true(burst_base_rate(&r.b) < 0.021); /* a burst is not base */
}

static void counts_begin_with_the_first_failure_and_are_exact(void **state)
{
	struct run r = {0};
	uint64_t first_ns;

	(void)state;
	seconds(&r, 20, 0, 100);
	second(&r, 1, 100); /* a first sign, three seconds before the rest */
	first_ns = r.now_ns - 100;
	seconds(&r, 2, 0, 100);
	seconds(&r, 7, 1000, 0);
	seconds(&r, 15, 0, 100);
	assert_int_equal(r.opened, 1);
	assert_int_equal(r.closed, 1);
	assert_int_equal(r.b.sum.fail[FLOW_FAIL_REFUSED], 7001);
	assert_int_equal(r.b.sum.first_ns, first_ns);
	assert_int_equal(r.b.sum.first_refused_ns, first_ns);
}

static void failures_long_before_do_not_belong_to_it(void **state)
{
	struct run r = {0};

	(void)state;
	second(&r, 3, 100);
	seconds(&r, 12, 0, 100);
	seconds(&r, 2, 100, 0);
	assert_int_equal(r.b.sum.fail[FLOW_FAIL_REFUSED], 200);
}

static void both_legs_of_one_failure_count_once(void **state)
{
	struct burst b = {0};
	struct impact t = {.fail[FLOW_FAIL_REFUSED] = 4, .client_status[FLOW_STATUS_502] = 4};

	(void)state;
	burst_add(&b, NSEC_PER_SEC, &t);
	assert_int_equal(burst_decide(&b, NSEC_PER_SEC), BURST_SAME);
}

static void time_that_jumps_does_no_harm(void **state)
{
	struct run r = {0};
	struct impact t = {.fail[FLOW_FAIL_REFUSED] = UINT32_MAX};

	(void)state;
	seconds(&r, 3, 50, 0);
	burst_add(&r.b, UINT64_MAX, &t);
	burst_add(&r.b, UINT64_MAX, &t);
	burst_add(&r.b, 0, &t);
	burst_decide(&r.b, 0);
	burst_decide(&r.b, UINT64_MAX);
}

static void failures_before_and_after_a_time_are_told_apart(void **state)
{
	struct run r = {.now_ns = 1000 * NSEC_PER_SEC};
	uint64_t before, after, at;

	(void)state;
	seconds(&r, 10, 2, 50);
	at = r.now_ns + NSEC_PER_SEC;
	seconds(&r, 3, 40, 50);
	burst_around(&r.b, r.now_ns, at, &before, &after);
	assert_int_equal(after, 120);
	assert_int_equal(before, 6);
	burst_around(&r.b, r.now_ns, r.now_ns + 10 * NSEC_PER_SEC, &before, &after);
	assert_int_equal(after, 0);
	seconds(&r, 100, 1, 50);
	burst_around(&r.b, r.now_ns, at, &before, &after);
	assert_int_equal(after, BURST_SECONDS);
	assert_int_equal(before, 0);
}

static void answers_of_the_upstreams_own_are_failures_beside_those_of_legs(void **state)
{
	struct burst b = {0};
	struct impact t = {.fail[FLOW_FAIL_REFUSED] = 3,
			   .client_status[FLOW_STATUS_502] = 3,
			   .app_answered = 2,
			   .passed_on[1] = 2,
			   .upstream_requests = 2};

	(void)state;
	burst_add(&b, NSEC_PER_SEC, &t);
	assert_int_equal(burst_decide(&b, NSEC_PER_SEC), BURST_OPENED);
	assert_int_equal(impact_clients_hurt(&b.sum), 5);
}

/* A client that was closed on, or got another error, is one whose leg failed. */
static void clients_told_otherwise_count_with_their_legs(void **state)
{
	struct burst b = {0};
	struct impact t = {.fail[FLOW_FAIL_RST_BEFORE] = 4,
			   .client_errors = 2,
			   .client_closed = 2,
			   .upstream_requests = 4};

	(void)state;
	burst_add(&b, NSEC_PER_SEC, &t);
	assert_int_equal(burst_decide(&b, NSEC_PER_SEC), BURST_SAME);
	assert_int_equal(impact_masked(&t), 0);
}

static void every_kind_of_failure_opens_a_burst(void **state)
{
	static const struct impact kinds[] = {
		{.fail[FLOW_FAIL_REFUSED] = 5},
		{.fail[FLOW_FAIL_CONNECT_TIMEOUT] = 5},
		{.fail[FLOW_FAIL_RST_BEFORE] = 5},
		{.fail[FLOW_FAIL_FIN_BEFORE] = 5},
		{.fail[FLOW_FAIL_RST_MID] = 5, .truncated = 5},
		{.fail[FLOW_FAIL_FIN_MID] = 5, .truncated = 5},
		{.fail[FLOW_FAIL_UNREACHABLE] = 5},
		{.fail[FLOW_FAIL_NO_PORT] = 5},
		{.client_status[FLOW_STATUS_503] = 5},
		{.client_errors = 5},
		{.client_closed = 5},
		{.app_answered = 5},
		{.abandoned = 5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct burst b = {0};

		burst_add(&b, NSEC_PER_SEC, &kinds[i]);
		assert_int_equal(burst_decide(&b, NSEC_PER_SEC), BURST_OPENED);
	}
}

static void what_is_no_failure_opens_none(void **state)
{
	struct burst b = {0};
	struct impact t = {.fail[FLOW_FAIL_ABANDONED] = 50,
			   .fail[FLOW_FAIL_STATUS] = 50,
			   .fail[FLOW_FAIL_RST_SENT] = 50,
			   .fail[FLOW_FAIL_ACCEPT_FULL] = 50,
			   .accept_full = 50,
			   .client_status[FLOW_STATUS_5XX] = 50,
			   .client_status[FLOW_STATUS_4XX] = 50};

	(void)state;
	burst_add(&b, NSEC_PER_SEC, &t);
	assert_int_equal(burst_decide(&b, NSEC_PER_SEC), BURST_SAME);
}

static void gateways_own_failures_are_measured_by_all_its_requests(void **state)
{
	struct burst b = {.local = true};
	struct impact t = {.client_errors = 5, .client_requests = 10000};

	(void)state;
	burst_add(&b, NSEC_PER_SEC, &t);
	assert_int_equal(burst_decide(&b, NSEC_PER_SEC), BURST_SAME);
	t.client_errors = 500;
	burst_add(&b, NSEC_PER_SEC, &t);
	assert_int_equal(burst_decide(&b, NSEC_PER_SEC), BURST_OPENED);
}

/* In whatever order intervals are added. */
static void recovery_is_the_first_good_answer_after_the_last_failure(void **state)
{
	const struct impact parts[] = {
		{.last_ns = 100, .ok_first_ns = 50},
		{.ok_first_ns = 200},
		{.last_ns = 300},
		{.ok_first_ns = 400},
		{.ok_first_ns = 500},
	};
	struct impact forth = {0}, back = {0};

	(void)state;
	for (int i = 0; i < 5; i++) {
		impact_add(&forth, &parts[i]);
		impact_add(&back, &parts[4 - i]);
	}
	assert_int_equal(forth.recovered_ns, 400);
	assert_int_equal(back.recovered_ns, 400);
}

static void sums_of_foreign_numbers_end_at_the_greatest(void **state)
{
	struct impact a, b;

	(void)state;
	memset(&a, 0xff, sizeof(a));
	memset(&b, 0xff, sizeof(b));
	impact_add(&a, &b);
	assert_int_equal(a.upstream_requests, UINT64_MAX);
	assert_true(impact_failure_ratio(&a) <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tail_agrees_with_the_exact_sum),
		cmocka_unit_test(outage_opens_in_its_first_second),
		cmocka_unit_test(four_failures_are_no_burst),
		cmocka_unit_test(less_than_one_percent_is_no_burst),
		cmocka_unit_test(steady_background_becomes_the_base_rate),
		cmocka_unit_test(burst_closes_after_ten_quiet_seconds),
		cmocka_unit_test(counts_begin_with_the_first_failure_and_are_exact),
		cmocka_unit_test(failures_long_before_do_not_belong_to_it),
		cmocka_unit_test(both_legs_of_one_failure_count_once),
		cmocka_unit_test(time_that_jumps_does_no_harm),
		cmocka_unit_test(failures_before_and_after_a_time_are_told_apart),
		cmocka_unit_test(answers_of_the_upstreams_own_are_failures_beside_those_of_legs),
		cmocka_unit_test(clients_told_otherwise_count_with_their_legs),
		cmocka_unit_test(every_kind_of_failure_opens_a_burst),
		cmocka_unit_test(what_is_no_failure_opens_none),
		cmocka_unit_test(gateways_own_failures_are_measured_by_all_its_requests),
		cmocka_unit_test(recovery_is_the_first_good_answer_after_the_last_failure),
		cmocka_unit_test(sums_of_foreign_numbers_end_at_the_greatest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
