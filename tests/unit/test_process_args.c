/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_process_args.c - every spelling of a memory limit as Node.js 20, HotSpot 17 and pm2 7 read
 * it (each was tried on them), and texts that are cut off, overwritten or hostile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "source/process_args.h"

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

static struct process_args told;

/* Each entry ends with '|' where the real text has NUL. Nothing is behind it that could be read. */
static char *entries(const char *text, size_t *len)
{
	char *exact;

	*len = strlen(text);
	exact = test_malloc(*len ? *len : 1);
	for (size_t i = 0; i < *len; i++)
		exact[i] = text[i] == '|' ? '\0' : text[i];
	return exact;
}

static void parse(enum runtime_kind runtime, const char *args, const char *env, uint64_t memory)
{
	struct process_args_input in = {.runtime = runtime, .memory_bytes = memory};
	char *exact_args = entries(args, &in.args_len), *exact_env = entries(env, &in.env_len);

	in.args = exact_args;
	in.env = exact_env;
	memset(&told, 0xff, sizeof(told));
	process_args_parse(&in, &told);
	test_free(exact_args);
	test_free(exact_env);
}

struct example {
	const char *args;
	const char *env;
	uint64_t bytes;
	enum heap_limit_source source;
};

static void check(enum runtime_kind runtime, const struct example *examples, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		parse(runtime, examples[i].args, examples[i].env, 4 * GIB);
		if (told.heap_limit_bytes != examples[i].bytes ||
		    told.heap_limit_source != examples[i].source)
			fail_msg("%s %s: %llu from %d", examples[i].args, examples[i].env,
				 (unsigned long long)told.heap_limit_bytes, told.heap_limit_source);
	}
}
#define CHECK(runtime, examples) check(runtime, examples, sizeof(examples) / sizeof((examples)[0]))

static void node_reads_its_flag_in_every_spelling(void **state)
{
	static const struct example examples[] = {
		{"node|--max-old-space-size=100|a.js|", "", 100 * MIB, HEAP_LIMIT_FLAG},
		{"node|--max_old_space_size=100|a.js|", "", 100 * MIB, HEAP_LIMIT_FLAG},
		{"node|--max-old_space-size=100|a.js|", "", 100 * MIB, HEAP_LIMIT_FLAG},
		{"node|-max-old-space-size=100|a.js|", "", 100 * MIB, HEAP_LIMIT_FLAG},
		{"node|--max-old-space-size|100|a.js|", "", 100 * MIB, HEAP_LIMIT_FLAG},
		{"node|--max-old-space-size=100|--|a.js|", "", 100 * MIB, HEAP_LIMIT_FLAG},
		{"node|--max-old-space-size=9999999|a.js|", "", 9999999 * MIB, HEAP_LIMIT_FLAG},
		{"node|a.js|", "", 0, HEAP_LIMIT_NONE},
		{"node|--MAX-old-space-size=100|a.js|", "", 0, HEAP_LIMIT_NONE},
		{"node|--max-old-space-size=100m|a.js|", "", 0, HEAP_LIMIT_NONE},
		{"node|--max-old-space-size=-5|a.js|", "", 0, HEAP_LIMIT_NONE},
		{"node|--max-old-space-size=0|a.js|", "", 0, HEAP_LIMIT_NONE},
		{"node|--max-old-space-size=|a.js|", "", 0, HEAP_LIMIT_NONE},
		{"node|--max-old-space-size|", "", 0, HEAP_LIMIT_NONE},
		{"node|--max-old-space-size=99999999999999999999|a.js|", "", 0, HEAP_LIMIT_NONE},
	};

	(void)state;
	CHECK(RUNTIME_NODEJS, examples);
}

