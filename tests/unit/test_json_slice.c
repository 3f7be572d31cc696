/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_json_slice.c - values are found where a parser would find them, and never beyond the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_slice.h"

static struct json_slice of(const char *text)
{
	return json_slice_of(text, strlen(text));
}

static void expect(struct json_slice slice, const char *text)
{
	assert_int_equal(slice.len, strlen(text));
	assert_memory_equal(slice.at, text, slice.len);
}

static void member_is_found_behind_whatever_stands_before_it(void **state)
{
	static const char text[] =
		" { \"a\" : [1,{\"b\":\"]}\\\"\"},[]] ,\n\"s\":\"x\\\\\", \"n\":-1.5e3,"
		"\"t\":true , \"b\" : { \"c\":null} } ";
	struct json_slice root = of(text);

	(void)state;
	expect(json_slice_member(root, "a"), "[1,{\"b\":\"]}\\\"\"},[]]");
	expect(json_slice_member(root, "s"), "\"x\\\\\"");
	expect(json_slice_member(root, "n"), "-1.5e3");
	expect(json_slice_member(root, "t"), "true");
	expect(json_slice_member(root, "b"), "{ \"c\":null}");
	expect(json_slice_member(json_slice_member(root, "b"), "c"), "null");
	expect(json_slice_member(root, "c"), "");
	expect(json_slice_member(json_slice_member(root, "n"), "c"), "");
	expect(json_slice_member((struct json_slice){0}, "c"), "");
}

static void elements_come_one_by_one(void **state)
{
	static const char *const expected[] = {"1", "\",\"", "[2,[3]]", "{\"a\":[4,5]}"};
	struct json_slice array = of("[1 , \",\",[2,[3]],{\"a\":[4,5]} ]"), element = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_true(json_slice_next(array, &element));
		expect(element, expected[i]);
	}
	assert_false(json_slice_next(array, &element));
	assert_false(json_slice_next(of("[]"), &element));
	assert_false(json_slice_next(of("{\"a\":1}"), &element));
	assert_false(json_slice_next((struct json_slice){0}, &element));
}

static void what_does_not_end_or_goes_on_is_no_value(void **state)
{
	static const char *const bad[] = {"",	  " ",	    "{",     "[1",  "\"a",   "\"a\\\"",
					  "\"\\", "{\"a\"", "{\"]}", "[{}", "1 2",   "{}{}",
					  "[]]",  "}",	    ",",     ":",   "{} \"x"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect(of(bad[i]), "");
}

/* Each in memory of its exact size: a byte too far is the sanitizer's. */
static void no_beginning_of_a_text_is_read_beyond_its_end(void **state)
{
	static const char text[] =
		"{\"a\":[1,\"\\u00e9\\\\\"],\"b\":{\"c\":[null,{}]},\"d\" : \"x\"}";

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		char *copy = malloc(len ? len : 1);
		struct json_slice whole = {copy, len}, element = {0};

		memcpy(copy, text, len);
		assert_int_equal(json_slice_of(copy, len).len, len == sizeof(text) - 1 ? len : 0);
		json_slice_member(whole, "d");
		while (json_slice_next(json_slice_member(whole, "a"), &element))
			;
		free(copy);
	}
}

static void depth_costs_no_stack(void **state)
{
	size_t len = 4U << 20;
	char *text = malloc(len);

	(void)state;
	memset(text, '[', len / 2);
	memset(text + len / 2, ']', len / 2);
	assert_int_equal(json_slice_of(text, len).len, len);
	free(text);
}

static void strings_are_compared_as_they_stand(void **state)
{
	(void)state;
	assert_true(json_slice_is(of("\"web\""), "web"));
	assert_true(json_slice_is(of("\"\""), ""));
	assert_false(json_slice_is(of("\"web\""), "we"));
	assert_false(json_slice_is(of("12345"), "234"));
	assert_false(json_slice_is((struct json_slice){0}, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(member_is_found_behind_whatever_stands_before_it),
		cmocka_unit_test(elements_come_one_by_one),
		cmocka_unit_test(what_does_not_end_or_goes_on_is_no_value),
		cmocka_unit_test(no_beginning_of_a_text_is_read_beyond_its_end),
		cmocka_unit_test(depth_costs_no_stack),
		cmocka_unit_test(strings_are_compared_as_they_stand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
