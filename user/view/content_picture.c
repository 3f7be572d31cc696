/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * content_picture.c - the moments of an incident, its ceilings, and the numbers behind its picture,
 * few enough to be read.
 */
#include <string.h>

#include "base/units.h"
#include "view/content.h"

typedef unsigned long long ull;

#define TABLE_ROWS 40 /* the most that are read rather than drawn */

/* Moments ------------------------------------------------------------------------------------- */

static void add_mark(struct writing *w, const json_t *json, const char *kind, const char *detail)
{
	struct doc_incident *out = w->out;
	int64_t wall_ns = 0, line_ns = 0;
	uint64_t boot_ns = strtoull(json_text(w->json, JSON_PATH("boot_ns")), NULL, 10);
	struct mark *mark = &out->marks[out->nr_marks];

	if (out->nr_marks == DOCUMENT_MAX_MARKS || !json_wall_ns(json, JSON_PATH("t"), &wall_ns) ||
	    !json_wall_ns(w->json, JSON_PATH("timestamp"), &line_ns))
		return;
	*mark = (struct mark){
		.ts_ns = boot_ns - (uint64_t)(line_ns - wall_ns),
		.number = ++out->nr_marks,
		.kind = kind,
		.words = document_shown(w->d, moment_words(kind), 80),
		.detail = detail,
	};
}

static void add_moment(struct writing *w, struct block *b, const json_t *json)
{
	const char *kind = content_shown(w, json, JSON_PATH("kind"));
	const char *detail = content_shown(w, json, JSON_PATH("detail"));
	uint64_t count = json_u64(json, JSON_PATH("count"));
	struct row *row = block_row(w->d, b);
	int64_t wall_ns = 0;
	double offset_ms;

	if (!row)
		return;
	if (count && !*detail)
		detail = document_text(w->d, "%llu", (ull)count);
	if (json_wall_ns(json, JSON_PATH("t"), &wall_ns))
		row->cells[1].text = content_clock(w->d, wall_ns);
	if (json_number_at(json, JSON_PATH("offset_ms"), &offset_ms))
		row_number(row, 2, content_offset(w->d, offset_ms), offset_ms);
	add_mark(w, json, kind, detail);
	row_number(row, 0, document_text(w->d, "%u", b->nr_rows), b->nr_rows);
	row->cells[3].text = document_shown(w->d, moment_words(kind), 80);
	row->cells[4].text = detail;
}

void content_moments(struct writing *w)
{
	const json_t *timeline = json_at(w->json, JSON_PATH("timeline"));
	struct block *b = document_block(w->out, BLOCK_TABLE, "timeline", "Timeline");
	const json_t *json;
	size_t i;

	block_column(b, "number", "#", true);
	block_column(b, "time", "Time (UTC)", false);
	block_column(b, "offset_ms", "Offset", true);
	block_column(b, "event", "Event", false);
	block_column(b, "detail", "Detail", false);
	json_array_foreach(timeline, i, json) add_moment(w, b, json);
	if (!b->nr_rows)
		b->note = "The line carries none.";
}

/* Ceilings ------------------------------------------------------------------------------------ */

static void add_ceiling(struct writing *w, const char *source, uint64_t bytes, bool nearest)
{
	struct doc_incident *out = w->out;

	for (uint32_t i = 0; i < out->nr_ceilings; i++) {
		if (strcmp(out->ceilings[i].source, source) == 0 &&
		    out->ceilings[i].bytes == bytes) {
			out->ceilings[i].nearest |= nearest;
			return;
		}
	}
	if (!bytes || out->nr_ceilings == sizeof(out->ceilings) / sizeof(out->ceilings[0]))
		return;
	out->ceilings[out->nr_ceilings++] = (struct ceiling){
		source, document_shown(w->d, ceiling_words(source), 80), bytes, nearest};
}

