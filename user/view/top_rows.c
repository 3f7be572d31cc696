/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * top_rows.c - top_table_rows (top_table.h): processes become rows, rows of one service or container
 * become one, and all get an order. Makes no quantity of its own beyond sums, least and most.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "model/text.h"
#include "view/top_table.h"

static const char *const view_names[NR_TOP_VIEWS] = {
	[TOP_SERVICES] = "services",
	[TOP_CONTAINERS] = "containers",
	[TOP_PROCESSES] = "processes",
};

static const char *const sort_names[NR_TOP_SORTS] = {
	[TOP_BY_FATE] = "fails first",	[TOP_BY_MEMORY] = "memory",	[TOP_BY_GROWTH] = "growth",
	[TOP_BY_REQUESTS] = "requests", [TOP_BY_FAILURES] = "failures", [TOP_BY_NAME] = "name",
};

const char *top_view_name(enum top_view view)
{
	return view_names[view];
}

const char *top_sort_name(enum top_sort sort)
{
	return sort_names[sort];
}

/* Latency ----------------------------------------------------------------------------------------- */

/* Bucket b holds [2^(b-1), 2^b) microseconds; within it answers are taken as spread evenly. */
static struct measure percentile_us(const double *latency, double share)
{
	double all = 0, below = 0, low, high;
	int b;

	for (b = 0; b < RECORD_LATENCY_BUCKETS; b++)
		all += latency[b];
	if (all <= 0)
		return (struct measure){0};
	for (b = 0; b < RECORD_LATENCY_BUCKETS - 1 && below + latency[b] < share * all; b++)
		below += latency[b];
	low = b ? (double)(1ULL << (b - 1)) : 0;
	high = (double)(1ULL << b);
	if (latency[b] <= 0)
		return (struct measure){low, true};
	return (struct measure){low + (high - low) * (share * all - below) / latency[b], true};
}

/* Rows -------------------------------------------------------------------------------------------- */

static uint64_t hash_bytes(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint64_t hash = 0xcbf29ce484222325ULL; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
	return hash;
}

/* 0: it has no place in this view. */
static uint64_t key_of(const struct top_process *p, enum top_view view)
{
	const struct overview_process *now = &p->now;
	uint64_t words[4] = {0};

	if (view == TOP_PROCESSES)
		return hash_u64(now->proc.id.tgid) ^ now->proc.id.start_ns ?: 1;
	if (view == TOP_CONTAINERS)
		return hash_u64(now->proc.memcg.id) ^ now->proc.memcg.hierarchy ?: 1;
	if (!now->service.port)
		return 0;
	memcpy(words, now->service.addr, sizeof(now->service.addr));
	words[2] = now->service.netns;
	words[3] = now->service.port;
	return hash_bytes(words, sizeof(words)) ?: 1;
}

/* As its operator names it; what has no name has a path. */
static void add_container(struct text *text, const struct top_process *p)
{
	const struct workload *w = &p->workload;

	if (*w->pod_name)
		text_add(text, "%s/%s%s%s", *w->pod_namespace ? w->pod_namespace : "?", w->pod_name,
			 *w->container_name ? "/" : "", w->container_name);
	else if (*w->container_name)
		text_add(text, "%s", w->container_name);
	else if (*p->cgroup_path)
		text_add(text, "%s", p->cgroup_path);
	else
		text_add(text, "(no memory cgroup known)");
}

static void name_row(struct top_row *row, const struct top_process *p, enum top_view view)
{
	struct text text;

	text_init(&text, row->name, sizeof(row->name));
	if (view == TOP_CONTAINERS)
		add_container(&text, p);
	else if (view == TOP_PROCESSES)
		text_add(&text, "%s %u", p->comm, p->now.proc.id.tgid);
	else if (*p->now.proc.service_name)
		text_add(&text, "%s", p->now.proc.service_name);
	else
		text_add(&text, "%s:%u", p->comm, p->now.service.port);
	text_init(&text, row->address, sizeof(row->address));
	if (p->now.service.port)
		text_add_endpoint(&text, &p->now.service);
}

