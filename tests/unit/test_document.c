/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_document.c - what is said is the same in every format, and no string of a line, whoever chose
 * it, becomes more than text in any of them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "view/content.h"
#include "view/format.h"
#include "view/html.h"

/* Ends an attribute, a tag, a table, a code span; runs; moves cursors; turns text around. */
#define HOSTILE                                                                                    \
	"\"'><script>alert(1)</script><img src=x onerror=alert(1)>|[a](http://x)`*_~@all "         \
	"\x1b[2J\r\n# \xe2\x80\xae\xc2\x9b\x7f</style>&lt;]]>"

/* Kept as they are: without them the line is none of ours or has no place in time. */
static bool is_frame(const char *key)
{
	static const char *const keys[] = {"schema",
					   "id",
					   "timestamp",
					   "boot_ns",
					   "t",
					   "start",
					   "end",
					   "record",
					   "process.creation.time",
					   "process.exit.time"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static void poison(json_t *json)
{
	const char *key;
	json_t *value;
	size_t i;
	void *next;

	if (json_is_object(json)) {
		json_object_foreach_safe(json, next, key, value)
		{
			if (json_is_string(value) && !is_frame(key))
				json_object_set_new(json, key, json_string(HOSTILE));
			else
				poison(value);
		}
	}
	json_array_foreach(json, i, value)
	{
		if (json_is_string(value))
			json_array_set_new(json, i, json_string(HOSTILE));
		else
			poison(value);
	}
}

/* The incident of the golden lines that has the most in it. */
static json_t *golden_incident(void)
{
	FILE *file = fopen("tests/unit/report_json.golden.jsonl", "r");
	json_t *best = NULL;
	char line[16384];

	if (!file)
		skip();
	while (fgets(line, sizeof(line), file)) {
		json_t *json = json_loads(line, 0, NULL);
		const char *schema = json_text(json, JSON_PATH("schema"));
		bool more = strcmp(schema, "memswell.incident") == 0 &&
			    (!best || json_object_size(json) > json_object_size(best));

		if (!more) {
			json_decref(json);
			continue;
		}
		json_decref(best);
		best = json;
	}
	fclose(file);
	assert_non_null(best);
	return best;
}

static void document_of(json_t *json, struct feed *feed, struct document *d)
{
	struct content_options options = {"1.2.3", NULL};
	char *line = json_dumps(json, JSON_COMPACT);

	feed_init(feed, true);
	assert_int_equal(feed_line(feed, line, strlen(line)), 0);
	feed_end(feed);
	assert_int_equal(content_fill(feed, &options, d), 0);
	assert_int_equal(d->nr_incidents, 1);
	free(line);
}

static char *spelled(void (*format)(const struct document *, FILE *), const struct document *d)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	format(d, to);
	fclose(to);
	return text;
}

static void assert_lacks(const char *text, const char *what)
{
	const char *at = strstr(text, what);

	if (at)
		fail_msg("found '%s' in ...%.80s", what, at > text + 20 ? at - 20 : text);
}

/* No byte that a terminal obeys, and no character that turns text. */
static void assert_plain(const char *text)
{
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < 0x20 && *at != '\n')
			fail_msg("control character %02x before ...%.60s", *at, at + 1);
	assert_lacks(text, "\x7f");
	assert_lacks(text, "\xe2\x80\xae");
	assert_lacks(text, "\xc2\x9b");
}

static void hostile_text_stays_text_on_a_page(void **state)
{
	json_t *json = golden_incident();
	struct document d;
	struct feed feed;
	char *html, *body;

	(void)state;
	poison(json);
	document_of(json, &feed, &d);
	html = spelled(format_html, &d);
	assert_lacks(html, "<script>alert");
	assert_lacks(html, "<img");
	assert_lacks(html, "\"'>");
	body = strstr(html, "<body>");
	assert_non_null(body);
	*strstr(body, "<script>") = '\0'; /* ours, at the end */
	assert_plain(body);
	assert_lacks(body, "onerror=alert(1)>");
	assert_lacks(body, "</style");
	assert_lacks(body, "style=");
	assert_lacks(body, "src=\"");
	assert_lacks(body, "href=\"h");
	assert_non_null(strstr(body, "&lt;script&gt;alert(1)&lt;/script&gt;")); /* it was there */
	free(html);
	document_free(&d);
	feed_free(&feed);
	json_decref(json);
}

static void hostile_text_stays_text_in_markdown_and_on_a_terminal(void **state)
{
	json_t *json = golden_incident();
	struct document d;
	struct feed feed;
	char *text;

	(void)state;
	poison(json);
	document_of(json, &feed, &d);
	text = spelled(format_markdown, &d);
	assert_plain(text);
	assert_lacks(text, "<");
	assert_lacks(text, "a](");
	assert_lacks(text, "http://");
	assert_lacks(text, "@all");
	assert_lacks(text, ">|[");
	free(text);
	text = spelled(format_text, &d);
	assert_plain(text);
	free(text);
	text = spelled(format_explain, &d);
	assert_plain(text);
	free(text);
	text = spelled(format_json, &d);
	assert_plain(text);
	free(text);
	document_free(&d);
	feed_free(&feed);
	json_decref(json);
}

/* What every format leaves of a text, so that they can be compared. */
static char *bare(const char *text)
{
	char *out = malloc(strlen(text) + 1), *to = out;

	for (; *text; text++) {
		size_t entity = *text == '&' ? strcspn(text, ";") : 0;

		if (entity > 1 && entity < 8)
			text += entity;
		if ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
		    (*text >= '0' && *text <= '9'))
			*to++ = *text;
	}
	*to = '\0';
	return out;
}

static void assert_says(const char *all, const char *text, const char *format)
{
	char *part = bare(text);

	if (!strstr(all, part))
		fail_msg("%s does not say: %s", format, text);
	free(part);
}