static void the_last_flag_wins_and_any_beats_the_environment(void **state)
{
	static const struct example examples[] = {
		{"node|--max-old-space-size=100|--max_old_space_size=200|a.js|", "", 200 * MIB,
		 HEAP_LIMIT_FLAG},
		{"node|--max-old-space-size=100|--max-old-space-size=0|a.js|", "", 0,
		 HEAP_LIMIT_NONE},
		{"node|--max-old-space-size=100|--max-old-space-size=-5|a.js|", "", 100 * MIB,
		 HEAP_LIMIT_FLAG},
		{"node|a.js|", "NODE_OPTIONS=--max-old-space-size=100|", 100 * MIB, HEAP_LIMIT_ENV},
		{"node|--max-old-space-size=300|a.js|", "NODE_OPTIONS=--max-old-space-size=100|",
		 300 * MIB, HEAP_LIMIT_FLAG},
		{"node|--max-old-space-size=100|a.js|", "NODE_OPTIONS=--max-old-space-size=300|",
		 100 * MIB, HEAP_LIMIT_FLAG},
		{"node|a.js|", "A=1|NODE_OPTIONS=--max-old-space-size=1|NODE_OPTIONS=x|", MIB,
		 HEAP_LIMIT_ENV},
		{"node|a.js|", "MY_NODE_OPTIONS=--max-old-space-size=1|NODE_OPTIONS|", 0,
		 HEAP_LIMIT_NONE},
	};

	(void)state;
	CHECK(RUNTIME_NODEJS, examples);
}

static void arguments_of_the_script_are_not_nodes(void **state)
{
	static const struct example examples[] = {
		{"node|a.js|--max-old-space-size=100|", "", 0, HEAP_LIMIT_NONE},
		{"node|--|--max-old-space-size=100|", "", 0, HEAP_LIMIT_NONE},
		{"node|-|--max-old-space-size=100|", "", 0, HEAP_LIMIT_NONE},
		{"node|--expose-gc|a.js|--max-old-space-size=100|", "", 0, HEAP_LIMIT_NONE},
		{"node|-r|fs|--max-old-space-size=100|a.js|", "", 100 * MIB, HEAP_LIMIT_FLAG},
		{"node|--import=x|--max-old-space-size=100|a.js|", "", 100 * MIB, HEAP_LIMIT_FLAG},
		{"node|--env-file|.env|-e|f()|--max-old-space-size=100|", "", 100 * MIB,
		 HEAP_LIMIT_FLAG},
		{"--max-old-space-size=100|a.js|", "", 0, HEAP_LIMIT_NONE},
	};

	(void)state;
	CHECK(RUNTIME_NODEJS, examples);
}

static void node_options_are_split_as_node_does(void **state)
{
	static const struct example examples[] = {
		{"node|", "NODE_OPTIONS=--max-old-space-size=100 --max-old-space-size=150|",
		 150 * MIB, HEAP_LIMIT_ENV},
		{"node|", "NODE_OPTIONS= -r  \"./a b.js\" --max_old_space_size=100 |", 100 * MIB,
		 HEAP_LIMIT_ENV},
		{"node|", "NODE_OPTIONS=--max-old-space-size=\"100\"|", 100 * MIB, HEAP_LIMIT_ENV},
		{"node|", "NODE_OPTIONS=\"--max-old-space-size=100\"|", 100 * MIB, HEAP_LIMIT_ENV},
		{"node|", "NODE_OPTIONS=--max-old-space-size 100|", 100 * MIB, HEAP_LIMIT_ENV},
		{"node|", "NODE_OPTIONS=\"--title=a\\\" --max-old-space-size=7 \" --x|", 0,
		 HEAP_LIMIT_NONE},
		{"node|", "NODE_OPTIONS='--max-old-space-size=100'|", 0, HEAP_LIMIT_NONE},
		{"node|", "NODE_OPTIONS=--max-old-space-size=100\t--expose-gc|", 0,
		 HEAP_LIMIT_NONE},
	};

	(void)state;
	CHECK(RUNTIME_NODEJS, examples);
}

static void a_share_of_the_memory_beats_a_size_in_node(void **state)
{
	static const struct example examples[] = {
		{"node|--max-old-space-size-percentage=50|a.js|", "", 2 * GIB, HEAP_LIMIT_FLAG},
		{"node|--max-old-space-size-percentage|12.5|a.js|", "", 512 * MIB, HEAP_LIMIT_FLAG},
		{"node|--max-old-space-size=100|a.js|",
		 "NODE_OPTIONS=--max_old_space_size_percentage=25|", GIB, HEAP_LIMIT_ENV},
		{"node|--max-old-space-size-percentage=101|a.js|", "", 0, HEAP_LIMIT_NONE},
		{"node|--max-old-space-size-percentage=1.2.3|a.js|", "", 0, HEAP_LIMIT_NONE},
		{"node|--max-old-space-size-percentage=inf|a.js|", "", 0, HEAP_LIMIT_NONE},
	};

	(void)state;
	CHECK(RUNTIME_NODEJS, examples);
	parse(RUNTIME_NODEJS, "node|--max-old-space-size-percentage=50|", "", 0);
	assert_int_equal(told.heap_limit_bytes, 0);
	assert_int_equal(told.heap_limit_source, HEAP_LIMIT_NONE);
}

