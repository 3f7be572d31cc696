/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_metrics.c - what is counted where, when rows come and go, what strangers may call themselves:
 * the text is read back by a reader of its own.
 */
#include "story.h"

#include <math.h>

#include "metrics_reader.h"
#include "model/workload.h"
#include "sink/metrics.h"
#include "sink/metrics_server.h"

#define MINUTE (60 * NSEC_PER_SEC)

static char answer[METRICS_ANSWER_MAX + 1];
static struct metrics_reader reader;

/* Render, and fail at anything no scraper would take. */
static const char *render(struct metrics *m, enum metrics_format format)
{
	size_t len = metrics_render(m, format, answer, sizeof(answer) - 1);

	answer[len] = '\0';
	metrics_read(&reader, answer);
	if (reader.wrong)
		print_message("wrong: %.200s\n", reader.wrong);
	assert_null(reader.wrong);
	assert_int_equal(reader.ended, format == METRICS_OPENMETRICS);
	if (metrics_twice(&reader))
		print_message("twice: %.300s\n", metrics_twice(&reader));
	assert_null(metrics_twice(&reader));
	return answer;
}

/* Value of the sample that begins so; NaN if there is none. */
static double value_of(struct metrics *m, const char *sample)
{
	const char *text = render(m, METRICS_PROMETHEUS);
	size_t len = strlen(sample);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, sample, len) && line[len] == ' ')
			return strtod(line + len, NULL);
	}
	return NAN;
}

#define assert_value(m, sample, expected)                                                          \
	do {                                                                                       \
		double value = value_of(m, sample);                                                \
		if (value != (expected))                                                           \
			print_message("%s: %g\n", sample, value);                                  \
		assert_true(value == (expected));                                                  \
	} while (0)

#define assert_absent(m, sample) assert_true(isnan(value_of(m, sample)))

/* Sum of all samples whose name and first labels are these. */
static double sum_of(struct metrics *m, const char *start, const char *also)
{
	const char *text = render(m, METRICS_PROMETHEUS);
	double sum = 0;

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		const char *end;

		line += *line == '\n';
		end = strchr(line, '\n');
		if (strncmp(line, start, strlen(start)) || !end)
			continue;
		if (!memmem(line, (size_t)(end - line), also, strlen(also)))
			continue;
		while (end[-1] != ' ')
			end--;
		sum += strtod(end, NULL);
	}
	return sum;
}

static struct report_proc proc(const char *name, uint32_t tgid)
{
	struct report_proc p = {
		.id = {1, tgid},
		.comm = name,
		.exe_path = "",
		.cgroup_path = "",
		.workload = &workload_unknown,
	};

	snprintf(p.service_name, sizeof(p.service_name), "%s", name);
	return p;
}

static struct overview_leg leg_of(const char *gateway, uint32_t tgid, uint16_t port, uint64_t n)
{
	struct overview_leg leg = {
		.gateway = {proc(gateway, tgid), "nginx", 1},
		.upstream = story_endpoint("10.0.0.7", port),
		.total = {.upstream_requests = 10 * n},
	};

	leg.total.upstream_fail[FLOW_FAIL_REFUSED] = n;
	leg.recent = leg.total;
	return leg;
}

static void tell_leg(struct metrics *m, uint64_t now_ns, const struct overview_leg *leg)
{
	struct overview_sink sink = metrics_look_begin(m, now_ns);

	if (leg)
		sink.leg(sink.arg, leg);
	metrics_look_end(m);
}

#define REFUSED(gateway, upstream)                                                                 \
	"memswell_gateway_upstream_failures_total{gateway=\"" gateway "\",upstream=\"" upstream    \
	"\",kind=\"connect_refused\"}"