/* What limits a container is its own limit, not what is nearest to one of its processes. */
static void add_ceiling(struct top_row *row, const struct top_process *p, enum top_view view)
{
	const struct overview_process *now = &p->now;
	bool container = view == TOP_CONTAINERS;
	uint64_t bytes = container ? now->memcg_limit_bytes : now->ceiling.bytes;
	uint64_t used = container ? now->memcg_usage_bytes : now->ceiling_used_bytes;

	if (!bytes || (row->ceiling_bytes &&
		       (double)used / (double)bytes <=
			       (double)row->ceiling_used_bytes / (double)row->ceiling_bytes))
		return;
	row->ceiling_bytes = bytes;
	row->ceiling_used_bytes = used;
}

/* Histories end at the same tick. */
static void add_history(struct top_row *row, const struct top_process *p)
{
	uint32_t shift;

	if (p->nr_history > row->nr_history) {
		shift = p->nr_history - row->nr_history;
		memmove(row->history_kib + shift, row->history_kib,
			row->nr_history * sizeof(row->history_kib[0]));
		memset(row->history_kib, 0, shift * sizeof(row->history_kib[0]));
		row->nr_history = p->nr_history;
	}
	shift = row->nr_history - p->nr_history;
	for (uint32_t i = 0; i < p->nr_history; i++)
		row->history_kib[shift + i] = (uint32_t)min_u64(
			(uint64_t)row->history_kib[shift + i] + p->history_kib[i], UINT32_MAX);
}

static int compare_measure(struct measure a, struct measure b)
{
	if (a.has != b.has)
		return a.has ? -1 : 1;
	if (!a.has || a.value == b.value)
		return 0;
	return a.value < b.value ? -1 : 1;
}

static double used_share(uint64_t used, uint64_t bytes)
{
	return bytes ? (double)used / (double)bytes : 0;
}

static int compare_double(double most, double other)
{
	return most == other ? 0 : most > other ? -1 : 1;
}

static int compare_u64(uint64_t most, uint64_t other)
{
	return most == other ? 0 : most > other ? -1 : 1;
}

static bool fails_before(const struct top_process *a, const struct top_process *b)
{
	int order = compare_measure(a->now.exhaustion_s, b->now.exhaustion_s);

	if (!order)
		order = compare_double(used_share(a->now.ceiling_used_bytes, a->now.ceiling.bytes),
				       used_share(b->now.ceiling_used_bytes, b->now.ceiling.bytes));
	if (!order)
		order = compare_u64(a->now.anon_bytes, b->now.anon_bytes);
	return order < 0;
}

static void add_process(struct top_row *row, const struct top_process *p, enum top_view view)
{
	const struct overview_process *now = &p->now;

	if (!row->main || fails_before(p, row->main)) {
		row->main = p;
		name_row(row, p, view);
	}
	row->nr_processes++;
	row->anon_bytes = add_u64(row->anon_bytes, now->anon_bytes);
	row->grown_bytes = add_u64(row->grown_bytes, now->grown_bytes);
	row->level = now->level > row->level ? now->level : row->level;
	if (compare_measure(now->exhaustion_s, row->exhaustion_s) < 0)
		row->exhaustion_s = now->exhaustion_s;
	row->requests_per_s += now->requests_per_s.has ? now->requests_per_s.value : 0;
	/* These are of the service: each of its processes tells the same. */
	row->failures = max_u64(row->failures, now->failures);
	row->restarts_10m =
		now->restarts_10m > row->restarts_10m ? now->restarts_10m : row->restarts_10m;
	row->in_flight = add_u64(row->in_flight, now->in_flight);
	add_ceiling(row, p, view);
	add_history(row, p);
	for (int i = 0; i < RECORD_LATENCY_BUCKETS; i++)
		row->latency[i] += p->latency[i];
}

