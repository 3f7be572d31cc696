/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * replay.c - see replay.h. It reads lines, checks the frame of a recording (a header first and
 * once, nothing after the stop) and hands out batches; fields are record_json.c's to check.
 *
 * A recorder that was killed leaves a recording without stop record: that is accepted, the stream
 * just ends. A line cut in two is not: nobody can tell what is missing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/record_json.h"
#include "source/replay.h"

#define BUFFER_BYTES (256 * 1024)
_Static_assert(BUFFER_BYTES > 2 * RECORD_LINE_MAX, "a whole line and more to read");

#define NAME_MAX_BYTES 128 /* of the path, in messages */

struct replay {
	struct source base;
	int fd;
	bool at_end; /* of the file: what is in buffer is the rest */
	bool stopped;
	uint64_t line_nr; /* of the line handed out last, from 1 */
	size_t start;	  /* of what is not handed out yet */
	size_t len;
	struct record record;
	char name[NAME_MAX_BYTES];
	char error[512];
	char buffer[BUFFER_BYTES];
};

static struct replay *replay_of(struct source *source)
{
	return (struct replay *)source;
}

static int fail(struct replay *replay, int err, const char *what)
{
	snprintf(replay->error, sizeof(replay->error), "%s: line %llu: %s", replay->name,
		 (unsigned long long)replay->line_nr, what);
	return err;
}

/* More bytes into the buffer. 0, also at the end of the file, or -errno. */
static int refill(struct replay *replay)
{
	ssize_t n;

	memmove(replay->buffer, replay->buffer + replay->start, replay->len);
	replay->start = 0;
	do {
		n = read(replay->fd, replay->buffer + replay->len, BUFFER_BYTES - replay->len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail(replay, -errno, strerror(errno));
	replay->at_end = n == 0;
	replay->len += (size_t)n;
	return 0;
}

/* 1 and the next line without its newline, 0 at the end of the file, or -errno. */
static int next_line(struct replay *replay, const char **line, size_t *len)
{
	const char *end = NULL;
	int err = 0;

	for (;;) {
		*line = replay->buffer + replay->start;
		if (replay->len > 0)
			end = memchr(*line, '\n', replay->len);
		if (end || replay->at_end || replay->len >= RECORD_LINE_MAX)
			break;
		err = refill(replay);
		if (err)
			return err;
	}
	if (!end && replay->len == 0)
		return 0;
	replay->line_nr++;
	if (!end && replay->len >= RECORD_LINE_MAX)
		return fail(replay, -EINVAL, "expected a line of less than 16384 bytes");
	if (!end)
		return fail(replay, -EINVAL,
			    "expected a newline after the record: the recording is cut off here");
	*len = (size_t)(end - *line);
	replay->start += *len + 1;
	replay->len -= *len + 1;
	return 1;
}
_Static_assert(RECORD_LINE_MAX == 16384, "the number in the message above");

/* The place of a record in the stream. */
static int check_frame(struct replay *replay)
{
	bool first = replay->line_nr == 1;

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
	int n = next_line(replay, &line, &len);
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
	if (replay->line_nr == 0) {
		replay->line_nr = 1;
		return fail(replay, -EINVAL, "expected a recording, the file is empty");
	}
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

static const char *replay_error(const struct source *source)
{
	return ((const struct replay *)source)->error;
}

static void replay_free(struct source *source)
{
	struct replay *replay = replay_of(source);

	if (replay->fd != STDIN_FILENO)
		close(replay->fd);
	free(replay);
}

static const struct source_ops replay_ops = {
	.name = "replay",
	.next = replay_next,
	.error = replay_error,
	.free = replay_free,
};

/* Opening some devices has effects, so the type is looked at before. */
static int open_recording(const char *path, int *out)
{
	struct stat st;
	int fd;

	if (strcmp(path, "-") == 0) {
		*out = STDIN_FILENO;
		return 0;
	}
	if (stat(path, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		return -EINVAL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	*out = fd;
	return 0;
}

int replay_new(const char *path, struct source **out, char *error, size_t error_size)
{
	struct replay *replay = malloc(sizeof(*replay));
	int fd = -1;
	int err = replay ? open_recording(path, &fd) : -ENOMEM;

	if (err) {
		snprintf(error, error_size,
			 "%.*s: cannot read it: %s: expected a regular file, a pipe "
			 "or - for standard input",
			 NAME_MAX_BYTES - 1, path, strerror(-err));
		free(replay);
		return err;
	}
	*replay = (struct replay){.base.ops = &replay_ops, .fd = fd};
	snprintf(replay->name, sizeof(replay->name), "%s",
		 fd == STDIN_FILENO ? "standard input" : path);
	*out = &replay->base;
	return 0;
}