static void counters_go_on_when_the_core_begins_anew(void **state)
{
	struct metrics *m = metrics_new();
	struct overview_leg leg = leg_of("nginx", 1, 80, 5);

	(void)state;
	tell_leg(m, MINUTE, &leg);
	assert_value(m, REFUSED("nginx", "10.0.0.7:80"), 5);
	leg = leg_of("nginx", 1, 80, 3); /* forgotten, and known again */
	tell_leg(m, 2 * MINUTE, &leg);
	assert_value(m, REFUSED("nginx", "10.0.0.7:80"), 8);
	leg = leg_of("nginx", 2, 80, 4); /* another life of the same gateway */
	tell_leg(m, 3 * MINUTE, &leg);
	assert_value(m, REFUSED("nginx", "10.0.0.7:80"), 12);
	assert_value(m,
		     "memswell_gateway_upstream_failures_total{gateway=\"nginx\",upstream="
		     "\"10.0.0.7:80\",kind=\"connect_timeout\"}",
		     0);
	metrics_free(m);
}

static void what_is_gone_leaves_after_a_quarter_of_an_hour(void **state)
{
	struct metrics *m = metrics_new();
	struct overview_leg leg = leg_of("nginx", 1, 80, 5);

	(void)state;
	tell_leg(m, MINUTE, &leg);
	tell_leg(m, 15 * MINUTE, NULL);
	assert_value(m, REFUSED("nginx", "10.0.0.7:80"), 5);
	tell_leg(m, 17 * MINUTE, NULL);
	assert_absent(m, REFUSED("nginx", "10.0.0.7:80"));
	assert_absent(m, REFUSED("other", "other"));
	metrics_free(m);
}

/* Each failure counts in one series when it happens, and nothing that counted goes back. */
static void sums_stay_right_when_there_are_more_than_rows(void **state)
{
	struct metrics *m = metrics_new();
	double other_before = 0;

	(void)state;
	for (uint64_t round = 1; round <= 5; round++) {
		struct overview_sink sink = metrics_look_begin(m, round * MINUTE);
		double other;

		for (uint16_t i = 1; i <= 190; i++) {
			struct overview_leg leg = leg_of("nginx", 1, i, round);

			/* The last ones begin to matter in the third round. */
			leg.recent.upstream_fail[FLOW_FAIL_REFUSED] =
				i > 180 && round >= 3 ? 1000 : 1;
			sink.leg(sink.arg, &leg);
		}
		metrics_look_end(m);
		other = value_of(m, REFUSED("other", "other"));
		assert_true(other >= other_before);
		other_before = other;
		if (round == 2)
			assert_int_equal(sum_of(m, "memswell_gateway_upstream_failures_total",
						"connect_refused"),
					 2 * 190);
	}
	/* Ten newcomers took the places of ten others, with what they failed since. */
	assert_value(m, REFUSED("nginx", "10.0.0.7:185"), 3);
	assert_value(m, "memswell_metrics_series_left_out{table=\"upstreams\"}", 190 - 128);
	metrics_free(m);
}

static void three_thousand_listeners_stay_within_the_tables(void **state)
{
	struct metrics *m = metrics_new();
	size_t len = 0;

	(void)state;
	for (uint64_t round = 1; round <= 3; round++) {
		struct overview_sink sink = metrics_look_begin(m, round * MINUTE);

		for (uint32_t i = 1; i <= 3000; i++) {
			struct overview_process p = {
				.proc = proc("service", i),
				.bound = story_endpoint("0.0.0.0", (uint16_t)i),
				.anon_bytes = MIB,
			};
			struct overview_listener l = {
				.local = p.bound, .bound = p.bound, .up = true, .proc = p.proc};

			l.requests = round;
			sink.process(sink.arg, &p);
			sink.listener(sink.arg, &l);
		}
		metrics_look_end(m);
		assert_value(m,
			     "memswell_service_anon_bytes{service_name=\"other\",listener="
			     "\"other\",netns=\"other\"}",
			     (3000. - 256) * (double)MIB);
		len = strlen(answer);
		assert_true(reader.nr < 20000);
	}
	assert_true(len < METRICS_ANSWER_MAX / 2);
	assert_int_equal(sum_of(m, "memswell_service_anon_bytes", ""), 3000. * (double)MIB);
	metrics_free(m);
}

