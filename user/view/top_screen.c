/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* top_screen.c - see top_screen.h. Foreign text reaches the terminal through put_cell() only. */
#include "view/top_screen.h"

#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/text.h"
#include "view/top_text.h"

#define MAX_COLUMNS	512
#define LEAST_LIST_ROWS 5
#define ESCAPE_DELAY_MS 50 /* ncurses waits a second otherwise to tell ESC from an arrow */

enum color { COLOR_PLAIN = 0, COLOR_BAD, COLOR_WARN, COLOR_GOOD, COLOR_FAINT };

struct top_screen {
	SCREEN *screen;
	bool utf8;
	bool color;
};

/* ---- begin and end ---- */

static void start_colors(struct top_screen *s)
{
	const char *no_color = getenv("NO_COLOR"); /* no-color.org: set and not empty */

	s->color = has_colors() && !(no_color && *no_color) && start_color() == OK;
	if (!s->color)
		return;
	use_default_colors();
	init_pair(COLOR_BAD, COLOR_RED, -1);
	init_pair(COLOR_WARN, COLOR_YELLOW, -1);
	init_pair(COLOR_GOOD, COLOR_GREEN, -1);
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

static attr_t attribute(const struct top_screen *s, enum color color)
{
	if (color == COLOR_FAINT)
		return A_DIM;
	if (color == COLOR_PLAIN)
		return A_NORMAL;
	/* Without colours what matters is bold; what it means stands in words or marks beside it. */
	return s->color ? COLOR_PAIR(color) | (color == COLOR_BAD ? A_BOLD : 0) : A_BOLD;
}

/* The one way out for text, foreign or own: `columns` columns at the cursor's line and `x`. */
static void put_cell(struct top_screen *s, int y, int x, int columns, const char *text, attr_t attr)
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

static void put_line(struct top_screen *s, int y, attr_t attr, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void put_line(struct top_screen *s, int y, attr_t attr, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	put_cell(s, y, 0, COLS, line, attr);
}

/* ---- the list ---- */

struct cell {
	char text[TOP_CELL_BYTES(TOP_HISTORY)];
	enum color color;
	bool drawn; /* bars of our own: not foreign text */
};

static enum color level_color(enum growth_level level)
{
	switch (level) {
	case GROWTH_IMMINENT:
		return COLOR_BAD;
	case GROWTH_PROBABLE:
		return COLOR_WARN;
	default:
		return COLOR_PLAIN;
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
	out->color = percent >= 95 ? COLOR_BAD : percent >= 80 ? COLOR_WARN : COLOR_PLAIN;
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
	if (row->failures)
		top_text_number(out->text, (double)row->failures / OVERVIEW_RECENT_S);
	out->color = COLOR_BAD;
}

static void cell_latency(const struct top_row *row, struct cell *out)
{
	top_text_latency(out->text, row->p95_us);
}

static void cell_restarts(const struct top_row *row, struct cell *out)
{
	if (row->restarts_10m)
		snprintf(out->text, sizeof(out->text), "%u", row->restarts_10m);
	out->color = COLOR_WARN;
}

static void cell_flight(const struct top_row *row, struct cell *out)
{
	if (row->in_flight)
		top_text_number(out->text, (double)row->in_flight);
}

static void cell_address(const struct top_row *row, struct cell *out)
{
	snprintf(out->text, sizeof(out->text), "%s", row->address);
	out->color = COLOR_FAINT;
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

/* Right-aligned text is our own and ASCII: its length is its width. */
static void put_aligned(struct top_screen *s, int y, int x, int width, bool right, const char *text,
			attr_t attr)
{
	int shift = right ? width - (int)strlen(text) : 0;

	put_cell(s, y, x, width, "", attr);
	put_cell(s, y, x + (shift > 0 ? shift : 0), width - (shift > 0 ? shift : 0), text, attr);
}

static void draw_titles(struct top_screen *s, int y, const int widths[NR_COLUMNS])
{
	int x = 0;

	put_line(s, y, A_REVERSE, "%s", "");
	for (size_t i = 0; i < NR_COLUMNS; i++) {
		if (!widths[i])
			continue;
		put_aligned(s, y, x, widths[i], columns[i].right, columns[i].title, A_REVERSE);
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

	put_line(s, y, base, "%s", "");
	for (size_t i = 0; i < NR_COLUMNS; i++) {
		struct cell cell = {.text = ""};

		if (!widths[i])
			continue;
		if (columns[i].fill) {
			columns[i].fill(row, &cell);
			put_aligned(s, y, x, widths[i], columns[i].right, cell.text,
				    base | attribute(s, cell.color));
		} else {
			draw_history(s, y, x, widths[i], row, base);
		}
		x += widths[i] + 1;
	}
}

static void draw_list(struct top_screen *s, int y, int height, const struct top_ui *ui,
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
		put_line(s, y + 1, A_DIM,
			 ui->filter[0] ? "  nothing matches the filter" : "  nothing here yet");
}

/* ---- pages ---- */

struct page {
	struct top_screen *s;
	int y;
	int end;
};

static void page_line(struct page *page, const char *label, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void page_line(struct page *page, const char *label, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (page->y >= page->end)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put_cell(page->s, page->y, 2, 16, label, A_BOLD);
	put_cell(page->s, page->y, 18, COLS - 18, text, A_NORMAL);
	page->y++;
}

static void page_bytes(struct page *page, const char *label, uint64_t bytes, const char *more)
{
	char text[32];
	struct text t;

	text_init(&t, text, sizeof(text));
	text_add_bytes(&t, bytes);
	page_line(page, label, "%s%s", text, more);
}

static void detail_memory(struct page *page, const struct overview_process *p)
{
	char left[8], rate[32], more[96] = "";
	struct text t;

	page_bytes(page, "anonymous", p->anon_bytes, "");
	page_bytes(page, "file pages", p->file_bytes, "");
	if (p->ceiling.bytes) {
		snprintf(more, sizeof(more), " (%s), %.0f%% of it used",
			 ceiling_source_name(p->ceiling.source),
			 100.0 * (double)p->ceiling_used_bytes / (double)p->ceiling.bytes);
		page_bytes(page, "next ceiling", p->ceiling.bytes, more);
	} else {
		page_line(page, "next ceiling", "none known");
	}
	if (p->memcg_limit_bytes != RECORD_NO_LIMIT)
		page_bytes(page, "cgroup limit", p->memcg_limit_bytes, "");
	page_bytes(page, "cgroup usage", p->memcg_usage_bytes, "");
	text_init(&t, rate, sizeof(rate));
	text_add_rate(&t, p->slope_bytes_per_s.value);
	top_text_seconds(left, p->exhaustion_s);
	if (p->level == GROWTH_NONE)
		page_line(page, "growth", "none that lasts");
	else
		page_line(page, "growth", "%s, %s, ceiling in %s", growth_level_name(p->level),
			  rate, left);
}

static void draw_detail(struct top_screen *s, int y, int height, const struct top_row *row)
{
	struct page page = {.s = s, .y = y, .end = y + height};
	const struct top_process *p = row->main;
	char p50[8], p95[8];

	put_line(s, page.y++, A_REVERSE, " %s", row->name);
	page_line(&page, "process", "%s, pid %u, parent %u, runtime %s", p->comm,
		  p->now.proc.id.tgid, p->now.proc.parent_tgid, runtime_name(p->now.proc.runtime));
	if (row->nr_processes > 1)
		page_line(&page, "", "the one of %u that will fail first", row->nr_processes);
	page_line(&page, "executable", "%s", *p->exe_path ? p->exe_path : "unknown");
	page_line(&page, "cgroup", "%s", *p->cgroup_path ? p->cgroup_path : "unknown");
	detail_memory(&page, &p->now);
	if (*row->address)
		page_line(&page, "answers on", "%s%s", row->address,
			  p->now.gateway ? ", as a gateway" : "");
	top_text_latency(p50, row->p50_us);
	top_text_latency(p95, row->p95_us);
	page_line(&page, "requests", "%.1f/s, %llu answered, %llu in flight, p50 %s, p95 %s",
		  row->requests_per_s, (unsigned long long)p->now.requests,
		  (unsigned long long)row->in_flight, p50, p95);
	page_line(&page, "failures", "%llu on the way to it in the last %d s",
		  (unsigned long long)row->failures, OVERVIEW_RECENT_S);
	page_line(&page, "last 10 minutes", "%u restarts, %u deaths", row->restarts_10m,
		  p->now.deaths_10m);
}

static void draw_help(struct top_screen *s, int y, int height, bool replay)
{
	static const char *const lines[][2] = {
		{"tab, v", "services, containers or processes"},
		{"up down j k", "select; PgUp, PgDn, Home, End go farther"},
		{"enter", "all about the selected line, and back"},
		{"s, S", "next order; reverse it"},
		{"/", "filter by name, address, path or pid; escape clears it"},
		{"space", "pause, and go on"},
		{"p", "hide or show gateways and incidents"},
		{"q", "quit"},
		{"! + ?", "growth to its ceiling: within 2 minutes, probable, suspected"},
		{"LEFT", "time to the nearest ceiling at this pace"},
		{"RST", "restarts within ten minutes"},
	};
	struct page page = {.s = s, .y = y, .end = y + height};

	put_line(s, page.y++, A_REVERSE, " Help");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		page_line(&page, lines[i][0], "%s", lines[i][1]);
	if (replay)
		page_line(&page, "left right < >", "a tick, a minute back and forth in time");
}

/* ---- panes ---- */

static const char *endpoint_text(const struct endpoint *e, char *buffer, size_t size)
{
	struct text t;

	text_init(&t, buffer, size);
	if (e->port)
		text_add_endpoint(&t, e);
	else
		text_add(&t, "(itself)");
	return buffer;
}

static uint64_t leg_failures(const struct report_impact *i)
{
	uint64_t sum = 0;

	for (int f = 0; f < NR_FLOW_FAILS; f++)
		if (f != FLOW_FAIL_RST_REUSED && f != FLOW_FAIL_FIN_REUSED &&
		    f != FLOW_FAIL_STATUS && f != FLOW_FAIL_ABANDONED)
			sum += i->upstream_fail[f];
	return sum;
}

static void draw_leg(struct top_screen *s, int y, const struct top_leg *leg)
{
	const struct report_impact *i = &leg->now.recent;
	char rate[8], address[TOP_ADDRESS_LEN], who[64];
	uint64_t failures = leg_failures(i);

	top_text_number(rate, (double)i->upstream_requests / OVERVIEW_RECENT_S);
	snprintf(who, sizeof(who), "%s %u", leg->comm, leg->now.gateway.proc.id.tgid);
	put_cell(s, y, 1, 16, who, A_NORMAL);
	put_cell(s, y, 18, 22, endpoint_text(&leg->now.upstream, address, sizeof(address)),
		 A_NORMAL);
	put_aligned(s, y, 41, 5, true, rate, A_NORMAL);
	snprintf(who, sizeof(who), "/s %s fail %llu  502 %llu  503 %llu  504 %llu",
		 leg->now.burst_open ? "BURST" : "     ", (unsigned long long)failures,
		 (unsigned long long)i->client_status[FLOW_STATUS_502],
		 (unsigned long long)i->client_status[FLOW_STATUS_503],
		 (unsigned long long)i->client_status[FLOW_STATUS_504]);
	put_cell(s, y, 46, COLS - 46, who,
		 attribute(s, leg->now.burst_open ? COLOR_BAD
			      : failures	  ? COLOR_WARN
						  : COLOR_PLAIN));
}

struct leg_place {
	const struct top_leg *leg;
};

/* Bursts first, then the busiest. */
static int compare_legs(const void *left, const void *right)
{
	const struct top_leg *a = ((const struct leg_place *)left)->leg;
	const struct top_leg *b = ((const struct leg_place *)right)->leg;

	if (a->now.burst_open != b->now.burst_open)
		return a->now.burst_open ? -1 : 1;
	if (a->now.recent.upstream_requests != b->now.recent.upstream_requests)
		return a->now.recent.upstream_requests > b->now.recent.upstream_requests ? -1 : 1;
	return a < b ? -1 : a > b;
}

static void draw_gateways(struct top_screen *s, int y, int height, const struct top_table *t)
{
	struct leg_place order[TOP_LEGS_MAX];

	for (uint32_t i = 0; i < t->nr_legs; i++)
		order[i].leg = &t->legs[i];
	qsort(order, t->nr_legs, sizeof(order[0]), compare_legs);
	put_line(s, y, A_BOLD, "Gateways: %u ways, the last %d s", t->nr_legs, OVERVIEW_RECENT_S);
	for (int i = 0; i + 1 < height && (uint32_t)i < t->nr_legs; i++)
		draw_leg(s, y + 1 + i, order[i].leg);
}

static void draw_incident(struct top_screen *s, int y, const struct top_table *t,
			  const struct top_incident *i)
{
	const char *cause = verdict_cause_name(i->cause);
	struct measure age = {0, true};
	char text[512], since[8];

	if (t->now_ns > i->opened_ns)
		age.value = (double)(t->now_ns - i->opened_ns) / 1e9;
	top_text_seconds(since, age);
	snprintf(text, sizeof(text), "%5s  %s%s%s %.2f  %s", since, verdict_class_name(i->class),
		 *cause ? "/" : "", cause, i->confidence, i->summary);
	put_cell(s, y, 0, COLS, text, attribute(s, COLOR_BAD));
}

static void draw_incidents(struct top_screen *s, int y, int height, const struct top_table *t)
{
	put_line(s, y, A_BOLD, "Open incidents: %u", t->nr_incidents);
	for (int i = 0; i + 1 < height && (uint32_t)i < t->nr_incidents; i++)
		draw_incident(s, y + 1 + i, t, &t->incidents[t->nr_incidents - 1 - (uint32_t)i]);
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
	put_line(s, 0, A_BOLD, "memswell top  %s%s%s  %s", when, tick, ui->paused ? "  PAUSED" : "",
		 t->host_name);
	put_line(s, 1, A_NORMAL, "%u %s by %s%s%s%s%s  incidents %u  events lost %llu%s", nr,
		 top_view_name(ui->view), top_sort_name(ui->sort), ui->reverse ? ", reversed" : "",
		 ui->filter[0] || ui->typing ? "  filter /" : "", ui->filter, ui->typing ? "_" : "",
		 t->nr_incidents, (unsigned long long)t->events_lost,
		 t->hidden ? "  (list is cut)" : "");
}

static void draw_footer(struct top_screen *s, const struct top_ui *ui)
{
	put_line(
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
	draw_gateways(s, bottom - gateways, gateways, t);
	draw_incidents(s, bottom - gateways - incidents, incidents, t);
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
		draw_help(s, y, height, ui->replay);
	else if (ui->page == TOP_PAGE_DETAIL && nr)
		draw_detail(s, y, height, &rows[ui->selected]);
	else
		draw_list(s, y, height, ui, rows, nr);
	draw_footer(s, ui);
	refresh();
}
