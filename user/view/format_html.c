/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * format_html.c - a document as one page that needs nothing else: style and script are within it and
 * named by their hash in a policy that allows nothing but them, so that no text can ever run or load
 * anything. The page says all without script; that only adds reading values off the picture.
 */
#include <stdbool.h>
#include <string.h>

#include "view/assets.h"
#include "view/format.h"
#include "view/html.h"

void html_text(FILE *to, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", to);
			break;
		case '<':
			fputs("&lt;", to);
			break;
		case '>':
			fputs("&gt;", to);
			break;
		case '"':
			fputs("&quot;", to);
			break;
		case '\'':
			fputs("&#39;", to);
			break;
		default:
			fputc(*text, to);
		}
	}
}

/* <TAG CLASS>text</TAG> */
static void put(FILE *to, const char *tag, const char *class, const char *text)
{
	fprintf(to, *class ? "<%s class=\"%s\">" : "<%s>", tag, class);
	html_text(to, text);
	fprintf(to, "</%s>", tag);
}

/* Blocks -------------------------------------------------------------------------------------- */

static bool column_is_used(const struct block *b, uint32_t column)
{
	for (uint32_t i = 0; i < b->nr_rows; i++)
		if (*b->rows[i].cells[column].text)
			return true;
	return false;
}

/* The number of a moment looks like its mark in the picture. */
static void put_cell(FILE *to, const struct block *b, const struct doc_incident *incident,
		     uint32_t r, uint32_t c)
{
	const char *text = b->rows[r].cells[c].text;

	if (c == 0 && strcmp(b->key, "timeline") == 0 && r < incident->nr_marks) {
		fputs("<td class=\"n\"><span class=\"badge m-", to);
		html_text(to, incident->marks[r].kind);
		fprintf(to, "\">%s</span></td>", text);
		return;
	}
	put(to, "td", b->columns[c].numeric ? "n" : b->columns[c].key, text);
}

static void put_table(FILE *to, const struct block *b, const struct doc_incident *incident)
{
	fprintf(to, "<div class=\"wide\"><table class=\"%s\"><thead><tr>", b->key);
	for (uint32_t c = 0; c < b->nr_columns; c++)
		if (column_is_used(b, c))
			fprintf(to, "<th scope=\"col\"%s>%s</th>",
				b->columns[c].numeric ? " class=\"n\"" : "", b->columns[c].title);
	fputs("</tr></thead><tbody>\n", to);
	for (uint32_t r = 0; r < b->nr_rows; r++) {
		fputs("<tr>", to);
		for (uint32_t c = 0; c < b->nr_columns; c++)
			if (column_is_used(b, c))
				put_cell(to, b, incident, r, c);
		fputs("</tr>\n", to);
	}
	fputs("</tbody></table></div>\n", to);
}

static void put_facts(FILE *to, const struct block *b)
{
	fputs("<dl>", to);
	for (uint32_t i = 0; i < b->nr_rows; i++) {
		fputs("<div>", to);
		put(to, "dt", "", b->rows[i].cells[0].text);
		put(to, "dd", "", b->rows[i].cells[1].text);
		fputs("</div>\n", to);
	}
	fputs("</dl>\n", to);
}

static void put_list(FILE *to, const struct block *b)
{
	const char *tag = b->kind == BLOCK_STEPS ? "ol" : "ul";

	fprintf(to, "<%s>", tag);
	for (uint32_t i = 0; i < b->nr_rows; i++) {
		fputs("<li>", to);
		if (b->nr_columns > 1)
			put(to, "b", "kind", b->rows[i].cells[1].text);
		html_text(to, b->rows[i].cells[0].text);
		fputs("</li>\n", to);
	}
	fprintf(to, "</%s>\n", tag);
}

