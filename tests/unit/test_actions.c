/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_actions.c - the advice for each class and cause, and its numbers. */
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

static const struct report_action *action_with(const char *text)
{
	for (uint32_t i = 0; i < f.out.nr_actions; i++)
		if (strstr(f.out.actions[i].text, text))
			return &f.out.actions[i];
	return NULL;
}

#define ADVISES(wanted, text)                                                                      \
	do {                                                                                       \
		const struct report_action *found = action_with(text);                             \
                                                                                                   \
		if (!found)                                                                        \
			fail_msg("nothing advises \"%s\"", text);                                  \
		assert_int_equal(found->kind, wanted);                                             \
	} while (0)

#define SILENT_ABOUT(text) assert_null(action_with(text))

static void assert_in_order(void)
{
	assert_true(f.out.nr_actions <= REPORT_MAX_ACTIONS);
	for (uint32_t i = 0; i < f.out.nr_actions; i++) {
		size_t len = strlen(f.out.actions[i].text);

		assert_int_equal(f.out.actions[i].priority, i + 1);
		assert_true(i == 0 || f.out.actions[i].kind >= f.out.actions[i - 1].kind);
		/* whole sentences: nothing was cut off */
		assert_true(len > 20 && len < sizeof(f.out.actions[i].text) - 1);
		assert_int_equal(f.out.actions[i].text[len - 1], '.');
	}
}

static void a_fast_heap_leak_is_too_fast_for_pm2(void **state)
{
	(void)state;
	fixture_tell(&f);
	assert_in_order();
	assert_int_equal(f.out.nr_actions, 6);
	ADVISES(ACTION_MITIGATE, "at 3.5 MiB/s a fresh one reaches 160 MiB in 40 s.");
	ADVISES(ACTION_DIAGNOSE, "kill -USR2 16390 writes one if node was started with "
				 "--heapsnapshot-signal=SIGUSR2");
	ADVISES(ACTION_DIAGNOSE, "About 17.6 KiB stay per request (90 % of the growth goes with "
				 "requests)");
	ADVISES(ACTION_PREVENT, "would come too late: it looks every 30 s, and this leak grows 105 "
				"MiB in between, more than a fifth of 160 MiB.");
	ADVISES(ACTION_PREVENT, "Set --max-old-space-size=120 (75 % of the limit of 160 MiB)");
	ADVISES(ACTION_PREVENT, "came 40 s before it died.");
}

static void a_slow_leak_is_one_for_pm2(void **state)
{
	(void)state;
	f.incident.culprit.death.story.trend.slope = 0.5 * (double)MIB;
	fixture_tell(&f);
	ADVISES(ACTION_PREVENT, "set max_memory_restart to 128M (80 % of 160 MiB): it looks every "
				"30 s, in time for a leak that grows 15 MiB in between.");
}

static void a_leak_in_the_background_is_looked_for_elsewhere(void **state)
{
	(void)state;
	f.incident.culprit.death.traffic.explained.background = FIXTURE_HAS(0.85);
	fixture_tell(&f);
	ADVISES(ACTION_DIAGNOSE, "85 % of the growth came without requests: look at timers");
	SILENT_ABOUT("stay per request");
}

static void die_of_v8(void)
{
	struct death *d = &f.incident.culprit.death;

	d->oom_ns = 0;
	d->v8_ns = FIXTURE_S(999);
	d->v8_anon_bytes = 88 * MIB;
	d->anon_bytes = 80 * MIB;
	d->status = SIGABRT;
	d->signals[0].sig = SIGABRT;
	d->signals[0].code = SI_TKILL;
	d->signals[0].sender = d->proc;
}

