/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * format_json.c - a document as one JSON value: the same texts, and the numbers behind them where
 * there are. jansson builds and prints it, for it has no limit of size.
 */
#include <jansson.h>

#include "view/format.h"

static json_t *number(const struct cell *cell)
{
	json_t *real = cell->has_number ? json_real(cell->number) : NULL;

	return real ? real : json_null(); /* not finite: none */
}

static json_t *cell_json(const struct column *column, const struct cell *cell)
{
	if (column->numeric && cell->has_number)
		return number(cell);
	return *cell->text ? json_string(cell->text) : json_null();
}

static json_t *table(const struct block *b)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < b->nr_rows; i++) {
		json_t *row = json_object();

		for (uint32_t c = 0; c < b->nr_columns; c++)
			json_object_set_new(row, b->columns[c].key,
					    cell_json(&b->columns[c], &b->rows[i].cells[c]));
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *facts(const struct block *b)
{
	json_t *all = json_object();

	for (uint32_t i = 0; i < b->nr_rows; i++) {
		const struct row *row = &b->rows[i];
		json_t *fact = json_object();

		json_object_set_new(fact, "label", json_string(row->cells[0].text));
		json_object_set_new(fact, "text", json_string(row->cells[1].text));
		if (row->cells[1].has_number)
			json_object_set_new(fact, "value", number(&row->cells[1]));
		json_object_set_new(all, row->key ? row->key : row->cells[0].text, fact);
	}
	return all;
}

static json_t *texts(const struct block *b)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < b->nr_rows; i++)
		json_array_append_new(all, json_string(b->rows[i].cells[0].text));
	return all;
}

static json_t *block_json(const struct block *b)
{
	switch (b->kind) {
	case BLOCK_FACTS:
	case BLOCK_SHARES:
		return facts(b);
	case BLOCK_TABLE:
	case BLOCK_PICTURE:
		return table(b);
	case BLOCK_STEPS:
		return b->nr_columns ? table(b) : texts(b);
	default:
		return texts(b);
	}
}

static json_t *incident_json(const struct doc_incident *incident)
{
	json_t *json = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:b, s:s, s:s, s:s, s:f, s:I}", "id",
		incident->id, "host", incident->host, "service", incident->service, "verdict",
		incident->verdict, "class", incident->class, "cause", incident->cause, "level",
		incident->level, "confidence", incident->confidence, "memory_is_the_cause",
		incident->memory, "status", incident->status, "started", incident->started,
		"failed_requests_text", incident->failed_text, "duration_s", incident->duration_s,
		"failed_requests", (json_int_t)incident->failed);

	for (uint32_t b = 0; json && b < incident->nr_blocks; b++)
		json_object_set_new(json, incident->blocks[b].key,
				    block_json(&incident->blocks[b]));
	return json;
}

void format_json(const struct document *d, FILE *to)
{
	json_t *incidents = json_array();
	json_t *json;

	for (uint32_t i = 0; i < d->nr_incidents; i++)
		json_array_append_new(incidents, incident_json(&d->incidents[i]));
	json = json_pack("{s:s, s:s, s:s, s:o, s:o}", "title", d->title, "version", d->version,
			 "read", d->subtitle, "notes", texts(&d->notes), "incidents", incidents);
	if (json)
		json_dumpf(json, to, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	json_decref(json);
	fputc('\n', to);
}
