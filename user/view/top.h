/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * top.h - `memswell top`: a terminal over what is going on now, or over a recording. It owns the
 * loop between keys and ticks; where ticks come from is the caller's.
 */
#ifndef MEMSWELL_TOP_H
#define MEMSWELL_TOP_H

#include <stdbool.h>
#include <stddef.h>

#include "view/top_table.h"

enum top_event {
	TOP_ENDED = 0, /* nothing more will come */
	TOP_TICKED,    /* the table stands at a new tick */
	TOP_WOKEN,     /* a key waits, or the terminal has another size */
};

/* Where the table comes from. Callbacks return an enum top_event or -errno, having logged why. */
struct top_feed {
	bool replay;
	/*
	 * Live: wait for the next tick, or for input. A replay: go to the next tick at once. With
	 * `hold` the world goes on, but the table stays as it is.
	 */
	int (*next)(void *arg, struct top_table *table, bool hold);
	/* Replay: begin anew, with an empty table. 0 or -errno. */
	int (*rewind)(void *arg, struct top_table *table);
	void *arg;
};

/* Run until somebody quits or a live feed ends. 0, or -errno with a line in `error` ("" if logged). */
int top_run(const struct top_feed *feed, char *error, size_t error_size);

#endif
