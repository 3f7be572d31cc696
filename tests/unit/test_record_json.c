/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_record_json.c - every field of every record survives, and what is no record is refused by name. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/record_json.h"
#include "model/record_scan.h"

static char line[RECORD_LINE_MAX];
static char error[RECORD_ERROR_MAX];

/* Fillers: a value for element `i` of a field, so that no two fields agree by accident. */

static uint64_t no_value(uint32_t i)
{
	(void)i;
	return 0;
}

static uint64_t small_value(uint32_t i)
{
	return i + 1;
}

static uint64_t largest_value(uint32_t i)
{
	return UINT64_MAX - i;
}

static uint64_t mixed_value(uint32_t i)
{
	return (i + 3) * 0x9E3779B97F4A7C15ULL;
}

/* As a running machine has them: below 2^63, strings of one plain character. */
static uint64_t usual_value(uint32_t i)
{
	return i % 3 ? 21 : INT64_MAX;
}

typedef uint64_t (*value_fn)(uint32_t i);

static size_t width(const struct record_field *field)
{
	switch (field->type) {
	case FIELD_U64:
	case FIELD_I64:
		return 8;
	case FIELD_U32:
	case FIELD_I32:
		return 4;
	case FIELD_U16:
		return 2;
	case FIELD_STRING:
		return field->size;
	case FIELD_ADDRESS:
		return 16;
	case FIELD_U64_ARRAY:
		return 8U * field->count;
	case FIELD_U32_ARRAY:
		return 4U * field->count;
	default:
		return 1;
	}
}

static void fill_string(char *at, size_t size, uint64_t value)
{
	static const char *const pieces[] = {"a",  "\xC3\xA9",	   "\x01", "\"",
					     "\\", "\xE2\x80\xA8", "\n"};
	size_t len = value == 0 ? 0 : value < 100 ? 2 : size - 1;
	size_t at_byte = 0;

	if (value == 21 || value == INT64_MAX) {
		strcpy(at, "x");
		return;
	}

	while (at_byte < len) {
		const char *piece = pieces[(value + at_byte) % 7];

		if (at_byte + strlen(piece) > len)
			piece = "z";
		memcpy(at + at_byte, piece, strlen(piece));
		at_byte += strlen(piece);
	}
	at[len] = '\0';
}

static void fill_field(struct record *record, const struct record_field *field, uint32_t nr,
		       value_fn value_of)
{
	char *at = (char *)record + field->offset;
	uint64_t value = value_of(nr);

	if (field->type == FIELD_STRING) {
		fill_string(at, field->size, value);
	} else if (field->type == FIELD_ENUM) {
		*(uint8_t *)at = (uint8_t)(value % field->count);
		if (!field->names[*(uint8_t *)at])
			*(uint8_t *)at = 0;
	} else {
		for (size_t i = 0; i < width(field); i += 8) {
			size_t rest = width(field) - i;

			value = value_of(nr + (uint32_t)i);
			memcpy(at + i, &value, rest < 8 ? rest : 8);
		}
	}
}

static void fill(struct record *record, enum record_kind kind, value_fn value_of)
{
	const struct record_layout *layout = record_layout(kind);

	memset(record, 0, sizeof(*record));
	record->kind = kind;
	record->ts_ns = value_of(77);
	for (uint32_t i = 0; i < layout->nr_fields; i++)
		fill_field(record, &layout->fields[i], i, value_of);
	if (kind == RECORD_HEADER)
		record->header.version = RECORD_FORMAT_VERSION;
}

static void assert_same(const struct record *a, const struct record *b)
{
	const struct record_layout *layout = record_layout(a->kind);

	assert_int_equal(a->kind, b->kind);
	assert_true(a->ts_ns == b->ts_ns);
	for (uint32_t i = 0; i < layout->nr_fields; i++) {
		const struct record_field *field = &layout->fields[i];
		const char *at_a = (const char *)a + field->offset;
		const char *at_b = (const char *)b + field->offset;

		if (field->type == FIELD_STRING)
			assert_string_equal(at_a, at_b);
		else
			assert_memory_equal(at_a, at_b, width(field));
	}
}

