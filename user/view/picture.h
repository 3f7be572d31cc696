/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * picture.h - what a timeline of one incident shows, taken from the history of its host: a window of
 * time, what memory, traffic and reclaim did in it, and the forecasts as they were made.
 *
 * The window reaches from the begin of the growth to after the recovery. Where failure is a small
 * part of it, the time around the failure gets a wider share: edges are unevenly far apart then.
 * It chooses what to show by the incident's own facts and draws nothing.
 */
#ifndef MEMSWELL_PICTURE_H
#define MEMSWELL_PICTURE_H

#include <jansson.h>

#include "view/history.h"

#define PICTURE_COLUMNS 200 /* the most points of a curve */
#define PICTURE_LIVES	6

/* One process in the memory panel. */
struct picture_life {
	uint32_t tgid;
	uint64_t start_ns;	     /* 0: before the window */
	uint64_t exit_ns;	     /* 0: alive */
	struct series_points memory; /* enum memory_gauge */
};

struct picture {
	int64_t wall_offset_ns;
	uint64_t edges[PICTURE_COLUMNS + 1];
	uint32_t zoom_from; /* column the stretched part begins at; PICTURE_COLUMNS: none is */
	uint32_t zoom_until;
	double zoom_factor;
	bool has_records;			   /* a recording was read: traffic is known */
	struct picture_life culprit;		   /* tgid 0: none */
	struct picture_life others[PICTURE_LIVES]; /* of the same program: before and after */
	uint32_t nr_others;
	struct series_points clients;  /* what the gateway told its clients; enum flow_gauge */
	struct series_points upstream; /* what the gateway saw of the upstream */
	struct series_points reclaim;  /* in the culprit's cgroup; enum reclaim_count */
	struct history_forecast forecasts[HISTORY_FORECASTS];
	uint32_t nr_forecasts;
};

/* NULL when the incident says nothing that a window could be made of, or out of memory. */
struct picture *picture_take(const struct history *h, const json_t *incident);
void picture_free(struct picture *picture);

/* Does `a` show more than `b`? */
bool picture_better(const struct picture *a, const struct picture *b);

/* Column of a moment, 0..PICTURE_COLUMNS, with a fraction; outside it is the nearest edge. */
double picture_column(const struct picture *picture, uint64_t ts_ns);

static inline uint64_t picture_start(const struct picture *picture)
{
	return picture->edges[0];
}

static inline uint64_t picture_end(const struct picture *picture)
{
	return picture->edges[PICTURE_COLUMNS];
}

#endif
