/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * format_markdown.c - a document as Markdown with tables (CommonMark and GFM), to be pasted into a
 * postmortem. Foreign text is escaped: it makes no link, no image, no HTML and no table.
 */
#include <string.h>

#include "view/format.h"

/* Everything that may mean something, anywhere. A name with two backticks is no code span. */
static void put_escaped(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", to);
		else if (*text == '&')
			fputs("&amp;", to);
		else if (*text == ':' && strncmp(text, "://", 3) == 0) /* no link by itself */
			fputs("&#58;", to);
		else if (*text == '@')
			fputs("&#64;", to); /* nobody is called */
		else if (strchr("\\`*_[]|~>", *text))
			fprintf(to, "\\%c", *text);
		else
			fputc(*text, to);
	}
}

/* At the begin of a line some more would mean a list, a heading or a quotation. */
static void put_line(FILE *to, const char *text)
{
	if (*text && strchr("#+-=!", *text))
		fputc('\\', to);
	put_escaped(to, text);
}

static void put_row(FILE *to, const struct block *b, const struct row *row)
{
	for (uint32_t c = 0; c < b->nr_columns; c++) {
		fputs("| ", to);
		put_escaped(to, row->cells[c].text);
		fputc(' ', to);
	}
	fputs("|\n", to);
}

static void put_table(FILE *to, const struct block *b)
{
	for (uint32_t c = 0; c < b->nr_columns; c++)
		fprintf(to, "| %s ", b->columns[c].title);
	fputs("|\n", to);
	for (uint32_t c = 0; c < b->nr_columns; c++)
		fputs(b->columns[c].numeric ? "|---:" : "|---", to);
	fputs("|\n", to);
	for (uint32_t i = 0; i < b->nr_rows; i++)
		put_row(to, b, &b->rows[i]);
}

static void put_facts(FILE *to, const struct block *b)
{
	fputs("| | |\n|---|---|\n", to);
	for (uint32_t i = 0; i < b->nr_rows; i++) {
		fputs("| ", to);
		put_escaped(to, b->rows[i].cells[0].text);
		fputs(" | ", to);
		put_escaped(to, b->rows[i].cells[1].text);
		fputs(" |\n", to);
	}
}

static void put_list(FILE *to, const struct block *b)
{
	for (uint32_t i = 0; i < b->nr_rows; i++) {
		if (b->kind == BLOCK_STEPS)
			fprintf(to, "%u. ", i + 1);
		else
			fputs("- ", to);
		if (b->nr_columns > 1 && *b->rows[i].cells[1].text) {
			fputs("**", to);
			put_escaped(to, b->rows[i].cells[1].text);
			fputs("**: ", to);
		}
		put_line(to, b->rows[i].cells[0].text);
		fputc('\n', to);
	}
}

static void put_paragraphs(FILE *to, const struct block *b)
{
	for (uint32_t i = 0; i < b->nr_rows; i++) {
		put_line(to, b->rows[i].cells[0].text);
		fputs(i + 1 < b->nr_rows ? "\n\n" : "\n", to);
	}
}

static void put_block(FILE *to, const struct block *b)
{
	fprintf(to, "\n### %s\n\n", b->title);
	if (b->note)
		fprintf(to, "%s\n", b->note);
	if (!b->nr_rows)
		return;
	switch (b->kind) {
	case BLOCK_FACTS:
	case BLOCK_SHARES:
		put_facts(to, b);
		break;
	case BLOCK_LIST:
	case BLOCK_STEPS:
		put_list(to, b);
		break;
	case BLOCK_TABLE:
	case BLOCK_PICTURE:
		put_table(to, b);
		break;
	default:
		put_paragraphs(to, b);
	}
}

static void put_cell(FILE *to, const char *text)
{
	fputs(" | ", to);
	put_escaped(to, text);
}

static void put_incidents(FILE *to, const struct document *d)
{
	fputs("\n| Started (UTC) | Service | Verdict | Confidence | Duration | Failed requests | "
	      "Status | Host | Id |\n|---|---|---|---|---|---:|---|---|---|\n",
	      to);
	for (uint32_t i = 0; i < d->nr_incidents; i++) {
		const struct doc_incident *incident = &d->incidents[i];

		fprintf(to, "| %s", incident->started);
		put_cell(to, incident->service);
		put_cell(to, incident->verdict);
		put_cell(to, incident->level);
		put_cell(to, incident->duration);
		put_cell(to, incident->failed_text);
		put_cell(to, incident->status_words);
		put_cell(to, incident->host);
		put_cell(to, incident->id);
		fputs(" |\n", to);
	}
}

static void put_incident(FILE *to, const struct doc_incident *incident)
{
	fputs("\n## ", to);
	put_escaped(to, incident->service);
	fputs(": ", to);
	put_escaped(to, incident->verdict);
	fputc('\n', to);
	for (uint32_t b = 0; b < incident->nr_blocks; b++)
		put_block(to, &incident->blocks[b]);
}

void format_markdown(const struct document *d, FILE *to)
{
	fprintf(to, "# %s\n\n", d->title);
	put_line(to, d->subtitle);
	fputc('\n', to);
	if (d->notes.nr_rows)
		put_block(to, &d->notes);
	if (d->nr_incidents)
		put_incidents(to, d);
	for (uint32_t i = 0; i < d->nr_incidents; i++)
		put_incident(to, &d->incidents[i]);
}
