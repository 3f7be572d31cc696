/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * top_screen.c - see top_screen.h: the terminal itself, text on it, and the frame around the parts.
 * Foreign text reaches the terminal through top_put_cell() only.
 */
#include "view/top_screen.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "view/top_parts.h"
#include "view/top_text.h"

#define MAX_COLUMNS	512
#define LEAST_LIST_ROWS 5
#define ESCAPE_DELAY_MS 50 /* ncurses waits a second otherwise to tell ESC from an arrow */

/* ---- begin and end ---- */

static void start_colors(struct top_screen *s)
{
	const char *no_color = getenv("NO_COLOR"); /* no-color.org: set and not empty */

	s->color = has_colors() && !(no_color && *no_color) && start_color() == OK;
	if (!s->color)
		return;
	use_default_colors();
	init_pair(TOP_BAD, COLOR_RED, -1);
	init_pair(TOP_WARN, COLOR_YELLOW, -1);
}

struct top_screen *top_screen_new(char *error, size_t error_size)
{
	struct top_screen *s;

	s = calloc(1, sizeof(*s));
	if (!s) {
		snprintf(error, error_size, "top: out of memory");
		return NULL;
	}
	setlocale(LC_CTYPE, ""); /* only: numbers keep their point */
	s->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	s->screen = newterm(NULL, stdout, stdin);
	if (!s->screen) {
		const char *term = getenv("TERM");

		snprintf(error, error_size,
			 "top: expected a terminal that can move its cursor, TERM=%.32s cannot",
			 term ? term : "");
		free(s);
		return NULL;
	}
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_DELAY_MS);
	curs_set(0);
	start_colors(s);
	return s;
}

void top_screen_free(struct top_screen *s)
{
	if (!s)
		return;
	endwin();
	delscreen(s->screen);
	free(s);
}

int top_screen_key(struct top_screen *s)
{
	static const int keys[][2] = {
		{KEY_UP, TOP_KEY_UP},
		{KEY_DOWN, TOP_KEY_DOWN},
		{KEY_LEFT, TOP_KEY_LEFT},
		{KEY_RIGHT, TOP_KEY_RIGHT},
		{KEY_PPAGE, TOP_KEY_PAGE_UP},
		{KEY_NPAGE, TOP_KEY_PAGE_DOWN},
		{KEY_HOME, TOP_KEY_HOME},
		{KEY_END, TOP_KEY_END},
		{KEY_ENTER, TOP_KEY_ENTER},
		{'\r', TOP_KEY_ENTER},
		{'\n', TOP_KEY_ENTER},
		{27, TOP_KEY_ESCAPE},
		{127, TOP_KEY_BACKSPACE},
		{8, TOP_KEY_BACKSPACE},
		{KEY_BACKSPACE, TOP_KEY_BACKSPACE},
	};
	int key = getch();

	(void)s;
	if (key == ERR)
		return -1;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i][0] == key)
			return keys[i][1];
	return key > 0 && key < 0x80 ? key : 0;
}

/* ---- cells ---- */

attr_t top_attribute(const struct top_screen *s, enum top_color color)
{
	if (color == TOP_FAINT)
		return A_DIM;
	if (color == TOP_PLAIN)
		return A_NORMAL;
	/* Without colours what matters is bold; what it means stands in words or marks beside it. */
	return s->color ? COLOR_PAIR(color) | (color == TOP_BAD ? A_BOLD : 0) : A_BOLD;
}

void top_put_cell(struct top_screen *s, int y, int x, int columns, const char *text, attr_t attr)
{
	char cell[TOP_CELL_BYTES(MAX_COLUMNS)];

	if (x + columns > COLS)
		columns = COLS - x;
	if (columns <= 0 || columns > MAX_COLUMNS || y < 0 || y >= LINES)
		return;
	top_text_cell(cell, text, columns, s->utf8);
	attron(attr);
	mvaddstr(y, x, cell);
	attroff(attr);
}

void top_put_line(struct top_screen *s, int y, attr_t attr, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	top_put_cell(s, y, 0, COLS, line, attr);
}

void top_put_aligned(struct top_screen *s, int y, int x, int width, bool right, const char *text,
		     attr_t attr)
{
	int shift = right ? width - (int)strlen(text) : 0;

	top_put_cell(s, y, x, width, "", attr);
	top_put_cell(s, y, x + (shift > 0 ? shift : 0), width - (shift > 0 ? shift : 0), text,
		     attr);
}

/* ---- frame ---- */

static void draw_header(struct top_screen *s, const struct top_table *t, const struct top_ui *ui,
			uint32_t nr)
{
	time_t seconds = (time_t)(((int64_t)t->now_ns + t->wall_offset_ns) / 1000000000);
	struct tm tm = {0};
	char when[32] = "", tick[40] = "";

	if (t->now_ns && gmtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%SZ", &tm);
	if (ui->replay)
		snprintf(tick, sizeof(tick), "  tick %llu%s", (unsigned long long)ui->position,
			 ui->at_end ? ", the last" : "");
	top_put_line(s, 0, A_BOLD, "memswell top  %s%s%s  %s", when, tick,
		     ui->paused ? "  PAUSED" : "", t->host_name);
	top_put_line(s, 1, A_NORMAL, "%u %s by %s%s%s%s%s  incidents %u  events lost %llu%s", nr,
		     top_view_name(ui->view), top_sort_name(ui->sort),
		     ui->reverse ? ", reversed" : "",
		     ui->filter[0] || ui->typing ? "  filter /" : "", ui->filter,
		     ui->typing ? "_" : "", t->nr_incidents, (unsigned long long)t->events_lost,
		     t->hidden ? "  (list is cut)" : "");
}

static void draw_footer(struct top_screen *s, const struct top_ui *ui)
{
	top_put_line(
		s, LINES - 1, A_REVERSE, "%s",
		ui->typing ? " type to filter, enter keeps it, escape clears it"
		: ui->replay
			? " <- -> step  < > minute  space play  tab view  s sort  / filter  ? help "
			  " q"
			: " tab view  s sort  / filter  enter detail  space pause  ? help  q quit");
}

/* Lines of a pane with so many entries: its title and a share of the screen. */
static int pane_height(uint32_t nr, int share)
{
	return 1 + ((int)nr < share ? (int)nr : share);
}

static int draw_panes(struct top_screen *s, const struct top_table *t, const struct top_ui *ui)
{
	int room = LINES - 3 - LEAST_LIST_ROWS, bottom = LINES - 1;
	int incidents = pane_height(t->nr_incidents, room / 6);
	int gateways = pane_height(t->nr_legs, room / 4);

	if (ui->hide_panes || room < incidents + gateways)
		return bottom;
	top_draw_gateways(s, bottom - gateways, gateways, t);
	top_draw_incidents(s, bottom - gateways - incidents, incidents, t);
	return bottom - gateways - incidents;
}

void top_screen_draw(struct top_screen *s, const struct top_table *t, struct top_ui *ui,
		     const struct top_row *rows, uint32_t nr)
{
	int y = 2, height;

	erase();
	draw_header(s, t, ui, nr);
	height = draw_panes(s, t, ui) - y;
	ui->page_rows = height > 1 ? (uint32_t)height - 1 : 1;
	if (ui->page == TOP_PAGE_HELP)
		top_draw_help(s, y, height, ui->replay);
	else if (ui->page == TOP_PAGE_DETAIL && nr)
		top_draw_detail(s, y, height, &rows[ui->selected]);
	else
		top_draw_list(s, y, height, ui, rows, nr);
	draw_footer(s, ui);
	refresh();
}