static void the_jvm_reads_its_flag_in_every_spelling(void **state)
{
	static const struct example examples[] = {
		{"java|-Xmx512m|M|", "", 512 * MIB, HEAP_LIMIT_FLAG},
		{"java|-Xmx1G|M|", "", GIB, HEAP_LIMIT_FLAG},
		{"java|-Xmx102400K|M|", "", 100 * MIB, HEAP_LIMIT_FLAG},
		{"java|-Xmx1t|M|", "", 1024 * GIB, HEAP_LIMIT_FLAG},
		{"java|-Xmx104857600|M|", "", 100 * MIB, HEAP_LIMIT_FLAG},
		{"java|-XX:MaxHeapSize=128m|M|", "", 128 * MIB, HEAP_LIMIT_FLAG},
		{"java|-Xmx100m|-XX:MaxHeapSize=128m|M|", "", 128 * MIB, HEAP_LIMIT_FLAG},
		{"java|-Xmx1g|-Xmx100m|-jar|a.jar|", "", 100 * MIB, HEAP_LIMIT_FLAG},
		{"java|-Xmx1.5g|M|", "", 0, HEAP_LIMIT_NONE},
		{"java|-Xmx512mb|M|", "", 0, HEAP_LIMIT_NONE},
		{"java|-Xmx|M|", "", 0, HEAP_LIMIT_NONE},
		{"java|-Xmx-1|M|", "", 0, HEAP_LIMIT_NONE},
		{"java|-Xmx999999999999t|M|", "", 0, HEAP_LIMIT_NONE},
		{"java|-Xms512m|M|", "", 0, HEAP_LIMIT_NONE},
	};

	(void)state;
	CHECK(RUNTIME_JVM, examples);
}

static void arguments_of_the_program_are_not_the_jvms(void **state)
{
	static const struct example examples[] = {
		{"java|-cp|.|M|-Xmx100m|", "", 0, HEAP_LIMIT_NONE},
		{"java|-jar|a.jar|-Xmx100m|", "", 0, HEAP_LIMIT_NONE},
		{"java|-jar|-Xmx100m|a.jar|", "", 100 * MIB, HEAP_LIMIT_FLAG},
		{"java|-cp|a:b|-Xmx100m|M|", "", 100 * MIB, HEAP_LIMIT_FLAG},
		{"java|--add-opens|x/y=z|@flags|-Xmx100m|M|", "", 100 * MIB, HEAP_LIMIT_FLAG},
		{"java|-cp|", "", 0, HEAP_LIMIT_NONE},
	};

	(void)state;
	CHECK(RUNTIME_JVM, examples);
}

static void the_jvms_variables_stand_before_and_behind_its_arguments(void **state)
{
	static const struct example examples[] = {
		{"java|M|", "JAVA_TOOL_OPTIONS=-Xmx100m|", 100 * MIB, HEAP_LIMIT_ENV},
		{"java|-Xmx200m|M|", "JAVA_TOOL_OPTIONS=-Xmx100m|", 200 * MIB, HEAP_LIMIT_FLAG},
		{"java|M|", "JDK_JAVA_OPTIONS=-Xmx100m|JAVA_TOOL_OPTIONS=-Xmx150m|", 100 * MIB,
		 HEAP_LIMIT_ENV},
		{"java|-Xmx200m|M|", "JDK_JAVA_OPTIONS=-Xmx100m|", 200 * MIB, HEAP_LIMIT_FLAG},
		{"java|-Xmx200m|M|", "JDK_JAVA_OPTIONS=-Xmx300m|_JAVA_OPTIONS=-Xmx100m|", 100 * MIB,
		 HEAP_LIMIT_ENV},
		{"java|M|", "JAVA_TOOL_OPTIONS=-Dx=\"a -Xmx9m\"\t'-Xmx100m'|", 100 * MIB,
		 HEAP_LIMIT_ENV},
		{"java|M|", "JAVA_TOOL_OPTIONS=-Xm\"x100\"m|", 100 * MIB, HEAP_LIMIT_ENV},
		{"java|M|", "JAVA_OPTS=-Xmx100m|", 0, HEAP_LIMIT_NONE},
	};

	(void)state;
	CHECK(RUNTIME_JVM, examples);
}

