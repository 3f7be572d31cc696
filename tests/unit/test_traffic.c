/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_traffic.c - what is told about a serving process whose truth is known: a small model makes
 * memory, CPU and flows from it, second by second, as the sources would tell them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/traffic.h"

#define START_NS (5000 * NSEC_PER_SEC)

/* A process: what it is asked and what that leaves behind. Rates are per second. */
struct model {
	struct traffic t;
	uint64_t now_ns;
	uint64_t seed;
	double rate;		/* requests */
	double jitter;		/* of the rate, as part of it */
	double kib_per_request; /* kept */
	double kib_per_s;	/* kept, whatever is asked */
	double kib_per_flight;	/* while in flight */
	double garbage_kib;	/* per second, collected every garbage_s seconds */
	int garbage_s;
	double cpu_us_per_request;
	uint64_t body_bytes;
	uint64_t in_flight;
	bool mute; /* requests are not answered */
	/* state */
	double kept_kib;
	uint64_t cpu_ns;
	uint64_t major_faults;
	uint64_t seconds;
	uint64_t largest;
	uint64_t told_in_flight;
};

static const struct endpoint SERVICE = {.port = 3000, .netns = 1};
static const struct endpoint DATABASE = {.port = 5432, .netns = 1};

static void start(struct model *m)
{
	memset(m, 0, sizeof(*m));
	m->seed = 7;
	m->now_ns = START_NS + 234 * NSEC_PER_MSEC;
	m->t.proc = (struct proc_id){.start_ns = START_NS, .tgid = 300};
	m->kept_kib = 40 * 1024;
	m->cpu_us_per_request = 300;
	m->cpu_ns = 50 * NSEC_PER_MSEC;
}

static double uniform(struct model *m)
{
	m->seed = m->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (double)(m->seed >> 11) / (double)(1ULL << 52) - 1;
}

static double anon_kib(const struct model *m)
{
	double garbage =
		m->garbage_s ? m->garbage_kib * (double)(m->seconds % (uint64_t)m->garbage_s) : 0;

	return m->kept_kib + garbage + m->kib_per_flight * (double)m->in_flight;
}

static void sample(struct model *m)
{
	traffic_usage(&m->t, m->now_ns, (uint64_t)anon_kib(m) * KIB, m->cpu_ns, m->major_faults);
}

static struct record_flow server_flow(struct model *m, uint64_t requests)
{
	m->largest = requests ? max_u64(m->largest, m->body_bytes) : m->largest;
	return (struct record_flow){
		.endpoint = SERVICE,
		.role = FLOW_SERVER,
		.requests = requests,
		.responses = m->mute ? 0 : requests,
		.in_flight = m->in_flight,
		.request_bytes = requests * (m->body_bytes + 200),
		.max_request_bytes = m->largest,
	};
}

/* One tick: what happened since the last one, memory first, flows a little later. */
static void second(struct model *m)
{
	uint64_t requests = (uint64_t)(m->rate * (1 + m->jitter * uniform(m)) + 0.5);
	struct record_flow flow = server_flow(m, requests);

	m->seconds++;
	m->now_ns += NSEC_PER_SEC;
	m->kept_kib += m->kib_per_request * (double)requests + m->kib_per_s;
	m->cpu_ns += (uint64_t)(m->cpu_us_per_request * (double)requests * 1000);
	sample(m);
	if (!requests && m->in_flight == m->told_in_flight)
		return; /* nothing moved */
	m->told_in_flight = m->in_flight;
	traffic_flow(&m->t, m->now_ns + 150 * NSEC_PER_MSEC, &flow);
}

static void seconds(struct model *m, int n)
{
	for (int i = 0; i < n; i++)
		second(m);
}

static struct traffic_story conclude(const struct model *m)
{
	struct traffic_story story;

	traffic_conclude(&m->t, m->now_ns + 200 * NSEC_PER_MSEC, &story);
	return story;
}

static void assert_share(struct measure share, double low, double high)
{
	assert_true(share.has);
	if (share.value < low || share.value > high)
		fail_msg("%.3f is not in %.2f..%.2f", share.value, low, high);
}

static void assert_about(double value, double expected, double part)
{
	if (fabs(value - expected) > part * fabs(expected))
		fail_msg("%g is not about %g", value, expected);
}

/* Explanation ---------------------------------------------------------------------------------- */