static void strangers_may_call_themselves_anything(void **state)
{
	static const char *const names[] = {"a\"b\\c\nd",
					    "\xff\xfe\xc0\xaf",
					    "\x1b[31mred\x7f\r\t",
					    "} 1\nfake_total 7\n# EOF",
					    "\xe2\x82",
					    "",
					    "{}=,\"\"\"\\"};
	struct metrics *m = metrics_new();
	struct overview_sink sink = metrics_look_begin(m, MINUTE);
	struct workload workload = {0};

	(void)state;
	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct overview_process p = {
			.proc = proc(names[i], i + 1),
			.bound = story_endpoint("0.0.0.0", (uint16_t)(i + 1)),
		};

		snprintf(workload.pod_name, sizeof(workload.pod_name), "%s", names[i]);
		snprintf(workload.image, sizeof(workload.image), "%s", names[i]);
		p.proc.workload = &workload;
		sink.process(sink.arg, &p);
	}
	metrics_look_end(m);
	assert_value(m,
		     "memswell_service_processes{service_name=\"a\\\"b\\\\c\\nd\",listener="
		     "\"0.0.0.0:1\",netns=\"4026531840\"}",
		     1);
	assert_absent(m, "fake_total");
	render(m, METRICS_OPENMETRICS);
	metrics_free(m);
}

/* What differs only where labels cannot show it is one row; a name cannot pose as the rest. */
static void names_that_look_alike_are_one(void **state)
{
	struct metrics *m = metrics_new();
	struct overview_sink sink = metrics_look_begin(m, MINUTE);
	struct overview_leg legs[] = {leg_of("a\x01", 1, 80, 1), leg_of("a\x02", 2, 80, 2),
				      leg_of("a\xc2\x85", 3, 80, 4), leg_of("a\xff", 4, 80, 8)};
	struct overview_gateway gateway = {.gateway = {proc("other", 1), "nginx", 1},
					   .client_requests = 3};

	(void)state;
	for (size_t i = 0; i < sizeof(legs) / sizeof(legs[0]); i++)
		sink.leg(sink.arg, &legs[i]);
	sink.gateway(sink.arg, &gateway);
	metrics_look_end(m);
	assert_value(m, REFUSED("a\xef\xbf\xbd", "10.0.0.7:80"), 15);
	assert_value(m, "memswell_gateway_client_requests_total{gateway=\"other_\"}", 3);
	metrics_free(m);
}

static void an_answer_without_room_is_short_not_broken(void **state)
{
	struct metrics *m = metrics_new();

	(void)state;
	for (size_t size = 0; size < 20000; size += 97) {
		size_t len = metrics_render(m, METRICS_OPENMETRICS, answer, size);

		assert_true(len <= size);
		answer[len] = '\0';
		metrics_read(&reader, answer);
		assert_null(reader.wrong);
	}
	metrics_free(m);
}

/* Incidents ------------------------------------------------------------------------------------ */

struct told {
	const char *id;
	enum incident_record record;
	enum verdict_class class;
	enum verdict_cause cause;
};

static void tell_incident(struct metrics *m, uint64_t ts_ns, struct told told)
{
	static struct report r;

	memset(&r, 0, sizeof(r));
	r.kind = REPORT_INCIDENT;
	r.ts_ns = ts_ns;
	snprintf(r.incident.id, sizeof(r.incident.id), "%s", told.id);
	snprintf(r.incident.service_name, sizeof(r.incident.service_name), "web");
	r.incident.record = told.record;
	r.incident.verdict.class = told.class;
	r.incident.verdict.cause = told.cause;
	r.incident.gateway = (struct report_gateway){proc("nginx", 1), "nginx", 1};
	r.incident.upstream = story_endpoint("10.0.0.7", 80);
	metrics_report(m, &r);
}

#define ENDED(class, cause) "memswell_incidents_total{class=\"" class "\",cause=\"" cause "\"}"
#define OPEN(class, cause)  "memswell_incidents_open{class=\"" class "\",cause=\"" cause "\"}"
#define ENDED_OF_WEB(class, cause)                                                                 \
	"memswell_service_incidents_total{service_name=\"web\",gateway=\"nginx\",upstream="        \
	"\"10.0.0.7:80\",class=\"" class "\",cause=\"" cause "\"}"

