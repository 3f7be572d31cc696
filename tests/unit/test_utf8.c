/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_utf8.c - what is valid as RFC 3629 says, and what becomes of the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

#define BAD "\xEF\xBF\xBD"

static void recognises_every_length(void **state)
{
	(void)state;
	assert_int_equal(utf8_sequence("a", 1), 1);
	assert_int_equal(utf8_sequence("\xC3\xA9", 2), 2);
	assert_int_equal(utf8_sequence("\xE2\x82\xAC", 3), 3);
	assert_int_equal(utf8_sequence("\xF0\x9F\x98\x80", 4), 4);
	assert_int_equal(utf8_sequence("\0", 1), 1);
	assert_int_equal(utf8_sequence("a", 0), 0);
}

static void refuses_what_rfc_3629_refuses(void **state)
{
	static const char *const bad[] = {
		"\x80",		    /* continuation alone */
		"\xC0\xAF",	    /* overlong slash */
		"\xC1\xBF",	    /* overlong */
		"\xE0\x9F\xBF",	    /* overlong */
		"\xED\xA0\x80",	    /* surrogate */
		"\xF0\x8F\xBF\xBF", /* overlong */
		"\xF4\x90\x80\x80", /* above U+10FFFF */
		"\xF5\x80\x80\x80",
		"\xFE",
		"\xFF",
		"\xC3(",
		"\xE2\x82(",
		"\xF0\x9F\x98(",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(utf8_sequence(bad[i], strlen(bad[i])), 0);
	assert_int_equal(utf8_sequence("\xE2\x82\xAC", 2), 0);
}

static void accepts_the_edges_of_every_range(void **state)
{
	static const char *const good[] = {
		"\x7F",		"\xC2\x80",	    "\xDF\xBF",
		"\xE0\xA0\x80", "\xED\x9F\xBF",	    "\xEE\x80\x80",
		"\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(utf8_sequence(good[i], strlen(good[i])), strlen(good[i]));
}

static void sanitize_replaces_every_bad_byte(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(utf8_sanitize(out, sizeof(out),
				       "a\xFF\xFE"
				       "b",
				       4),
			 8);
	assert_string_equal(out, "a" BAD BAD "b");
	utf8_sanitize(out, sizeof(out), "caf\xC3", 4);
	assert_string_equal(out, "caf" BAD);
	utf8_sanitize(out, sizeof(out), "\x01\x1B[0m\n", 6);
	assert_string_equal(out, "\x01\x1B[0m\n");
}

static void sanitize_ends_at_nul_or_length(void **state)
{
	char out[16];

	(void)state;
	assert_int_equal(utf8_sanitize(out, sizeof(out), "ab\0cd", 5), 2);
	assert_string_equal(out, "ab");
	assert_int_equal(utf8_sanitize(out, sizeof(out), "abcdef", 3), 3);
	assert_string_equal(out, "abc");
	assert_int_equal(utf8_sanitize(out, sizeof(out), "", 0), 0);
	assert_string_equal(out, "");
}

static void sanitize_never_cuts_a_character(void **state)
{
	char out[8] = "xxxxxxx";

	(void)state;
	assert_int_equal(utf8_sanitize(out, 4, "ab\xE2\x82\xAC", 5), 2);
	assert_string_equal(out, "ab");
	assert_int_equal(utf8_sanitize(out, 6, "ab\xE2\x82\xAC", 5), 5);
	assert_int_equal(utf8_sanitize(out, 3, "\xFF", 1), 0);
	assert_int_equal(utf8_sanitize(out, 4, "\xFF", 1), 3);
	out[0] = 'x';
	assert_int_equal(utf8_sanitize(out, 0, "a", 1), 0);
	assert_int_equal(out[0], 'x');
}

static void a_sequence_is_a_character(void **state)
{
	static const struct {
		const char *sequence;
		uint32_t code;
	} rows[] = {
		{"A", 'A'},
		{"\x7F", 0x7F},
		{"\xC2\x80", 0x80},
		{"\xDF\xBF", 0x7FF},
		{"\xE0\xA0\x80", 0x800},
		{"\xE2\x80\xAE", 0x202E},
		{"\xEF\xBF\xBF", 0xFFFF},
		{"\xF0\x90\x80\x80", 0x10000},
		{"\xF4\x8F\xBF\xBF", 0x10FFFF},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(utf8_code_point(rows[i].sequence, strlen(rows[i].sequence)),
				 rows[i].code);
}

/* The promise of RECORD_COMM_LEN: 15 bytes of anything fit into 48. */
static void sanitize_fits_three_bytes_per_byte(void **state)
{
	char out[48];
	char comm[16];

	(void)state;
	memset(comm, 0xFF, sizeof(comm));
	comm[15] = '\0';
	assert_int_equal(utf8_sanitize(out, sizeof(out), comm, sizeof(comm)), 45);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recognises_every_length),
		cmocka_unit_test(refuses_what_rfc_3629_refuses),
		cmocka_unit_test(accepts_the_edges_of_every_range),
		cmocka_unit_test(a_sequence_is_a_character),
		cmocka_unit_test(sanitize_replaces_every_bad_byte),
		cmocka_unit_test(sanitize_ends_at_nul_or_length),
		cmocka_unit_test(sanitize_never_cuts_a_character),
		cmocka_unit_test(sanitize_fits_three_bytes_per_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