static void leak_per_request_at_a_varying_rate_is_of_requests(void **state)
{
	struct traffic_story story;
	struct model m;

	(void)state;
	start(&m);
	m.rate = 200;
	m.jitter = 0.5;
	m.kib_per_request = 40;
	seconds(&m, 60);
	story = conclude(&m);
	assert_true(story.known);
	assert_share(story.explained.requests, 0.9, 1);
	assert_share(story.explained.background, 0, 0.1);
	assert_share(story.explained.in_flight, 0, 0.05);
	assert_share(story.explained.received, 0, 0.05);
	assert_about(story.bytes_per_request.value, 40 * KIB, 0.05);
	assert_int_equal(story.payload_ns, 0);
	assert_true(story.payload_growth_share == 0);
	assert_int_equal(story.thrash_ns, 0);
	assert_int_equal(story.silent_ns, 0);
	assert_false(story.pool.saturated);
}

static void leak_per_request_at_a_constant_rate_is_of_requests(void **state)
{
	struct traffic_story story;
	struct model m;

	(void)state;
	start(&m);
	m.rate = 200;
	m.kib_per_request = 40;
	seconds(&m, 60);
	story = conclude(&m);
	assert_share(story.explained.requests, 0.9, 1);
	assert_about(story.bytes_per_request.value, 40 * KIB, 0.1);
}

static void garbage_does_not_hide_a_leak_per_request(void **state)
{
	struct traffic_story story;
	struct model m;

	(void)state;
	start(&m);
	m.rate = 200;
	m.jitter = 0.3;
	m.kib_per_request = 20;
	m.garbage_kib = 6 * 1024;
	m.garbage_s = 7;
	seconds(&m, 120);
	story = conclude(&m);
	assert_share(story.explained.requests, 0.75, 1);
	assert_about(story.bytes_per_request.value, 20 * KIB, 0.4);
}

static void timer_leak_without_requests_is_background(void **state)
{
	struct traffic_story story;
	struct model m;

	(void)state;
	start(&m);
	m.kib_per_s = 2048;
	m.rate = 3;
	seconds(&m, 1);
	m.rate = 0;
	seconds(&m, 60);
	story = conclude(&m);
	assert_share(story.explained.background, 0.9, 1);
	assert_share(story.explained.requests, 0, 0.1);
}

/* The load came later than the leak; the seconds before it decide. */
static void timer_leak_under_constant_load_is_known_from_its_idle_seconds(void **state)
{
	struct traffic_story story;
	struct model m;

	(void)state;
	start(&m);
	m.kib_per_s = 2048;
	seconds(&m, 10);
	m.rate = 20;
	seconds(&m, 60);
	story = conclude(&m);
	assert_share(story.explained.background, 0.8, 1);
}

static void timer_leak_under_varying_load_is_background(void **state)
{
	struct traffic_story story;
	struct model m;

	(void)state;
	start(&m);
	m.kib_per_s = 2048;
	m.rate = 50;
	m.jitter = 0.6;
	seconds(&m, 90);
	story = conclude(&m);
	assert_share(story.explained.background, 0.8, 1);
}

static void both_leaks_are_told_apart(void **state)
{
	struct traffic_story story;
	struct model m;

	(void)state;
	start(&m);
	m.kib_per_s = 2000;
	m.kib_per_request = 20;
	m.rate = 100;
	m.jitter = 0.7;
	seconds(&m, 120);
	story = conclude(&m);
	assert_share(story.explained.background, 0.4, 0.6);
	assert_share(story.explained.requests, 0.4, 0.6);
}

static void a_slow_leak_is_explained_by_minutes(void **state)
{
	struct traffic_story story;
	struct model m;

	(void)state;
	start(&m);
	m.rate = 20;
	m.jitter = 0.5;
	m.kib_per_request = 1;
	m.garbage_kib = 1024;
	m.garbage_s = 10;
	seconds(&m, 3600);
	story = conclude(&m);
	assert_share(story.explained.requests, 0.8, 1);
	assert_about(story.bytes_per_request.value, KIB, 0.25);
}

static void too_little_growth_is_not_explained(void **state)
{
	struct traffic_story story;
	struct model m;

	(void)state;
	start(&m);
	m.rate = 100;
	m.kib_per_request = 0.2;
	seconds(&m, 60);
	story = conclude(&m);
	assert_true(story.known);
	assert_false(story.explained.requests.has);
	assert_false(story.bytes_per_request.has);
}

