/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * record_file.h - the tap: every record that enters the core, as one line of a recording.
 *
 * A recording is only worth something when it is whole, so it waits for the disk, and the first
 * error stays.
 */
#ifndef MEMSWELL_RECORD_FILE_H
#define MEMSWELL_RECORD_FILE_H

#include "model/record.h"

struct record_file;

/* Create or truncate `path`, never through a symbolic link. 0 and *out set, or -errno. */
int record_file_open(const char *path, struct record_file **out);

void record_file_write(struct record_file *file, const struct record *record);

/* Hand what was written so far to the kernel, so that a killed recorder loses no whole batch. */
void record_file_flush(struct record_file *file);

/* errno of the first failure, 0 if there was none. */
int record_file_error(const struct record_file *file);

void record_file_free(struct record_file *file);

#endif
