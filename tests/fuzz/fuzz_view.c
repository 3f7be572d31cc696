/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_view.c - whatever lines and records report and explain are given: every format is valid UTF-8
 * without a control character but line ends, the JSON parses, and no tag of a line becomes one of the
 * page. Input is lines; those that are records go the way of a recording.
 *
 * Seeds spell a tag "<x-fuzz" where names of others stand.
 */
#include "core/core.h"
#include "fuzz.h"
#include "fuzz_line.h"
#include "model/record_json.h"
#include "view/content.h"
#include "view/format.h"

#define MAX_LINES 200

struct reading {
	struct feed feed;
	struct feed_host *host;
	struct core *core;
};

static void on_report(void *arg, const struct report *report)
{
	struct reading *r = arg;

	feed_report(&r->feed, r->host, report);
}

static void take_record(struct reading *r, const struct record *record)
{
	static const struct core_options options;

	if (record->kind == RECORD_HEADER && !r->core) {
		r->host = feed_host_of(&r->feed, &record->header);
		r->core = core_new(&options, on_report, r);
		EXPECT(r->core);
	}
	if (!r->host)
		return;
	feed_record(r->host, record);
	core_feed(r->core, record);
}

static void take_line(struct reading *r, const char *line, size_t len)
{
	char error[RECORD_ERROR_MAX];
	struct record record;

	if (record_json_decode(line, len, &record, error) == 0)
		take_record(r, &record);
	else
		feed_line(&r->feed, line, len);
}

static void expect_shown(const char *text, size_t len)
{
	for (size_t at = 0, step; at < len; at += step) {
		step = utf8_sequence(text + at, len - at);
		EXPECT(step > 0);
		EXPECT(text[at] == '\n' || text[at] == '\t' || !is_control(text + at, step));
	}
}

/* The page has one script, its own, and loads nothing. */
static void expect_page(const char *html)
{
	const char *script = strstr(html, "<script");

	EXPECT(script && !strstr(script + 1, "<script"));
	EXPECT(!strstr(html, "<img") && !strstr(html, "<x-fuzz"));
}

static void expect_format(const struct document *d, enum format format)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	EXPECT(to);
	if (format == NR_FORMATS)
		format_explain(d, to);
	else
		format_write(format, d, to);
	EXPECT(fclose(to) == 0);
	expect_shown(text, len);
	if (format == FORMAT_HTML)
		expect_page(text);
	if (format == FORMAT_JSON) {
		json_error_t error;
		json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

		EXPECT(root);
		json_decref(root);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size, *newline;
	struct content_options options = {.version = "0"};
	struct document document;
	struct reading r = {0};

	feed_init(&r.feed, true);
	for (int i = 0; i < MAX_LINES && at < end; i++, at = newline + 1) {
		newline = memchr(at, '\n', (size_t)(end - at));
		newline = newline ? newline : end;
		take_line(&r, at, (size_t)(newline - at));
	}
	feed_end(&r.feed);
	EXPECT(content_fill(&r.feed, &options, &document) == 0);
	for (int format = 0; format <= NR_FORMATS; format++)
		expect_format(&document, (enum format)format);
	document_free(&document);
	feed_free(&r.feed);
	core_free(r.core);
	return 0;
}
