/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * line_reader.h - lines of a file, a pipe or standard input, plain or compressed by gzip, one after
 * the other and never more than a buffer in memory. What a line means is the caller's to know.
 */
#ifndef MEMSWELL_LINE_READER_H
#define MEMSWELL_LINE_READER_H

#include <stddef.h>
#include <stdint.h>

#define LINE_READER_MAX 16384 /* no line is longer, its newline included */

struct line_reader;

/* `path` may be "-" for standard input. 0 and *out set, or -errno with a line in `error`. */
int line_reader_open(const char *path, struct line_reader **out, char *error, size_t error_size);
void line_reader_close(struct line_reader *reader);

/*
 * 1 and the next line without its newline, 0 at the end of the file, or -errno and an error set. The
 * line lives until the next call. A last line without newline is an error, -EINVAL: nobody can tell
 * what is missing of it.
 */
int line_reader_next(struct line_reader *reader, const char **line, size_t *len);

/* The same line again at the next call of line_reader_next(). */
void line_reader_unread(struct line_reader *reader, size_t len);

/* Number of the newest line, from 1; 0 before the first. */
uint64_t line_reader_line(const struct line_reader *reader);

/* Set the error "NAME: line N: WHAT" and return err. */
int line_reader_fail(struct line_reader *reader, int err, const char *what);

/* One line for the user; "" if nothing went wrong. */
const char *line_reader_error(const struct line_reader *reader);

#endif
