/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * format_text.c - a document for a terminal or an e-mail: wrapped at 80 columns, tables aligned. The
 * texts of a document have nothing in them that a terminal would obey.
 */
#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"
#include "view/format.h"

#define WIDTH	  80
#define MAX_LABEL 40
#define NARROW	  28 /* columns: less is no place for a sentence */
#define BELOW	  6

/* Columns of text on a terminal, counting each character as one: near enough for alignment. */
static int columns_of(const char *text, size_t len)
{
	int columns = 0;

	for (size_t i = 0; i < len; columns++) {
		size_t n = utf8_sequence(text + i, len - i);

		i += n ? n : 1;
	}
	return columns;
}

static int width_of(const char *text)
{
	return columns_of(text, strlen(text));
}

static void put_spaces(FILE *to, int nr)
{
	fprintf(to, "%*s", nr > 0 ? nr : 0, "");
}

/*
 * Words, the first after `used` columns, further lines indented. A word that is too long stands in a
 * line of its own.
 */
static void put_wrapped(FILE *to, const char *text, int used, int indent)
{
	int column = used;
	bool first = true;

	while (*text) {
		size_t len = strcspn(text, " ");
		int width = columns_of(text, len);

		if (!first && column + 1 + width > WIDTH) {
			fputc('\n', to);
			put_spaces(to, indent);
			column = indent;
			first = true;
		}
		if (!first) {
			fputc(' ', to);
			column++;
		}
		fwrite(text, 1, len, to);
		column += width;
		first = false;
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', to);
}

static void put_title(FILE *to, const char *title, char line)
{
	fprintf(to, "\n%s\n", title);
	for (int i = width_of(title); i > 0; i--)
		fputc(line, to);
	fputc('\n', to);
}

static void put_facts(FILE *to, const struct block *b)
{
	int label = 0;

	for (uint32_t i = 0; i < b->nr_rows; i++) {
		int width = width_of(b->rows[i].cells[0].text);

		if (width > label)
			label = width < MAX_LABEL ? width : MAX_LABEL;
	}
	for (uint32_t i = 0; i < b->nr_rows; i++) {
		const struct row *row = &b->rows[i];

		fprintf(to, "  %s", row->cells[0].text);
		put_spaces(to, label - width_of(row->cells[0].text) + 2);
		put_wrapped(to, row->cells[1].text, label + 4, label + 4);
	}
}

static void put_shares(FILE *to, const struct block *b)
{
	for (uint32_t i = 0; i < b->nr_rows; i++) {
		const struct cell *value = &b->rows[i].cells[1];
		double share = value->number < 1 ? value->number : 1;
		int bar = share > 0 ? (int)(share * 40 + 0.5) : 0;

		fprintf(to, "  %-20s %6s  ", b->rows[i].cells[0].text, value->text);
		for (int c = 0; c < bar; c++)
			fputc('#', to);
		fputc('\n', to);
	}
}

static void put_list(FILE *to, const struct block *b, bool numbered)
{
	for (uint32_t i = 0; i < b->nr_rows; i++) {
		int indent = fprintf(to, numbered ? " %2u. " : "  - ", i + 1);
		int used = indent;

		if (b->nr_columns > 1 && *b->rows[i].cells[1].text)
			used += fprintf(to, "%s: ", b->rows[i].cells[1].text);
		put_wrapped(to, b->rows[i].cells[0].text, used, indent);
	}
}

static bool column_is_used(const struct block *b, uint32_t column)
{
	for (uint32_t i = 0; i < b->nr_rows; i++)
		if (*b->rows[i].cells[column].text)
			return true;
	return false;
}

static void put_cell(FILE *to, const struct column *column, const char *text, int width)
{
	int padding = width - width_of(text);

	if (column->numeric)
		put_spaces(to, padding);
	fputs(text, to);
	if (!column->numeric)
		put_spaces(to, padding);
}

/* Where what is left of the line is too narrow, the last column stands below. */
static void put_last(FILE *to, const char *text, int width, int used)
{
	int left = WIDTH - used;

	if (width > left && left < NARROW && *text) {
		fputc('\n', to);
		put_spaces(to, BELOW);
		used = BELOW;
	}
	put_wrapped(to, text, used, used);
}

/* Columns as wide as what is in them; the last one wraps. */
static void put_table(FILE *to, const struct block *b)
{
	int widths[BLOCK_MAX_COLUMNS] = {0};
	uint32_t last = 0;

	for (uint32_t c = 0; c < b->nr_columns; c++) {
		if (!column_is_used(b, c))
			continue;
		last = c;
		widths[c] = width_of(b->columns[c].title);
		for (uint32_t r = 0; r < b->nr_rows; r++)
			if (width_of(b->rows[r].cells[c].text) > widths[c])
				widths[c] = width_of(b->rows[r].cells[c].text);
	}
	for (int64_t r = -1; r < (int64_t)b->nr_rows; r++) {
		int used = 2;

		put_spaces(to, 2);
		for (uint32_t c = 0; c <= last; c++) {
			const char *text = r < 0 ? b->columns[c].title : b->rows[r].cells[c].text;

			if (!widths[c])
				continue;
			if (c == last && !b->columns[c].numeric) {
				put_last(to, text, widths[c], used);
				break;
			}
			put_cell(to, &b->columns[c], text, widths[c]);
			fputs(c == last ? "\n" : "  ", to);
			used += widths[c] + 2;
		}
	}
}

/* Long texts in several columns do not fit beside each other: one after the other then. */
static void put_stories(FILE *to, const struct block *b)
{
	for (uint32_t i = 0; i < b->nr_rows; i++) {
		const struct row *row = &b->rows[i];
		int used = fprintf(to, "  - %s", row->cells[0].text) + 1;

		if (*row->cells[2].text)
			used += fprintf(to, " (%s)", row->cells[2].text);
		fputs(": ", to);
		put_wrapped(to, row->cells[1].text, used + 1, 4);
	}
}

static void put_block(FILE *to, const struct block *b)
{
	put_title(to, b->title, '-');
	if (b->note)
		put_wrapped(to, b->note, 0, 0);
	switch (b->kind) {
	case BLOCK_FACTS:
		put_facts(to, b);
		break;
	case BLOCK_SHARES:
		put_shares(to, b);
		break;
	case BLOCK_LIST:
	case BLOCK_STEPS:
		put_list(to, b, b->kind == BLOCK_STEPS);
		break;
	case BLOCK_TABLE:
	case BLOCK_PICTURE:
		if (strcmp(b->key, "alternatives") == 0)
			put_stories(to, b);
		else if (b->nr_rows)
			put_table(to, b);
		break;
	default:
		for (uint32_t i = 0; i < b->nr_rows; i++)
			put_wrapped(to, b->rows[i].cells[0].text, 0, 0);
	}
}

static void put_head(FILE *to, const struct doc_incident *incident)
{
	char title[256];

	snprintf(title, sizeof(title), "%.90s: %.90s", incident->service, incident->verdict);
	put_title(to, title, '=');
	fprintf(to, "%s on %s, %s UTC%s%s, %s, failed requests: %s\n", incident->id, incident->host,
		incident->started, *incident->duration ? ", " : "", incident->duration,
		incident->status_words, incident->failed_text);
}

static void put_incidents(FILE *to, const struct document *d)
{
	for (uint32_t i = 0; i < d->nr_incidents; i++) {
		const struct doc_incident *incident = &d->incidents[i];

		fprintf(to, "  %s  %s  %s\n", incident->started, incident->id, incident->service);
		put_spaces(to, 4);
		fprintf(to, "%s (%s), %s, failed requests: %s%s%s\n", incident->verdict,
			incident->level, incident->status_words, incident->failed_text,
			*incident->duration ? " in " : "", incident->duration);
	}
}

static void put_document(FILE *to, const struct document *d, bool all)
{
	fprintf(to, "%s\n", d->title);
	put_wrapped(to, d->subtitle, 0, 0);
	if (d->notes.nr_rows)
		put_block(to, &d->notes);
	if (all && d->nr_incidents) {
		put_title(to, "Incidents", '-');
		put_incidents(to, d);
	}
	for (uint32_t i = 0; i < d->nr_incidents; i++) {
		const struct doc_incident *incident = &d->incidents[i];

		put_head(to, incident);
		for (uint32_t b = 0; b < incident->nr_blocks; b++)
			if (all || incident->blocks[b].explains)
				put_block(to, &incident->blocks[b]);
	}
}

void format_text(const struct document *d, FILE *to)
{
	put_document(to, d, true);
}

void format_explain(const struct document *d, FILE *to)
{
	put_document(to, d, false);
}