/* One bar in parts that follow each other, and what each part is. */
static void put_shares(FILE *to, const struct block *b)
{
	double x = 0;

	fputs("<svg class=\"shares\" viewBox=\"0 0 600 18\" role=\"img\" "
	      "preserveAspectRatio=\"none\">"
	      "<title>Shares of the growth; the numbers follow</title>",
	      to);
	for (uint32_t i = 0; i < b->nr_rows; i++) {
		double share = b->rows[i].cells[1].number;
		double width = share > 0 ? (x + share * 600 < 600 ? share * 600 : 600 - x) : 0;

		fprintf(to,
			"<rect class=\"share-%u\" x=\"%.1f\" y=\"0\" width=\"%.1f\" "
			"height=\"18\"/>",
			i, x, width);
		x += width;
	}
	fputs("</svg><ul class=\"share-names\">", to);
	for (uint32_t i = 0; i < b->nr_rows; i++) {
		fprintf(to, "<li><i class=\"share-%u\"></i>", i);
		html_text(to, b->rows[i].cells[0].text);
		fputs(" <b>", to);
		html_text(to, b->rows[i].cells[1].text);
		fputs("</b></li>", to);
	}
	fputs("</ul>\n", to);
}

/* The picture in a frame that takes the keyboard, and the numbers behind it for who cannot see. */
static void put_picture(FILE *to, const struct document *d, const struct doc_incident *incident,
			uint32_t number, const struct block *b)
{
	fprintf(to,
		"<figure class=\"picture\"><div class=\"frame\" tabindex=\"0\" role=\"group\" "
		"aria-label=\"Timeline of incident %u. Arrow keys read values, page keys go from "
		"mark to "
		"mark.\">\n",
		number);
	chart_write(d, incident, number, to);
	fputs("<div class=\"readout\" role=\"status\" aria-live=\"polite\" hidden></div></div>\n",
	      to);
	if (b->nr_rows) {
		fputs("<details class=\"data\"><summary>The numbers behind the picture</summary>\n",
		      to);
		put_table(to, b, incident);
		fputs("</details>", to);
	}
	fputs("</figure>\n", to);
}

static void put_paragraphs(FILE *to, const struct block *b)
{
	for (uint32_t i = 0; i < b->nr_rows; i++)
		put(to, "p", i ? "verdict-line" : "lead", b->rows[i].cells[0].text);
}

static void put_block(FILE *to, const struct document *d, const struct doc_incident *incident,
		      uint32_t number, const struct block *b)
{
	fprintf(to, "<section class=\"block b-%s\">", b->key);
	put(to, "h3", "", b->title);
	if (b->note)
		put(to, "p", "note", b->note);
	switch (b->kind) {
	case BLOCK_FACTS:
		put_facts(to, b);
		break;
	case BLOCK_SHARES:
		put_shares(to, b);
		break;
	case BLOCK_LIST:
	case BLOCK_STEPS:
		put_list(to, b);
		break;
	case BLOCK_TABLE:
		if (b->nr_rows)
			put_table(to, b, incident);
		break;
	case BLOCK_PICTURE:
		put_picture(to, d, incident, number, b);
		break;
	default:
		put_paragraphs(to, b);
	}
	fputs("</section>\n", to);
}

/* Incidents ----------------------------------------------------------------------------------- */

/* The kind of verdict as a colour: memory, something else, nobody knows. */
static const char *tone(const struct doc_incident *incident)
{
	if (incident->memory)
		return "memory";
	return strcmp(incident->class, "unexplained") == 0 ? "unknown" : "other";
}

static void put_key_figure(FILE *to, const char *label, const char *text)
{
	if (!*text)
		return;
	fputs("<div>", to);
	put(to, "dt", "", label);
	put(to, "dd", "", text);
	fputs("</div>", to);
}

