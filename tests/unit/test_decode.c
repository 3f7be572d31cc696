/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_decode.c - wire bytes become records; short, foreign and hostile bytes do no harm. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/utf8.h"
#include "source/decode.h"

#define PAGE 4096

/* A buffer of exactly the size given, so that reading past it is an error the sanitizer sees. */
static enum decode_result decode_exact(const void *data, size_t size, struct record *out)
{
	uint8_t *copy = test_malloc(size ? size : 1);
	enum decode_result result;

	memcpy(copy, data, size);
	result = decode_wire(copy, size, PAGE, out);
	test_free(copy);
	return result;
}

static void fill_head(struct wire_head *head, uint32_t kind, uint32_t size)
{
	head->kind = kind;
	head->size = size;
	head->ts_ns = 77;
}

static const uint32_t sizes[NR_WIRE_KINDS] = {
	[WIRE_FORK] = sizeof(struct wire_fork),	    [WIRE_EXEC] = sizeof(struct wire_exec),
	[WIRE_EXIT] = sizeof(struct wire_exit),	    [WIRE_SIGNAL] = sizeof(struct wire_signal),
	[WIRE_OOM] = sizeof(struct wire_oom),	    [WIRE_LISTENER] = sizeof(struct wire_listener),
	[WIRE_V8_OOM] = sizeof(struct wire_v8_oom), [WIRE_RSS] = sizeof(struct wire_rss),
	[WIRE_VM] = sizeof(struct wire_vm),	    [WIRE_ALARM] = sizeof(struct wire_alarm),
	[WIRE_TASK] = sizeof(struct wire_task),	    [WIRE_SOCKET] = sizeof(struct wire_socket),
};

static void an_exit_keeps_peak_and_status(void **state)
{
	struct wire_exit wire = {
		.proc = {.start_ns = 5, .tgid = 42},
		.maxrss_pages = 1000,
		.anon_pages = 900,
		.maj_flt = 3,
		.status = 0x89,
		.oom_score_adj = -500,
		.comm = "node",
	};
	struct record record;

	(void)state;
	fill_head(&wire.head, WIRE_EXIT, sizeof(wire));
	assert_int_equal(decode_exact(&wire, sizeof(wire), &record), DECODE_RECORD);
	assert_int_equal(record.kind, RECORD_EXIT);
	assert_int_equal(record.ts_ns, 77);
	assert_int_equal(record.exit.proc.tgid, 42);
	assert_int_equal(record.exit.proc.start_ns, 5);
	assert_int_equal(record.exit.peak_rss_bytes, 1000 * PAGE);
	assert_int_equal(record.exit.anon_bytes, 900 * PAGE);
	assert_int_equal(record.exit.status, 0x89);
	assert_int_equal(record.exit.oom_score_adj, -500);
	assert_string_equal(record.exit.comm, "node");
}

static void a_fork_is_a_process_with_its_parent(void **state)
{
	struct wire_fork wire = {
		.proc = {.start_ns = 9, .tgid = 43},
		.parent = {.start_ns = 5, .tgid = 42},
		.memcg_id = 1234,
		.hierarchy = 4,
		.comm = "nginx",
	};
	struct record record;

	(void)state;
	fill_head(&wire.head, WIRE_FORK, sizeof(wire));
	assert_int_equal(decode_exact(&wire, sizeof(wire), &record), DECODE_RECORD);
	assert_int_equal(record.kind, RECORD_PROC);
	assert_int_equal(record.proc.origin, PROC_FORKED);
	assert_int_equal(record.proc.parent.tgid, 42);
	assert_int_equal(record.proc.memcg.id, 1234);
	assert_int_equal(record.proc.memcg.hierarchy, 4);
}

static void an_ignored_signal_says_so(void **state)
{
	struct wire_signal wire = {.sig = 6, .code = -6, .result = 1};
	struct record record;

	(void)state;
	fill_head(&wire.head, WIRE_SIGNAL, sizeof(wire));
	assert_int_equal(decode_exact(&wire, sizeof(wire), &record), DECODE_RECORD);
	assert_int_equal(record.signal.ignored, 1);
	wire.result = 0;
	assert_int_equal(decode_exact(&wire, sizeof(wire), &record), DECODE_RECORD);
	assert_int_equal(record.signal.ignored, 0);
	assert_int_equal(record.signal.code, -6);
}

static void only_listening_sockets_are_listeners(void **state)
{
	struct wire_socket wire = {.owner = {.tgid = 7}, .local = {.port = 8080}, .state = 10};
	struct record record;

	(void)state;
	fill_head(&wire.head, WIRE_SOCKET, sizeof(wire));
	assert_int_equal(decode_exact(&wire, sizeof(wire), &record), DECODE_RECORD);
	assert_int_equal(record.kind, RECORD_LISTENER);
	assert_int_equal(record.listener.state, LISTENER_FOUND);
	assert_int_equal(record.listener.local.port, 8080);
	wire.state = 1;
	assert_int_equal(decode_exact(&wire, sizeof(wire), &record), DECODE_NOTHING);
}

static void no_limit_has_several_spellings(void **state)
{
	(void)state;
	assert_int_equal(decode_limit(WIRE_NO_LIMIT, PAGE), RECORD_NO_LIMIT);
	assert_int_equal(decode_limit(2251799813685247ULL, PAGE), RECORD_NO_LIMIT);
	assert_int_equal(decode_limit(16384, PAGE), 64 << 20);
}

