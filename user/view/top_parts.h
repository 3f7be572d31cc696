/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * top_parts.h - what the parts of the screen of `memswell top` share: the ways to put text on it, and
 * the parts, each of which draws between two lines. Only these files know ncurses.
 */
#ifndef MEMSWELL_TOP_PARTS_H
#define MEMSWELL_TOP_PARTS_H

#include <ncurses.h>

#include "view/top_ui.h"

enum top_color { TOP_PLAIN = 0, TOP_BAD, TOP_WARN, TOP_FAINT };

struct top_screen {
	SCREEN *screen;
	bool utf8;
	bool color;
};

/* top_screen.c */

attr_t top_attribute(const struct top_screen *s, enum top_color color);
/* The one way out for text, foreign or own: exactly `columns` columns, as far as the terminal goes. */
void top_put_cell(struct top_screen *s, int y, int x, int columns, const char *text, attr_t attr);
void top_put_line(struct top_screen *s, int y, attr_t attr, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Right-aligned text is our own and ASCII: its length is its width. */
void top_put_aligned(struct top_screen *s, int y, int x, int width, bool right, const char *text,
		     attr_t attr);

/* top_list.c: titles and as many rows as fit, the selected one among them. */
void top_draw_list(struct top_screen *s, int y, int height, const struct top_ui *ui,
		   const struct top_row *rows, uint32_t nr);

/* top_pages.c: instead of the list. */
void top_draw_detail(struct top_screen *s, int y, int height, const struct top_row *row);
void top_draw_help(struct top_screen *s, int y, int height, bool replay);

/* top_panes.c: below the list; a title, then entries, the most important first. */
void top_draw_gateways(struct top_screen *s, int y, int height, const struct top_table *t);
void top_draw_incidents(struct top_screen *s, int y, int height, const struct top_table *t);

#endif
