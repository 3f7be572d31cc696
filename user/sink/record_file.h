/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * record_file.h - the tap: every record that enters the core, as one line of a recording.
 *
 * A recording is only worth something when it is whole, so it waits for the disk; and after the first
 * error it is over: it ends with the last whole line and takes nothing more.
 */
#ifndef MEMSWELL_RECORD_FILE_H
#define MEMSWELL_RECORD_FILE_H

#include <stddef.h>

#include "model/record.h"

struct record_file;

/*
 * Create or empty `path`; see base/file.h for what is refused. 0 and *out set, or -errno with one line
 * in `error`.
 */
int record_file_open(const char *path, struct record_file **out, char *error, size_t error_size);

void record_file_write(struct record_file *file, const struct record *record);

/* Hand what was written so far to the kernel, so that a killed recorder loses no whole batch. */
void record_file_flush(struct record_file *file);

/* errno of the failure that ended it, 0 if there was none. */
int record_file_error(const struct record_file *file);

void record_file_free(struct record_file *file);
size_t record_file_memory_ceiling(void);

#endif
