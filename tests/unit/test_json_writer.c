/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_json_writer.c - what is written is JSON, whatever goes in and however small the buffer is. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_writer.h"

static char buf[512];

static const char *of_string(const char *value)
{
	struct json_writer w;

	jw_init(&w, buf, sizeof(buf));
	jw_string(&w, NULL, value);
	assert_false(w.overflow);
	assert_int_equal(strlen(buf), w.len);
	return buf;
}

static const char *of_double(double value)
{
	struct json_writer w;

	jw_init(&w, buf, sizeof(buf));
	jw_double(&w, NULL, value);
	assert_false(w.overflow);
	return buf;
}

static void nests_and_separates(void **state)
{
	struct json_writer w;

	(void)state;
	jw_init(&w, buf, sizeof(buf));
	jw_open_object(&w, NULL);
	jw_u64(&w, "a", 1);
	jw_open_array(&w, "b");
	jw_i64(&w, NULL, -1);
	jw_open_object(&w, NULL);
	jw_close_object(&w);
	jw_null(&w, NULL);
	jw_close_array(&w);
	jw_bool(&w, "c", true);
	jw_bool(&w, "d", false);
	jw_open_array(&w, "e");
	jw_close_array(&w);
	jw_string(&w, "f", NULL);
	jw_close_object(&w);
	assert_string_equal(
		buf, "{\"a\":1,\"b\":[-1,{},null],\"c\":true,\"d\":false,\"e\":[],\"f\":\"\"}");
	assert_int_equal(w.len, strlen(buf));
}

static void writes_the_extremes_of_integers(void **state)
{
	struct json_writer w;

	(void)state;
	jw_init(&w, buf, sizeof(buf));
	jw_open_array(&w, NULL);
	jw_u64(&w, NULL, 0);
	jw_u64(&w, NULL, UINT64_MAX);
	jw_i64(&w, NULL, INT64_MIN);
	jw_i64(&w, NULL, INT64_MAX);
	jw_close_array(&w);
	assert_string_equal(buf,
			    "[0,9223372036854775807,-9223372036854775808,9223372036854775807]");
}

static void escapes_what_could_end_a_line_or_a_string(void **state)
{
	(void)state;
	assert_string_equal(of_string("a\"b\\c/"), "\"a\\\"b\\\\c/\"");
	assert_string_equal(of_string("\n\t\r\x01\x1F\x7F"),
			    "\"\\n\\t\\u000d\\u0001\\u001f\\u007f\"");
	assert_string_equal(of_string("\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA"),
			    "\"\\u2028\\u2029\xE2\x80\xAA\"");
	assert_string_equal(of_string("\xC2\x80\xC2\x9F\xC2\xA0"), "\"\\u0080\\u009f\xC2\xA0\"");
	assert_string_equal(of_string("\xF0\x9F\x98\x80 \xC3\xA9"),
			    "\"\xF0\x9F\x98\x80 \xC3\xA9\"");
}

static void replaces_invalid_utf8(void **state)
{
	(void)state;
	assert_string_equal(of_string("a\xFF"), "\"a\xEF\xBF\xBD\"");
	assert_string_equal(of_string("\xE2\x82"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

static void writes_doubles_short(void **state)
{
	(void)state;
	assert_string_equal(of_double(0), "0");
	assert_string_equal(of_double(-0.0), "0");
	assert_string_equal(of_double(1.5), "1.5");
	assert_string_equal(of_double(-2.25), "-2.25");
	assert_string_equal(of_double(0.1 + 0.2), "0.3");
	assert_string_equal(of_double(6291456), "6291456");
	assert_string_equal(of_double(1234567.89), "1234568");
	assert_string_equal(of_double(118325248), "118325248");
	assert_string_equal(of_double(123456.789), "123457");
	assert_string_equal(of_double(1e-7), "1e-07");
	assert_string_equal(of_double(-1.5e-9), "-1.5e-09");
	assert_string_equal(of_double(1e300), "1e+300");
	assert_string_equal(of_double(NAN), "null");
	assert_string_equal(of_double(INFINITY), "null");
	assert_string_equal(of_double(-INFINITY), "null");
}

/* Debian has C.UTF-8 only by default; where a comma locale is installed it must change nothing. */
static void does_not_ask_the_locale(void **state)
{
	(void)state;
	if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
		skip();
	assert_string_equal(of_double(1.5), "1.5");
	assert_string_equal(of_double(-1.5e-9), "-1.5e-09");
	setlocale(LC_ALL, "C");
}

static void write_all(struct json_writer *w)
{
	jw_open_object(w, NULL);
	jw_string(w, "text",
		  "a\"\xFF\x01"
		  "b");
	jw_open_array(w, "list");
	jw_double(w, NULL, 0.25);
	jw_u64(w, NULL, 12345);
	jw_close_array(w);
	jw_close_object(w);
}

/* Every size from none to enough: the buffer is a heap block, so ASan sees any byte too many. */
static void stops_at_the_end_of_any_buffer(void **state)
{
	struct json_writer w;
	char whole[128];
	size_t need;

	(void)state;
	jw_init(&w, whole, sizeof(whole));
	write_all(&w);
	need = w.len + 1;
	for (size_t size = 0; size <= need; size++) {
		char *small = test_malloc(size + 1);

		jw_init(&w, small, size);
		write_all(&w);
		assert_int_equal(w.overflow, size < need);
		if (size > 0) {
			assert_true(w.len < size);
			assert_int_equal(small[w.len], '\0');
			assert_memory_equal(small, whole, w.len);
		}
		test_free(small);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nests_and_separates),
		cmocka_unit_test(writes_the_extremes_of_integers),
		cmocka_unit_test(escapes_what_could_end_a_line_or_a_string),
		cmocka_unit_test(replaces_invalid_utf8),
		cmocka_unit_test(writes_doubles_short),
		cmocka_unit_test(does_not_ask_the_locale),
		cmocka_unit_test(stops_at_the_end_of_any_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
