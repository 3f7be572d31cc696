/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_incident_sections.c - memory, forecast, timeline and evidence of an incident. */
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

#define IS(measure, number)                                                                        \
	do {                                                                                       \
		assert_true((measure).has);                                                        \
		assert_float_equal((measure).value, number, 1e-6);                                 \
	} while (0)

/* Memory ------------------------------------------------------------------------------------- */

static void memory_comes_from_the_death(void **state)
{
	const struct report_memory *m = &f.out.memory;

	(void)state;
	fixture_tell(&f);
	IS(m->anon_bytes_at_death, 138. * (double)MIB);
	IS(m->peak_anon_bytes, 140. * (double)MIB);
	IS(m->limit_bytes, 160. * (double)MIB);
	IS(m->limit_usage_bytes, 160. * (double)MIB);
	IS(m->concavity, 0.98);
	IS(m->bytes_per_request, 18000);
	assert_int_equal(m->ceiling_source, CEILING_CGROUP);
	assert_true(m->ceiling_bytes == 160 * MIB);
	assert_int_equal(m->nr_ceilings, 2);
	assert_int_equal(m->ceilings[1].source, CEILING_HEAP_COMPUTED);
	assert_int_equal(m->cgroup_version, 1);
	IS(f.out.explanation.requests, 0.9);
	IS(f.out.explanation.in_flight_peak, 8);
	assert_false(f.out.explanation.largest_request_bytes.has);
	assert_false(f.out.explanation.stalled_s.has);
}

static void memory_of_the_living_comes_from_the_facts(void **state)
{
	(void)state;
	fixture_alive(&f);
	f.incident.facts.traffic.silent_ns = FIXTURE_S(993);
	f.incident.facts.peak_anon_bytes = 150 * MIB;
	fixture_tell(&f);
	assert_false(f.out.memory.anon_bytes_at_death.has);
	IS(f.out.memory.peak_anon_bytes, 150. * (double)MIB);
	IS(f.out.memory.floor_slope_bytes_per_s, 3.5 * (double)MIB);
	IS(f.out.explanation.stalled_s, 12);
	assert_int_equal(f.out.memory.ceiling_source, CEILING_CGROUP);
	assert_false(f.out.forecast.lead_s.has);
	assert_false(f.out.forecast.error_s.has);
}

static void the_ceiling_is_the_one_it_met(void **state)
{
	struct death *d = &f.incident.culprit.death;

	(void)state;
	d->oom_ns = 0;
	d->heap_full_exit = true;
	fixture_tell(&f);
	assert_int_equal(f.out.memory.ceiling_source, CEILING_HEAP_COMPUTED);
	d->heap_full_exit = false;
	d->ceilings.all[1] = (struct report_ceiling){CEILING_SUPERVISOR_OBSERVED, 130 * MIB};
	fixture_set(&f, VERDICT_SUPERVISOR_MEMORY_RESTART, CAUSE_HEAP_LEAK);
	fixture_tell(&f);
	assert_int_equal(f.out.memory.ceiling_source, CEILING_SUPERVISOR_OBSERVED);
	d->ceilings.nr = 0;
	fixture_tell(&f);
	assert_int_equal(f.out.memory.ceiling_source, CEILING_CGROUP);
	f.incident.culprit.memcg_limit_bytes = 0;
	fixture_tell(&f);
	assert_int_equal(f.out.memory.ceiling_source, CEILING_NONE);
}

/* Forecast ----------------------------------------------------------------------------------- */

static void a_forecast_is_scored_against_the_death(void **state)
{
	(void)state;
	fixture_tell(&f);
	assert_true(f.out.forecast.first_ns == FIXTURE_S(960));
	assert_true(f.out.forecast.newest_ns == FIXTURE_S(985));
	IS(f.out.forecast.lead_s, 40);
	IS(f.out.forecast.error_s, 1);
}

