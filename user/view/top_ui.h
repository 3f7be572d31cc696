/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * top_ui.h - what the person in front of `memswell top` has chosen, and what a key changes about it.
 * Pure: it draws nothing and knows the list only by its length.
 */
#ifndef MEMSWELL_TOP_UI_H
#define MEMSWELL_TOP_UI_H

#include <stdbool.h>
#include <stdint.h>

#include "view/top_table.h"

#define TOP_FILTER_LEN 48

/* What the keys of a terminal come down to; every other key is its character. */
enum top_key {
	TOP_KEY_UP = 0x110000, /* above all characters */
	TOP_KEY_DOWN,
	TOP_KEY_LEFT,
	TOP_KEY_RIGHT,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_ENTER,
	TOP_KEY_ESCAPE,
	TOP_KEY_BACKSPACE,
};

enum top_page { TOP_PAGE_LIST = 0, TOP_PAGE_DETAIL, TOP_PAGE_HELP };

struct top_ui {
	enum top_page page;
	enum top_view view;
	enum top_sort sort;
	bool reverse;
	bool paused;
	bool typing; /* the filter */
	bool hide_panes;
	bool replay;
	bool at_end;	   /* of the recording */
	uint64_t position; /* ticks since its beginning */
	char filter[TOP_FILTER_LEN];
	uint64_t selected_key; /* 0: whatever is first */
	uint32_t selected;     /* its place in the list as last drawn */
	uint32_t page_rows;    /* lines of the list as last drawn */
};

enum top_command {
	TOP_NOTHING = 0, /* but drawing again */
	TOP_QUIT,
	TOP_STEP, /* replay: `steps` ticks, negative: back */
};

struct top_order {
	enum top_command command;
	int steps;
};

/* `rows` as drawn last. */
struct top_order top_ui_key(struct top_ui *ui, int key, const struct top_row *rows, uint32_t nr);

/* Find the selected row again in a new list; sets ui->selected. */
void top_ui_follow(struct top_ui *ui, const struct top_row *rows, uint32_t nr);

#endif