static void a_heap_with_room_below_the_limit_may_be_larger(void **state)
{
	(void)state;
	die_of_v8();
	f.incident.culprit.memcg_limit_bytes = 512 * MIB;
	f.incident.culprit.death.ceilings.nr = 1;
	fixture_tell(&f);
	ADVISES(ACTION_MITIGATE, "set --max-old-space-size=384 (75 % of the limit of 512 MiB): its "
				 "heap is full at 88 MiB.");
	SILENT_ABOUT("before the kernel kills");
	f.incident.culprit.memcg_limit_bytes = 0;
	fixture_tell(&f);
	SILENT_ABOUT("--max-old-space-size");
}

/* Workers that share a cgroup: each is killed far below the limit. */
static void a_shared_limit_is_not_the_ceiling_of_one(void **state)
{
	(void)state;
	f.incident.culprit.death.peak_anon_bytes = 60 * MIB;
	fixture_tell(&f);
	ADVISES(ACTION_MITIGATE, "a fresh one reaches 60 MiB in");
	SILENT_ABOUT("--max-old-space-size");
}

static void each_runtime_has_its_tools(void **state)
{
	static const struct {
		enum runtime_kind runtime;
		const char *text;
	} cases[] = {
		{RUNTIME_JVM, "jcmd 16390 GC.heap_dump"},
		{RUNTIME_PYTHON, "memray attach 16390."},
		{RUNTIME_GO, "go tool pprof -base"},
		{RUNTIME_RUBY, "ObjectSpace.dump_all"},
		{RUNTIME_NATIVE, "heaptrack -p 16390, or"},
		{RUNTIME_UNKNOWN, "memleak -p 16390 of"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f.incident.culprit.runtime = cases[i].runtime;
		fixture_tell(&f);
		assert_in_order();
		ADVISES(ACTION_DIAGNOSE, cases[i].text);
		SILENT_ABOUT("--max-old-space-size");
		SILENT_ABOUT("pm2");
	}
}

static void heap_settings_are_those_of_the_runtime(void **state)
{
	(void)state;
	f.incident.culprit.runtime = RUNTIME_JVM;
	fixture_tell(&f);
	ADVISES(ACTION_PREVENT, "Set -Xmx120m -XX:+ExitOnOutOfMemoryError (75 %");
	ADVISES(ACTION_PREVENT, "and its last words name the heap.");
	f.incident.culprit.runtime = RUNTIME_GO;
	fixture_tell(&f);
	ADVISES(ACTION_PREVENT, "Unless it is set lower, set GOMEMLIMIT=120MiB (75 %");
	ADVISES(ACTION_PREVENT, "It stops no leak");
	SILENT_ABOUT("last words");
}

static void python_workers_are_recycled_by_count(void **state)
{
	(void)state;
	f.incident.culprit.runtime = RUNTIME_PYTHON;
	f.incident.culprit.death.traffic.bytes_per_request = FIXTURE_HAS(114916);
	fixture_tell(&f);
	ADVISES(ACTION_PREVENT, "gunicorn --max-requests 830 --max-requests-jitter 83: 112.2 KiB "
				"stay per request, and it died at 160 MiB.");
	f.incident.culprit.death.traffic.baseline_anon_bytes = 0;
	fixture_tell(&f);
	SILENT_ABOUT("--max-requests");
}

static void a_pid_nobody_has_yet_is_left_open(void **state)
{
	(void)state;
	f.incident.next_tgid = 0;
	fixture_tell(&f);
	ADVISES(ACTION_DIAGNOSE, "kill -USR2 PID writes one");
}

static void a_native_leak_is_looked_for_beside_the_heap(void **state)
{
	(void)state;
	fixture_set(&f, VERDICT_MEMORY_DEATH, CAUSE_NATIVE_LEAK);
	f.incident.culprit.death.story.native_share = FIXTURE_HAS(0.98);
	fixture_tell(&f);
	assert_in_order();
	ADVISES(ACTION_DIAGNOSE, "arrayBuffers grow, heapUsed does not");
	ADVISES(ACTION_DIAGNOSE, "(98 % of the growth is outside the heap).");
	ADVISES(ACTION_PREVENT, "A heap limit does not catch this");
	SILENT_ABOUT("--max-old-space-size");
}

static void a_small_limit_is_raised_with_the_heap(void **state)
{
	(void)state;
	fixture_set(&f, VERDICT_MEMORY_DEATH, CAUSE_LIMIT_TOO_SMALL);
	fixture_tell(&f);
	assert_in_order();
	ADVISES(ACTION_MITIGATE,
		"Raise the memory limit from 160 MiB to at least 384 MiB: its heap "
		"alone may take 275 MiB, and 100 MiB beside it.");
	ADVISES(ACTION_MITIGATE, "Set --max-old-space-size=288 with it");
	ADVISES(ACTION_DIAGNOSE, "it held 20 MiB when it began to serve");
	f.incident.culprit.runtime = RUNTIME_NATIVE;
	f.incident.culprit.death.ceilings.nr = 1;
	fixture_tell(&f);
	ADVISES(ACTION_MITIGATE, "from 160 MiB to at least 240 MiB, its peak of 165 MiB / 0.7.");
	SILENT_ABOUT("--max-old-space-size");
	f.incident.culprit.death.oom.limit_bytes = 0;
	fixture_tell(&f);
	SILENT_ABOUT("Raise");
}

static void growth_of_unknown_cause_gets_room_where_it_ended(void **state)
{
	(void)state;
	fixture_set(&f, VERDICT_MEMORY_DEATH, CAUSE_UNKNOWN_GROWTH);
	f.incident.culprit.death.ceilings.nr = 1;
	fixture_tell(&f);
	ADVISES(ACTION_MITIGATE, "Raise the memory limit from 160 MiB to at least 240 MiB");
	die_of_v8();
	fixture_tell(&f);
	ADVISES(ACTION_MITIGATE, "--max-old-space-size=128 (88 MiB, where it was full, / 0.7)");
	SILENT_ABOUT("Raise");
	f.incident.culprit.runtime = RUNTIME_NATIVE;
	fixture_tell(&f);
	ADVISES(ACTION_MITIGATE, "Give the service or the machine more memory");
}

static void a_body_limit_fits_the_room_there_is(void **state)
{
	struct traffic_story *traffic = &f.incident.culprit.death.traffic;

	(void)state;
	fixture_set(&f, VERDICT_MEMORY_DEATH, CAUSE_LARGE_PAYLOAD);
	traffic->largest_request_bytes = 60 * MIB;
	traffic->explained.amplification = FIXTURE_HAS(3.4);
	traffic->in_flight_peak = 4;
	fixture_tell(&f);
	assert_in_order();
	ADVISES(ACTION_MITIGATE, ": client_max_body_size 7m. With 4 such at once, at 3.4 bytes of "
				 "memory per byte, a "
				 "quarter of the room of 140 MiB stays free.");
	ADVISES(ACTION_DIAGNOSE, "the largest had 60 MiB.");
	f.out.gateway.personality = "haproxy";
	actions_advise(&f.incident, f.server, &f.out);
	ADVISES(ACTION_MITIGATE, ": at most 7 MiB. With 4");
	traffic->explained.amplification.has = false;
	fixture_tell(&f);
	ADVISES(ACTION_MITIGATE, "Limit request bodies at the gateway (nginx: "
				 "client_max_body_size).");
}

static void a_pool_is_sized_by_its_latency(void **state)
{
	struct traffic_story *traffic = &f.incident.facts.traffic;

	(void)state;
	fixture_set(&f, VERDICT_BACKEND_OVERLOAD, CAUSE_DB_POOL_EXHAUSTION);
	fixture_alive(&f);
	traffic->pool = (struct report_pool){.saturated = true,
					     .backend = {.addr = {[15] = 1}, .port = 5432},
					     .connections = 10,
					     .latency_ratio = 8.5};
	fixture_tell(&f);
	assert_in_order();
	ADVISES(ACTION_MITIGATE, "Give acquiring a connection a timeout");
	ADVISES(ACTION_DIAGNOSE, "the backend at [::1]:5432 does: slow queries, locks; it answers "
				 "8.5 times slower");
	ADVISES(ACTION_PREVENT, "the load needs 60 connections instead of 10 (Little's law)");
	traffic->in_flight_usual = 0;
	fixture_tell(&f);
	SILENT_ABOUT("Little");
}

static void a_stall_is_restarted_and_made_visible(void **state)
{
	(void)state;
	fixture_set(&f, VERDICT_MEMORY_STALL, CAUSE_NATIVE_LEAK);
	fixture_alive(&f);
	fixture_tell(&f);
	assert_in_order();
	ADVISES(ACTION_MITIGATE, "kill -9 12537");
	ADVISES(ACTION_PREVENT, "Add a liveness check that needs an answer.");
	f.incident.culprit.memcg.hierarchy = 0;
	fixture_tell(&f);
	ADVISES(ACTION_PREVENT, "set memory.high to 144 MiB (90 % of the limit)");
}

static void a_supervisor_should_overlap(void **state)
{
	(void)state;
	fixture_set(&f, VERDICT_SUPERVISOR_MEMORY_RESTART, CAUSE_HEAP_LEAK);
	fixture_signalled(&f, SIGINT);
	fixture_tell(&f);
	assert_in_order();
	ADVISES(ACTION_MITIGATE, "before it ends the old one (pm2: cluster mode");
}

static void a_crash_loop_is_broken_first(void **state)
{
	(void)state;
	f.incident.status = STATUS_CRASH_LOOP;
	f.incident.deaths_10m = 5;
	fixture_tell(&f);
	assert_in_order();
	assert_non_null(strstr(f.out.actions[0].text, "5 deaths in 10 minutes"));
}

static void a_race_is_ended_by_the_settings_of_the_server(void **state)
{
	static const char *const settings[NR_RUNTIMES] = {
		[RUNTIME_NODEJS] = "server.keepAliveTimeout = 65000 and server.headersTimeout = "
				   "66000",
		[RUNTIME_PYTHON] = "gunicorn --keep-alive 65 or uvicorn --timeout-keep-alive 65",
		[RUNTIME_GO] = "IdleTimeout of 65 s",
		[RUNTIME_UNKNOWN] = "than the gateway does, 65 s for a gateway",
	};

	(void)state;
	fixture_set(&f, VERDICT_KEEPALIVE_RACE, CAUSE_NONE);
	f.incident.has_culprit = false;
	f.impact.fail[FLOW_FAIL_RST_REUSED] = 66;
	for (int runtime = 0; runtime < NR_RUNTIMES; runtime++) {
		if (!settings[runtime])
			continue;
		f.server = runtime;
		fixture_tell(&f);
		assert_in_order();
		ADVISES(ACTION_PREVENT, settings[runtime]);
		ADVISES(ACTION_MITIGATE, "(66 so far)");
	}
}

static void other_classes_have_their_advice(void **state)
{
	static const struct {
		enum verdict_class class;
		enum action_kind kind;
		const char *text;
	} cases[] = {
		{VERDICT_UPSTREAM_DOWN_NONMEMORY, ACTION_MITIGATE,
		 "Start the service behind [::1]"},
		{VERDICT_DEPLOY_RESTART, ACTION_PREVENT, "nobody listened for 1.2 s."},
		{VERDICT_APP_ERROR_STATUS, ACTION_DIAGNOSE,
		 "the service at [::1]:3000: it answered"},
		{VERDICT_BACKEND_OVERLOAD, ACTION_MITIGATE, "load is 3 times the usual."},
		{VERDICT_BACKEND_OVERLOAD, ACTION_PREVENT, "200 connects met a full accept queue"},
		{VERDICT_BACKEND_OVERLOAD, ACTION_DIAGNOSE, "gave up waiting for 40 requests"},
		{VERDICT_PROXY_LOCAL_EXHAUSTION, ACTION_MITIGATE,
		 "30 connects found no local port."},
		{VERDICT_NETWORK, ACTION_DIAGNOSE,
		 "check the way to [::1]:3000: routes (ip route get)"},
		{VERDICT_CONFIG, ACTION_MITIGATE, "is [::1]:3000 the right address and port?"},
		{VERDICT_NODE_PRESSURE_VICTIM, ACTION_MITIGATE,
		 "stop or move the process that grew"},
		{VERDICT_UNEXPLAINED, ACTION_DIAGNOSE, "whether [::1]:3000 is the right address"},
	};

	(void)state;
	f.incident.has_culprit = false;
	f.incident.facts = (struct verdict_facts){.outage_ns = 1200 * NSEC_PER_MSEC,
						  .load_ratio = 3,
						  .accept_full = 200,
						  .abandoned = 40,
						  .no_port = 30};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture_set(&f, cases[i].class, CAUSE_NONE);
		fixture_tell(&f);
		assert_in_order();
		ADVISES(cases[i].kind, cases[i].text);
	}
}