static void warm_up_that_ends_is_no_growth_any_more(void **state)
{
	struct traffic_story story;
	struct model m;

	(void)state;
	start(&m);
	m.rate = 100;
	for (int i = 0; i < 600; i++) {
		m.kib_per_request = 100 * exp(-i / 15.0);
		second(&m);
	}
	story = conclude(&m);
	assert_int_equal(story.thrash_ns, 0);
	if (story.explained.requests.has) /* of the minutes: it was for requests */
		assert_share(story.explained.background, 0, 0.3);
}

static void a_surge_that_is_over_leaves_nothing_to_explain(void **state)
{
	struct traffic_story story;
	struct model m;

	(void)state;
	start(&m);
	m.kib_per_flight = 100;
	m.rate = 50;
	m.in_flight = 5;
	seconds(&m, 30);
	m.rate = 400;
	m.in_flight = 300;
	seconds(&m, 10);
	story = conclude(&m);
	assert_share(story.explained.in_flight, 0.7, 1);
	assert_int_equal(story.in_flight, 300);
	assert_about(story.in_flight_usual, 5, 0.01);
	assert_int_equal(story.rate_now, 400);
	assert_about(story.rate_usual, 50, 0.08);
	m.rate = 50;
	m.in_flight = 5;
	seconds(&m, 30);
	story = conclude(&m);
	assert_false(story.explained.in_flight.has);
	assert_int_equal(story.in_flight_peak, 300);
}

/* Payload -------------------------------------------------------------------------------------- */

/* A body of so many bytes that makes the process grow `times` as much while it is handled. */
static void upload(struct model *m, uint64_t bytes, double times, int64_t told_later_ns)
{
	struct record_flow flow = server_flow(m, 1);
	uint64_t before_kib = (uint64_t)m->kept_kib;

	for (int i = 1; i <= 8; i++) {
		m->now_ns += 40 * NSEC_PER_MSEC;
		m->kept_kib = (double)before_kib + times * (double)(bytes / KIB) * i / 8;
		traffic_usage(&m->t, m->now_ns, (uint64_t)m->kept_kib * KIB, 0, 0);
	}
	m->largest = max_u64(m->largest, bytes);
	flow.request_bytes = bytes;
	flow.max_request_bytes = m->largest;
	traffic_flow(&m->t, m->now_ns + (uint64_t)told_later_ns, &flow);
}

static void a_large_request_explains_the_jump_after_it(void **state)
{
	struct traffic_story story;
	struct model m;

	(void)state;
	start(&m);
	m.rate = 50;
	seconds(&m, 20);
	upload(&m, 60 * MIB, 2.5, 0);
	seconds(&m, 1);
	story = conclude(&m);
	assert_true(story.payload_growth_share > 0.9);
	assert_int_equal(story.largest_request_bytes, 60 * MIB);
	assert_share(story.explained.received, 0.8, 1);
	assert_share(story.explained.amplification, 2.2, 2.8);
	assert_true(story.explained.largest_request_bytes.has);
	assert_true(story.payload_ns >= m.now_ns - 4 * NSEC_PER_SEC);
	assert_true(story.payload_ns <= m.now_ns);
	/* A minute later it is no longer what happens, but still what it grew by. */
	seconds(&m, 60);
	story = conclude(&m);
	assert_int_equal(story.payload_ns, 0);
	assert_true(story.payload_growth_share > 0.9);
}

static void a_request_that_kills_is_told_after_the_death(void **state)
{
	struct record_flow last = {.endpoint = SERVICE,
				   .role = FLOW_SERVER,
				   .requests = 3,
				   .request_bytes = 90 * MIB,
				   .max_request_bytes = 32 * MIB};
	struct traffic_story story;
	uint64_t died_ns;
	struct model m;

	(void)state;
	start(&m);
	m.rate = 50;
	seconds(&m, 20);
	for (int i = 0; i < 10; i++) {
		m.now_ns += 30 * NSEC_PER_MSEC;
		m.kept_kib += 20 * 1024;
		traffic_usage(&m.t, m.now_ns, (uint64_t)m.kept_kib * KIB, 0, 0);
	}
	died_ns = m.now_ns;
	traffic_end(&m.t, died_ns);
	traffic_conclude(&m.t, died_ns, &story);
	assert_true(story.payload_growth_share == 0);
	traffic_flow(&m.t, died_ns + 120 * NSEC_PER_MSEC, &last);
	traffic_conclude(&m.t, died_ns + 500 * NSEC_PER_MSEC, &story);
	assert_true(story.payload_growth_share > 0.95);
	assert_true(story.payload_ns != 0 && story.payload_ns <= died_ns);
	assert_int_equal(story.largest_request_bytes, 32 * MIB);
	assert_share(story.explained.amplification, 1.8, 2.6);
}