static void round_trip(enum record_kind kind, value_fn value_of)
{
	struct record in, out;
	char again[RECORD_LINE_MAX];
	ssize_t len;

	fill(&in, kind, value_of);
	len = record_json_encode(&in, line, sizeof(line));
	assert_true(len > 0);
	assert_int_equal(line[len - 1], '\n');
	assert_int_equal(strlen(line), len);
	memset(&out, 0xAA, sizeof(out));
	if (record_json_decode(line, (size_t)len - 1, &out, error))
		fail_msg("%s: %s", record_layout(kind)->name, error);
	assert_same(&in, &out);
	/* A space in front keeps the line from the fast reader: the general one has to agree. */
	again[0] = ' ';
	memcpy(again + 1, line, (size_t)len);
	assert_int_equal(record_json_decode(again, (size_t)len, &out, error), 0);
	assert_same(&in, &out);
	assert_int_equal(record_json_encode(&out, again, sizeof(again)), len);
	assert_string_equal(line, again);
}

static void every_field_of_every_kind_survives(void **state)
{
	(void)state;
	for (int kind = RECORD_NONE + 1; kind < NR_RECORD_KINDS; kind++) {
		round_trip((enum record_kind)kind, no_value);
		round_trip((enum record_kind)kind, small_value);
		round_trip((enum record_kind)kind, largest_value);
		round_trip((enum record_kind)kind, mixed_value);
	}
}

static void tables_do_not_overlap(void **state)
{
	(void)state;
	for (int kind = RECORD_NONE + 1; kind < NR_RECORD_KINDS; kind++) {
		const struct record_layout *layout = record_layout((enum record_kind)kind);
		static uint8_t taken[sizeof(struct record)];

		memset(taken, 0, sizeof(taken));
		for (uint32_t i = 0; i < layout->nr_fields; i++) {
			const struct record_field *field = &layout->fields[i];

			for (size_t b = 0; b < width(field); b++)
				assert_int_equal(taken[field->offset + b]++, 0);
			assert_non_null(field->name);
			assert_true(field->type != FIELD_ENUM || field->names);
		}
	}
}

/* A field that no table names would be lost without a sound: all but padding is covered. */
#define COVERED(kind, type)                                                                        \
	{                                                                                          \
		kind, sizeof(struct type), #type                                                   \
	}

static void tables_cover_the_structs(void **state)
{
	static const struct {
		enum record_kind kind;
		size_t size;
		const char *name;
	} structs[] = {
		COVERED(RECORD_HEADER, record_header),
		COVERED(RECORD_PROBE, record_probe),
		COVERED(RECORD_CLOCK, record_clock),
		COVERED(RECORD_PROC, record_proc),
		COVERED(RECORD_EXEC, record_exec),
		COVERED(RECORD_EXE, record_exe),
		COVERED(RECORD_EXIT, record_exit),
		COVERED(RECORD_SIGNAL, record_signal),
		COVERED(RECORD_OOM, record_oom),
		COVERED(RECORD_V8_OOM, record_v8_oom),
		COVERED(RECORD_TASK, record_task),
		COVERED(RECORD_RSS, record_rss),
		COVERED(RECORD_VM, record_vm),
		COVERED(RECORD_CGROUP, record_cgroup),
		COVERED(RECORD_RECLAIM, record_reclaim),
		COVERED(RECORD_FLOW, record_flow),
		COVERED(RECORD_LISTENER, record_listener),
		COVERED(RECORD_LOSS, record_loss),
		COVERED(RECORD_SELF, record_self),
		COVERED(RECORD_TICK, record_tick),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(structs) / sizeof(structs[0]); i++) {
		const struct record_layout *layout = record_layout(structs[i].kind);
		size_t covered = 0;
		size_t padding = 0;

		for (uint32_t f = 0; f < layout->nr_fields; f++)
			covered += width(&layout->fields[f]);
		padding = structs[i].size - covered;
		/* proc_id, cgroup_id, endpoint: 4, 4 and 2 each; one more tail of at most 7. */
		if (covered > structs[i].size || padding > 4 + 4 + 4 + 2 + 7)
			fail_msg("%s: %zu of %zu bytes", structs[i].name, covered, structs[i].size);
	}
}