static void a_size_beats_a_share_of_the_memory_in_the_jvm(void **state)
{
	static const struct example examples[] = {
		{"java|-XX:MaxRAMPercentage=75.0|M|", "", 3 * GIB, HEAP_LIMIT_FLAG},
		{"java|-Xmx64m|-XX:MaxRAMPercentage=50.5|M|", "", 64 * MIB, HEAP_LIMIT_FLAG},
		{"java|-XX:MaxRAMPercentage=50|M|", "_JAVA_OPTIONS=-Xmx64m|", 64 * MIB,
		 HEAP_LIMIT_ENV},
		{"java|-XX:MaxRAM=1g|-XX:MaxRAMPercentage=50|M|", "", 512 * MIB, HEAP_LIMIT_FLAG},
		{"java|M|", "JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage=50|", 2 * GIB, HEAP_LIMIT_ENV},
		{"java|-XX:MaxRAMPercentage=250|M|", "", 0, HEAP_LIMIT_NONE},
	};

	(void)state;
	CHECK(RUNTIME_JVM, examples);
}

/* As HotSpot 17 chose in cgroups of these sizes; it rounds up to 2 MiB. */
static void a_share_of_little_memory_is_another_one(void **state)
{
	static const struct {
		const char *args;
		uint64_t memory_mib;
		uint64_t heap_mib;
	} examples[] = {
		{"java|-XX:MaxRAMPercentage=75|", 100, 50},
		{"java|-XX:MaxRAMPercentage=10|", 200, 100},
		{"java|-XX:MaxRAMPercentage=75|-XX:MinRAMPercentage=80|", 100, 80},
		{"java|-XX:MaxRAMPercentage=75|-XX:MinRAMPercentage=80|", 200, 150},
		{"java|-XX:MaxRAMPercentage=75|", 240, 120},
		{"java|-XX:MaxRAMPercentage=75|", 250, 187},
		{"java|-XX:MaxRAMPercentage=10|", 250, 124},
		{"java|-XX:MaxRAMPercentage=75|", 600, 450},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		parse(RUNTIME_JVM, examples[i].args, "", examples[i].memory_mib * MIB);
		assert_int_equal(told.heap_limit_bytes / MIB, examples[i].heap_mib);
	}
}

