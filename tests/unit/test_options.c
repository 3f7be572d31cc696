/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_options.c - the command line: what is accepted, what is refused, and in which words. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "options.h"

#define MAX_ARGS 40

static char error[256];

/* Parse `line`, split at spaces. */
static int parse(const char *line, struct options *out)
{
	static char copy[2048];
	static char *argv[MAX_ARGS]; /* options point into it */
	int argc = 1;

	memset(argv, 0, sizeof(argv));
	argv[0] = "memswell";

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word && argc < MAX_ARGS - 1; word = strtok(NULL, " "))
		argv[argc++] = word;
	error[0] = '\0';
	return options_parse(argc, argv, out, error, sizeof(error));
}

static void runs_by_default_with_a_tick_of_one_second(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse("", &o), 0);
	assert_int_equal(o.command, COMMAND_RUN);
	assert_int_equal(o.tick_ns, 1000000000);
	assert_int_equal(o.core.nr_gateways, 0);
	assert_int_equal(o.log_level, LOG_LEVEL_INFO);
}

static void takes_options_before_and_after_the_command(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse("--tick 250ms record rec.jsonl -g nginx -g :8080 -s", &o), 0);
	assert_int_equal(o.command, COMMAND_RECORD);
	assert_string_equal(o.file, "rec.jsonl");
	assert_int_equal(o.tick_ns, 250000000);
	assert_int_equal(o.core.nr_gateways, 2);
	assert_string_equal(o.core.gateways[0].comm, "nginx");
	assert_int_equal(o.core.gateways[1].port, 8080);
	assert_true(o.core.include_samples);
}

static void refuses_and_names_what_was_expected(void **state)
{
	static const struct {
		const char *line;
		const char *says;
	} rows[] = {
		{"frobnicate", "unknown command 'frobnicate'"},
		{"--tick 99ms", "from 100ms to 60s"},
		{"--tick 61s", "from 100ms to 60s"},
		{"--tick 1", "from 100ms to 60s"},
		{"--tick nan", "from 100ms to 60s"},
		{"--tick -1s", "from 100ms to 60s"},
		{"--tick", "--tick: expected a time from 100ms"},
		{"--gateway :0", "a comm"},
		{"--gateway :65536", "a comm"},
		{"--gateway abcdefghijklmnop", "a comm"},
		{"--vm-events maybe", "auto, fentry, lock, syscall or off"},
		{"--budget 0", "a percentage of one core from 0.001 to 1000"},
		{"--budget nan", "a percentage of one core"},
		{"--budget 1x", "a percentage of one core"},
		{"--budget", "--budget: expected a percentage of one core"},
		{"--bpf-stats=0", "a percentage of the ticks from 0.1 to 100"},
		{"--bpf-stats=101", "a percentage of the ticks"},
		{"--bpf-stats=", "a percentage of the ticks"},
		{"replay x --budget 1", "--budget does not apply to replay"},
		{"--log-level loud", "error, warn, info or debug"},
		{"record", "record: expected a file name"},
		{"replay", "replay: expected a file name"},
		{"replay a b", "replay: expected one file, or --merge"},
		{"check -o yaml", "text or json"},
		{"check -o out.json", "check: expected text or json"},
		{"check -o html", "check: expected text or json"},
		{"report", "report: expected a file name"},
		{"report a -o out.pdf", "or a file: .html"},
		{"explain", "explain: expected a file name"},
		{"explain a b c", "unexpected argument 'c' after explain"},
		{"explain a -o text", "--format does not apply to explain"},
		{"run -o json", "--format does not apply to run"},
		{"replay x --tick 1s", "--tick does not apply to replay"},
		{"--nonsense", "unknown option '--nonsense'"},
		{"--nonsense=1", "unknown option '--nonsense=1'"},
		{"-Z", "unknown option '-Z'"},
		{"-sZt", "unknown option '-Z'"},
		{"run -sZ", "unknown option '-Z'"},
		{"-\xff", "unknown option '-?'"},
		{"-st", "--tick: expected a time from 100ms"},
		{"--strict=no", "--strict: it takes no value"},
	};
	struct options untouched;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&untouched, 0x5a, sizeof(untouched));
		assert_int_equal(parse(rows[i].line, &untouched), -EINVAL);
		if (!strstr(error, rows[i].says))
			fail_msg("'%s' said '%s', expected '%s'", rows[i].line, error,
				 rows[i].says);
		assert_int_equal(((unsigned char *)&untouched)[0], 0x5a);
	}
}

