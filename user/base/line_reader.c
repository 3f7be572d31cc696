/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* line_reader.c - see line_reader.h. zlib hands through what it did not compress. */
#include "base/line_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define BUFFER_BYTES (256 * 1024)
_Static_assert(BUFFER_BYTES > 2 * LINE_READER_MAX, "a whole line and more to read");

#define NAME_MAX_BYTES 128 /* of the path, in messages */

struct line_reader {
	gzFile file;
	bool at_end; /* of the file: what is in buffer is the rest */
	uint64_t line_nr;
	size_t start; /* of what is not handed out yet */
	size_t len;
	char name[NAME_MAX_BYTES];
	char error[512];
	char buffer[BUFFER_BYTES];
};

int line_reader_fail(struct line_reader *reader, int err, const char *what)
{
	snprintf(reader->error, sizeof(reader->error), "%s: line %llu: %s", reader->name,
		 (unsigned long long)(reader->line_nr ? reader->line_nr : 1), what);
	return err;
}

/* More bytes into the buffer. 0, also at the end of the file, or -errno. */
static int refill(struct line_reader *reader)
{
	const char *what;
	int err = Z_OK;
	int n;

	memmove(reader->buffer, reader->buffer + reader->start, reader->len);
	reader->start = 0;
	errno = 0;
	n = gzread(reader->file, reader->buffer + reader->len,
		   (unsigned int)(BUFFER_BYTES - reader->len));
	what = n <= 0 ? gzerror(reader->file, &err) : "";
	if (err == Z_ERRNO)
		return line_reader_fail(reader, errno ? -errno : -EIO, strerror(errno));
	if (err != Z_OK) /* zlib's messages name the path, which is not ours to repeat */
		return line_reader_fail(reader, -EINVAL,
					strstr(what, "unexpected end")
						? "the compressed file is cut off"
						: "the compressed file is damaged");
	reader->at_end = n == 0;
	reader->len += (size_t)n;
	return 0;
}

int line_reader_next(struct line_reader *reader, const char **line, size_t *len)
{
	const char *end = NULL;
	int err = 0;

	for (;;) {
		*line = reader->buffer + reader->start;
		if (reader->len > 0)
			end = memchr(*line, '\n', reader->len);
		if (end || reader->at_end || reader->len >= LINE_READER_MAX)
			break;
		err = refill(reader);
		if (err)
			return err;
	}
	if (!end && reader->len == 0)
		return 0;
	reader->line_nr++;
	if (!end && reader->len >= LINE_READER_MAX)
		return line_reader_fail(reader, -EINVAL,
					"expected a line of less than 16384 bytes");
	if (!end)
		return line_reader_fail(
			reader, -EINVAL,
			"expected a newline after the record: the recording is cut off here");
	*len = (size_t)(end - *line);
	reader->start += *len + 1;
	reader->len -= *len + 1;
	return 1;
}
_Static_assert(LINE_READER_MAX == 16384, "the number in the message above");

void line_reader_unread(struct line_reader *reader, size_t len)
{
	reader->start -= len + 1;
	reader->len += len + 1;
	reader->line_nr--;
}

uint64_t line_reader_line(const struct line_reader *reader)
{
	return reader->line_nr;
}

const char *line_reader_error(const struct line_reader *reader)
{
	return reader->error;
}

/* Opening some devices has effects, so the type is looked at before. */
static int open_file(const char *path, int *out)
{
	struct stat st;
	int fd;

	if (strcmp(path, "-") == 0) {
		fd = dup(STDIN_FILENO);
		if (fd < 0)
			return -errno;
		*out = fd;
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

static gzFile open_stream(int fd)
{
	gzFile file = gzdopen(fd, "rb");

	if (!file)
		close(fd);
	else
		gzbuffer(file, BUFFER_BYTES / 2);
	return file;
}

int line_reader_open(const char *path, struct line_reader **out, char *error, size_t error_size)
{
	struct line_reader *reader = malloc(sizeof(*reader));
	int fd = -1;
	int err = reader ? open_file(path, &fd) : -ENOMEM;
	gzFile file = err ? NULL : open_stream(fd);

	if (!err && !file)
		err = -ENOMEM;
	if (err) {
		snprintf(error, error_size,
			 "%.*s: cannot read it: %s: expected a regular file, a pipe "
			 "or - for standard input",
			 NAME_MAX_BYTES - 1, path, strerror(-err));
		free(reader);
		return err;
	}
	reader->file = file;
	reader->at_end = false;
	reader->line_nr = 0;
	reader->start = 0;
	reader->len = 0;
	reader->error[0] = '\0';
	snprintf(reader->name, sizeof(reader->name), "%s",
		 strcmp(path, "-") == 0 ? "standard input" : path);
	*out = reader;
	return 0;
}

void line_reader_close(struct line_reader *reader)
{
	if (!reader)
		return;
	gzclose(reader->file);
	free(reader);
}