static void zero_is_left_out(void **state)
{
	struct record record = {.kind = RECORD_TASK, .ts_ns = 5};

	(void)state;
	record_json_encode(&record, line, sizeof(line));
	assert_string_equal(line, "{\"k\":\"task\",\"t\":5}\n");
	record.task.proc.tgid = 42;
	record.task.anon_bytes = 4096;
	record_json_encode(&record, line, sizeof(line));
	assert_string_equal(line, "{\"k\":\"task\",\"t\":5,\"pid\":42,\"anon_bytes\":4096}\n");
}

static void addresses_read_like_addresses(void **state)
{
	struct record record = {
		.kind = RECORD_LISTENER,
		.listener.local = {.addr = {[10] = 0xFF, [11] = 0xFF, [12] = 10, [15] = 7},
				   .port = 80},
		.listener.state = LISTENER_UP,
	};

	(void)state;
	record_json_encode(&record, line, sizeof(line));
	assert_string_equal(line, "{\"k\":\"listener\",\"t\":0,\"addr\":\"10.0.0.7\",\"port\":80,"
				  "\"state\":\"up\"}\n");
	memset(record.listener.local.addr, 0, 16);
	record.listener.local.addr[15] = 1;
	record_json_encode(&record, line, sizeof(line));
	assert_non_null(strstr(line, "\"addr\":\"::1\""));
}

static void encoding_refuses_small_buffers_and_wrong_kinds(void **state)
{
	struct record record = {.kind = RECORD_STOP};

	(void)state;
	assert_int_equal(record_json_encode(&record, line, 0), -ENOSPC);
	assert_int_equal(record_json_encode(&record, line, 18), -ENOSPC);
	assert_int_equal(record_json_encode(&record, line, 19), -ENOSPC);
	assert_int_equal(record_json_encode(&record, line, 20), 19);
	record.kind = RECORD_NONE;
	assert_int_equal(record_json_encode(&record, line, sizeof(line)), -EINVAL);
	record.kind = NR_RECORD_KINDS;
	assert_int_equal(record_json_encode(&record, line, sizeof(line)), -EINVAL);
}

static void the_longest_record_fits_a_line(void **state)
{
	struct record record;
	ssize_t len;

	(void)state;
	for (int kind = RECORD_NONE + 1; kind < NR_RECORD_KINDS; kind++) {
		const struct record_layout *layout = record_layout((enum record_kind)kind);

		fill(&record, (enum record_kind)kind, largest_value);
		for (uint32_t i = 0; i < layout->nr_fields; i++) {
			if (layout->fields[i].type == FIELD_STRING)
				memset((char *)&record + layout->fields[i].offset, 1,
				       layout->fields[i].size - 1U);
		}
		len = record_json_encode(&record, line, sizeof(line));
		assert_true(len > 0 && len < RECORD_LINE_MAX / 2);
	}
}

static void order_and_white_space_are_free(void **state)
{
	static const char text[] = " {\"anon_bytes\" : 1, \"t\":2,\r\t\"pid\":3,\"k\":\"rss\"} \r";
	struct record out;

	(void)state;
	assert_int_equal(record_json_decode(text, strlen(text), &out, error), 0);
	assert_int_equal(out.kind, RECORD_RSS);
	assert_int_equal(out.rss.proc.tgid, 3);
	assert_int_equal(out.rss.anon_bytes, 1);
}

static void a_large_number_is_a_string_of_digits(void **state)
{
	static const char text[] =
		"{\"k\":\"listener\",\"t\":0,\"sock_id\":\"18446744073709551615\"}";
	struct record out;

	(void)state;
	assert_int_equal(record_json_decode(text, strlen(text), &out, error), 0);
	assert_true(out.listener.sock_id == UINT64_MAX);
}

