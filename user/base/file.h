/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* file.h - files we write as root: created with care, never through a symbolic link. */
#ifndef MEMSWELL_FILE_H
#define MEMSWELL_FILE_H

/* Create or truncate `path` for writing, readable by owner and group. The fd, or -errno. */
int file_create(const char *path);

#endif