static void an_incident_counts_when_it_ends_by_its_last_verdict(void **state)
{
	struct metrics *m = metrics_new();

	(void)state;
	assert_value(m, ENDED("memory_death", "heap_leak"), 0);
	assert_absent(m, ENDED("network", "heap_leak"));
	tell_incident(m, 1, (struct told){"A", INCIDENT_OPEN, VERDICT_UNEXPLAINED, CAUSE_NONE});
	assert_value(m, OPEN("unexplained", ""), 1);
	tell_incident(m, 2,
		      (struct told){"A", INCIDENT_UPDATE, VERDICT_MEMORY_DEATH, CAUSE_HEAP_LEAK});
	assert_value(m, OPEN("unexplained", ""), 0);
	assert_value(m, OPEN("memory_death", "heap_leak"), 1);
	assert_value(m, ENDED_OF_WEB("memory_death", "heap_leak"), 0);
	tell_incident(m, 3,
		      (struct told){"A", INCIDENT_CLOSE, VERDICT_MEMORY_DEATH, CAUSE_HEAP_LEAK});
	assert_value(m, OPEN("memory_death", "heap_leak"), 0);
	assert_value(m, ENDED("memory_death", "heap_leak"), 1);
	assert_value(m, ENDED("unexplained", ""), 0);
	assert_value(m, ENDED_OF_WEB("memory_death", "heap_leak"), 1);
	/* A crash loop is one incident, however often it is opened again. */
	tell_incident(m, 4,
		      (struct told){"A", INCIDENT_UPDATE, VERDICT_MEMORY_DEATH, CAUSE_HEAP_LEAK});
	assert_value(m, OPEN("memory_death", "heap_leak"), 1);
	tell_incident(m, 5,
		      (struct told){"A", INCIDENT_CLOSE, VERDICT_MEMORY_DEATH, CAUSE_HEAP_LEAK});
	assert_value(m, ENDED("memory_death", "heap_leak"), 1);
	tell_incident(
		m, 6,
		(struct told){"A", INCIDENT_CLOSE, VERDICT_MEMORY_DEATH, CAUSE_LIMIT_TOO_SMALL});
	assert_value(m, ENDED("memory_death", "limit_too_small"), 1);
	metrics_free(m);
}

static void many_incidents_keep_their_sums(void **state)
{
	struct metrics *m = metrics_new();
	char id[27];

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "I%u", i);
		tell_incident(m, 2 * i + 1,
			      (struct told){id, INCIDENT_OPEN, VERDICT_NETWORK, CAUSE_NONE});
		tell_incident(m, 2 * i + 2,
			      (struct told){id, INCIDENT_CLOSE, VERDICT_NETWORK, CAUSE_NONE});
	}
	assert_value(m, ENDED("network", ""), 1000);
	assert_value(m, ENDED_OF_WEB("network", ""), 1000);
	assert_value(m, OPEN("network", ""), 0);
	metrics_free(m);
}

/* A whole story through the core --------------------------------------------------------------- */

static void look(struct metrics *m, struct story *s)
{
	struct overview_sink sink = metrics_look_begin(m, s->now_ns);

	core_overview(s->core, &sink);
	metrics_look_end(m);
}

