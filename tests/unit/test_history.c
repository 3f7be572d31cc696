/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_history.c - what a host did over time is told to whom and when it happened, and stays bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "view/history.h"

#define S(n) ((uint64_t)(n)*NSEC_PER_SEC)

static void feed(struct history *h, uint64_t ts_ns, struct record r)
{
	r.ts_ns = ts_ns;
	history_record(h, &r);
}

static void header(struct history *h)
{
	feed(h, 1, (struct record){.kind = RECORD_HEADER, .header.tick_ns = NSEC_PER_SEC});
}

static void tick(struct history *h, uint64_t ts_ns)
{
	feed(h, ts_ns, (struct record){.kind = RECORD_TICK});
}

static struct record process(uint32_t tgid, uint64_t start_ns, uint32_t parent, const char *comm)
{
	struct record r = {.kind = RECORD_PROC,
			   .proc = {.proc = {start_ns, tgid}, .parent = {1, parent}, .origin = 1}};

	strcpy(r.proc.comm, comm);
	return r;
}

static struct record task(uint32_t tgid, uint64_t start_ns, uint64_t anon, uint64_t usage)
{
	return (struct record){.kind = RECORD_TASK,
			       .task = {.proc = {start_ns, tgid},
					.memcg = {7, 0},
					.anon_bytes = anon,
					.memcg_usage_bytes = usage,
					.memcg_limit_bytes = 100 * MIB}};
}

static struct record flow(uint32_t tgid, uint64_t start_ns, enum flow_role role, uint64_t requests)
{
	return (struct record){.kind = RECORD_FLOW,
			       .flow = {.proc = {start_ns, tgid},
					.endpoint = {.port = 80, .netns = 3},
					.role = (uint8_t)role,
					.requests = requests,
					.status[FLOW_STATUS_2XX] = requests,
					.latency[11] = (uint32_t)requests}};
}

static double total(const struct history *h, const struct flow_query *query, uint32_t count)
{
	uint64_t edges[] = {0, S(1000)};
	struct series_window window = {edges, 1};
	struct series_points points;
	double sum = 0;

	assert_int_equal(history_read_flows(h, query, &window, &points), 0);
	for (uint32_t i = 0; i < points.nr; i++)
		sum += points.counts[i * points.nr_counts + count];
	series_points_free(&points);
	return sum;
}

static void workers_of_one_program_are_one_flow(void **state)
{
	struct history *h = history_new();
	struct endpoint web = {.port = 80, .netns = 3}, elsewhere = {.port = 80, .netns = 4};
	struct proc_id master = {.start_ns = S(1), .tgid = 10}, other = {.start_ns = S(1), .tgid = 20};
	struct flow_query query = {FLOW_SERVER, &master, &web};

	(void)state;
	header(h);
	feed(h, S(1), process(10, S(1), 1, "nginx"));
	feed(h, S(1), process(11, S(1) + 1, 10, "nginx"));
	feed(h, S(1), process(12, S(1) + 2, 10, "nginx"));
	feed(h, S(1), process(20, S(1), 1, "node"));
	tick(h, S(2));
	feed(h, S(3), flow(11, S(1) + 1, FLOW_SERVER, 5));
	feed(h, S(3), flow(12, S(1) + 2, FLOW_SERVER, 7));
	feed(h, S(3), flow(20, S(1), FLOW_SERVER, 1000));
	tick(h, S(3));
	assert_true(total(h, &query, FLOW_REQUESTS) == 12);
	query.program = &other;
	assert_true(total(h, &query, FLOW_REQUESTS) == 1000);
	query.program = NULL;
	assert_true(total(h, &query, FLOW_REQUESTS) == 1012);
	query.endpoint = &elsewhere;
	assert_true(total(h, &query, FLOW_REQUESTS) == 0);
	query = (struct flow_query){FLOW_CLIENT, NULL, NULL};
	assert_true(total(h, &query, FLOW_REQUESTS) == 0);
	history_free(h);
}

