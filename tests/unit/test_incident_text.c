/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_incident_text.c - what an incident's summary says, for every class. */
#include "incident_fixture.h"

static struct fixture f;

static int setup(void **state)
{
	(void)state;
	fixture_setup(&f);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_teardown(&f);
	return 0;
}

#define SAYS(text)                                                                                 \
	do {                                                                                       \
		if (!strstr(f.out.summary, text))                                                  \
			fail_msg("\"%s\" is not in \"%s\"", text, f.out.summary);                  \
	} while (0)

static void a_leak_tells_its_speed_its_limit_and_who_was_hit(void **state)
{
	(void)state;
	fixture_tell(&f);
	assert_string_equal(
		f.out.summary,
		"node (pid 12537) was OOM-killed at the 160 MiB limit of its memory cgroup after "
		"its heap grew by 3.5 MiB/s for 32 s, 17.6 KiB kept per request; nginx (pid 21) "
		"answered 428 x 502 in 2 s (420 refused, 8 reset; upstream [::1]:3000); "
		"ongoing");
}

static void a_leak_without_requests_says_so(void **state)
{
	(void)state;
	f.incident.culprit.death.traffic.explained.background = FIXTURE_HAS(0.9);
	fixture_tell(&f);
	SAYS(", with or without requests;");
}

static void a_native_leak_is_not_called_heap(void **state)
{
	(void)state;
	fixture_set(&f, VERDICT_MEMORY_DEATH, CAUSE_NATIVE_LEAK);
	fixture_tell(&f);
	SAYS("after memory outside its heap grew by 3.5 MiB/s");
}

static void a_small_limit_names_the_lives_before(void **state)
{
	(void)state;
	fixture_set(&f, VERDICT_MEMORY_DEATH, CAUSE_LIMIT_TOO_SMALL);
	f.incident.facts.lives.memory_deaths = 3;
	fixture_tell(&f);
	SAYS("it needs more than it may have (3 earlier lives ended the same way)");
}

static void a_large_payload_names_its_size(void **state)
{
	(void)state;
	fixture_set(&f, VERDICT_MEMORY_DEATH, CAUSE_LARGE_PAYLOAD);
	f.incident.culprit.death.traffic.largest_request_bytes = 60 * MIB;
	f.incident.culprit.death.traffic.explained.amplification = FIXTURE_HAS(3.4);
	fixture_tell(&f);
	SAYS("while it read large requests (up to 60 MiB, each byte took 3.4 of memory)");
}

static void set_pool(struct traffic_story *traffic)
{
	traffic->in_flight_peak = 500;
	traffic->pool = (struct report_pool){.saturated = true,
					     .backend = {.addr = {[15] = 1}, .port = 5432},
					     .connections = 10,
					     .latency_ratio = 8.5,
					     .since_ns = FIXTURE_S(970)};
}

static void a_full_pool_is_the_cause_of_death_or_of_overload(void **state)
{
	(void)state;
	fixture_set(&f, VERDICT_MEMORY_DEATH, CAUSE_DB_POOL_EXHAUSTION);
	set_pool(&f.incident.culprit.death.traffic);
	fixture_tell(&f);
	SAYS("because 500 requests waited for 10 connections to [::1]:5432, which answers 8.5 "
	     "times slower");
	fixture_set(&f, VERDICT_BACKEND_OVERLOAD, CAUSE_DB_POOL_EXHAUSTION);
	fixture_alive(&f);
	fixture_tell(&f);
	SAYS("node (pid 12537) is alive but does not keep up: 500 requests waited for 10");
}

static void other_ends_out_of_memory_are_told_apart(void **state)
{
	struct death *d = &f.incident.culprit.death;

	(void)state;
	d->oom.memcg.id = 0;
	fixture_tell(&f);
	SAYS("was OOM-killed by the kernel after");
	d->oom_ns = 0;
	d->nr_signals = 0;
	d->status = 134 << 8;
	fixture_tell(&f);
	SAYS("died at its JavaScript heap limit (exit code 134)");
	f.incident.culprit.runtime = RUNTIME_JVM;
	d->heap_full_exit = true;
	d->status = 3 << 8;
	fixture_tell(&f);
	SAYS("ended itself on OutOfMemoryError (exit code 3)");
	d->heap_full_exit = false;
	fixture_tell(&f);
	SAYS("ran out of memory (exit code 3)");
}

static void others_that_died_with_it_are_counted(void **state)
{
	(void)state;
	f.incident.nr_victims = 2;
	fixture_tell(&f);
	f.out.nr_victims = 2;
	incident_summary(&f.incident, &f.out);
	SAYS("memory cgroup, 2 others with it, after its heap");
}