static void a_forecast_of_the_last_seconds_is_not_the_scored_one(void **state)
{
	struct growth_story *story = &f.incident.culprit.death.story;

	(void)state;
	story->prediction_ns = FIXTURE_S(995);
	story->predicted_s = 5;
	fixture_tell(&f);
	assert_true(f.out.forecast.newest_ns == FIXTURE_S(960));
	IS(f.out.forecast.error_s, 2);
	story->first_prediction_ns = 0;
	fixture_tell(&f);
	assert_true(f.out.forecast.first_ns == FIXTURE_S(995));
	IS(f.out.forecast.first_s, 5);
	IS(f.out.forecast.lead_s, 5);
	IS(f.out.forecast.error_s, 0);
}

static void without_a_forecast_there_is_none(void **state)
{
	(void)state;
	f.incident.culprit.death.story.prediction_ns = 0;
	fixture_tell(&f);
	assert_true(f.out.forecast.newest_ns == 0);
	assert_false(f.out.forecast.lead_s.has);
}

/* Timeline ----------------------------------------------------------------------------------- */

static const struct report_moment *moment_of(enum moment_kind kind)
{
	for (uint32_t i = 0; i < f.out.nr_moments; i++)
		if (f.out.timeline[i].kind == kind)
			return &f.out.timeline[i];
	fail_msg("no %s", moment_kind_name(kind));
	return NULL;
}

static void assert_time_order(void)
{
	for (uint32_t i = 1; i < f.out.nr_moments; i++)
		assert_true(f.out.timeline[i].ts_ns >= f.out.timeline[i - 1].ts_ns);
}

static void the_chain_stands_in_time_order(void **state)
{
	static const enum moment_kind kinds[] = {
		MOMENT_GROWTH_ONSET,  MOMENT_PREDICTION,   MOMENT_PREDICTION,
		MOMENT_OOM_MARK,      MOMENT_SIGNAL,	   MOMENT_EXIT,
		MOMENT_LISTENER_DOWN, MOMENT_FIRST_RESET,  MOMENT_FIRST_FAILURE,
		MOMENT_FIRST_REFUSED, MOMENT_LAST_FAILURE,
	};

	(void)state;
	fixture_tell(&f);
	assert_time_order();
	assert_int_equal(f.out.nr_moments, sizeof(kinds) / sizeof(kinds[0]));
	for (uint32_t i = 0; i < f.out.nr_moments; i++)
		assert_int_equal(f.out.timeline[i].kind, kinds[i]);
	assert_string_equal(moment_of(MOMENT_GROWTH_ONSET)->detail, "floor grows by 3.5 MiB/s");
	assert_string_equal(moment_of(MOMENT_PREDICTION)->detail, "ceiling expected in 42 s");
	assert_true(f.out.zero_ns == FIXTURE_S(1000));
}

static void what_traffic_showed_is_in_the_timeline(void **state)
{
	struct traffic_story *traffic = &f.incident.culprit.death.traffic;

	(void)state;
	traffic->payload_ns = FIXTURE_S(998);
	traffic->largest_request_bytes = 60 * MIB;
	traffic->thrash_ns = FIXTURE_S(990);
	traffic->cpu_per_request_ratio = 7.6;
	traffic->silent_ns = FIXTURE_S(995);
	traffic->in_flight = 8;
	traffic->pool = (struct report_pool){.saturated = true,
					     .backend = {.addr = {[15] = 1}, .port = 5432},
					     .connections = 10,
					     .since_ns = FIXTURE_S(970)};
	fixture_tell(&f);
	assert_time_order();
	assert_string_equal(moment_of(MOMENT_LARGE_REQUEST)->detail, "a request of 60 MiB");
	assert_string_equal(moment_of(MOMENT_GC_THRASH)->detail,
			    "7.6 times the CPU per request of before");
	assert_string_equal(moment_of(MOMENT_STALL)->detail, "requests wait, none is answered");
	assert_true(moment_of(MOMENT_STALL)->count == 8);
	assert_string_equal(moment_of(MOMENT_POOL_SATURATED)->detail,
			    "all connections to [::1]:5432 in use");
	assert_true(moment_of(MOMENT_POOL_SATURATED)->count == 10);
}

static void who_died_with_it_is_in_the_timeline(void **state)
{
	(void)state;
	f.incident.victims[0] = (struct report_victim){17382, MIB, "node"};
	f.incident.nr_victims = 3;
	fixture_tell(&f);
	assert_string_equal(moment_of(MOMENT_DEATH)->detail,
			    "node (pid 17382) and 2 more died with it");
	assert_true(moment_of(MOMENT_DEATH)->count == 3);
}

