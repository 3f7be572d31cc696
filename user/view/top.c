/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* top.c - see top.h. */
#include "view/top.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "view/top_screen.h"
#include "view/top_ui.h"

#define PLAY_MS 1000 /* a tick of a recording that plays, whatever its own tick was */

struct top {
	const struct top_feed *feed;
	struct top_screen *screen;
	struct top_table *table;
	struct top_row *rows;
	uint32_t nr_rows;
	struct top_ui ui;
	bool quit;
	int log_fd;    /* what is logged while the screen is ours */
	int stderr_fd; /* where it went before */
};

/* A line on stderr would tear the picture: it waits until the terminal is given back. */
static void hold_log(struct top *top)
{
	top->stderr_fd = dup(STDERR_FILENO);
	top->log_fd = memfd_create("memswell-top-log", MFD_CLOEXEC);
	if (top->stderr_fd >= 0 && top->log_fd >= 0)
		dup2(top->log_fd, STDERR_FILENO);
}

static void release_log(struct top *top)
{
	char buffer[4096];
	ssize_t n;

	if (top->stderr_fd >= 0) {
		dup2(top->stderr_fd, STDERR_FILENO);
		close(top->stderr_fd);
	}
	if (top->log_fd < 0)
		return;
	lseek(top->log_fd, 0, SEEK_SET);
	while ((n = read(top->log_fd, buffer, sizeof(buffer))) > 0)
		if (write(STDERR_FILENO, buffer, (size_t)n) < 0)
			break;
	close(top->log_fd);
}

static void draw(struct top *top)
{
	struct top_query query = {
		.view = top->ui.view,
		.sort = top->ui.sort,
		.reverse = top->ui.reverse,
		.filter = top->ui.filter,
	};

	top->nr_rows = top_table_rows(top->table, &query, top->rows, TOP_PROCESSES_MAX);
	top_ui_follow(&top->ui, top->rows, top->nr_rows);
	top_screen_draw(top->screen, top->table, &top->ui, top->rows, top->nr_rows);
}

/* One tick. Returns what the feed returned. */
static int advance(struct top *top, bool hold)
{
	int event = top->feed->next(top->feed->arg, top->table, hold);

	top->ui.position += event == TOP_TICKED;
	top->ui.at_end = event == TOP_ENDED;
	return event;
}

static int step(struct top *top, int steps)
{
	int64_t to = (int64_t)top->ui.position + steps;
	int err;

	if (steps < 0) {
		err = top->feed->rewind(top->feed->arg, top->table);
		if (err)
			return err;
		top->ui.position = 0;
		top->ui.at_end = false;
	}
	if (to < 1) /* before the first tick there is nothing to see */
		to = 1;
	while ((int64_t)top->ui.position < to && !top->ui.at_end) {
		int event = advance(top, false);

		if (event < 0)
			return event;
	}
	return 0;
}

/* Every key that waits. 0 or -errno. */
static int take_keys(struct top *top)
{
	int key, err = 0;

	while (!err && !top->quit && (key = top_screen_key(top->screen)) >= 0) {
		struct top_order order = {0};

		if (key)
			order = top_ui_key(&top->ui, key, top->rows, top->nr_rows);
		if (order.command == TOP_STEP)
			err = step(top, order.steps);
		top->quit = order.command == TOP_QUIT;
		draw(top);
	}
	return err;
}

static int loop_live(struct top *top)
{
	int event = TOP_TICKED, err = 0;

	while (!top->quit && !err && event != TOP_ENDED) {
		event = advance(top, top->ui.paused);
		err = event < 0 ? event : take_keys(top);
		draw(top);
	}
	return err;
}

static int loop_replay(struct top *top)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	int err = step(top, 1);

	while (!top->quit && !err) {
		bool plays = !top->ui.paused && !top->ui.at_end;
		int ready;

		draw(top);
		ready = poll(&input, 1, plays ? PLAY_MS : -1);
		if (ready == 0)
			err = step(top, 1);
		else if (ready > 0 && !(input.revents & POLLIN))
			top->quit = true; /* the terminal went away */
		else
			err = take_keys(top);
	}
	return err;
}

int top_run(const struct top_feed *feed, char *error, size_t error_size)
{
	struct top_table *table = calloc(1, sizeof(*table));
	struct top_row *rows = calloc(TOP_PROCESSES_MAX, sizeof(*rows));
	struct top top = {.feed = feed,
			  .table = table,
			  .rows = rows,
			  .ui = {.replay = feed->replay},
			  .log_fd = -1,
			  .stderr_fd = -1};
	int err = -ENOMEM;

	error[0] = '\0';
	if (!table || !rows)
		snprintf(error, error_size, "top: out of memory");
	else if (!(top.screen = top_screen_new(error, error_size)))
		err = -ENOTTY;
	if (top.screen) {
		hold_log(&top);
		err = feed->replay ? loop_replay(&top) : loop_live(&top);
		top_screen_free(top.screen);
		release_log(&top);
	}
	free(rows);
	free(table);
	return err;
}
