/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * record_file.c - see record_file.h. The buffer holds whole lines only and is written at line
 * ends, so that killing the recorder does not tear one.
 */
#include "sink/record_file.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "model/record_json.h"

#define BUFFER_BYTES (4 * RECORD_LINE_MAX)

struct record_file {
	int fd;
	int error;
	size_t used;
	char buffer[BUFFER_BYTES];
};

int record_file_open(const char *path, struct record_file **out)
{
	struct record_file *file = calloc(1, sizeof(*file));

	if (!file)
		return -ENOMEM;
	file->fd = file_create(path);
	if (file->fd < 0) {
		int err = file->fd;

		free(file);
		return err;
	}
	*out = file;
	return 0;
}

void record_file_flush(struct record_file *file)
{
	size_t done = 0;

	while (done < file->used && !file->error) {
		ssize_t n = write(file->fd, file->buffer + done, file->used - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			file->error = errno;
	}
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
