/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* json_lines.h - reports as JSON Lines on a file descriptor or in a file. */
#ifndef MEMSWELL_JSON_LINES_H
#define MEMSWELL_JSON_LINES_H

#include <stddef.h>

#include "sink/sink.h"

struct output_file;

/*
 * Takes over `fd` (closes it unless it is 1). With `lossless` every write waits for the consumer, and
 * the first error is final (replay); without, whole lines wait in a buffer of 1 MiB and then drop
 * (run): while a pipe or socket is full, and while a regular file cannot be written, which is tried
 * again and again. NULL with errno when out of memory.
 */
struct sink *json_lines_new(int fd, bool lossless);

/* The same into a file, which it takes over. */
struct sink *json_lines_new_file(struct output_file *file, bool lossless);

/* Bytes either takes. */
size_t json_lines_memory_ceiling(void);

#endif
