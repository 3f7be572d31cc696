/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * views.c - see views.h. A recording goes through the core as in a replay, and its records and
 * reports are what the views are fed with; a file of lines feeds them as it is.
 */
#include "views.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "source/replay.h"
#include "view/content.h"
#include "view/format.h"

/* A recording on its way into a feed. */
struct replaying {
	struct feed *feed;
	struct feed_host *host; /* NULL before the header */
	struct core *core;
};

static void on_report(void *arg, const struct report *report)
{
	struct replaying *r = arg;

	if (r->host)
		feed_report(r->feed, r->host, report);
}

static void on_record(void *arg, const struct record *record)
{
	struct replaying *r = arg;

	if (record->kind == RECORD_HEADER)
		r->host = feed_host_of(r->feed, &record->header);
	if (r->host)
		feed_record(r->host, record);
	core_feed(r->core, record);
}

static enum exit_code read_recording(struct feed *feed, const struct options *options,
				     struct line_reader *reader)
{
	struct replaying r = {.feed = feed};
	struct source *source = replay_over(reader);
	int more = 0;

	r.core = core_new(&options->core, on_report, &r);
	if (!source || !r.core) {
		log_error("out of memory");
		more = -ENOMEM;
	}
	while (!more && (more = source_next(source, on_record, &r)) > 0)
		more = 0;
	if (more < 0 && more != -ENOMEM)
		log_error("%s", source_error(source));
	source_free(source);
	core_free(r.core);
	return more < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

/* Lines of whatever else was mixed in are passed over; an agent may still be writing the last one. */
static enum exit_code read_lines(struct feed *feed, struct line_reader *reader, const char *path)
{
	uint64_t nr = 0, bad = 0;
	const char *line;
	size_t len;
	int more;

	while ((more = line_reader_next(reader, &line, &len)) > 0) {
		nr++;
		bad += feed_line(feed, line, len) == -EINVAL;
	}
	if (more < 0)
		log_warn("%s", line_reader_error(reader));
	if (bad)
		log_warn("%s: %llu of %llu lines are no JSON and were left out", path,
			 (unsigned long long)bad, (unsigned long long)nr);
	line_reader_close(reader);
	if (nr > bad)
		return EXIT_CODE_OK;
	log_error(
		"%s: expected a recording, or lines of memswell's output; there is nothing of that",
		path);
	return EXIT_CODE_FAILED;
}

static bool is_recording(const char *line, size_t len)
{
	return memmem(line, len, "\"k\"", 3) && memmem(line, len, "\"header\"", 8);
}

static enum exit_code read_file(struct feed *feed, const struct options *options, const char *path)
{
	struct line_reader *reader;
	char error[512];
	const char *line;
	size_t len;
	int more;

	if (line_reader_open(path, &reader, error, sizeof(error))) {
		log_error("%s", error);
		return EXIT_CODE_FAILED;
	}
	more = line_reader_next(reader, &line, &len);
	if (more > 0) {
		bool recording = is_recording(line, len);

		line_reader_unread(reader, len);
		return recording ? read_recording(feed, options, reader)
				 : read_lines(feed, reader, path);
	}
	if (more < 0)
		log_error("%s", line_reader_error(reader));
	else
		log_error("%s: expected a recording or lines of memswell, the file is empty", path);
	line_reader_close(reader);
	return EXIT_CODE_FAILED;
}

/* Output -------------------------------------------------------------------------------------- */

static FILE *open_output(const char *path)
{
	char error[512];
	FILE *file;
	int fd;

	if (!path)
		return stdout;
	fd = file_create(path, error, sizeof(error));
	if (fd < 0) {
		log_error("--output %s", error);
		return NULL;
	}
	file = fdopen(fd, "w");
	if (!file) {
		log_error("--output %s: %s", path, strerror(errno));
		close(fd);
	}
	return file;
}

/* `path` as it was opened by. */
static enum exit_code close_output(FILE *file, const char *path)
{
	bool broken = ferror(file) || fflush(file);
	int err = errno;

	if (file != stdout && fclose(file) && !broken) {
		broken = true;
		err = errno;
	}
	if (!broken)
		return EXIT_CODE_OK;
	log_error("cannot write to %s: %s", path ? path : "stdout", strerror(err));
	return EXIT_CODE_FAILED;
}

/* Documents ----------------------------------------------------------------------------------- */

static enum exit_code fill(const struct feed *feed, const char *only, struct document *d)
{
	struct content_options content = {MEMSWELL_VERSION, only};

	switch (content_fill(feed, &content, d)) {
	case 0:
		return EXIT_CODE_OK;
	case -ENOENT:
		log_error("explain: no incident among %u has the id '%s': expected an id, or how "
			  "one begins",
			  feed->nr_incidents, only);
		return EXIT_CODE_FAILED;
	case -EEXIST:
		log_error("explain: the ids of several incidents begin with '%s': expected one "
			  "whole id, or more of its begin",
			  only);
		return EXIT_CODE_FAILED;
	default:
		log_error("out of memory");
		return EXIT_CODE_FAILED;
	}
}

static enum exit_code write_report(const struct options *options, const struct document *d)
{
	bool terminal = !options->output && isatty(STDOUT_FILENO);
	enum format format = terminal ? FORMAT_TEXT : FORMAT_HTML;
	FILE *to = open_output(options->output);

	if (!to)
		return EXIT_CODE_FAILED;
	format_write(options->has_format ? options->format : format, d, to);
	return close_output(to, options->output);
}

static enum exit_code write_explanation(const struct document *d)
{
	format_explain(d, stdout);
	return close_output(stdout, NULL);
}

/* Files from the first to the last, then the document. */
static enum exit_code show(const struct options *options, uint32_t nr_files, const char *only,
			   bool explain)
{
	struct document d = {0};
	struct feed feed;
	enum exit_code code = EXIT_CODE_OK;

	feed_init(&feed, true);
	for (uint32_t i = 0; i < nr_files && code == EXIT_CODE_OK; i++)
		code = read_file(&feed, options, options->arguments[i]);
	feed_end(&feed);
	if (code == EXIT_CODE_OK)
		code = fill(&feed, only, &d);
	if (code == EXIT_CODE_OK)
		code = explain ? write_explanation(&d) : write_report(options, &d);
	document_free(&d);
	feed_free(&feed);
	return code;
}

enum exit_code views_report(const struct options *options)
{
	return show(options, options->nr_arguments, NULL, false);
}

enum exit_code views_explain(const struct options *options)
{
	return show(options, 1, options->nr_arguments > 1 ? options->arguments[1] : NULL, true);
}