static void reads_what_it_may_cost(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse("run", &o), 0);
	assert_int_equal(o.budget_ppm, 0);
	assert_int_equal(o.stats_every, 0);
	assert_int_equal(parse("--budget 0.5 --bpf-stats", &o), 0);
	assert_int_equal(o.budget_ppm, 5000);
	assert_int_equal(o.stats_every, 20);
	assert_int_equal(parse("-b 2% --bpf-stats=100", &o), 0);
	assert_int_equal(o.budget_ppm, 20000);
	assert_int_equal(o.stats_every, 1);
	assert_int_equal(parse("--bpf-stats=0.1 record x", &o), 0);
	assert_int_equal(o.stats_every, 1000);
	assert_string_equal(o.file, "x");
}

static void a_report_takes_files_and_a_format_or_a_file_that_says_it(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse("report a b c", &o), 0);
	assert_int_equal(o.command, COMMAND_REPORT);
	assert_int_equal(o.nr_arguments, 3);
	assert_string_equal(o.arguments[2], "c");
	assert_false(o.has_format);
	assert_int_equal(parse("report a -o markdown", &o), 0);
	assert_true(o.has_format && o.format == FORMAT_MARKDOWN && !o.output);
	assert_int_equal(parse("report -o out.html a", &o), 0);
	assert_true(o.has_format && o.format == FORMAT_HTML);
	assert_string_equal(o.output, "out.html");
	assert_string_equal(o.arguments[0], "a");
	assert_int_equal(parse("report a -O post.md", &o), 0);
	assert_true(o.format == FORMAT_MARKDOWN);
	assert_int_equal(parse("report a -O noend -o json", &o), 0);
	assert_true(o.format == FORMAT_JSON);
	assert_string_equal(o.output, "noend");
	assert_int_equal(parse("explain a 01M81", &o), 0);
	assert_int_equal(o.nr_arguments, 2);
}

static void never_echoes_control_bytes(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse("\x1b[2J\x07\xff", &o), -EINVAL);
	for (const char *c = error; *c; c++)
		assert_in_range((unsigned char)*c, 0x20, 0x7e);
}

static void takes_sixteen_gateways_and_refuses_the_next(void **state)
{
	char line[512] = "run";
	struct options o;

	(void)state;
	for (int i = 0; i < CORE_MAX_GATEWAY_FILTERS; i++)
		strcat(line, " -g :80");
	assert_int_equal(parse(line, &o), 0);
	strcat(line, " -g :80");
	assert_int_equal(parse(line, &o), -EINVAL);
	assert_non_null(strstr(error, "at most 16"));
}

static void reads_durations_with_their_units(void **state)
{
	uint64_t ns = 0;

	(void)state;
	assert_int_equal(options_parse_duration("1.5s", 0, UINT64_MAX, &ns), 0);
	assert_int_equal(ns, 1500000000);
	assert_int_equal(options_parse_duration("1m", 0, UINT64_MAX, &ns), 0);
	assert_int_equal(ns, 60000000000);
	assert_int_equal(options_parse_duration("5 s", 0, UINT64_MAX, &ns), -EINVAL);
	assert_int_equal(options_parse_duration("5h", 0, UINT64_MAX, &ns), -EINVAL);
	assert_int_equal(options_parse_duration("", 0, UINT64_MAX, &ns), -EINVAL);
	assert_int_equal(ns, 60000000000);
}

static void reads_sizes_with_their_units(void **state)
{
	uint64_t bytes = 0;

	(void)state;
	assert_int_equal(options_parse_size("65536", 1, UINT64_MAX, &bytes), 0);
	assert_int_equal(bytes, 65536);
	assert_int_equal(options_parse_size("10M", 1, UINT64_MAX, &bytes), 0);
	assert_int_equal(bytes, 10 << 20);
	assert_int_equal(options_parse_size("17179869184G", 1, UINT64_MAX, &bytes), -EINVAL);
	assert_int_equal(options_parse_size("99999999999999999999", 1, UINT64_MAX, &bytes),
			 -EINVAL);
	assert_int_equal(options_parse_size("10MB", 1, UINT64_MAX, &bytes), -EINVAL);
	assert_int_equal(options_parse_size("-1", 0, UINT64_MAX, &bytes), -EINVAL);
	assert_int_equal(options_parse_size("", 0, UINT64_MAX, &bytes), -EINVAL);
	assert_int_equal(options_parse_size("1K", 1025, UINT64_MAX, &bytes), -EINVAL);
	assert_int_equal(bytes, 10 << 20);
}