static void the_jvm_is_told_how_to_end(void **state)
{
	static const struct {
		const char *args;
		const char *env;
		enum oom_exit end;
	} examples[] = {
		{"java|M|", "", OOM_EXIT_NONE},
		{"java|-XX:+ExitOnOutOfMemoryError|M|", "", OOM_EXIT_CODE},
		{"java|-XX:+CrashOnOutOfMemoryError|M|", "", OOM_EXIT_ABORT},
		{"java|-XX:+CrashOnOutOfMemoryError|-XX:+ExitOnOutOfMemoryError|M|", "",
		 OOM_EXIT_ABORT},
		{"java|-XX:+CrashOnOutOfMemoryError|-XX:-CreateCoredumpOnCrash|M|", "",
		 OOM_EXIT_NONE},
		{"java|-XX:+ExitOnOutOfMemoryError|-XX:-ExitOnOutOfMemoryError|M|", "",
		 OOM_EXIT_NONE},
		{"java|-XX:ExitOnOutOfMemoryError|M|", "", OOM_EXIT_NONE},
		{"java|M|-XX:+ExitOnOutOfMemoryError|", "", OOM_EXIT_NONE},
		{"java|M|", "JAVA_TOOL_OPTIONS=-XX:+ExitOnOutOfMemoryError|", OOM_EXIT_CODE},
		{"java|-XX:-ExitOnOutOfMemoryError|M|",
		 "JAVA_TOOL_OPTIONS=-XX:+ExitOnOutOfMemoryError|", OOM_EXIT_NONE},
		{"java|-XX:-ExitOnOutOfMemoryError|M|",
		 "_JAVA_OPTIONS=-XX:+ExitOnOutOfMemoryError|", OOM_EXIT_CODE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		parse(RUNTIME_JVM, examples[i].args, examples[i].env, 0);
		assert_int_equal(told.oom_exit, examples[i].end);
	}
}

static void each_runtime_hears_only_its_own(void **state)
{
	static const char args[] = "x|--max-old-space-size=1|-Xmx1m|";
	static const char env[] = "NODE_OPTIONS=--max-old-space-size=2|_JAVA_OPTIONS=-Xmx2m|"
				  "GOMEMLIMIT=2MiB|";

	(void)state;
	for (int runtime = 0; runtime < NR_RUNTIMES; runtime++) {
		bool is_managed = runtime == RUNTIME_NODEJS || runtime == RUNTIME_JVM;

		parse((enum runtime_kind)runtime, args, env, GIB);
		assert_int_equal(told.heap_limit_bytes != 0, is_managed);
	}
}

static void pm2_tells_apps_in_fork_mode_by_variables(void **state)
{
	static const char env[] = "max_memory_restart=314572800|exec_mode=fork_mode|pm_id=0|";

	(void)state;
	parse(RUNTIME_NODEJS, "node /srv/app.js||||", env, 0);
	assert_int_equal(told.supervisor_limit_bytes, 300 * MIB);
	assert_int_equal(told.heap_limit_bytes, 0);
	parse(RUNTIME_PYTHON, "python3|app.py|", env, 0);
	assert_int_equal(told.supervisor_limit_bytes, 300 * MIB);
	parse(RUNTIME_NODEJS, "node|app.js|", "max_memory_restart=300M|pm_id=3|", 0);
	assert_int_equal(told.supervisor_limit_bytes, 300 * MIB);
	parse(RUNTIME_NODEJS, "node|app.js|", "max_memory_restart=314572800|", 0);
	assert_int_equal(told.supervisor_limit_bytes, 0);
	parse(RUNTIME_NODEJS, "node|app.js|", "max_memory_restart=lots|pm_id=0|", 0);
	assert_int_equal(told.supervisor_limit_bytes, 0);
}

static void pm2_tells_apps_in_cluster_mode_by_json(void **state)
{
	(void)state;
	parse(RUNTIME_NODEJS, "node /srv/app.js||||",
	      "HOME=/|pm2_env={\"name\":\"c\",\"node_args\":[\"--expose-gc\","
	      "\"--max-old-space-size=150\"],\"args\":[\"--max-old-space-size=9\"],"
	      "\"env\":{\"X\":\"\\\"max_memory_restart\\\":5\"},"
	      "\"max_memory_restart\":262144000,\"instances\":2}|",
	      0);
	assert_int_equal(told.supervisor_limit_bytes, 250 * MIB);
	assert_int_equal(told.heap_limit_bytes, 150 * MIB);
	assert_int_equal(told.heap_limit_source, HEAP_LIMIT_FLAG);
	parse(RUNTIME_NODEJS, "node|", "pm2_env={\"node_args\":[],\"args\":[]}|pm_id=1|", 0);
	assert_int_equal(told.supervisor_limit_bytes, 0);
	assert_int_equal(told.heap_limit_bytes, 0);
	parse(RUNTIME_NODEJS, "node|", "pm2_env={\"max_memory_restart\":null,\"a\":7}|", 0);
	assert_int_equal(told.supervisor_limit_bytes, 0);
	parse(RUNTIME_NODEJS, "node|", "pm2_env={\"node_args\":[\"--max-old-space-size=15|", 0);
	assert_int_equal(told.heap_limit_bytes, 0);
}

/* "-Xmx51" is not "-Xmx512m", wherever the reading stopped. */
static void what_is_cut_off_was_not_told(void **state)
{
	static const char args[] = "node|--max-old-space-size=512|";
	static const char env[] = "pm_id=0|max_memory_restart=314572800|";

	(void)state;
	for (size_t len = 0; len < strlen(args); len++) {
		char cut[sizeof(args)];

		memcpy(cut, args, len);
		cut[len] = '\0';
		parse(RUNTIME_NODEJS, cut, "", 0);
		assert_int_equal(told.heap_limit_bytes, 0);
	}
	for (size_t len = 0; len < strlen(env); len++) {
		char cut[sizeof(env)];

		memcpy(cut, env, len);
		cut[len] = '\0';
		parse(RUNTIME_NODEJS, "", cut, 0);
		assert_int_equal(told.supervisor_limit_bytes, 0);
	}
}

static void hostile_bytes_do_no_harm(void **state)
{
	static const enum runtime_kind runtimes[] = {RUNTIME_NODEJS, RUNTIME_JVM, RUNTIME_GO};
	static const char *const pieces[] = {
		"|",
		"NODE_OPTIONS=",
		"\"",
		"\\",
		"--max-old-space-size",
		"=",
		"99",
		"-Xmx",
		"'",
		"-XX:MaxRAMPercentage=",
		"\xff\xfe",
		"pm2_env={",
		"[",
		"node",
		"\"max_memory_restart\":",
		" ",
		"-cp",
		"pm_id=1",
		"_JAVA_OPTIONS=",
		"\"node_args\":[",
	};
	uint64_t seed = 88172645463325252ULL;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		char text[512] = "";

		for (int i = 0; i < 20; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			strcat(text, pieces[seed % (sizeof(pieces) / sizeof(pieces[0]))]);
		}
		parse(runtimes[round % 3], text, text, seed);
		assert_true(told.heap_limit_source < NR_HEAP_LIMIT_SOURCES);
		assert_int_equal(told.heap_limit_bytes != 0, told.heap_limit_source != 0);
	}
}