/* What a tick tells happened before it, however the tick is late or early. */
static void counts_lie_between_the_ticks_they_are_told_at(void **state)
{
	struct history *h = history_new();
	struct flow_query query = {FLOW_SERVER, NULL, NULL};
	uint64_t edges[31];
	struct series_window window = {edges, 30};
	struct series_points points;

	(void)state;
	for (uint32_t i = 0; i <= 30; i++)
		edges[i] = S(i);
	header(h);
	tick(h, S(1));
	for (uint32_t i = 2; i < 20; i++) {
		uint64_t jitter = i % 2 ? 30 * NSEC_PER_MSEC : 0;

		feed(h, S(i) + jitter, flow(11, S(1), FLOW_SERVER, 10));
		tick(h, S(i) + jitter);
	}
	assert_int_equal(history_read_flows(h, &query, &window, &points), 0);
	assert_int_equal(points.nr, 18);
	for (uint32_t i = 0; i < points.nr; i++)
		assert_true(points.counts[i * points.nr_counts + FLOW_REQUESTS] == 10);
	series_points_free(&points);
	history_free(h);
}

static void a_number_used_again_is_another_process(void **state)
{
	struct history *h = history_new();

	(void)state;
	header(h);
	feed(h, S(1), process(42, S(1), 1, "node"));
	feed(h, S(2), task(42, S(1), 50 * MIB, 60 * MIB));
	feed(h, S(3),
	     (struct record){.kind = RECORD_EXIT, .exit = {.proc = {S(1), 42}, .status = 9}});
	feed(h, S(5), process(42, S(5), 1, "bash"));
	feed(h, S(6), task(42, S(5), 1 * MIB, 60 * MIB));
	assert_string_equal(history_find(h, 42, S(2))->comm, "node");
	assert_int_equal(history_find(h, 42, S(4))->exit_ns, S(3));
	assert_string_equal(history_find(h, 42, S(9))->comm, "bash");
	assert_null(history_find(h, 43, S(9)));
	assert_non_null(history_find(h, 42, S(2))->memory);
	assert_int_equal(history_find(h, 42, S(2))->anon_bytes, 50 * MIB);
	assert_null(history_find(h, 42, S(9))->memory); /* too small to be worth it */
	history_free(h);
}

static void a_host_of_very_many_processes_stays_bounded(void **state)
{
	struct history *h = history_new();
	size_t bytes;

	(void)state;
	header(h);
	for (uint32_t i = 1; i <= 40000; i++) {
		feed(h, S(i), process(i, S(i), 1, "worker"));
		feed(h, S(i), task(i, S(i), 64 * MIB, 64 * MIB));
		feed(h, S(i) + 5,
		     (struct record){.kind = RECORD_EXIT, .exit = {.proc = {S(i), i}}});
	}
	bytes = history_bytes(h);
	assert_true(bytes < 64 * MIB);
	assert_non_null(history_find(h, 40000, S(40000))->memory); /* the newest are there */
	history_free(h);
}

static void latency_is_read_from_its_buckets(void **state)
{
	double counts[NR_FLOW_COUNTS] = {0};

	(void)state;
	assert_true(flow_latency_ms(counts, 0.5) < 0);
	counts[FLOW_LATENCIES + 10] = 90; /* 0.5 to 1 ms */
	counts[FLOW_LATENCIES + 20] = 10; /* 0.5 to 1 s */
	assert_true(flow_latency_ms(counts, 0.5) > 0.5 && flow_latency_ms(counts, 0.5) < 1.1);
	assert_true(flow_latency_ms(counts, 0.95) > 500 && flow_latency_ms(counts, 0.95) < 1100);
}

/* Kinds out of range, no process, no cgroup: a recording may say anything. */
static void any_record_is_safe(void **state)
{
	struct history *h = history_new();

	(void)state;
	for (int kind = 0; kind < NR_RECORD_KINDS + 3; kind++)
		feed(h, S(1), (struct record){.kind = (enum record_kind)kind});
	feed(h, UINT64_MAX, task(1, UINT64_MAX, UINT64_MAX, UINT64_MAX));
	feed(h, UINT64_MAX, flow(1, UINT64_MAX, 200, UINT64_MAX));
	feed(h, 0, flow(1, UINT64_MAX, FLOW_CLIENT, UINT64_MAX));
	history_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_of_one_program_are_one_flow),
		cmocka_unit_test(counts_lie_between_the_ticks_they_are_told_at),
		cmocka_unit_test(a_number_used_again_is_another_process),
		cmocka_unit_test(a_host_of_very_many_processes_stays_bounded),
		cmocka_unit_test(latency_is_read_from_its_buckets),
		cmocka_unit_test(any_record_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