static const struct {
	const char *line;
	const char *message; /* a part of it */
} refused[] = {
	{"", "incomplete JSON"},
	{"{", "incomplete JSON"},
	{"{\"k\":\"rss\",\"t\":1", "incomplete JSON"},
	{"{\"k\":\"rss\",\"t\":1,\"pid\":", "incomplete JSON"},
	{"[]", "expected a JSON object"},
	{"1", "invalid JSON at byte"},
	{"{\"k\":\"rss\",\"t\":1}{}", "invalid JSON at byte"},
	{"{\"k\":\"rss\",\"t\":1} x", "invalid JSON at byte"},
	{"{\"k\":\"rss\",\"t\":01}", "invalid JSON at byte"},
	{"{k:1}", "invalid JSON at byte"},
	{"{\"t\":1}", "field \"k\": expected the kind"},
	{"{\"k\":7,\"t\":1}", "field \"k\": expected the kind"},
	{"{\"k\":\"secret\",\"t\":1}", "field \"k\": expected a kind of record"},
	{"{\"k\":\"rss\"}", "field \"t\" of a \"rss\" record: expected boot-clock nanoseconds"},
	{"{\"k\":\"rss\",\"t\":-1}", "field \"t\""},
	{"{\"k\":\"rss\",\"t\":1.5}", "field \"t\""},
	{"{\"k\":\"rss\",\"t\":1,\"secret\":1}", "unknown field in a \"rss\" record"},
	{"{\"k\":\"stop\",\"t\":1,\"pid\":1}", "unknown field in a \"stop\" record"},
	{"{\"k\":\"rss\",\"t\":1,\"pid\":1,\"pid\":1}", "a field twice"},
	{"{\"k\":\"rss\",\"t\":1,\"t\":1}", "a field twice"},
	{"{\"k\":\"rss\",\"t\":1,\"pid\":\"secret\"}",
	 "field \"pid\" of a \"rss\" record: expected an "
	 "integer from 0 to 4294967295"},
	{"{\"k\":\"rss\",\"t\":1,\"pid\":-1}", "field \"pid\""},
	{"{\"k\":\"rss\",\"t\":1,\"pid\":4294967296}", "field \"pid\""},
	{"{\"k\":\"rss\",\"t\":1,\"pid\":1.0}", "field \"pid\""},
	{"{\"k\":\"rss\",\"t\":1,\"pid\":true}", "field \"pid\""},
	{"{\"k\":\"rss\",\"t\":1,\"pid\":null}", "field \"pid\""},
	{"{\"k\":\"rss\",\"t\":1,\"pid\":[]}", "field \"pid\""},
	{"{\"k\":\"rss\",\"t\":1,\"anon_bytes\":9223372036854775808}", "number too large"},
	{"{\"k\":\"rss\",\"t\":1,\"anon_bytes\":\"18446744073709551616\"}", "field \"anon_bytes\""},
	{"{\"k\":\"rss\",\"t\":1,\"anon_bytes\":\"-1\"}", "field \"anon_bytes\""},
	{"{\"k\":\"rss\",\"t\":1,\"anon_bytes\":\"\"}", "field \"anon_bytes\""},
	{"{\"k\":\"signal\",\"t\":1,\"code\":2147483648}", "from -2147483648 to 2147483647"},
	{"{\"k\":\"signal\",\"t\":1,\"ignored\":256}", "from 0 to 255"},
	{"{\"k\":\"signal\",\"t\":1,\"sender_comm\":1}", "a string of at most 47 bytes"},
	{"{\"k\":\"exec\",\"t\":1,\"comm\":\"secretsecretsecretsecretsecretsecretsecretsecret\"}",
	 "a string of at most 47 bytes"},
	{"{\"k\":\"exec\",\"t\":1,\"comm\":\"a\\u0000b\"}", "invalid JSON at byte"},
	{"{\"k\":\"exec\",\"t\":1,\"comm\":\"\\ud800\"}", "invalid JSON at byte"},
	{"{\"k\":\"exec\",\"t\":1,\"comm\":\"\x01\"}", "invalid JSON at byte"},
	{"{\"k\":\"exec\",\"t\":1,\"comm\":\"\xFF\"}", "expected UTF-8"},
	{"{\"k\":\"listener\",\"t\":1,\"addr\":\"secret\"}", "an IPv4 or IPv6 address"},
	{"{\"k\":\"listener\",\"t\":1,\"addr\":\"1.2.3\"}", "an IPv4 or IPv6 address"},
	{"{\"k\":\"listener\",\"t\":1,\"addr\":\"1.2.3.4.5\"}", "an IPv4 or IPv6 address"},
	{"{\"k\":\"listener\",\"t\":1,\"addr\":\"\"}", "an IPv4 or IPv6 address"},
	{"{\"k\":\"listener\",\"t\":1,\"state\":\"secret\"}", "one of \"down\" \"up\" \"found\""},
	{"{\"k\":\"listener\",\"t\":1,\"state\":1}", "one of \"down\" \"up\" \"found\""},
	{"{\"k\":\"flow\",\"t\":1,\"role\":\"none\"}", "one of \"server\" \"client\""},
	{"{\"k\":\"flow\",\"t\":1,\"status\":[0,0,0,0,0,0,0,0,0]}",
	 "an array of at most 8 integers"},
	{"{\"k\":\"flow\",\"t\":1,\"status\":{}}", "an array of at most 8 integers"},
	{"{\"k\":\"flow\",\"t\":1,\"status\":[1,-1]}", "integers from 0 to"},
	{"{\"k\":\"flow\",\"t\":1,\"latency\":[4294967296]}", "integers from 0 to 4294967295"},
	{"{\"k\":\"header\",\"t\":1}", "field \"version\""},
	{"{\"k\":\"header\",\"t\":1,\"version\":2,\"secret\":1}",
	 "recording of format version 2: expected version 1"},
};