static void a_body_that_is_still_arriving_counts_before_its_answer(void **state)
{
	struct traffic_story story;
	struct record_flow flow;
	struct model m;

	(void)state;
	start(&m);
	m.rate = 5;
	seconds(&m, 20);
	for (int i = 0; i < 6; i++) {
		m.now_ns += NSEC_PER_SEC;
		m.kept_kib += 30 * 1024;
		sample(&m);
		flow = server_flow(&m, i == 0);
		flow.responses = 0;
		flow.in_flight = 1;
		flow.request_bytes = 10 * MIB;
		traffic_flow(&m.t, m.now_ns, &flow);
	}
	story = conclude(&m);
	assert_true(story.payload_growth_share > 0.95);
	assert_true(story.largest_request_bytes >= 10 * MIB);
	assert_share(story.explained.amplification, 2.5, 3.5);
}

static void many_small_bodies_are_no_large_request(void **state)
{
	struct traffic_story story;
	struct model m;

	(void)state;
	start(&m);
	m.rate = 300;
	m.jitter = 0.3;
	m.body_bytes = 30 * KIB;
	m.kib_per_request = 10;
	seconds(&m, 60);
	story = conclude(&m);
	assert_int_equal(story.payload_ns, 0);
	assert_true(story.payload_growth_share == 0);
	assert_share(story.explained.requests, 0.85, 1);
	assert_int_equal(story.largest_request_bytes, 30 * KIB);
}

static void a_leak_stays_the_leak_beside_one_large_request(void **state)
{
	struct traffic_story story;
	struct model m;

	(void)state;
	start(&m);
	m.rate = 100;
	m.jitter = 0.3;
	m.kib_per_request = 40;
	seconds(&m, 60);
	upload(&m, 20 * MIB, 2, 0);
	story = conclude(&m);
	assert_true(story.payload_growth_share < 0.3);
	assert_true(story.payload_growth_share > 0.1);
	assert_share(story.explained.requests, 0.6, 0.95);
}

/* Garbage collection and stalls ---------------------------------------------------------------- */

static void cpu_per_request_far_above_its_past_near_the_top_is_thrash(void **state)
{
	struct traffic_story story;
	uint64_t onset_ns;
	struct model m;

	(void)state;
	start(&m);
	m.rate = 250;
	m.jitter = 0.05;
	m.kib_per_request = 20;
	seconds(&m, 60);
	assert_int_equal(conclude(&m).thrash_ns, 0);
	assert_about(conclude(&m).cpu_per_request_ratio, 1, 0.15);
	onset_ns = m.now_ns;
	m.cpu_us_per_request = 3000;
	m.kib_per_request = 4;
	seconds(&m, 6);
	story = conclude(&m);
	assert_about(story.cpu_per_request_ratio, 10, 0.15);
	assert_about(story.request_rate_ratio, 1, 0.15);
	assert_true(story.thrash_ns > onset_ns);
	assert_true(story.thrash_ns < onset_ns + 5 * NSEC_PER_SEC);
	assert_about(story.cpu_share, 0.75, 0.1);
}

static void thrash_that_eats_the_answers_is_thrash_too(void **state)
{
	struct model m;

	(void)state;
	start(&m);
	m.rate = 250;
	m.kib_per_request = 20;
	m.in_flight = 8;
	seconds(&m, 60);
	m.cpu_us_per_request = 12000;
	m.rate = 80;
	seconds(&m, 6);
	assert_true(conclude(&m).thrash_ns != 0);
}

static void less_load_is_no_thrash_although_each_request_costs_more(void **state)
{
	struct model m;

	(void)state;
	start(&m);
	m.rate = 250;
	m.kib_per_request = 20;
	seconds(&m, 60);
	m.cpu_us_per_request = 6000;
	m.rate = 2;
	seconds(&m, 10);
	assert_int_equal(conclude(&m).thrash_ns, 0);
}

