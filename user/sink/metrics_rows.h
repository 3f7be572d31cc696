/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * metrics_rows.h - a bounded set of series with the same labels: counters that go on when what they
 * are read from begins anew, gauges of now, and the rest under `other`.
 *
 * What counts (a tracker: what its totals were when last read) is apart from where it counts (a row,
 * by its labels): two lives of one gateway are one row. Each increment counts in one place, the row if
 * there is one then, else `other`; so sums of increases are right, and no row that comes or goes makes
 * another one jump.
 *
 * Limits: `max` rows, `max_trackers` trackers. A newcomer without room takes the place of the row with
 * the least weight if its own is clearly more. Rows leave `ttl_ns` after they were last alive, trackers
 * when they are not told any more. What has no tracker counts nothing, and in `left_out`.
 */
#ifndef MEMSWELL_METRICS_ROWS_H
#define MEMSWELL_METRICS_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "model/ids.h"

#define METRICS_NAME_LEN 128
#define METRICS_VALUES	 24

/* Zero what is not used, padding too. */
struct metrics_key {
	struct endpoint endpoint;
	uint32_t word; /* whatever else tells two apart */
	char name[METRICS_NAME_LEN];
};

struct metrics_tracker_key {
	struct proc_id proc;
	struct endpoint endpoint;
};

struct metrics_row {
	struct metrics_key key; /* first: hash_table.h */
	uint64_t alive_ns;
	double weight;
	double values[METRICS_VALUES]; /* NaN: not known */
	uint8_t told;		       /* in this round */
};

struct metrics_tracker {
	struct metrics_tracker_key key;
	double last[METRICS_VALUES];
	uint8_t told;
};

struct metrics_rows {
	struct hash_table rows; /* entries begin with a metrics_row */
	struct hash_table trackers;
	uint32_t counters; /* bit per value that is one */
	uint64_t ttl_ns;
	uint32_t left_out; /* rows without room in this round */
	double other[METRICS_VALUES];
};

struct metrics_rows_limits {
	size_t row_size; /* of an entry: metrics_row and what the caller keeps behind it */
	uint32_t max;
	uint32_t max_trackers;
	uint32_t counters;
	uint64_t ttl_ns;
};

void metrics_rows_init(struct metrics_rows *r, const struct metrics_rows_limits *limits);
void metrics_rows_free(struct metrics_rows *r);
size_t metrics_rows_memory_ceiling(const struct metrics_rows_limits *limits);

/* A round: gauges are unknown again, then all that is there is told. */
void metrics_rows_begin(struct metrics_rows *r);
void metrics_rows_end(struct metrics_rows *r, uint64_t now_ns);

/*
 * The row of these labels, a new one with all counters at 0; NULL: it counts under `other`. Valid
 * until the next call.
 */
struct metrics_row *metrics_rows_get(struct metrics_rows *r, const struct metrics_key *key,
				     double weight);
/* Entry number i of the rows, as struct metrics_row. */
struct metrics_row *metrics_rows_at(const struct metrics_rows *r, uint32_t i);

/* NULL without room. */
struct metrics_tracker *metrics_rows_track(struct metrics_rows *r,
					   const struct metrics_tracker_key *key);

/* What was added to `total` since the tracker was last told goes to the row (NULL: other). */
void metrics_rows_count(struct metrics_rows *r, struct metrics_row *row,
			struct metrics_tracker *tracker, uint32_t value, double total);

enum metrics_merge { METRICS_SUM = 0, METRICS_LEAST, METRICS_MOST };

/* Put together what several tell of one row (NULL: other). */
void metrics_rows_gauge(struct metrics_rows *r, struct metrics_row *row, uint32_t value,
			double gauge, enum metrics_merge merge);

#endif