static void a_stall_tells_for_how_long_nothing_was_answered(void **state)
{
	(void)state;
	fixture_set(&f, VERDICT_MEMORY_STALL, CAUSE_NATIVE_LEAK);
	fixture_alive(&f);
	f.incident.culprit.memcg_usage_bytes = 159 * MIB;
	f.incident.facts.traffic.silent_ns = FIXTURE_S(993);
	f.incident.facts.limit_events_per_s = 80000;
	fixture_tell(&f);
	SAYS("node (pid 12537) hangs at its memory limit (159 MiB of 160 MiB): no answer for 12 "
	     "s, 80000 reclaims/s after memory outside its heap grew");
}

static void thrashing_tells_the_cost_of_a_request(void **state)
{
	(void)state;
	fixture_set(&f, VERDICT_GC_THRASH, CAUSE_HEAP_LEAK);
	fixture_alive(&f);
	f.incident.facts.traffic.cpu_per_request_ratio = 7.6;
	fixture_tell(&f);
	SAYS("spends its CPU on garbage collection, 7.6 times as much per request as before, near "
	     "its ceiling of 160 MiB after its heap grew");
}

static void a_supervisor_is_named(void **state)
{
	(void)state;
	fixture_set(&f, VERDICT_SUPERVISOR_MEMORY_RESTART, CAUSE_HEAP_LEAK);
	fixture_signalled(&f, SIGINT);
	fixture_tell(&f);
	SAYS("was restarted by bash (pid 900) for its memory, 140 MiB after its heap");
	f.incident.supervisor_tgid = 901;
	strcpy(f.incident.supervisor_comm, "PM2");
	fixture_tell(&f);
	SAYS("was restarted by PM2 (pid 901) for its memory");
}

static void a_victim_of_pressure_is_no_culprit(void **state)
{
	(void)state;
	fixture_set(&f, VERDICT_NODE_PRESSURE_VICTIM, CAUSE_NONE);
	f.incident.culprit.death.oom_share = 0.12;
	fixture_tell(&f);
	SAYS("was OOM-killed for others: the limit above it was full and it had 12 % of that");
}

static void deaths_that_memory_did_not_cause(void **state)
{
	(void)state;
	fixture_set(&f, VERDICT_UPSTREAM_DOWN_NONMEMORY, CAUSE_NONE);
	fixture_signalled(&f, SIGKILL);
	fixture_tell(&f);
	SAYS("was ended by SIGKILL from bash (pid 900); nothing says that memory");
	f.incident.culprit.death.nr_signals = 0;
	f.incident.culprit.death.status = 1 << 8;
	fixture_tell(&f);
	SAYS("exited with code 1; nothing");
	f.incident.has_culprit = false;
	fixture_tell(&f);
	SAYS("node is down; why was not seen");
}

static void a_deployment_names_both_processes_and_the_gap(void **state)
{
	(void)state;
	fixture_set(&f, VERDICT_DEPLOY_RESTART, CAUSE_NONE);
	fixture_signalled(&f, SIGTERM);
	f.incident.facts.outage_ns = 1200 * NSEC_PER_MSEC;
	fixture_tell(&f);
	SAYS("node (pid 12537) was replaced by pid 16390 (SIGTERM from bash (pid 900)); nobody "
	     "listened for 1.2 s; memory is not the cause");
}

static void classes_without_a_death_have_their_sentence(void **state)
{
	static const struct {
		enum verdict_class class;
		const char *text;
	} cases[] = {
		{VERDICT_KEEPALIVE_RACE, "node closed idle connections just as the gateway"},
		{VERDICT_APP_ERROR_STATUS, "node itself answered with 502, 503 or 504, 7 times"},
		{VERDICT_PROXY_LOCAL_EXHAUSTION, "the gateway failed requests itself"},
		{VERDICT_NETWORK, "the network to [::1]:3000 fails, 4 connects met silence"},
		{VERDICT_CONFIG, "[::1]:3000 never answered and nobody listens there"},
		{VERDICT_UNEXPLAINED, "nothing that was seen explains it"},
	};

	(void)state;
	f.incident.has_culprit = false;
	f.impact.app_answered = 7;
	f.impact.fail[FLOW_FAIL_CONNECT_TIMEOUT] = 4;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture_set(&f, cases[i].class, CAUSE_NONE);
		fixture_tell(&f);
		SAYS(cases[i].text);
	}
}