static void heavier_requests_of_a_process_that_did_not_grow_are_no_thrash(void **state)
{
	struct model m;

	(void)state;
	start(&m);
	m.rate = 100;
	seconds(&m, 60);
	m.cpu_us_per_request = 5000;
	seconds(&m, 10);
	assert_true(conclude(&m).cpu_per_request_ratio > 10);
	assert_int_equal(conclude(&m).thrash_ns, 0);
}

static void requests_that_nobody_answers_are_a_silence(void **state)
{
	struct traffic_story story;
	uint64_t onset_ns;
	struct model m;

	(void)state;
	start(&m);
	m.rate = 100;
	m.kib_per_request = 20;
	seconds(&m, 30);
	assert_int_equal(conclude(&m).silent_ns, 0);
	onset_ns = m.now_ns;
	m.mute = true;
	m.kib_per_request = 0;
	for (int i = 0; i < 12; i++) {
		m.rate = i < 3 ? 5 : 0;
		m.in_flight = min_u64(m.in_flight + 5, 15);
		m.major_faults += 120;
		m.cpu_ns += 300 * NSEC_PER_MSEC;
		second(&m);
	}
	story = conclude(&m);
	assert_true(story.silent_ns >= onset_ns);
	assert_true(story.silent_ns < onset_ns + 2 * NSEC_PER_SEC);
	assert_share(story.explained.stalled_s, 10, 13);
	assert_int_equal(story.major_faults_per_s, 120);
	assert_about(story.cpu_share, 0.3, 0.02);
	assert_int_equal(story.in_flight, 15);
	/* One answer ends it. */
	m.mute = false;
	m.rate = 15;
	m.in_flight = 0;
	second(&m);
	assert_int_equal(conclude(&m).silent_ns, 0);
}

static void an_answer_now_and_then_does_not_end_a_silence(void **state)
{
	uint64_t onset_ns;
	struct model m;

	(void)state;
	start(&m);
	m.rate = 100;
	m.kib_per_request = 20;
	seconds(&m, 30);
	onset_ns = m.now_ns;
	m.kib_per_request = 0;
	m.in_flight = 4;
	for (int i = 0; i < 40; i++) { /* longer than it served before */
		m.rate = i % 4 ? 0 : 2;
		second(&m);
	}
	assert_true(conclude(&m).silent_ns >= onset_ns - NSEC_PER_SEC);
	assert_true(conclude(&m).silent_ns < onset_ns + 2 * NSEC_PER_SEC);
	m.rate = 100;
	seconds(&m, 5);
	assert_int_equal(conclude(&m).silent_ns, 0);
}

static void slow_services_are_not_silent(void **state)
{
	struct model m;

	(void)state;
	start(&m);
	m.in_flight = 2;
	for (int i = 0; i < 60; i++) {
		m.rate = i % 2;
		second(&m);
	}
	assert_int_equal(conclude(&m).silent_ns, 0);
}

/* Requests the process never read are told when their clients give up. */
static void requests_that_are_only_given_up_are_a_silence_too(void **state)
{
	struct model m;

	(void)state;
	start(&m);
	m.rate = 100;
	seconds(&m, 30);
	m.mute = true;
	m.rate = 10;
	seconds(&m, 8);
	assert_true(conclude(&m).silent_ns != 0);
	m.rate = 0;
	seconds(&m, 10);
	traffic_usage(&m.t, m.now_ns, 50 * MIB, m.cpu_ns, 0);
	assert_int_equal(conclude(&m).silent_ns, 0);
}

static void an_idle_service_is_not_silent(void **state)
{
	struct model m;

	(void)state;
	start(&m);
	m.rate = 10;
	seconds(&m, 10);
	m.rate = 0;
	seconds(&m, 300);
	assert_int_equal(conclude(&m).silent_ns, 0);
}

/* Backends ------------------------------------------------------------------------------------- */

struct pool {
	uint64_t open;
	uint64_t in_flight;
	uint64_t turns;
	double latency_us;
	enum flow_role role;
};

static void backend(struct model *m, const struct pool *pool, uint64_t opened)
{
	struct record_flow flow = {
		.endpoint = DATABASE,
		.role = (uint8_t)pool->role,
		.requests = pool->turns,
		.responses = pool->turns,
		.in_flight = pool->in_flight,
		.opened = opened,
		.latency_sum_ns = (uint64_t)((double)pool->turns * pool->latency_us * 1000),
	};

	if (pool->turns || opened)
		traffic_flow(&m->t, m->now_ns + 160 * NSEC_PER_MSEC, &flow);
}

