/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* metrics_rows.c - see metrics_rows.h. */
#include "sink/metrics_rows.h"

#include <math.h>
#include <string.h>

/* A newcomer has to matter so much more than who leaves for it, or two would take turns. */
#define CLEARLY_MORE 1.5

void metrics_rows_init(struct metrics_rows *r, const struct metrics_rows_limits *limits)
{
	memset(r, 0, sizeof(*r));
	hash_table_init(&r->rows, limits->row_size, sizeof(struct metrics_key), limits->max);
	hash_table_init(&r->trackers, sizeof(struct metrics_tracker),
			sizeof(struct metrics_tracker_key), limits->max_trackers);
	r->counters = limits->counters;
	r->ttl_ns = limits->ttl_ns;
	metrics_rows_begin(r);
}

void metrics_rows_free(struct metrics_rows *r)
{
	hash_table_free(&r->rows);
	hash_table_free(&r->trackers);
}

size_t metrics_rows_memory_ceiling(const struct metrics_rows_limits *limits)
{
	return hash_table_memory_ceiling(limits->row_size, limits->max) +
	       hash_table_memory_ceiling(sizeof(struct metrics_tracker), limits->max_trackers);
}

struct metrics_row *metrics_rows_at(const struct metrics_rows *r, uint32_t i)
{
	return (struct metrics_row *)(r->rows.entries + (size_t)i * r->rows.entry_size);
}

static void forget_gauges(const struct metrics_rows *r, double values[METRICS_VALUES])
{
	for (uint32_t v = 0; v < METRICS_VALUES; v++)
		if (!(r->counters >> v & 1))
			values[v] = NAN;
}

void metrics_rows_begin(struct metrics_rows *r)
{
	r->left_out = 0;
	forget_gauges(r, r->other);
	for (uint32_t i = 0; i < r->rows.nr; i++) {
		metrics_rows_at(r, i)->told = false;
		forget_gauges(r, metrics_rows_at(r, i)->values);
	}
	for (uint32_t i = 0; i < r->trackers.nr; i++)
		((struct metrics_tracker *)r->trackers.entries)[i].told = false;
}

struct expiry {
	uint64_t now_ns;
	uint64_t ttl_ns;
};

static int is_gone(void *arg, void *entry)
{
	const struct expiry *expiry = arg;
	const struct metrics_row *row = entry;

	return expiry->now_ns > row->alive_ns + expiry->ttl_ns;
}

static int is_untold(void *arg, void *entry)
{
	(void)arg;
	return !((struct metrics_tracker *)entry)->told;
}

void metrics_rows_end(struct metrics_rows *r, uint64_t now_ns)
{
	struct expiry expiry = {now_ns, r->ttl_ns};

	hash_table_remove_if(&r->rows, is_gone, &expiry);
	hash_table_remove_if(&r->trackers, is_untold, NULL);
}

/* Makes room for somebody who matters more than the least of those there. */
static bool make_room(struct metrics_rows *r, double weight)
{
	struct metrics_row *least = NULL;
	struct metrics_key key;

	for (uint32_t i = 0; i < r->rows.nr; i++) {
		struct metrics_row *row = metrics_rows_at(r, i);

		if (!least || row->weight < least->weight)
			least = row;
	}
	if (!least || weight <= CLEARLY_MORE * least->weight)
		return false;
	key = least->key;
	hash_table_remove(&r->rows, &key);
	return true;
}

struct metrics_row *metrics_rows_get(struct metrics_rows *r, const struct metrics_key *key,
				     double weight)
{
	struct metrics_row *row = hash_table_find(&r->rows, key);

	if (!row) {
		if (r->rows.nr < r->rows.limit || make_room(r, weight))
			row = hash_table_insert(&r->rows, key);
		if (!row) {
			r->left_out++;
			return NULL;
		}
		forget_gauges(r, row->values);
	}
	row->weight = row->told ? fmax(row->weight, weight) : weight;
	row->told = true;
	return row;
}

struct metrics_tracker *metrics_rows_track(struct metrics_rows *r,
					   const struct metrics_tracker_key *key)
{
	struct metrics_tracker *tracker = hash_table_find(&r->trackers, key);

	if (!tracker)
		tracker = hash_table_insert(&r->trackers, key);
	if (tracker)
		tracker->told = true;
	return tracker;
}

void metrics_rows_count(struct metrics_rows *r, struct metrics_row *row,
			struct metrics_tracker *tracker, uint32_t value, double total)
{
	double *to = row ? row->values : r->other;

	if (!tracker)
		return;
	/* Less than before: it was forgotten and began anew. */
	to[value] += total >= tracker->last[value] ? total - tracker->last[value] : total;
	tracker->last[value] = total;
}

void metrics_rows_gauge(struct metrics_rows *r, struct metrics_row *row, uint32_t value,
			double gauge, enum metrics_merge merge)
{
	double *to = row ? &row->values[value] : &r->other[value];

	if (isnan(*to))
		*to = gauge;
	else if (merge == METRICS_SUM)
		*to += gauge;
	else
		*to = merge == METRICS_LEAST ? fmin(*to, gauge) : fmax(*to, gauge);
}