static void every_format_says_the_same(void **state)
{
	static const struct {
		const char *name;
		void (*write)(const struct document *, FILE *);
	} formats[] = {{"html", format_html},
		       {"text", format_text},
		       {"markdown", format_markdown},
		       {"json", format_json}};
	json_t *json = golden_incident();
	struct document d;
	struct feed feed;

	(void)state;
	document_of(json, &feed, &d);
	for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
		char *text = spelled(formats[f].write, &d), *all = bare(text);
		const struct doc_incident *incident = &d.incidents[0];

		assert_says(all, incident->verdict, formats[f].name);
		for (uint32_t b = 0; b < incident->nr_blocks; b++) {
			const struct block *block = &incident->blocks[b];

			for (uint32_t r = 0; r < block->nr_rows; r++)
				for (uint32_t c = 0; c < 2; c++)
					assert_says(all, block->rows[r].cells[c].text,
						    formats[f].name);
		}
		free(text);
		free(all);
	}
	document_free(&d);
	feed_free(&feed);
	json_decref(json);
}

static void json_is_json(void **state)
{
	json_t *json = golden_incident(), *parsed;
	struct document d;
	struct feed feed;
	char *text;

	(void)state;
	document_of(json, &feed, &d);
	text = spelled(format_json, &d);
	parsed = json_loads(text, 0, NULL);
	assert_non_null(parsed);
	assert_int_equal(json_array_size(json_object_get(parsed, "incidents")), 1);
	json_decref(parsed);
	free(text);
	document_free(&d);
	feed_free(&feed);
	json_decref(json);
}

static void a_day_without_incidents_says_so(void **state)
{
	struct content_options options = {"1.2.3", NULL};
	struct document d;
	struct feed feed;
	char *text;

	(void)state;
	feed_init(&feed, true);
	feed_end(&feed);
	assert_int_equal(content_fill(&feed, &options, &d), 0);
	text = spelled(format_explain, &d);
	assert_non_null(strstr(text, "There is no incident in it"));
	free(text);
	document_free(&d);
	feed_free(&feed);
}

/* Lines from anybody: of another shape, of other types, not ours at all. */
static void strange_lines_are_no_reason_to_fall(void **state)
{
	static const char *const lines[] = {
		"{}",
		"[]",
		"{\"schema\":7}",
		"{\"schema\":\"other\"}",
		"{\"schema\":\"memswell.incident\"}",
		"{\"schema\":\"memswell.incident\",\"id\":7}",
		"{\"schema\":\"memswell.incident\",\"id\":\"x\",\"timeline\":{},\"verdict\":[]}",
		"{\"schema\":\"memswell.incident\",\"id\":\"y\",\"timestamp\":\"2026-01-01T00:00:"
		"00Z\","
		"\"boot_ns\":\"18446744073709551615\",\"timeline\":[7,{\"t\":\"9999\"},"
		"{\"t\":\"2199-01-01T00:00:00Z\",\"offset_ms\":1e300}],\"evidence\":[[],{}],"
		"\"memory\":{\"ceilings\":[{\"bytes\":1e300}],\"growth_explained\":{\"requests\":-"
		"9}},"
		"\"process\":{\"process.pid\":-1},\"impact\":{\"client_responses\":{\"502\":1e300}}"
		"}",
		"{\"schema\":\"memswell.growth\",\"process\":{\"process.pid\":1e300},\"growth\":[]"
		"}",
		"{\"schema\":\"memswell.sample\",\"process\":{\"process.pid\":4},\"sample\":{}}",
		"{\"schema\":\"memswell.start\",\"agent\":{\"kernel\":{}}}",
	};
	struct content_options options = {"1.2.3", NULL};
	struct document d;
	struct feed feed;
	char *text;

	(void)state;
	feed_init(&feed, true);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(feed_line(&feed, lines[i], strlen(lines[i])), 0);
	assert_int_equal(feed_line(&feed, "{", 1), -EINVAL);
	feed_end(&feed);
	assert_int_equal(content_fill(&feed, &options, &d), 0);
	assert_int_equal(d.nr_incidents, 2);
	for (int f = 0; f < NR_FORMATS; f++) {
		FILE *null = fopen("/dev/null", "w");

		format_write((enum format)f, &d, null);
		fclose(null);
	}
	text = spelled(format_html, &d);
	assert_lacks(text, "nan");
	free(text);
	document_free(&d);
	feed_free(&feed);
}

static void hosts_and_boots_are_told_apart(void **state)
{
	static const char line[] =
		"{\"schema\":\"memswell.incident\",\"id\":\"%s\",\"resource\":{\"host.id\":\"%s\","
		"\"host.name\":\"%s\"}}";
	static const char *const rows[][3] = {
		{"A", "1", "web"}, {"B", "2", "web"}, {"A", "1", "web"}, {"A", "3", "db"}};
	struct feed feed;

	(void)state;
	feed_init(&feed, true);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[256];
		int len = snprintf(text, sizeof(text), line, rows[i][0], rows[i][1], rows[i][2]);

		assert_int_equal(feed_line(&feed, text, (size_t)len), 0);
	}
	assert_int_equal(feed.nr_hosts, 3);
	assert_int_equal(feed.nr_incidents, 3);
	feed_free(&feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_text_stays_text_on_a_page),
		cmocka_unit_test(hostile_text_stays_text_in_markdown_and_on_a_terminal),
		cmocka_unit_test(every_format_says_the_same),
		cmocka_unit_test(json_is_json),
		cmocka_unit_test(a_day_without_incidents_says_so),
		cmocka_unit_test(strange_lines_are_no_reason_to_fall),
		cmocka_unit_test(hosts_and_boots_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