/* 20 s of health, then a database that is slow: the pool is used up and requests queue. */
static void exhaust(struct model *m, struct pool *pool)
{
	start(m);
	m->rate = 200;
	m->in_flight = 2;
	*pool = (struct pool){.in_flight = 2, .turns = 200, .latency_us = 8000, .role = pool->role};
	for (int i = 0; i < 20; i++) {
		second(m);
		backend(m, pool, i == 0 ? 10 : 0);
	}
	assert_false(conclude(m).pool.saturated);
	pool->in_flight = 10;
	pool->turns = 40;
	pool->latency_us = 250000;
	m->kib_per_flight = 40;
	for (int i = 0; i < 15; i++) {
		m->in_flight += 160;
		second(m);
		backend(m, pool, 0);
	}
}

static void all_connections_in_use_and_a_queue_are_an_exhausted_pool(void **state)
{
	struct pool pool = {.role = FLOW_BACKEND};
	struct traffic_story story;
	struct model m;

	(void)state;
	exhaust(&m, &pool);
	story = conclude(&m);
	assert_true(story.pool.saturated);
	assert_int_equal(story.pool.connections, 10);
	assert_true(endpoint_equal(&story.pool.backend, &DATABASE));
	assert_true(story.pool.latency_ratio > 15);
	assert_true(story.pool.since_ns > m.now_ns - 17 * NSEC_PER_SEC);
	assert_true(story.pool.since_ns < m.now_ns - 12 * NSEC_PER_SEC);
	assert_share(story.explained.in_flight, 0.7, 1);
	/* Its queue no longer grows, and is no less a queue. */
	for (int i = 0; i < 60; i++) {
		second(&m);
		backend(&m, &pool, 0);
	}
	assert_true(conclude(&m).pool.saturated);
}

static void a_backend_that_never_answers_again_is_an_exhausted_pool(void **state)
{
	struct pool pool = {.role = FLOW_CLIENT};
	struct traffic_story story;
	struct model m;

	(void)state;
	exhaust(&m, &pool);
	pool.turns = 0;
	for (int i = 0; i < 30; i++) {
		m.in_flight += 20;
		second(&m);
		backend(&m, &pool, 0);
	}
	story = conclude(&m);
	assert_true(story.pool.saturated);
	assert_true(story.pool.latency_ratio > 1000);
}

static void a_pool_with_connections_left_is_not_exhausted(void **state)
{
	struct pool pool = {
		.role = FLOW_BACKEND, .in_flight = 6, .turns = 100, .latency_us = 60000};
	struct model m;

	(void)state;
	start(&m);
	m.rate = 100;
	for (int i = 0; i < 40; i++) {
		m.in_flight = i < 20 ? 2 : 60;
		second(&m);
		backend(&m, &pool, i == 0 ? 10 : 0);
	}
	assert_false(conclude(&m).pool.saturated);
}

static void a_busy_backend_without_a_queue_is_not_exhausted(void **state)
{
	struct pool pool = {
		.role = FLOW_BACKEND, .in_flight = 10, .turns = 100, .latency_us = 100000};
	struct model m;

	(void)state;
	start(&m);
	m.rate = 100;
	m.in_flight = 12;
	for (int i = 0; i < 40; i++) {
		second(&m);
		backend(&m, &pool, i == 0 ? 10 : 0);
	}
	assert_false(conclude(&m).pool.saturated);
}

static void connections_that_grow_with_the_load_are_no_pool(void **state)
{
	struct pool pool = {
		.role = FLOW_CLIENT, .in_flight = 2, .turns = 100, .latency_us = 100000};
	struct model m;

	(void)state;
	start(&m);
	m.rate = 100;
	for (int i = 0; i < 60; i++) {
		m.in_flight = pool.in_flight = (uint64_t)(2 + i * 5);
		second(&m);
		backend(&m, &pool, i == 0 ? 2 : 5);
	}
	assert_false(conclude(&m).pool.saturated);
}

/* Life ----------------------------------------------------------------------------------------- */

static void baseline_is_memory_before_the_first_answer(void **state)
{
	struct model m;

	(void)state;
	start(&m);
	seconds(&m, 2); /* young: five seconds after its start it would be that */
	m.rate = 100;
	m.kib_per_request = 40;
	seconds(&m, 20);
	assert_int_equal(conclude(&m).baseline_anon_bytes, 40 * MIB);
}