static void fill_ceilings(struct writing *w)
{
	const json_t *memory = json_at(w->json, JSON_PATH("memory"));
	const json_t *all = json_at(memory, JSON_PATH("ceilings"));
	const json_t *json;
	size_t i;

	json_array_foreach(all, i, json) add_ceiling(w, content_shown(w, json, JSON_PATH("source")),
						     json_u64(json, JSON_PATH("bytes")), false);
	add_ceiling(w, content_shown(w, memory, JSON_PATH("ceiling_source")),
		    json_u64(memory, JSON_PATH("ceiling_bytes")), true);
}

/* Numbers ------------------------------------------------------------------------------------- */

enum data_column {
	DATA_TIME = 0,
	DATA_ANON,
	DATA_USAGE,
	DATA_REQUESTS,
	DATA_FAILED,
	DATA_UPSTREAM_FAILED,
	DATA_P50,
	DATA_P95,
	DATA_IN_FLIGHT,
	DATA_RECLAIM,
	NR_DATA_COLUMNS
};
_Static_assert(NR_DATA_COLUMNS <= BLOCK_MAX_COLUMNS, "room for them");

/* What lies in [from, until) of each kind of points; columns merge to fewer rows. */
struct slice {
	uint64_t from_ns;
	uint64_t until_ns;
};

static bool in_slice(const struct slice *s, const struct series_point *point)
{
	uint64_t middle = point->start_ns / 2 + point->end_ns / 2;

	return middle >= s->from_ns && middle < s->until_ns;
}

static void add_gauge(struct writing *w, struct row *row, enum data_column column,
		      const struct series_points *points, uint32_t gauge, const struct slice *s,
		      enum unit unit)
{
	double max = -1;

	for (uint32_t i = 0; i < points->nr; i++) {
		const struct series_gauge *g = &points->gauges[i * points->nr_gauges + gauge];

		if (in_slice(s, &points->at[i]) && g->has && g->max > max)
			max = g->max;
	}
	if (max >= 0)
		row_number(row, column, content_unit(w->d, unit, max), max);
}

/* Counts of a slice added up, and how much time they are of. False: nothing was told in it. */
static bool sum_slice(const struct series_points *points, const struct slice *s, double *counts,
		      double *seconds)
{
	*seconds = 0;
	memset(counts, 0, NR_FLOW_COUNTS * sizeof(*counts));
	for (uint32_t i = 0; i < points->nr; i++) {
		if (!in_slice(s, &points->at[i]))
			continue;
		*seconds += (double)(points->at[i].end_ns - points->at[i].start_ns) /
			    (double)NSEC_PER_SEC;
		for (uint32_t c = 0; c < points->nr_counts; c++)
			counts[c] += points->counts[i * points->nr_counts + c];
	}
	return *seconds > 0;
}

static void add_latency(struct writing *w, struct row *row, enum data_column column,
			const double *counts, double share)
{
	double ms = flow_latency_ms(counts, share);

	if (ms >= 0)
		row_number(row, column,
			   ms < 10 ? document_text(w->d, "%.1f ms", ms)
				   : content_unit(w->d, UNIT_MS, ms),
			   ms);
}

static void add_traffic(struct writing *w, struct row *row, const struct slice *s)
{
	const struct picture *p = w->out->picture;
	double counts[NR_FLOW_COUNTS], seconds, failed = 0;

	if (sum_slice(&p->clients, s, counts, &seconds)) {
		for (int i = FLOW_STATUS_502; i <= FLOW_STATUS_504; i++)
			failed += counts[FLOW_STATUS_COUNTS + i];
		row_number(row, DATA_REQUESTS,
			   content_unit(w->d, UNIT_NUMBER, counts[FLOW_REQUESTS] / seconds),
			   counts[FLOW_REQUESTS] / seconds);
		row_number(row, DATA_FAILED, content_unit(w->d, UNIT_NUMBER, failed), failed);
		add_latency(w, row, DATA_P50, counts, 0.5);
		add_latency(w, row, DATA_P95, counts, 0.95);
	}
	failed = 0;
	if (sum_slice(&p->upstream, s, counts, &seconds)) {
		for (int i = 0; i < NR_FLOW_FAILS; i++)
			if (i != FLOW_FAIL_RST_REUSED && i != FLOW_FAIL_FIN_REUSED &&
			    i != FLOW_FAIL_RST_SENT && i != FLOW_FAIL_ACCEPT_FULL)
				failed += counts[FLOW_FAIL_COUNTS + i];
		row_number(row, DATA_UPSTREAM_FAILED, content_unit(w->d, UNIT_NUMBER, failed),
			   failed);
	}
}

