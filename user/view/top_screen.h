/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * top_screen.h - the terminal of `memswell top`: begins and ends the full-screen mode, reads keys and
 * draws the list, its pages and panes. It decides nothing about what is shown.
 */
#ifndef MEMSWELL_TOP_SCREEN_H
#define MEMSWELL_TOP_SCREEN_H

#include "view/top_ui.h"

struct top_screen;

/* Take the terminal over; NULL with a line in `error` (no terminal, or one that cannot do it). */
struct top_screen *top_screen_new(char *error, size_t error_size);
/* Give it back as it was; NULL is fine. */
void top_screen_free(struct top_screen *screen);

/* The next key pressed (enum top_key or a character), 0 for a changed size, -1 if there is none. */
int top_screen_key(struct top_screen *screen);

/* Draw it all. Sets ui->page_rows. `nr`: of rows, in order. */
void top_screen_draw(struct top_screen *screen, const struct top_table *table, struct top_ui *ui,
		     const struct top_row *rows, uint32_t nr);

#endif
