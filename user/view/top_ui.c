/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* top_ui.c - see top_ui.h. */
#include "view/top_ui.h"

#include <string.h>

#define MINUTE_OF_TICKS 60

static void select_row(struct top_ui *ui, int64_t place, const struct top_row *rows, uint32_t nr)
{
	if (place >= (int64_t)nr)
		place = (int64_t)nr - 1;
	if (place < 0)
		place = 0;
	ui->selected = (uint32_t)place;
	ui->selected_key = nr ? rows[place].key : 0;
}

void top_ui_follow(struct top_ui *ui, const struct top_row *rows, uint32_t nr)
{
	for (uint32_t i = 0; i < nr && ui->selected_key; i++) {
		if (rows[i].key != ui->selected_key)
			continue;
		ui->selected = i;
		return;
	}
	/* It is gone, or nobody chose yet: the place stays, not the row. */
	if (ui->selected_key)
		select_row(ui, ui->selected, rows, nr);
	else
		ui->selected = 0;
}

static void type(struct top_ui *ui, int key)
{
	size_t len = strlen(ui->filter);

	if (key == TOP_KEY_ENTER || key == TOP_KEY_ESCAPE)
		ui->typing = false;
	if (key == TOP_KEY_ESCAPE)
		ui->filter[0] = '\0';
	if (key == TOP_KEY_BACKSPACE && len)
		ui->filter[len - 1] = '\0';
	if (key >= 0x20 && key < 0x7f && len + 1 < sizeof(ui->filter)) {
		ui->filter[len] = (char)key;
		ui->filter[len + 1] = '\0';
	}
}

/* True if the key moves the selection. */
static bool move(struct top_ui *ui, int key, const struct top_row *rows, uint32_t nr)
{
	int64_t page = ui->page_rows > 1 ? ui->page_rows - 1 : 1;
	int64_t to = ui->selected;

	switch (key) {
	case TOP_KEY_UP:
	case 'k':
		to--;
		break;
	case TOP_KEY_DOWN:
	case 'j':
		to++;
		break;
	case TOP_KEY_PAGE_UP:
		to -= page;
		break;
	case TOP_KEY_PAGE_DOWN:
		to += page;
		break;
	case TOP_KEY_HOME:
		to = 0;
		break;
	case TOP_KEY_END:
		to = nr;
		break;
	default:
		return false;
	}
	select_row(ui, to, rows, nr);
	return true;
}

/* How many ticks a key of a replay moves; 0: none. */
static int step_of(int key)
{
	switch (key) {
	case TOP_KEY_RIGHT:
	case '.':
		return 1;
	case TOP_KEY_LEFT:
	case ',':
		return -1;
	case '>':
		return MINUTE_OF_TICKS;
	case '<':
		return -MINUTE_OF_TICKS;
	default:
		return 0;
	}
}

/* From a page to the list, from a filter to all. */
static void go_back(struct top_ui *ui)
{
	if (ui->page != TOP_PAGE_LIST)
		ui->page = TOP_PAGE_LIST;
	else
		ui->filter[0] = '\0';
}

static void next_view(struct top_ui *ui)
{
	ui->view = (ui->view + 1) % NR_TOP_VIEWS;
	ui->selected_key = 0;
	ui->page = TOP_PAGE_LIST;
}

static void toggle_page(struct top_ui *ui, enum top_page page)
{
	ui->page = ui->page == page ? TOP_PAGE_LIST : page;
}

static void choose(struct top_ui *ui, int key)
{
	switch (key) {
	case '\t':
	case 'v':
		next_view(ui);
		break;
	case 's':
		ui->sort = (ui->sort + 1) % NR_TOP_SORTS;
		break;
	case 'S':
		ui->reverse = !ui->reverse;
		break;
	case '/':
		ui->typing = true;
		ui->page = TOP_PAGE_LIST;
		break;
	case ' ':
		ui->paused = !ui->paused;
		break;
	case 'p':
		ui->hide_panes = !ui->hide_panes;
		break;
	case '?':
	case 'h':
		toggle_page(ui, TOP_PAGE_HELP);
		break;
	case TOP_KEY_ENTER:
		toggle_page(ui, TOP_PAGE_DETAIL);
		break;
	default:
		break;
	}
}

struct top_order top_ui_key(struct top_ui *ui, int key, const struct top_row *rows, uint32_t nr)
{
	struct top_order order = {0};
	int steps = ui->replay ? step_of(key) : 0;

	if (ui->typing) {
		type(ui, key);
	} else if (key == 'q') {
		order.command = TOP_QUIT;
	} else if (key == TOP_KEY_ESCAPE) {
		go_back(ui);
	} else if (steps) {
		ui->paused = true; /* whoever steps wants to look */
		order = (struct top_order){TOP_STEP, steps};
	} else if (!move(ui, key, rows, nr)) {
		choose(ui, key);
	}
	return order;
}