static void a_memory_death_shows_at_the_service_and_the_address(void **state)
{
	struct story *s = story_new();
	struct metrics *m = metrics_new();

	(void)state;
	story_cast(s, RUNTIME_NODEJS, true);
	story_grow(s, 20 * MIB, 280 * MIB, 60, 300 * MIB);
	look(m, s);
	assert_true(sum_of(m, "memswell_service_growth_level", "3000") >= 1);
	assert_true(sum_of(m, "memswell_service_time_to_ceiling_seconds", "3000") > 0);
	assert_true(sum_of(m, "memswell_listener_time_to_ceiling_seconds", "3000") > 0);
	assert_int_equal(sum_of(m, "memswell_listener_deaths_total", "oom_kill_cgroup"), 0);
	assert_int_equal(sum_of(m, "memswell_listener_up", "3000"), 1);
	story_oom(s, NODE, 290 * MIB, 300 * MIB);
	story_signal(s, NODE, NODE, SIGKILL, SI_KERNEL, "node");
	story_exit(s, NODE, 9, 290 * MIB);
	for (int i = 0; i < 5; i++)
		story_refused_second(s, 20);
	look(m, s);
	assert_int_equal(sum_of(m, "memswell_service_deaths_total", "oom_kill_cgroup"), 1);
	assert_int_equal(sum_of(m, "memswell_listener_deaths_total", "oom_kill_cgroup"), 1);
	assert_true(sum_of(m, "memswell_listener_last_death_timestamp_seconds", "oom_kill_cgroup") >
		    0);
	assert_int_equal(sum_of(m, "memswell_gateway_upstream_failures_total", "connect_refused"),
			 100);
	assert_int_equal(sum_of(m, "memswell_gateway_burst_open", "3000"), 1);
	/* The memory of the dead is nobody's. */
	assert_int_equal(sum_of(m, "memswell_service_anon_bytes", "3000"), 0);
	story_free(s);
	metrics_free(m);
}

/* Formats -------------------------------------------------------------------------------------- */

static void the_client_chooses_the_format(void **state)
{
	static const struct {
		const char *accept;
		enum metrics_format format;
	} cases[] = {
		{NULL, METRICS_PROMETHEUS},
		{"", METRICS_PROMETHEUS},
		{"*/*", METRICS_PROMETHEUS},
		{"text/plain;version=0.0.4", METRICS_PROMETHEUS},
		{"application/openmetrics-text", METRICS_OPENMETRICS},
		{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
		 "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		 METRICS_OPENMETRICS},
		{"text/plain;q=0.5, Application/OpenMetrics-Text; q=0.4", METRICS_PROMETHEUS},
		{"text/plain;q=0.3, application/openmetrics-text ;q=0.4", METRICS_OPENMETRICS},
		{"application/openmetrics-text;q=0", METRICS_PROMETHEUS},
		{"application/openmetrics-textual", METRICS_PROMETHEUS},
		{",;,q=,;q=;;q=9999999999999999999999,", METRICS_PROMETHEUS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(metrics_format_of(cases[i].accept), cases[i].format);
}

static void both_formats_name_families_their_way(void **state)
{
	struct metrics *m = metrics_new();

	(void)state;
	render(m, METRICS_PROMETHEUS);
	assert_non_null(strstr(answer, "\n# TYPE memswell_bursts_total counter\n"));
	assert_non_null(strstr(answer, "\n# TYPE memswell_build_info gauge\n"));
	assert_null(strstr(answer, "# UNIT"));
	render(m, METRICS_OPENMETRICS);
	assert_non_null(strstr(answer, "\n# TYPE memswell_bursts counter\n"));
	assert_non_null(strstr(answer, "\nmemswell_bursts_total 0\n"));
	assert_non_null(strstr(answer, "\n# TYPE memswell_build info\n"));
	assert_non_null(strstr(answer, "\n# UNIT memswell_service_anon_bytes bytes\n"));
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_go_on_when_the_core_begins_anew),
		cmocka_unit_test(what_is_gone_leaves_after_a_quarter_of_an_hour),
		cmocka_unit_test(sums_stay_right_when_there_are_more_than_rows),
		cmocka_unit_test(three_thousand_listeners_stay_within_the_tables),
		cmocka_unit_test(strangers_may_call_themselves_anything),
		cmocka_unit_test(names_that_look_alike_are_one),
		cmocka_unit_test(an_answer_without_room_is_short_not_broken),
		cmocka_unit_test(an_incident_counts_when_it_ends_by_its_last_verdict),
		cmocka_unit_test(many_incidents_keep_their_sums),
		cmocka_unit_test(a_memory_death_shows_at_the_service_and_the_address),
		cmocka_unit_test(the_client_chooses_the_format),
		cmocka_unit_test(both_formats_name_families_their_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
