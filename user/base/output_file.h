/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * output_file.h - a file of JSON Lines that is only ever appended to: opened with care, its torn end
 * repaired, rotated by size, re-opened when somebody else rotated it. It does not decide what is
 * written, nor when to try again.
 */
#ifndef MEMSWELL_OUTPUT_FILE_H
#define MEMSWELL_OUTPUT_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A last line without newline that is longer than this was not torn by us. */
#define OUTPUT_FILE_LINE_MAX (16 * 1024)
#define OUTPUT_FILE_KEEP_MAX 99

struct output_file;

struct output_file_options {
	uint64_t max_bytes; /* no file gets larger; 0: never rotate. Lines must be shorter. */
	uint32_t keep; /* rotated files NAME.1 (newest) to NAME.keep; at least 1 if it rotates */
};

/*
 * Open `path` to append. 0 and *out set, or -errno with one line in `error`. A torn last line, what a
 * killed writer or a full disk leaves behind, is cut off: its bytes are in *torn_bytes.
 */
int output_file_open(const char *path, const struct output_file_options *options,
		     struct output_file **out, uint64_t *torn_bytes, char *error,
		     size_t error_size);

/*
 * Append the front of `data`, as write() does; returns how much of it, or -errno. Files change between
 * lines only. Where rotating fails the file grows on; see output_file_rotate_error.
 */
ssize_t output_file_write(struct output_file *file, const char *data, size_t len);

/*
 * Somebody renamed the file (SIGHUP): go on in a new one of the old name, after the line that is
 * being written. 0, or -errno with one line in `error` and the old file still in use.
 */
int output_file_reopen(struct output_file *file, char *error, size_t error_size);

/* Cut off a line that was begun and cannot be ended. 0 or -errno. */
int output_file_cut(struct output_file *file);

/* -errno of the last attempt to rotate, 0 if it went well. */
int output_file_rotate_error(const struct output_file *file);

/* The directory in which files are made and renamed. */
int output_file_dir_fd(const struct output_file *file);

void output_file_free(struct output_file *file);

#endif
