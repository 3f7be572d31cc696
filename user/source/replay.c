/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * replay.c - see replay.h. It reads lines, checks the frame of a recording (a header first and
 * once, nothing after the stop) and hands out batches; fields are record_json.c's to check.
 *
 * A recorder that was killed leaves a recording without stop record: that is accepted, the stream
 * just ends. A line cut in two is not: nobody can tell what is missing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/record_json.h"
#include "source/replay.h"

_Static_assert(LINE_READER_MAX == RECORD_LINE_MAX, "the reader takes every record");

struct replay {
	struct source base;
	struct line_reader *reader;
	bool stopped;
	struct record record;
};

static struct replay *replay_of(struct source *source)
{
	return (struct replay *)source;
}

static int fail(struct replay *replay, int err, const char *what)
{
	return line_reader_fail(replay->reader, err, what);
}

/* The place of a record in the stream. */
static int check_frame(struct replay *replay)
{
	bool first = line_reader_line(replay->reader) == 1;

	if (first && replay->record.kind != RECORD_HEADER)
		return fail(replay, -EINVAL,
			    "expected the \"header\" record that begins a recording");
	if (!first && replay->record.kind == RECORD_HEADER)
		return fail(replay, -EINVAL,
			    "expected no second \"header\" record: two recordings in one file");
	return 0;
}

/* 1 and replay->record set, 0 at the end, or -errno. */
static int next_record(struct replay *replay)
{
	char what[RECORD_ERROR_MAX];
	const char *line = NULL;
	size_t len = 0;
	int n = line_reader_next(replay->reader, &line, &len);
	int err;

	if (n <= 0)
		return n;
	if (replay->stopped)
		return fail(replay, -EINVAL, "expected the end of the file after \"stop\"");
	err = record_json_decode(line, len, &replay->record, what);
	if (err)
		return fail(replay, err, what);
	err = check_frame(replay);
	return err ? err : 1;
}

static int end_of_stream(struct replay *replay)
{
	if (line_reader_line(replay->reader) == 0)
		return fail(replay, -EINVAL, "expected a recording, the file is empty");
	return 0;
}

static int replay_next(struct source *source, record_fn fn, void *arg)
{
	struct replay *replay = replay_of(source);
	int n;

	while ((n = next_record(replay)) > 0) {
		fn(arg, &replay->record);
		if (replay->record.kind == RECORD_TICK)
			return 1;
		replay->stopped = replay->record.kind == RECORD_STOP;
	}
	return n < 0 ? n : end_of_stream(replay);
}

int replay_read(struct source *source, struct record **out)
{
	struct replay *replay = replay_of(source);
	int n = next_record(replay);

	if (n <= 0)
		return n < 0 ? n : end_of_stream(replay);
	replay->stopped = replay->record.kind == RECORD_STOP;
	*out = &replay->record;
	return 1;
}

static const char *replay_error(const struct source *source)
{
	return line_reader_error(((const struct replay *)source)->reader);
}

static void replay_free(struct source *source)
{
	struct replay *replay = replay_of(source);

	line_reader_close(replay->reader);
	free(replay);
}

static const struct source_ops replay_ops = {
	.name = "replay",
	.next = replay_next,
	.error = replay_error,
	.free = replay_free,
};

struct source *replay_over(struct line_reader *reader)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (!replay) {
		line_reader_close(reader);
		return NULL;
	}
	replay->base.ops = &replay_ops;
	replay->reader = reader;
	return &replay->base;
}

int replay_new(const char *path, struct source **out, char *error, size_t error_size)
{
	struct line_reader *reader;
	struct source *source;
	int err = line_reader_open(path, &reader, error, error_size);

	if (err)
		return err;
	source = replay_over(reader);
	if (!source) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	*out = source;
	return 0;
}