static void name_is(const char *env, uint8_t source, const char *name)
{
	parse(RUNTIME_PYTHON, "python3|app.py|", env, 0);
	assert_int_equal(told.name_source, source);
	assert_string_equal(told.name, name);
}

static void a_service_is_called_what_its_process_was_told(void **state)
{
	(void)state;
	name_is("OTEL_SERVICE_NAME=checkout|SECRET=x|", NAME_SOURCE_OTEL, "checkout");
	name_is("OTEL_SERVICE_NAME=my shop|name=x|pm_id=0|", NAME_SOURCE_OTEL, "my shop");
	name_is("name=api|exec_mode=fork_mode|pm_id=0|", NAME_SOURCE_PM2, "api");
	name_is("pm2_env={\"args\":[],\"name\":\"api, v2\",\"pm_id\":1}|", NAME_SOURCE_PM2,
		"api, v2");
	name_is("name=api|", NAME_SOURCE_NONE, "");
	name_is("OTEL_SERVICE_NAME=|", NAME_SOURCE_NONE, "");
	name_is("XOTEL_SERVICE_NAME=x|OTEL_SERVICE_NAMES=y|", NAME_SOURCE_NONE, "");
	name_is("OTEL_SERVICE_NAME=cut off", NAME_SOURCE_NONE, "");
	name_is("OTEL_SERVICE_NAME=\xff|", NAME_SOURCE_OTEL, "\xef\xbf\xbd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(node_reads_its_flag_in_every_spelling),
		cmocka_unit_test(the_last_flag_wins_and_any_beats_the_environment),
		cmocka_unit_test(arguments_of_the_script_are_not_nodes),
		cmocka_unit_test(node_options_are_split_as_node_does),
		cmocka_unit_test(a_share_of_the_memory_beats_a_size_in_node),
		cmocka_unit_test(the_jvm_reads_its_flag_in_every_spelling),
		cmocka_unit_test(arguments_of_the_program_are_not_the_jvms),
		cmocka_unit_test(the_jvms_variables_stand_before_and_behind_its_arguments),
		cmocka_unit_test(a_size_beats_a_share_of_the_memory_in_the_jvm),
		cmocka_unit_test(a_share_of_little_memory_is_another_one),
		cmocka_unit_test(the_jvm_is_told_how_to_end),
		cmocka_unit_test(each_runtime_hears_only_its_own),
		cmocka_unit_test(pm2_tells_apps_in_fork_mode_by_variables),
		cmocka_unit_test(a_service_is_called_what_its_process_was_told),
		cmocka_unit_test(pm2_tells_apps_in_cluster_mode_by_json),
		cmocka_unit_test(what_is_cut_off_was_not_told),
		cmocka_unit_test(hostile_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