static void what_limits_a_file_needs_one(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse("run --output f --output-max-bytes 64K", &o), 0);
	assert_int_equal(o.output_file.max_bytes, 65536);
	assert_int_equal(o.output_file.keep, 5);
	assert_int_equal(parse("run --output f --output-max-bytes 1M --output-keep 99", &o), 0);
	assert_int_equal(o.output_file.keep, 99);
	assert_int_equal(parse("run --output-max-bytes 64K", &o), -EINVAL);
	assert_int_equal(parse("run --output f --output-keep 5", &o), -EINVAL);
	assert_int_equal(parse("run --output f --output-max-bytes 64K --output-keep 0", &o),
			 -EINVAL);
}

static void metrics_are_served_to_this_host_alone_unless_asked(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse("run --metrics 127.0.0.1:9432", &o), 0);
	assert_true(o.metrics);
	assert_int_equal(o.metrics_address.port, 9432);
	assert_int_equal(parse("run --metrics [::1]:9432", &o), 0);
	assert_int_equal(parse("run --metrics unix:/run/x.sock", &o), 0);
	assert_string_equal(o.metrics_address.path, "/run/x.sock");
	assert_int_equal(parse("run --metrics 0.0.0.0:9432", &o), -EINVAL);
	assert_non_null(strstr(error, "--metrics-allow-remote"));
	assert_int_equal(parse("run --metrics [::]:9432", &o), -EINVAL);
	assert_int_equal(parse("run --metrics 10.0.0.1:9432 --metrics-allow-remote", &o), 0);
	assert_int_equal(parse("run --metrics-allow-remote", &o), -EINVAL);
	assert_int_equal(parse("replay x --metrics 127.0.0.1:9432", &o), -EINVAL);
}

static void addresses_that_are_none_are_refused(void **state)
{
	static const char *const wrong[] = {"9432",	    ":9432",	     "localhost:9432",
					    "127.0.0.1",    "127.0.0.1:0",   "127.0.0.1:65536",
					    "127.0.0.1:9x", "[127.0.0.1]:1", "::1:9432",
					    "[::1:9432",    "unix:",	     "[]:1"};
	char line[80];
	struct options o;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(line, sizeof(line), "run --metrics %s", wrong[i]);
		assert_int_equal(parse(line, &o), -EINVAL);
		assert_non_null(strstr(error, "expected unix:PATH"));
	}
}

static void health_takes_an_age_in_seconds_or_with_a_unit(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse("health", &o), 0);
	assert_int_equal(o.max_age_ns, 30000000000ULL);
	assert_int_equal(parse("health --max-age 45", &o), 0);
	assert_int_equal(o.max_age_ns, 45000000000ULL);
	assert_int_equal(parse("health --max-age=1500ms --state /x", &o), 0);
	assert_int_equal(o.max_age_ns, 1500000000ULL);
	assert_int_equal(parse("health --max-age 0", &o), -EINVAL);
	assert_int_equal(parse("health --max-age soon", &o), -EINVAL);
	assert_int_equal(parse("run --max-age 45", &o), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_are_served_to_this_host_alone_unless_asked),
		cmocka_unit_test(addresses_that_are_none_are_refused),
		cmocka_unit_test(health_takes_an_age_in_seconds_or_with_a_unit),
		cmocka_unit_test(runs_by_default_with_a_tick_of_one_second),
		cmocka_unit_test(takes_options_before_and_after_the_command),
		cmocka_unit_test(refuses_and_names_what_was_expected),
		cmocka_unit_test(reads_what_it_may_cost),
		cmocka_unit_test(a_report_takes_files_and_a_format_or_a_file_that_says_it),
		cmocka_unit_test(never_echoes_control_bytes),
		cmocka_unit_test(takes_sixteen_gateways_and_refuses_the_next),
		cmocka_unit_test(reads_durations_with_their_units),
		cmocka_unit_test(reads_sizes_with_their_units),
		cmocka_unit_test(what_limits_a_file_needs_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
