/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* top_list.c - the list of `memswell top`: its columns, how they share the width, and its rows. */
#include <stdio.h>
#include <string.h>

#include "view/top_parts.h"
#include "view/top_text.h"

struct cell {
	char text[TOP_CELL_BYTES(TOP_HISTORY)];
	enum top_color color;
	bool drawn; /* bars of our own: not foreign text */
};

static enum top_color level_color(enum growth_level level)
{
	switch (level) {
	case GROWTH_IMMINENT:
		return TOP_BAD;
	case GROWTH_PROBABLE:
		return TOP_WARN;
	default:
		return TOP_PLAIN;
	}
}

static void cell_mark(const struct top_row *row, struct cell *out)
{
	static const char *const marks[NR_GROWTH_LEVELS] = {[GROWTH_NONE] = " ",
							    [GROWTH_SUSPECTED] = "?",
							    [GROWTH_PROBABLE] = "+",
							    [GROWTH_IMMINENT] = "!"};

	snprintf(out->text, sizeof(out->text), "%s", marks[row->level]);
	out->color = level_color(row->level);
}

static void cell_name(const struct top_row *row, struct cell *out)
{
	snprintf(out->text, sizeof(out->text), "%s", row->name);
	out->color = level_color(row->level);
}

static void cell_memory(const struct top_row *row, struct cell *out)
{
	top_text_bytes(out->text, row->anon_bytes);
}

static void cell_ceiling(const struct top_row *row, struct cell *out)
{
	if (row->ceiling_bytes)
		top_text_bytes(out->text, row->ceiling_bytes);
	else
		snprintf(out->text, sizeof(out->text), "-");
}

static void cell_used(const struct top_row *row, struct cell *out)
{
	double percent;

	if (!row->ceiling_bytes)
		return;
	percent = 100.0 * (double)row->ceiling_used_bytes / (double)row->ceiling_bytes;
	snprintf(out->text, sizeof(out->text), "%.0f%%", percent < 999 ? percent : 999);
	out->color = percent >= 95 ? TOP_BAD : percent >= 80 ? TOP_WARN : TOP_PLAIN;
}

static void cell_growth(const struct top_row *row, struct cell *out)
{
	if (!row->grown_bytes)
		return;
	out->text[0] = '+';
	top_text_bytes(out->text + 1, row->grown_bytes);
}

static void cell_left(const struct top_row *row, struct cell *out)
{
	top_text_seconds(out->text, row->exhaustion_s);
	out->color = level_color(row->level);
}

static void cell_requests(const struct top_row *row, struct cell *out)
{
	top_text_number(out->text, row->requests_per_s);
}

static void cell_failures(const struct top_row *row, struct cell *out)
{
	if (!row->failures)
		return;
	top_text_number(out->text, (double)row->failures / OVERVIEW_RECENT_S);
	out->color = TOP_BAD;
}

static void cell_latency(const struct top_row *row, struct cell *out)
{
	top_text_latency(out->text, row->p95_us);
}

static void cell_restarts(const struct top_row *row, struct cell *out)
{
	if (!row->restarts_10m)
		return;
	snprintf(out->text, sizeof(out->text), "%u", row->restarts_10m);
	out->color = TOP_WARN;
}

static void cell_flight(const struct top_row *row, struct cell *out)
{
	if (row->in_flight)
		top_text_number(out->text, (double)row->in_flight);
}

static void cell_address(const struct top_row *row, struct cell *out)
{
	snprintf(out->text, sizeof(out->text), "%s", row->address);
	out->color = TOP_FAINT;
}

static void cell_median(const struct top_row *row, struct cell *out)
{
	top_text_latency(out->text, row->p50_us);
}

struct column {
	const char *title;
	uint8_t width; /* least */
	uint8_t most;  /* what it may grow to where there is room; 0: width */
	uint8_t from;  /* columns of the terminal it takes to be shown */
	bool right;
	void (*fill)(const struct top_row *row, struct cell *out); /* NULL: the history */
};

