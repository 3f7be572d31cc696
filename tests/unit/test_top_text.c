/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_top_text.c - cells of a terminal: what foreign text becomes, and how quantities are cut. */
#include "view/top_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

static void expect_cell(const char *text, int columns, bool utf8, const char *expected)
{
	char cell[TOP_CELL_BYTES(64)];

	top_text_cell(cell, text, columns, utf8);
	assert_string_equal(cell, expected);
}

static void text_is_padded_and_cut_with_a_mark(void **state)
{
	(void)state;
	expect_cell("node", 6, true, "node  ");
	expect_cell("node", 4, true, "node");
	expect_cell("checkout-api", 6, true, "check~");
	expect_cell("", 3, true, "   ");
	expect_cell("x", 0, true, "");
}

static void nothing_moves_the_cursor(void **state)
{
	(void)state;
	expect_cell("\x1b[2J\x1b[H", 8, true, "?[2J?[H ");
	expect_cell("a\nb\rc\td\be", 9, true, "a?b?c?d?e");
	expect_cell("\x7f", 1, true, "?");
	expect_cell("\xc2\x9b"
		    "31m",
		    4, true, "?31m"); /* CSI as one character */
	expect_cell("\xe2\x80\xae"
		    "drow",
		    5, true, "?drow");		   /* right-to-left override */
	expect_cell("e\xcc\x81", 2, true, "e?");   /* a mark that combines */
	expect_cell("\xe6\xbc\xa2", 1, true, "?"); /* two columns wide */
	expect_cell("\xe2\x80\x8b", 1, true, "?"); /* of no width */
}

static void letters_pass_where_the_terminal_shows_them(void **state)
{
	(void)state;
	expect_cell("caf\xc3\xa9", 5, true, "caf\xc3\xa9 ");
	expect_cell("caf\xc3\xa9", 5, false, "caf? ");
	expect_cell("\xff\xfe", 2, true, "??");
}

/* Whatever goes in, the cell has its columns in valid, printable UTF-8. */
static void every_byte_pair_gives_a_whole_cell(void **state)
{
	char text[4] = "", cell[TOP_CELL_BYTES(5)];

	(void)state;
	for (int i = 1; i < 256; i++) {
		for (int j = 0; j < 256; j++) {
			size_t at = 0;
			int characters = 0;

			text[0] = (char)i;
			text[1] = (char)j;
			top_text_cell(cell, text, 5, true);
			for (; cell[at]; characters++) {
				size_t len = utf8_sequence(cell + at, strlen(cell + at));

				assert_true(len > 0);
				assert_true((unsigned char)cell[at] >= 0x20);
				at += len;
			}
			assert_int_equal(characters, 5);
		}
	}
}

static void quantities_have_five_characters_at_most(void **state)
{
	static const double powers[] = {0,    1,   9,	 10,  99,    100, 999, 1000, 1023, 1024,
					9999, 1e4, 99e3, 1e5, 999e3, 1e6, 1e9, 1e12, 1e15, 1.8e19};
	char text[8];

	(void)state;
	for (size_t i = 0; i < sizeof(powers) / sizeof(powers[0]); i++) {
		for (double off = -1; off <= 1; off++) {
			double value = powers[i] + off > 0 ? powers[i] + off : 0;
			struct measure measure = {value, true};

			top_text_bytes(text, (uint64_t)value);
			assert_true(strlen(text) <= 5);
			top_text_number(text, value);
			assert_true(strlen(text) <= 5);
			top_text_seconds(text, measure);
			assert_true(strlen(text) <= 5);
			top_text_latency(text, measure);
			assert_true(strlen(text) <= 5);
		}
	}
}

static void quantities_read_as_people_say_them(void **state)
{
	char text[8];

	(void)state;
	top_text_bytes(text, 160 << 20);
	assert_string_equal(text, "160M");
	top_text_bytes(text, 19398656);
	assert_string_equal(text, "18.5M");
	top_text_bytes(text, 100);
	assert_string_equal(text, "1K");
	top_text_seconds(text, (struct measure){11.2, true});
	assert_string_equal(text, "11s");
	top_text_seconds(text, (struct measure){3600 * 3.4, true});
	assert_string_equal(text, "3.4h");
	top_text_seconds(text, (struct measure){0, false});
	assert_string_equal(text, "-");
	top_text_latency(text, (struct measure){2800, true});
	assert_string_equal(text, "2.8ms");
	top_text_number(text, 179);
	assert_string_equal(text, "179");
}

static void a_history_rises_with_its_values(void **state)
{
	uint32_t values[] = {1, 100, 50, 0};
	char bars[TOP_CELL_BYTES(8)];

	(void)state;
	top_text_spark(bars, values, 4, 6, false);
	assert_string_equal(bars, "  _#: ");
	top_text_spark(bars, values, 4, 2, true);
	assert_string_equal(bars, "\xe2\x96\x88 ");
	top_text_spark(bars, values, 0, 3, true);
	assert_string_equal(bars, "   ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_padded_and_cut_with_a_mark),
		cmocka_unit_test(nothing_moves_the_cursor),
		cmocka_unit_test(letters_pass_where_the_terminal_shows_them),
		cmocka_unit_test(every_byte_pair_gives_a_whole_cell),
		cmocka_unit_test(quantities_have_five_characters_at_most),
		cmocka_unit_test(quantities_read_as_people_say_them),
		cmocka_unit_test(a_history_rises_with_its_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
