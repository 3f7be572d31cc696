/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * replay.h - a recording as a source, plain or compressed by gzip. Trusts nothing in the file: every
 * error names the line and what was expected there, and never repeats bytes of the file.
 */
#ifndef MEMSWELL_REPLAY_H
#define MEMSWELL_REPLAY_H

#include <stddef.h>

#include "base/line_reader.h"
#include "source/source.h"

/* `path` may be "-" for standard input. 0 and *out set, or -errno with a line in `error`. */
int replay_new(const char *path, struct source **out, char *error, size_t error_size);

/* The same over an open reader, which it takes, also on failure. NULL when out of memory. */
struct source *replay_over(struct line_reader *reader);

/*
 * The next record of what replay_new() made, for who does not want batches: 1 and *out, which lives
 * until the next call and may be changed, 0 at the end, or -errno and an error set.
 */
int replay_read(struct source *source, struct record **out);

#endif
