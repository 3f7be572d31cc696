/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzzes: user/view/feed.c user/view/history.c user/view/series.c user/view/picture.c
 * fuzzes: user/view/json_read.c user/view/content.c user/view/content_why.c user/view/words.c
 * fuzzes: user/view/content_facts.c user/view/content_picture.c user/view/document.c
 * fuzzes: user/view/format.c user/view/format_text.c user/view/format_markdown.c
 * fuzzes: user/view/format_json.c user/view/format_html.c user/view/chart.c
 * fuzzes: user/view/chart_panels.c user/view/chart_scale.c user/model/text.c
 * fuzzes: user/model/report_json.c user/model/report_sections.c user/model/incident_json.c
 * fuzzes: user/model/incident_memory_json.c user/model/vocabulary.c user/model/record.c
 * fuzzes: user/model/address.c user/base/json_writer.c user/base/utf8.c user/base/hash_table.c
 *
 * Whatever lines a file has: they are refused, or what they say is spelled in every format, and none of
 * it is a control character, a script or an element of the page. Seeds: tests/fuzz/report_line.corpus.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view/assets.h"
#include "view/content.h"
#include "view/format.h"

const char report_css[] = "";
const char report_css_csp[] = "";
const char report_js[] = "";
const char report_js_csp[] = "";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed_lines(struct feed *feed, const char *data, size_t size)
{
	while (size > 0) {
		const char *end = memchr(data, '\n', size);
		size_t len = end ? (size_t)(end - data) : size;

		feed_line(feed, data, len);
		data += len + (end != NULL);
		size -= len + (end != NULL);
	}
	feed_end(feed);
}

static void check_page(const char *html)
{
	const char *script = strstr(html, "<script");

	if (!script || strstr(script + 1, "<script") || strstr(html, "<img"))
		abort();
}

static void check_text(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < 0x20 && *text != '\n') || *text == 0x7f)
			abort();
}

static void spell(const struct document *d, enum format format)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		return;
	format_write(format, d, to);
	fclose(to);
	if (format == FORMAT_HTML)
		check_page(text);
	check_text(text);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct content_options options = {"0", NULL};
	struct document d;
	struct feed feed;

	feed_init(&feed, true);
	feed_lines(&feed, (const char *)data, size);
	if (!content_fill(&feed, &options, &d))
		for (int i = 0; i < NR_FORMATS; i++)
			spell(&d, (enum format)i);
	document_free(&d);
	feed_free(&feed);
	return 0;
}