static void add_reclaim(struct writing *w, struct row *row, const struct slice *s)
{
	const struct series_points *points = &w->out->picture->reclaim;
	double ms = 0;
	bool any = false;

	for (uint32_t i = 0; i < points->nr; i++) {
		if (!in_slice(s, &points->at[i]))
			continue;
		any = true;
		ms += (points->counts[i * points->nr_counts + RECLAIM_DIRECT_US] +
		       points->counts[i * points->nr_counts + RECLAIM_MEMCG_US]) /
		      1000;
	}
	if (any)
		row_number(row, DATA_RECLAIM, content_unit(w->d, UNIT_MS, ms), ms);
}

static void add_data_row(struct writing *w, struct block *b, const struct slice *s)
{
	const struct picture *p = w->out->picture;
	struct row *row = block_row(w->d, b);

	if (!row)
		return;
	row->cells[DATA_TIME].text = content_clock(w->d, (int64_t)s->from_ns + p->wall_offset_ns);
	add_gauge(w, row, DATA_ANON, &p->culprit.memory, MEMORY_ANON, s, UNIT_BYTES);
	add_gauge(w, row, DATA_USAGE, &p->culprit.memory, MEMORY_USAGE, s, UNIT_BYTES);
	add_traffic(w, row, s);
	add_gauge(w, row, DATA_IN_FLIGHT, &p->upstream, FLOW_IN_FLIGHT, s, UNIT_NUMBER);
	add_reclaim(w, row, s);
	for (int i = DATA_ANON; i < NR_DATA_COLUMNS; i++)
		if (row->cells[i].has_number)
			return;
	b->nr_rows--; /* nothing was told then */
}

static void add_columns(struct block *b)
{
	static const struct column columns[NR_DATA_COLUMNS] = {
		[DATA_TIME] = {"time", "From (UTC)", false},
		[DATA_ANON] = {"anon_bytes", "Anonymous memory", true},
		[DATA_USAGE] = {"usage_bytes", "Cgroup usage", true},
		[DATA_REQUESTS] = {"requests_per_s", "Requests/s", true},
		[DATA_FAILED] = {"client_failures", "502, 503, 504", true},
		[DATA_UPSTREAM_FAILED] = {"upstream_failures", "Upstream failures", true},
		[DATA_P50] = {"p50_ms", "p50", true},
		[DATA_P95] = {"p95_ms", "p95", true},
		[DATA_IN_FLIGHT] = {"in_flight", "In flight", true},
		[DATA_RECLAIM] = {"reclaim_ms", "Reclaim", true},
	};

	for (int i = 0; i < NR_DATA_COLUMNS; i++)
		block_column(b, columns[i].key, columns[i].title, columns[i].numeric);
}

void content_picture(struct writing *w)
{
	const struct picture *p = w->out->picture;
	struct block *b;

	fill_ceilings(w);
	if (!p)
		return;
	b = document_block(w->out, BLOCK_PICTURE, "picture", "Memory and traffic over time");
	add_columns(b);
	for (uint32_t i = 0; i < TABLE_ROWS; i++) {
		struct slice s = {p->edges[i * PICTURE_COLUMNS / TABLE_ROWS],
				  p->edges[(i + 1) * PICTURE_COLUMNS / TABLE_ROWS]};

		add_data_row(w, b, &s);
	}
	if (!b->nr_rows)
		b->note = "No values over time were recorded: only moments, and ceilings and "
			  "forecasts if there were any.";
}