/* Filter and order -------------------------------------------------------------------------------- */

static bool contains(const char *text, const char *word)
{
	return strcasestr(text, word) != NULL;
}

static bool passes(const struct top_process *p, const char *filter)
{
	char number[16], address[TOP_ADDRESS_LEN] = "";
	struct text text;

	if (!filter || !*filter)
		return true;
	snprintf(number, sizeof(number), "%u", p->now.proc.id.tgid);
	text_init(&text, address, sizeof(address));
	if (p->now.service.port)
		text_add_endpoint(&text, &p->now.service);
	return contains(p->comm, filter) || contains(number, filter) || contains(address, filter) ||
	       contains(p->exe_path, filter) || contains(p->cgroup_path, filter) ||
	       contains(p->now.proc.service_name, filter) ||
	       contains(p->workload.container_name, filter) ||
	       contains(p->workload.pod_name, filter) ||
	       contains(p->workload.pod_namespace, filter);
}

int top_row_compare_fate(const struct top_row *a, const struct top_row *b)
{
	int order = compare_measure(a->exhaustion_s, b->exhaustion_s);

	if (!order)
		order = compare_u64(a->level, b->level);
	if (!order)
		order = compare_double(used_share(a->ceiling_used_bytes, a->ceiling_bytes),
				       used_share(b->ceiling_used_bytes, b->ceiling_bytes));
	return order ? order : compare_u64(a->anon_bytes, b->anon_bytes);
}

static int compare_by(enum top_sort sort, const struct top_row *a, const struct top_row *b)
{
	switch (sort) {
	case TOP_BY_MEMORY:
		return compare_u64(a->anon_bytes, b->anon_bytes);
	case TOP_BY_GROWTH:
		return compare_u64(a->grown_bytes, b->grown_bytes);
	case TOP_BY_REQUESTS:
		return compare_double(a->requests_per_s, b->requests_per_s);
	case TOP_BY_FAILURES:
		return compare_u64(a->failures, b->failures);
	case TOP_BY_NAME:
		return strcmp(a->name, b->name);
	default:
		return top_row_compare_fate(a, b);
	}
}

static int compare_rows(const void *left, const void *right, void *arg)
{
	const struct top_query *query = arg;
	const struct top_row *a = left, *b = right;
	int order = compare_by(query->sort, a, b);

	if (!order) /* the same from tick to tick */
		return a->key < b->key ? -1 : a->key > b->key;
	return query->reverse ? -order : order;
}

/* The row of a key, a fresh one at the end if there is none; NULL without room. */
static struct top_row *row_of(struct top_row *rows, uint32_t *nr, uint32_t max, uint64_t key)
{
	uint32_t i = 0;

	while (i < *nr && rows[i].key != key)
		i++;
	if (i == max)
		return NULL;
	if (i == *nr) {
		memset(&rows[i], 0, sizeof(rows[i]));
		rows[i].key = key;
		++*nr;
	}
	return &rows[i];
}

uint32_t top_table_rows(const struct top_table *t, const struct top_query *query,
			struct top_row *rows, uint32_t max)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < TOP_PROCESSES_MAX; i++) {
		const struct top_process *p = &t->processes[i];
		uint64_t key = p->used ? key_of(p, query->view) : 0;
		struct top_row *row;

		if (!key || !passes(p, query->filter))
			continue;
		row = row_of(rows, &nr, max, key);
		if (row)
			add_process(row, p, query->view);
	}
	for (uint32_t i = 0; i < nr; i++) {
		rows[i].p50_us = percentile_us(rows[i].latency, 0.5);
		rows[i].p95_us = percentile_us(rows[i].latency, 0.95);
	}
	qsort_r(rows, nr, sizeof(*rows), compare_rows, (void *)query);
	return nr;
}
