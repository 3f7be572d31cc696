/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_load_failure.c - what libbpf's messages tell: of which program or map, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "source/load_failure.h"

#define LOG(name, text)                                                                            \
	"libbpf: prog '" name "': -- BEGIN PROG LOAD LOG --\n" text "-- END PROG LOAD LOG --\n"

static struct load_failure read_all(const char *const *messages)
{
	struct load_failure failure = {0};

	for (; *messages; messages++)
		load_failure_read(&failure, *messages);
	return failure;
}
#define READ(...) read_all((const char *const[]){__VA_ARGS__, NULL})

static void the_verdict_is_what_stands_before_the_statistics(void **state)
{
	struct load_failure failure = READ(
		"libbpf: prog 'http_egress': BPF program load failed: Permission denied\n",
		LOG("http_egress", "0: R1=ctx() R10=fp0\n1: (61) r2 = *(u32 *)(r1 +4)\n"
				   "invalid bpf_context access off=4 size=4\n"
				   "processed 2 insns (limit 1000000) max_states_per_insn 0\n"),
		"libbpf: prog 'http_egress': failed to load: -13\n",
		"libbpf: failed to load object 'memswell_bpf'\n");

	(void)state;
	assert_string_equal(failure.what, "program");
	assert_string_equal(failure.name, "http_egress");
	assert_string_equal(failure.reason, "invalid bpf_context access off=4 size=4");
}

static void without_statistics_it_is_the_last_line(void **state)
{
	struct load_failure failure = READ(LOG("a", "arg#0 type STRUCT\nunknown func x#7\n"));

	(void)state;
	assert_string_equal(failure.reason, "unknown func x#7");
}

static void without_a_log_the_first_message_counts(void **state)
{
	struct load_failure failure = READ("libbpf: prog 'a': BPF program load failed: EPERM\n",
					   "libbpf: prog 'a': failed to load: -1\n");

	(void)state;
	assert_string_equal(failure.reason, "BPF program load failed: EPERM");
}

static void maps_fail_too(void **state)
{
	struct load_failure failure =
		READ("libbpf: map 'flow_stats': failed to create: Invalid argument(-22)\n");

	(void)state;
	assert_string_equal(failure.what, "map");
	assert_string_equal(failure.name, "flow_stats");
	assert_string_equal(failure.reason, "failed to create: Invalid argument(-22)");
}

static void an_empty_log_has_no_verdict(void **state)
{
	struct load_failure failure = READ(LOG("a", ""), "libbpf: prog 'a': failed to load: -7\n");

	(void)state;
	assert_string_equal(failure.reason, "failed to load: -7");
}

static void other_messages_are_passed_over(void **state)
{
	struct load_failure failure =
		READ("", "libbpf: ", "libbpf: prog 'unended", "libbpf: Error in bpf_create_map\n",
		     "prog 'a': not libbpf's", "libbpf: elf: skipping unrecognized data section\n");

	(void)state;
	assert_null(failure.what);
	assert_string_equal(failure.name, "");
	assert_string_equal(failure.reason, "");
}

static void what_is_long_or_no_text_is_made_to_fit(void **state)
{
	char message[1200] = "libbpf: prog '";
	struct load_failure failure = {0};

	(void)state;
	memset(message + 14, 'x', 200);
	strcpy(message + 214, "': \xff");
	memset(message + 218, 'y', 900);
	load_failure_read(&failure, message);
	assert_int_equal(strlen(failure.name), sizeof(failure.name) - 1);
	assert_int_equal(strlen(failure.reason), sizeof(failure.reason) - 1);
	assert_null(strchr(failure.reason, '\xff'));
	failure.reason[0] = '\0';
	load_failure_read(&failure, "libbpf: prog 'a'");
	load_failure_read(&failure, "libbpf: prog 'a':");
	load_failure_read(&failure, "libbpf: prog ''");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_verdict_is_what_stands_before_the_statistics),
		cmocka_unit_test(without_statistics_it_is_the_last_line),
		cmocka_unit_test(without_a_log_the_first_message_counts),
		cmocka_unit_test(maps_fail_too),
		cmocka_unit_test(an_empty_log_has_no_verdict),
		cmocka_unit_test(other_messages_are_passed_over),
		cmocka_unit_test(what_is_long_or_no_text_is_made_to_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