static void who_was_up_before_has_its_baseline_after_five_seconds(void **state)
{
	struct model m;

	(void)state;
	start(&m);
	m.kib_per_s = 1024;
	seconds(&m, 60); /* a timer leak before the first request is growth too */
	m.rate = 10;
	seconds(&m, 1);
	assert_about((double)conclude(&m).baseline_anon_bytes, 45 * MIB, 0.03);
	assert_share(conclude(&m).explained.background, 0.9, 1);
}

static void without_http_nothing_is_known(void **state)
{
	struct model m;

	(void)state;
	start(&m);
	m.kib_per_s = 4096;
	seconds(&m, 60);
	assert_false(conclude(&m).known);
	assert_false(conclude(&m).explained.background.has);
}

static void hours_of_silence_are_nothing_new(void **state)
{
	struct traffic_story story;
	struct model m;

	(void)state;
	start(&m);
	m.rate = 100;
	m.kib_per_request = 40;
	seconds(&m, 30);
	m.now_ns += 7 * 3600 * NSEC_PER_SEC + 33 * NSEC_PER_SEC;
	m.rate = 0;
	story = conclude(&m);
	assert_int_equal(story.rate_now, 0);
	assert_true(story.rate_usual == 0);
	assert_int_equal(story.in_flight_peak, 0);
	m.rate = 100;
	seconds(&m, 30);
	story = conclude(&m);
	assert_share(story.explained.requests, 0.9, 1);
	assert_int_equal(story.rate_now, 100);
	assert_true(story.rate_usual == 0); /* of seven hours */
}

static void concluding_changes_nothing(void **state)
{
	struct traffic_story once, twice;
	struct traffic before;
	struct model m;

	(void)state;
	start(&m);
	m.rate = 100;
	m.kib_per_request = 40;
	seconds(&m, 30);
	before = m.t;
	once = conclude(&m);
	twice = conclude(&m);
	assert_memory_equal(&before, &m.t, sizeof(before));
	assert_memory_equal(&once, &twice, sizeof(once));
}

static uint64_t hostile_number(uint64_t *seed)
{
	static const uint64_t favourites[] = {0, 1, UINT32_MAX, UINT64_MAX, 1ULL << 63, MIB};

	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	if (*seed >> 62 == 0)
		return *seed;
	return favourites[(*seed >> 33) % (sizeof(favourites) / sizeof(favourites[0]))];
}

static void hostile_flow(struct traffic *t, uint64_t ts_ns, uint64_t *seed)
{
	struct record_flow flow = {
		.endpoint = {.port = (uint16_t)(hostile_number(seed) % 11)},
		.role = (uint8_t)(hostile_number(seed) % 5),
		.requests = hostile_number(seed),
		.responses = hostile_number(seed),
		.in_flight = hostile_number(seed),
		.request_bytes = hostile_number(seed),
		.opened = hostile_number(seed),
		.closed = hostile_number(seed),
		.latency_sum_ns = hostile_number(seed),
		.max_request_bytes = hostile_number(seed),
	};

	traffic_flow(t, ts_ns, &flow);
}

static void assert_sane(const struct traffic_story *story)
{
	const struct report_explanation *e = &story->explained;
	const struct measure shares[] = {e->requests, e->received, e->in_flight, e->background};
	double sum = 0;

	for (int i = 0; i < 4; i++) {
		assert_true(isfinite(shares[i].value) && shares[i].value >= 0);
		sum += shares[i].value;
	}
	assert_true(sum <= 1.0001);
	assert_true(story->payload_growth_share >= 0 && story->payload_growth_share <= 1);
	assert_true(isfinite(story->cpu_per_request_ratio));
	assert_true(isfinite(story->cpu_share));
	assert_true(isfinite(e->amplification.value));
	assert_true(isfinite(story->pool.latency_ratio));
}

static void hostile_numbers_are_survived(void **state)
{
	struct traffic_story story;
	uint64_t seed = 11;

	(void)state;
	for (int run = 0; run < 40; run++) {
		uint64_t ts_ns = run % 4 ? (uint64_t)run * NSEC_PER_SEC : 0;
		struct traffic t = {.proc = {hostile_number(&seed), 1}};

		for (int i = 0; i < 400; i++) {
			if (run % 2 || hostile_number(&seed) % 50)
				ts_ns += hostile_number(&seed) % (3 * NSEC_PER_SEC);
			else
				ts_ns = hostile_number(&seed);
			if (i % 3)
				hostile_flow(&t, ts_ns, &seed);
			else
				traffic_usage(&t, ts_ns, hostile_number(&seed),
					      hostile_number(&seed), hostile_number(&seed));
			if (i % 16 == 0) {
				traffic_conclude(&t, hostile_number(&seed), &story);
				assert_sane(&story);
			}
		}
		traffic_end(&t, ts_ns);
		hostile_flow(&t, ts_ns, &seed);
		traffic_conclude(&t, ts_ns, &story);
		assert_sane(&story);
	}
}