static void who_sent_the_signal_is_asked_for(void **state)
{
	(void)state;
	fixture_set(&f, VERDICT_UPSTREAM_DOWN_NONMEMORY, CAUSE_NONE);
	fixture_signalled(&f, SIGKILL);
	fixture_tell(&f);
	ADVISES(ACTION_DIAGNOSE,
		"Find out why bash (pid 900) sent SIGKILL; a watchdog may have seen "
		"its memory grow by 3.5 MiB/s.");
	f.incident.culprit.death.story.insufficient = true;
	fixture_tell(&f);
	ADVISES(ACTION_DIAGNOSE, "sent SIGKILL; memory is not what to look at.");
}

/* The most that can be said at once, and nothing but the class: both are whole sentences. */
static void every_class_and_cause_gives_whole_advice(void **state)
{
	(void)state;
	f.incident.status = STATUS_CRASH_LOOP;
	for (int class = 0; class < NR_VERDICT_CLASSES; class ++) {
		for (int cause = 0; cause < NR_VERDICT_CAUSES; cause++) {
			fixture_set(&f, class, cause);
			fixture_tell(&f);
			assert_in_order();
		}
	}
	memset(&f.incident, 0, sizeof(f.incident));
	for (int class = 0; class < NR_VERDICT_CLASSES; class ++) {
		for (int cause = 0; cause < NR_VERDICT_CAUSES; cause++) {
			fixture_set(&f, class, cause);
			fixture_tell(&f);
			assert_in_order();
			SILENT_ABOUT(" 0 ");
			SILENT_ABOUT("0 bytes");
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_fast_heap_leak_is_too_fast_for_pm2),
		TEST(a_slow_leak_is_one_for_pm2),
		TEST(a_leak_in_the_background_is_looked_for_elsewhere),
		TEST(a_heap_with_room_below_the_limit_may_be_larger),
		TEST(a_shared_limit_is_not_the_ceiling_of_one),
		TEST(each_runtime_has_its_tools),
		TEST(heap_settings_are_those_of_the_runtime),
		TEST(python_workers_are_recycled_by_count),
		TEST(a_pid_nobody_has_yet_is_left_open),
		TEST(a_native_leak_is_looked_for_beside_the_heap),
		TEST(a_small_limit_is_raised_with_the_heap),
		TEST(growth_of_unknown_cause_gets_room_where_it_ended),
		TEST(a_body_limit_fits_the_room_there_is),
		TEST(a_pool_is_sized_by_its_latency),
		TEST(a_stall_is_restarted_and_made_visible),
		TEST(a_supervisor_should_overlap),
		TEST(a_crash_loop_is_broken_first),
		TEST(a_race_is_ended_by_the_settings_of_the_server),
		TEST(other_classes_have_their_advice),
		TEST(who_sent_the_signal_is_asked_for),
		TEST(every_class_and_cause_gives_whole_advice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
