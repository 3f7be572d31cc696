/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_top_ui.c - what a key does to the choices of whoever looks at top. */
#include "view/top_ui.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct top_row rows[3] = {{.key = 11}, {.key = 22}, {.key = 33}};

static struct top_order press(struct top_ui *ui, int key)
{
	return top_ui_key(ui, key, rows, 3);
}

static void the_selection_follows_its_row(void **state)
{
	struct top_ui ui = {.page_rows = 2};
	struct top_row other[2] = {{.key = 33}, {.key = 22}};

	(void)state;
	press(&ui, TOP_KEY_DOWN);
	assert_int_equal(ui.selected_key, 22);
	press(&ui, 'j');
	press(&ui, TOP_KEY_DOWN);
	assert_int_equal(ui.selected, 2); /* the last one */
	top_ui_follow(&ui, other, 2);
	assert_int_equal(ui.selected, 0);
	press(&ui, TOP_KEY_END);
	assert_int_equal(ui.selected_key, 33);
	press(&ui, TOP_KEY_HOME);
	assert_int_equal(ui.selected_key, 11);
}

static void a_selected_row_that_leaves_gives_its_place_to_another(void **state)
{
	struct top_ui ui = {.page_rows = 2};

	(void)state;
	press(&ui, TOP_KEY_END);
	top_ui_follow(&ui, rows, 2);
	assert_int_equal(ui.selected, 1);
	assert_int_equal(ui.selected_key, 22);
	top_ui_follow(&ui, rows, 0);
	assert_int_equal(ui.selected, 0);
}

static void without_a_choice_the_first_is_selected(void **state)
{
	struct top_ui ui = {.page_rows = 2};

	(void)state;
	top_ui_follow(&ui, rows, 3);
	assert_int_equal(ui.selected, 0);
	assert_int_equal(ui.selected_key, 0); /* and stays the first, whoever that is */
}

static void typing_fills_the_filter(void **state)
{
	struct top_ui ui = {0};

	(void)state;
	press(&ui, '/');
	assert_true(ui.typing);
	press(&ui, 'q'); /* a letter here */
	press(&ui, 'x');
	press(&ui, TOP_KEY_BACKSPACE);
	press(&ui, 0x7f + 1);
	assert_string_equal(ui.filter, "q");
	press(&ui, TOP_KEY_ENTER);
	assert_false(ui.typing);
	assert_string_equal(ui.filter, "q");
	press(&ui, TOP_KEY_ESCAPE);
	assert_string_equal(ui.filter, "");
	press(&ui, '/');
	for (int i = 0; i < 2 * TOP_FILTER_LEN; i++)
		press(&ui, 'a');
	assert_int_equal(strlen(ui.filter), TOP_FILTER_LEN - 1);
}

static void pages_and_orders_go_round(void **state)
{
	struct top_ui ui = {0};

	(void)state;
	for (int i = 0; i < NR_TOP_VIEWS; i++)
		press(&ui, '\t');
	assert_int_equal(ui.view, TOP_SERVICES);
	for (int i = 0; i < NR_TOP_SORTS; i++)
		press(&ui, 's');
	assert_int_equal(ui.sort, TOP_BY_FATE);
	press(&ui, TOP_KEY_ENTER);
	assert_int_equal(ui.page, TOP_PAGE_DETAIL);
	press(&ui, '?');
	assert_int_equal(ui.page, TOP_PAGE_HELP);
	press(&ui, TOP_KEY_ESCAPE);
	assert_int_equal(ui.page, TOP_PAGE_LIST);
	assert_int_equal(press(&ui, 'q').command, TOP_QUIT);
}

static void only_a_replay_steps(void **state)
{
	struct top_ui ui = {.replay = true};
	struct top_order order = press(&ui, TOP_KEY_LEFT);

	(void)state;
	assert_int_equal(order.command, TOP_STEP);
	assert_int_equal(order.steps, -1);
	assert_true(ui.paused);
	press(&ui, ' ');
	assert_false(ui.paused);
	assert_int_equal(press(&ui, '>').steps, 60);
	ui.replay = false;
	assert_int_equal(press(&ui, TOP_KEY_RIGHT).command, TOP_NOTHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_selection_follows_its_row),
		cmocka_unit_test(a_selected_row_that_leaves_gives_its_place_to_another),
		cmocka_unit_test(without_a_choice_the_first_is_selected),
		cmocka_unit_test(typing_fills_the_filter),
		cmocka_unit_test(pages_and_orders_go_round),
		cmocka_unit_test(only_a_replay_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