static void absurd_page_counts_do_not_wrap(void **state)
{
	(void)state;
	assert_true(decode_pages(~0ULL, PAGE) == INT64_MAX);
	assert_true(decode_pages(~0ULL, 65536) == INT64_MAX);
	assert_true(decode_pages(1ULL << 50, PAGE) == 1ULL << 62);
	assert_true(decode_pages(1ULL << 52, PAGE) == INT64_MAX);
}

static void every_truncation_of_every_kind_is_refused(void **state)
{
	uint8_t bytes[sizeof(struct wire_task)] = {0};
	struct record record;

	(void)state;
	for (uint32_t kind = WIRE_FORK; kind < NR_WIRE_KINDS; kind++) {
		fill_head((struct wire_head *)bytes, kind, sizes[kind]);
		assert_int_not_equal(decode_exact(bytes, sizes[kind], &record), DECODE_BAD);
		for (uint32_t size = 0; size < sizes[kind]; size++) {
			assert_int_equal(decode_exact(bytes, size, &record), DECODE_BAD);
			/* also where the head agrees with the truncated size */
			((struct wire_head *)bytes)->size = size;
			assert_int_equal(decode_exact(bytes, size, &record), DECODE_BAD);
			((struct wire_head *)bytes)->size = sizes[kind];
		}
	}
}

static void a_longer_record_of_a_newer_kernel_side_is_read(void **state)
{
	uint8_t bytes[sizeof(struct wire_rss) + 64] = {0};
	struct record record;

	(void)state;
	fill_head((struct wire_head *)bytes, WIRE_RSS, sizeof(bytes));
	assert_int_equal(decode_exact(bytes, sizeof(bytes), &record), DECODE_RECORD);
}

static void unknown_kinds_are_refused(void **state)
{
	static const uint32_t kinds[] = {WIRE_NONE, NR_WIRE_KINDS, 0x80000000, 0xffffffff};
	uint8_t bytes[512] = {0};
	struct record record;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		fill_head((struct wire_head *)bytes, kinds[i], sizeof(bytes));
		assert_int_equal(decode_exact(bytes, sizeof(bytes), &record), DECODE_BAD);
	}
}

static void an_impossible_listener_state_is_refused(void **state)
{
	struct wire_listener wire = {.state = NR_LISTENER_STATES};
	struct record record;

	(void)state;
	fill_head(&wire.head, WIRE_LISTENER, sizeof(wire));
	assert_int_equal(decode_exact(&wire, sizeof(wire), &record), DECODE_BAD);
}

static void check_utf8(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	assert_true(len < size);
	for (size_t at = 0; at < len;) {
		size_t step = utf8_sequence(text + at, len - at);

		assert_true(step > 0);
		at += step;
	}
}

static void strings_without_end_or_meaning_become_utf8(void **state)
{
	struct wire_v8_oom v8;
	struct wire_exec exec;
	struct record record;

	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		memset(&v8, byte, sizeof(v8));
		memset(&exec, byte, sizeof(exec));
		fill_head(&v8.head, WIRE_V8_OOM, sizeof(v8));
		fill_head(&exec.head, WIRE_EXEC, sizeof(exec));
		assert_int_equal(decode_exact(&v8, sizeof(v8), &record), DECODE_RECORD);
		check_utf8(record.v8_oom.text, sizeof(record.v8_oom.text));
		assert_int_equal(decode_exact(&exec, sizeof(exec), &record), DECODE_RECORD);
		check_utf8(record.exec.comm, sizeof(record.exec.comm));
	}
}

static void control_characters_of_a_name_are_kept(void **state)
{
	struct wire_exec wire = {.comm = "a\033[2Jb\n"};
	struct record record;

	(void)state;
	fill_head(&wire.head, WIRE_EXEC, sizeof(wire));
	assert_int_equal(decode_exact(&wire, sizeof(wire), &record), DECODE_RECORD);
	assert_string_equal(record.exec.comm, "a\033[2Jb\n");
}

static void noise_never_harms(void **state)
{
	uint8_t bytes[sizeof(struct wire_task)];
	uint64_t seed = 88172645463325252ULL;
	struct record record;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			bytes[i] = (uint8_t)seed;
		}
		fill_head((struct wire_head *)bytes, (uint32_t)round % (NR_WIRE_KINDS + 2),
			  sizeof(bytes));
		(void)decode_exact(bytes, sizeof(bytes), &record);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exit_keeps_peak_and_status),
		cmocka_unit_test(a_fork_is_a_process_with_its_parent),
		cmocka_unit_test(an_ignored_signal_says_so),
		cmocka_unit_test(only_listening_sockets_are_listeners),
		cmocka_unit_test(no_limit_has_several_spellings),
		cmocka_unit_test(absurd_page_counts_do_not_wrap),
		cmocka_unit_test(every_truncation_of_every_kind_is_refused),
		cmocka_unit_test(a_longer_record_of_a_newer_kernel_side_is_read),
		cmocka_unit_test(unknown_kinds_are_refused),
		cmocka_unit_test(an_impossible_listener_state_is_refused),
		cmocka_unit_test(strings_without_end_or_meaning_become_utf8),
		cmocka_unit_test(control_characters_of_a_name_are_kept),
		cmocka_unit_test(noise_never_harms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
