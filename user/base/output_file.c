/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * output_file.c - see output_file.h. After the start everything happens relative to one directory, by
 * name: what the seccomp filter allows.
 */
#include "base/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

struct output_file {
	struct output_file_options options;
	int dir_fd;
	int fd;
	uint64_t size; /* others may append or truncate: so it is asked for before it counts */
	uint64_t line_start; /* where the line begins that is being written */
	bool in_line;
	bool reopen_wanted;
	int rotate_error;
	char name[NAME_MAX + 1];
};

/* ---- opening ---- */

/* Bytes behind the last newline; -EBADMSG if that is no line of ours. */
static ssize_t torn_len(int fd, uint64_t size)
{
	char tail[OUTPUT_FILE_LINE_MAX];
	size_t want = size < sizeof(tail) ? (size_t)size : sizeof(tail);
	ssize_t got = pread(fd, tail, want, (off_t)(size - want));
	const char *newline;
	size_t len;

	if (got != (ssize_t)want)
		return got < 0 ? -errno : -EIO;
	newline = memrchr(tail, '\n', want);
	if (!newline && size > want)
		return -EBADMSG;
	len = newline ? want - (size_t)(newline + 1 - tail) : want;
	return !len || tail[want - len] == '{' ? (ssize_t)len : -EBADMSG;
}

static int repair(int fd, uint64_t *size, uint64_t *torn_bytes)
{
	struct stat st;
	ssize_t torn;

	if (fstat(fd, &st))
		return -errno;
	torn = torn_len(fd, (uint64_t)st.st_size);
	if (torn < 0)
		return (int)torn;
	if (torn && ftruncate(fd, st.st_size - torn))
		return -errno;
	*size = (uint64_t)(st.st_size - torn);
	*torn_bytes = (uint64_t)torn;
	return 0;
}

static int open_repaired(int dir_fd, const char *name, uint64_t *size, uint64_t *torn_bytes,
			 char *error, size_t error_size)
{
	int fd = file_open_ours(dir_fd, name, error, error_size);
	int err;

	if (fd < 0)
		return fd;
	err = repair(fd, size, torn_bytes);
	if (!err)
		return fd;
	snprintf(error, error_size, "'%.200s': %s", name,
		 err == -EBADMSG ? "does not end like a file of JSON Lines; it is left alone"
				 : strerror(-err));
	close(fd);
	return err;
}

int output_file_open(const char *path, const struct output_file_options *options,
		     struct output_file **out, uint64_t *torn_bytes, char *error, size_t error_size)
{
	struct output_file *file = calloc(1, sizeof(*file));
	const char *name;

	if (!file) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	file->options = *options;
	file->fd = -1;
	file->dir_fd = file_open_dir(path, &name, error, error_size);
	if (file->dir_fd >= 0) {
		snprintf(file->name, sizeof(file->name), "%s", name);
		file->fd = open_repaired(file->dir_fd, name, &file->size, torn_bytes, error,
					 error_size);
	}
	if (file->fd < 0) {
		int err = file->dir_fd < 0 ? file->dir_fd : file->fd;

		output_file_free(file);
		return err;
	}
	*out = file;
	return 0;
}

void output_file_free(struct output_file *file)
{
	if (!file)
		return;
	if (file->fd >= 0)
		close(file->fd);
	if (file->dir_fd >= 0)
		close(file->dir_fd);
	free(file);
}

int output_file_dir_fd(const struct output_file *file)
{
	return file->dir_fd;
}

int output_file_rotate_error(const struct output_file *file)
{
	return file->rotate_error;
}

/* ---- changing files ---- */

/* Whether the name still leads to what we write to. */
static bool name_is_ours(const struct output_file *file)
{
	struct stat named, open;

	return !fstatat(file->dir_fd, file->name, &named, AT_SYMLINK_NOFOLLOW) &&
	       !fstat(file->fd, &open) && named.st_dev == open.st_dev &&
	       named.st_ino == open.st_ino;
}

static int open_again(struct output_file *file, char *error, size_t error_size)
{
	uint64_t size = 0, torn;
	int fd;

	file->reopen_wanted = false;
	if (name_is_ours(file))
		return 0;
	fd = open_repaired(file->dir_fd, file->name, &size, &torn, error, error_size);
	if (fd < 0)
		return fd;
	close(file->fd);
	file->fd = fd;
	file->size = size;
	return 0;
}

int output_file_reopen(struct output_file *file, char *error, size_t error_size)
{
	file->reopen_wanted = true;
	return file->in_line ? 0 : open_again(file, error, error_size);
}

static int rename_to(const struct output_file *file, uint32_t from, uint32_t to)
{
	char names[2][NAME_MAX + 16];

	snprintf(names[0], sizeof(names[0]), from ? "%s.%u" : "%s", file->name, from);
	snprintf(names[1], sizeof(names[1]), "%s.%u", file->name, to);
	if (!renameat(file->dir_fd, names[0], file->dir_fd, names[1]) || errno == ENOENT)
		return 0;
	return -errno;
}

/*
 * NAME becomes NAME.1, and so on; the oldest is replaced. Each step is one rename, so a crash between
 * two loses no file. When the new one cannot be made we are left with an old name, and write on.
 */
static int rotate(struct output_file *file)
{
	char error[256];
	int err = 0;

	if (name_is_ours(file))
		for (uint32_t i = file->options.keep; i > 0 && !err; i--)
			err = rename_to(file, i - 1, i);
	return err ? err : open_again(file, error, sizeof(error));
}

/* ---- writing ---- */

/*
 * How much of `data` may go into this file: up to the end of a line, so that the next file begins with
 * one. 0: none of it.
 */
static size_t fitting(const struct output_file *file, const char *data, size_t len)
{
	uint64_t max = file->options.max_bytes;
	size_t room = file->size < max ? (size_t)(max - file->size) : 0;
	const char *newline;

	if (!max)
		return len;
	newline = memrchr(data, '\n', len < room ? len : room);
	if (!newline && len > room && !file->in_line && file->size)
		return 0;
	/* Without one that fits: the rest of a line, or what no file could hold. */
	if (!newline)
		newline = memchr(data, '\n', len);
	return newline ? (size_t)(newline + 1 - data) : len;
}

static void account(struct output_file *file, const char *data, size_t len)
{
	const char *newline = memrchr(data, '\n', len);

	if (!len)
		return;
	file->size += len;
	if (newline)
		file->line_start = file->size - (len - (size_t)(newline + 1 - data));
	else if (!file->in_line)
		file->line_start = file->size - len;
	file->in_line = data[len - 1] != '\n';
}

ssize_t output_file_write(struct output_file *file, const char *data, size_t len)
{
	char error[256];
	struct stat st;
	size_t fits;
	ssize_t n;

	if (!file->in_line && file->reopen_wanted)
		open_again(file, error, sizeof(error));
	if (!fstat(file->fd, &st))
		file->size = (uint64_t)st.st_size;
	fits = fitting(file, data, len);
	if (!fits) {
		file->rotate_error = rotate(file);
		fits = file->rotate_error ? 0 : fitting(file, data, len);
	}
	if (!fits)
		fits = len;
	n = write(file->fd, data, fits);
	if (n < 0)
		return -errno;
	account(file, data, (size_t)n);
	return n;
}

int output_file_cut(struct output_file *file)
{
	struct stat st;

	if (!file->in_line)
		return 0;
	/* Never longer: somebody may have emptied it. */
	if (fstat(file->fd, &st) || ((uint64_t)st.st_size > file->line_start &&
				     ftruncate(file->fd, (off_t)file->line_start)))
		return -errno;
	file->in_line = false;
	return 0;
}