static void every_refusal_names_what_was_expected(void **state)
{
	struct record out, before;

	(void)state;
	memset(&out, 0x55, sizeof(out));
	before = out;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const char *text = refused[i].line;

		error[0] = '\0';
		if (record_json_decode(text, strlen(text), &out, error) != -EINVAL)
			fail_msg("accepted: %s", text);
		if (!strstr(error, refused[i].message))
			fail_msg("%s: said: %s", text, error);
		assert_null(strstr(error, "secret"));
		assert_memory_equal(&out, &before, sizeof(out));
	}
}

static void a_huge_line_is_refused_unread(void **state)
{
	static char huge[RECORD_LINE_MAX + 1];
	struct record out;

	(void)state;
	memset(huge, ' ', sizeof(huge));
	assert_int_equal(record_json_decode(huge, RECORD_LINE_MAX, &out, error), -EINVAL);
	assert_non_null(strstr(error, "expected less than 16384 bytes"));
}

static void a_nul_byte_is_refused(void **state)
{
	static const char text[] = "{\"k\":\"stop\",\0\"t\":1}";
	struct record out;

	(void)state;
	assert_int_equal(record_json_decode(text, sizeof(text) - 1, &out, error), -EINVAL);
	assert_int_equal(record_json_decode("\0", 1, &out, error), -EINVAL);
}

/* What the encoder makes of usual values has to take the fast way, or replay is slow. */
static void usual_lines_are_scanned(void **state)
{
	struct record in, out;
	ssize_t len;

	(void)state;
	for (int kind = RECORD_HEADER + 1; kind < NR_RECORD_KINDS; kind++) {
		fill(&in, (enum record_kind)kind, usual_value);
		len = record_json_encode(&in, line, sizeof(line));
		assert_true(record_scan(line, (size_t)len - 1, &out));
		assert_same(&in, &out);
	}
}

/* Every prefix of a good line, and every byte of it replaced: refused or accepted, never worse. */
static void mutations_do_no_harm(void **state)
{
	struct record in, out;
	size_t len;

	(void)state;
	fill(&in, RECORD_FLOW, mixed_value);
	len = (size_t)record_json_encode(&in, line, sizeof(line)) - 1;
	for (size_t i = 0; i < len; i++) {
		static const char bytes[] = "\"0-,:}]\\\xFF";
		char *copy = test_malloc(len);

		memcpy(copy, line, len);
		assert_int_equal(record_json_decode(copy, i, &out, error), -EINVAL);
		copy[i] = bytes[i % (sizeof(bytes) - 1)];
		record_json_decode(copy, len, &out, error);
		test_free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_every_kind_survives),
		cmocka_unit_test(tables_do_not_overlap),
		cmocka_unit_test(tables_cover_the_structs),
		cmocka_unit_test(zero_is_left_out),
		cmocka_unit_test(addresses_read_like_addresses),
		cmocka_unit_test(encoding_refuses_small_buffers_and_wrong_kinds),
		cmocka_unit_test(the_longest_record_fits_a_line),
		cmocka_unit_test(order_and_white_space_are_free),
		cmocka_unit_test(a_large_number_is_a_string_of_digits),
		cmocka_unit_test(every_refusal_names_what_was_expected),
		cmocka_unit_test(a_huge_line_is_refused_unread),
		cmocka_unit_test(a_nul_byte_is_refused),
		cmocka_unit_test(usual_lines_are_scanned),
		cmocka_unit_test(mutations_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