static void put_incident(FILE *to, const struct document *d, uint32_t number)
{
	const struct doc_incident *incident = &d->incidents[number - 1];

	fprintf(to, "<article class=\"incident\" id=\"i%u\"><header><h2>", number);
	html_text(to, incident->service);
	fprintf(to, " <span class=\"chip %s\">", tone(incident));
	html_text(to, incident->verdict);
	fputs("</span></h2><dl class=\"figures\">", to);
	put_key_figure(to, "Started (UTC)", incident->started);
	put_key_figure(to, "Duration", incident->duration);
	put_key_figure(to, "Failed requests", incident->failed_text);
	put_key_figure(to, "Status", incident->status_words);
	put_key_figure(to, "Confidence", incident->level);
	put_key_figure(to, "Host", incident->host);
	fputs("</dl></header><div class=\"blocks\">\n", to);
	for (uint32_t b = 0; b < incident->nr_blocks; b++)
		put_block(to, d, incident, number, &incident->blocks[b]);
	fputs("</div><footer>Incident ", to);
	html_text(to, incident->id);
	fputs("</footer></article>\n", to);
}

static void put_list_row(FILE *to, const struct document *d, uint32_t number)
{
	const struct doc_incident *incident = &d->incidents[number - 1];

	fputs("<tr>", to);
	put(to, "td", "time", incident->started);
	fprintf(to, "<th scope=\"row\"><a href=\"#i%u\">", number);
	html_text(to, incident->service);
	fprintf(to, "</a></th><td><span class=\"chip %s\">", tone(incident));
	html_text(to, incident->verdict);
	fputs("</span></td>", to);
	put(to, "td", "", incident->level);
	put(to, "td", "n", incident->duration);
	put(to, "td", "n", incident->failed_text);
	put(to, "td", "", incident->status_words);
	put(to, "td", "", incident->host);
	fputs("</tr>\n", to);
}

static void put_incident_list(FILE *to, const struct document *d)
{
	fprintf(to,
		"<section class=\"list\"><h2>%u incident%s</h2><div "
		"class=\"wide\"><table><thead><tr>",
		d->nr_incidents, d->nr_incidents == 1 ? "" : "s");
	fputs("<th scope=\"col\">Started (UTC)</th><th scope=\"col\">Service</th>"
	      "<th scope=\"col\">Verdict</th><th scope=\"col\">Confidence</th>"
	      "<th scope=\"col\" class=\"n\">Duration</th>"
	      "<th scope=\"col\" class=\"n\">Failed requests</th>"
	      "<th scope=\"col\">Status</th><th scope=\"col\">Host</th></tr></thead><tbody>\n",
	      to);
	for (uint32_t i = 1; i <= d->nr_incidents; i++)
		put_list_row(to, d, i);
	fputs("</tbody></table></div></section>\n", to);
}

/* The page ------------------------------------------------------------------------------------ */

static void put_head(FILE *to, const struct document *d)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n", to);
	fprintf(to,
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src "
		"'%s'; script-src '%s'; base-uri 'none'; form-action 'none'\">\n",
		report_css_csp, report_js_csp);
	fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<meta name=\"referrer\" content=\"no-referrer\">\n<title>",
	      to);
	html_text(to, d->title);
	fputs(" \xe2\x80\x93 ", to);
	html_text(to, d->subtitle);
	fprintf(to, "</title>\n<style>%s</style></head>\n<body><header class=\"page\"><h1>",
		report_css);
	html_text(to, d->title);
	fputs("</h1>", to);
	put(to, "p", "", d->subtitle);
	fputs("</header>\n<main>\n", to);
}

void format_html(const struct document *d, FILE *to)
{
	put_head(to, d);
	if (d->notes.nr_rows) {
		fputs("<section class=\"notes\">", to);
		put_list(to, &d->notes);
		fputs("</section>\n", to);
	}
	if (d->nr_incidents)
		put_incident_list(to, d);
	for (uint32_t i = 1; i <= d->nr_incidents; i++)
		put_incident(to, d, i);
	fputs("</main>\n<footer class=\"page\">memswell ", to);
	html_text(to, d->version);
	fprintf(to, "</footer>\n<script>%s</script></body></html>\n", report_js);
}