/* Evidence ----------------------------------------------------------------------------------- */

static bool has_evidence(const char *fields)
{
	for (uint32_t i = 0; i < f.out.nr_evidence; i++)
		if (strcmp(f.out.evidence[i].fields, fields) == 0)
			return true;
	return false;
}

static void evidence_has_the_numbers_of_every_fact(void **state)
{
	struct traffic_story *traffic = &f.incident.culprit.death.traffic;

	(void)state;
	traffic->payload_ns = FIXTURE_S(998);
	traffic->largest_request_bytes = 60 * MIB;
	traffic->payload_growth_share = 0.876;
	traffic->thrash_ns = FIXTURE_S(990);
	traffic->cpu_per_request_ratio = 7.6;
	traffic->request_rate_ratio = 1;
	traffic->pool = (struct report_pool){.saturated = true,
					     .backend = {.addr = {[15] = 1}, .port = 5432},
					     .connections = 10,
					     .latency_ratio = 8.5};
	f.incident.facts.lives = (struct lives_story){
		.lives = 4, .memory_deaths = 3, .similar_peaks = true, .memory_ceiling_bytes = MIB};
	f.impact.fail[FLOW_FAIL_UNREACHABLE] = 2;
	f.impact.app_answered = 5;
	fixture_tell(&f);
	assert_true(has_evidence("slope_bytes_per_s=3670016 window_s=32 insufficient_history=0"));
	assert_true(has_evidence("request_bytes=62914560 growth_share=0.88"));
	assert_true(has_evidence("cpu_per_request_ratio=7.60 request_rate_ratio=1.00"));
	assert_true(has_evidence("backend=[::1]:5432 connections=10 latency_ratio=8.50"));
	assert_true(has_evidence(
		"lives_before=4 memory_deaths=3 similar_peaks=1 ceiling_bytes=1048576"));
	assert_true(has_evidence("sig=9 code=128 sender_pid=0 ignored=0"));
	assert_true(has_evidence("rst=8 fin=0 on_reused=0"));
	assert_true(has_evidence("refused=420"));
	assert_true(has_evidence("timed_out=0 unreachable=2 no_local_port=0 accept_queue_full=0"));
	assert_true(has_evidence("answered_by=upstream"));
	assert_true(has_evidence("status_502=428 status_503=0 status_504=0"));
}

static void full_lists_stay_within_their_room(void **state)
{
	struct death *d = &f.incident.culprit.death;

	(void)state;
	evidence_has_the_numbers_of_every_fact(state);
	d->v8_ns = d->map_failed_ns = FIXTURE_S(999);
	d->nr_signals = DEATH_SIGNALS;
	for (int i = 0; i < DEATH_SIGNALS; i++)
		d->signals[i] = d->signals[0];
	d->traffic.silent_ns = FIXTURE_S(990);
	f.incident.nr_victims = REPORT_MAX_VICTIMS;
	f.incident.listener_up_ns = FIXTURE_S(1004);
	f.incident.status = STATUS_RECOVERED;
	fixture_tell(&f);
	assert_time_order();
	assert_true(f.out.nr_evidence <= REPORT_MAX_EVIDENCE);
	assert_true(f.out.nr_moments <= REPORT_MAX_TIMELINE);
	for (uint32_t i = 0; i < f.out.nr_evidence; i++)
		assert_non_null(f.out.evidence[i].source);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(memory_comes_from_the_death),
		TEST(memory_of_the_living_comes_from_the_facts),
		TEST(the_ceiling_is_the_one_it_met),
		TEST(a_forecast_is_scored_against_the_death),
		TEST(a_forecast_of_the_last_seconds_is_not_the_scored_one),
		TEST(without_a_forecast_there_is_none),
		TEST(the_chain_stands_in_time_order),
		TEST(what_traffic_showed_is_in_the_timeline),
		TEST(who_died_with_it_is_in_the_timeline),
		TEST(evidence_has_the_numbers_of_every_fact),
		TEST(full_lists_stay_within_their_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