static void an_overload_tells_the_queue_and_the_load(void **state)
{
	(void)state;
	fixture_set(&f, VERDICT_BACKEND_OVERLOAD, CAUSE_NONE);
	fixture_alive(&f);
	f.incident.facts.traffic.in_flight_peak = 300;
	f.incident.facts.accept_full = 200;
	f.incident.facts.load_ratio = 3;
	fixture_tell(&f);
	SAYS("300 requests wait, 200 connects met a full accept queue, load is 3 times the usual");
}

static void the_end_tells_how_it_stands(void **state)
{
	(void)state;
	f.incident.status = STATUS_RECOVERED;
	fixture_tell(&f);
	SAYS("; recovered");
	f.incident.status = STATUS_CRASH_LOOP;
	f.incident.deaths_10m = 5;
	fixture_tell(&f);
	SAYS("; crash loop, 5 deaths in 10 min");
	f.incident.status = STATUS_ONGOING;
	fixture_tell(&f);
	f.out.record = INCIDENT_CLOSE;
	incident_summary(&f.incident, &f.out);
	SAYS("; quiet since, not seen to recover");
}

static void all_ways_to_fail_a_client_are_told(void **state)
{
	(void)state;
	f.impact.client_status[FLOW_STATUS_504] = 9;
	f.impact.client_closed = 2;
	f.impact.truncated = 3;
	fixture_tell(&f);
	SAYS("answered 428 x 502 and 9 x 504 and closed 2 clients unanswered and cut off 3 "
	     "answers in 2 s");
	memset(f.impact.client_status, 0, sizeof(f.impact.client_status));
	f.impact.client_closed = f.impact.truncated = 0;
	fixture_tell(&f);
	f.out.impact.masked_by_retry = 8;
	incident_summary(&f.incident, &f.out);
	SAYS("answered no client with an error in 2 s (420 refused, 8 reset, 8 masked by retry; "
	     "upstream");
}

/* Nothing known but the class: no sentence may need a number that is not there. */
static void every_class_can_be_told_without_numbers(void **state)
{
	(void)state;
	memset(&f.incident, 0, sizeof(f.incident));
	memset(&f.impact, 0, sizeof(f.impact));
	for (int died = 0; died < 2; died++) {
		for (int class = 0; class < NR_VERDICT_CLASSES; class ++) {
			f.incident.has_culprit = died;
			f.incident.culprit.death.exit_ns = died ? FIXTURE_S(1000) : 0;
			fixture_set(&f, class, CAUSE_NONE);
			fixture_tell(&f);
			assert_true(strlen(f.out.summary) > 40);
			assert_null(strstr(f.out.summary, "0 MiB"));
			assert_null(strstr(f.out.summary, " 0 "));
			assert_true(f.out.nr_actions > 0);
		}
	}
}

static void however_long_it_gets_its_status_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i + 3 < sizeof(f.incident.culprit.comm); i += 3)
		memcpy(f.incident.culprit.comm + i, "\xEF\xBF\xBD", 4);
	memset(f.impact.client_status, 0xff, sizeof(f.impact.client_status));
	memset(f.impact.fail, 0xff, sizeof(f.impact.fail));
	f.impact.client_closed = f.impact.truncated = UINT64_MAX;
	fixture_tell(&f);
	assert_true(strlen(f.out.summary) < sizeof(f.out.summary));
	assert_string_equal(strrchr(f.out.summary, ';'), "; ongoing");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_leak_tells_its_speed_its_limit_and_who_was_hit),
		TEST(a_leak_without_requests_says_so),
		TEST(a_native_leak_is_not_called_heap),
		TEST(a_small_limit_names_the_lives_before),
		TEST(a_large_payload_names_its_size),
		TEST(a_full_pool_is_the_cause_of_death_or_of_overload),
		TEST(other_ends_out_of_memory_are_told_apart),
		TEST(others_that_died_with_it_are_counted),
		TEST(a_stall_tells_for_how_long_nothing_was_answered),
		TEST(thrashing_tells_the_cost_of_a_request),
		TEST(a_supervisor_is_named),
		TEST(a_victim_of_pressure_is_no_culprit),
		TEST(deaths_that_memory_did_not_cause),
		TEST(a_deployment_names_both_processes_and_the_gap),
		TEST(classes_without_a_death_have_their_sentence),
		TEST(an_overload_tells_the_queue_and_the_load),
		TEST(the_end_tells_how_it_stands),
		TEST(all_ways_to_fail_a_client_are_told),
		TEST(every_class_can_be_told_without_numbers),
		TEST(however_long_it_gets_its_status_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