/* 80 columns hold all without `from`; what is wider gets longer names and histories, then more. */
static const struct column columns[] = {
	{"", 1, 0, 0, false, cell_mark},
	{"NAME", 12, 40, 0, false, cell_name},
	{"MEMORY", 6, 0, 0, true, cell_memory},
	{"HISTORY", 8, 40, 0, false, NULL},
	{"CEIL", 5, 0, 0, true, cell_ceiling},
	{"USED", 4, 0, 0, true, cell_used},
	{"+/MIN", 6, 0, 0, true, cell_growth},
	{"LEFT", 5, 0, 0, true, cell_left},
	{"REQ/S", 5, 0, 0, true, cell_requests},
	{"FAIL/S", 6, 0, 0, true, cell_failures},
	{"P95", 5, 0, 0, true, cell_latency},
	{"RST", 3, 0, 0, true, cell_restarts},
	{"P50", 5, 0, 110, true, cell_median},
	{"FLIGHT", 6, 0, 110, true, cell_flight},
	{"ADDRESS", 21, 0, 130, false, cell_address},
};

#define NR_COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* Width of each column, 0: not shown. What is left over goes to those that can use it, in turn. */
static void lay_out(int widths[NR_COLUMNS])
{
	int left = COLS;

	for (size_t i = 0; i < NR_COLUMNS; i++) {
		bool shown = columns[i].from <= COLS && left >= columns[i].width;

		widths[i] = shown ? columns[i].width : 0;
		left -= shown ? columns[i].width + 1 : 0;
	}
	for (bool grown = true; left >= 0 && grown;) {
		grown = false;
		for (size_t i = 0; i < NR_COLUMNS && left >= 0; i++) {
			if (!widths[i] || widths[i] >= columns[i].most)
				continue;
			widths[i]++;
			left--;
			grown = true;
		}
	}
}

static void draw_titles(struct top_screen *s, int y, const int widths[NR_COLUMNS])
{
	int x = 0;

	top_put_line(s, y, A_REVERSE, "%s", "");
	for (size_t i = 0; i < NR_COLUMNS; i++) {
		if (!widths[i])
			continue;
		top_put_aligned(s, y, x, widths[i], columns[i].right, columns[i].title, A_REVERSE);
		x += widths[i] + 1;
	}
}

static void draw_history(struct top_screen *s, int y, int x, int width, const struct top_row *row,
			 attr_t attr)
{
	char bars[TOP_CELL_BYTES(TOP_HISTORY)];

	width = width < TOP_HISTORY ? width : TOP_HISTORY;
	top_text_spark(bars, row->history_kib, row->nr_history, width, s->utf8);
	attron(attr);
	mvaddstr(y, x, bars);
	attroff(attr);
}

static void draw_row(struct top_screen *s, int y, const int widths[NR_COLUMNS],
		     const struct top_row *row, bool selected)
{
	attr_t base = selected ? A_REVERSE : A_NORMAL;
	int x = 0;

	top_put_line(s, y, base, "%s", "");
	for (size_t i = 0; i < NR_COLUMNS; i++) {
		struct cell cell = {.text = ""};

		if (!widths[i])
			continue;
		if (columns[i].fill) {
			columns[i].fill(row, &cell);
			top_put_aligned(s, y, x, widths[i], columns[i].right, cell.text,
					base | top_attribute(s, cell.color));
		} else {
			draw_history(s, y, x, widths[i], row, base);
		}
		x += widths[i] + 1;
	}
}

void top_draw_list(struct top_screen *s, int y, int height, const struct top_ui *ui,
		   const struct top_row *rows, uint32_t nr)
{
	uint32_t lines = height > 1 ? (uint32_t)height - 1 : 0;
	uint32_t first = ui->selected >= lines && lines ? ui->selected - lines + 1 : 0;
	int widths[NR_COLUMNS];

	lay_out(widths);
	draw_titles(s, y, widths);
	for (uint32_t i = 0; i < lines && first + i < nr; i++)
		draw_row(s, y + 1 + (int)i, widths, &rows[first + i], first + i == ui->selected);
	if (!nr && lines)
		top_put_line(s, y + 1, A_DIM,
			     ui->filter[0] ? "  nothing matches the filter" : "  nothing here yet");
}