static void a_full_table_refuses_and_a_free_entry_is_fresh(void **state)
{
	struct traffics *t = calloc(1, sizeof(*t));
	struct proc_id id = {.start_ns = 1, .tgid = 1};

	(void)state;
	assert_non_null(t);
	for (int i = 1; i <= TRAFFIC_MAX; i++)
		assert_int_equal(traffic_take(t, &id), i);
	assert_true(traffic_full(t));
	assert_int_equal(traffic_take(t, &id), 0);
	t->all[7].served = true;
	traffic_put(t, 7);
	traffic_put(t, 7);
	traffic_put(t, 0);
	assert_int_equal(t->nr_used, TRAFFIC_MAX - 1);
	assert_int_equal(traffic_take(t, &id), 7);
	assert_false(t->all[7].served);
	assert_int_equal(traffic_take(t, &id), 0);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leak_per_request_at_a_varying_rate_is_of_requests),
		cmocka_unit_test(leak_per_request_at_a_constant_rate_is_of_requests),
		cmocka_unit_test(garbage_does_not_hide_a_leak_per_request),
		cmocka_unit_test(timer_leak_without_requests_is_background),
		cmocka_unit_test(timer_leak_under_constant_load_is_known_from_its_idle_seconds),
		cmocka_unit_test(timer_leak_under_varying_load_is_background),
		cmocka_unit_test(both_leaks_are_told_apart),
		cmocka_unit_test(a_slow_leak_is_explained_by_minutes),
		cmocka_unit_test(too_little_growth_is_not_explained),
		cmocka_unit_test(warm_up_that_ends_is_no_growth_any_more),
		cmocka_unit_test(a_surge_that_is_over_leaves_nothing_to_explain),
		cmocka_unit_test(a_large_request_explains_the_jump_after_it),
		cmocka_unit_test(a_request_that_kills_is_told_after_the_death),
		cmocka_unit_test(a_body_that_is_still_arriving_counts_before_its_answer),
		cmocka_unit_test(many_small_bodies_are_no_large_request),
		cmocka_unit_test(a_leak_stays_the_leak_beside_one_large_request),
		cmocka_unit_test(cpu_per_request_far_above_its_past_near_the_top_is_thrash),
		cmocka_unit_test(thrash_that_eats_the_answers_is_thrash_too),
		cmocka_unit_test(less_load_is_no_thrash_although_each_request_costs_more),
		cmocka_unit_test(heavier_requests_of_a_process_that_did_not_grow_are_no_thrash),
		cmocka_unit_test(requests_that_nobody_answers_are_a_silence),
		cmocka_unit_test(requests_that_are_only_given_up_are_a_silence_too),
		cmocka_unit_test(an_answer_now_and_then_does_not_end_a_silence),
		cmocka_unit_test(slow_services_are_not_silent),
		cmocka_unit_test(an_idle_service_is_not_silent),
		cmocka_unit_test(all_connections_in_use_and_a_queue_are_an_exhausted_pool),
		cmocka_unit_test(a_backend_that_never_answers_again_is_an_exhausted_pool),
		cmocka_unit_test(a_pool_with_connections_left_is_not_exhausted),
		cmocka_unit_test(a_busy_backend_without_a_queue_is_not_exhausted),
		cmocka_unit_test(connections_that_grow_with_the_load_are_no_pool),
		cmocka_unit_test(baseline_is_memory_before_the_first_answer),
		cmocka_unit_test(who_was_up_before_has_its_baseline_after_five_seconds),
		cmocka_unit_test(without_http_nothing_is_known),
		cmocka_unit_test(hours_of_silence_are_nothing_new),
		cmocka_unit_test(concluding_changes_nothing),
		cmocka_unit_test(hostile_numbers_are_survived),
		cmocka_unit_test(a_full_table_refuses_and_a_free_entry_is_fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
