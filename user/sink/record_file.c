/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * record_file.c - see record_file.h. The buffer holds whole lines only and is written at line
 * ends, so that killing the recorder does not tear one, and what an error tore is cut off.
 */
#include "sink/record_file.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "model/record_json.h"

#define BUFFER_BYTES (4 * RECORD_LINE_MAX)

struct record_file {
	int fd;
	int error;
	uint64_t size; /* of the file, whole lines */
	size_t used;
	char buffer[BUFFER_BYTES];
};

size_t record_file_memory_ceiling(void)
{
	return sizeof(struct record_file);
}

int record_file_open(const char *path, struct record_file **out, char *error, size_t error_size)
{
	struct record_file *file = calloc(1, sizeof(*file));

	if (!file) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	file->fd = file_create(path, error, error_size);
	if (file->fd < 0) {
		int err = file->fd;

		free(file);
		return err;
	}
	*out = file;
	return 0;
}

/* Of what the failed write got out, keep the whole lines. */
static void end_with_error(struct record_file *file, size_t done, int error)
{
	const char *newline = memrchr(file->buffer, '\n', done);

	file->error = error;
	file->size += newline ? (size_t)(newline + 1 - file->buffer) : 0;
	if (ftruncate(file->fd, (off_t)file->size))
		file->error = errno; /* then it ends torn, and the same message says why */
}

void record_file_flush(struct record_file *file)
{
	size_t done = 0;

	while (done < file->used && !file->error) {
		ssize_t n = write(file->fd, file->buffer + done, file->used - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			end_with_error(file, done, errno);
	}
	if (!file->error)
		file->size += file->used;
	file->used = 0;
}

void record_file_write(struct record_file *file, const struct record *record)
{
	ssize_t len;

	if (BUFFER_BYTES - file->used < RECORD_LINE_MAX)
		record_file_flush(file);
	if (file->error)
		return;
	len = record_json_encode(record, file->buffer + file->used, BUFFER_BYTES - file->used);
	if (len < 0)
		file->error = (int)-len;
	else
		file->used += (size_t)len;
}

int record_file_error(const struct record_file *file)
{
	return file->error;
}

void record_file_free(struct record_file *file)
{
	if (!file)
		return;
	close(file->fd);
	free(file);
}
