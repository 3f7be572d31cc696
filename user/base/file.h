/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * file.h - opens files that we write as root: through no link that somebody else could have set, into
 * no file that somebody else could have put there. It writes nothing.
 */
#ifndef MEMSWELL_FILE_H
#define MEMSWELL_FILE_H

#include <stddef.h>

/*
 * The directory of `path`, and in *name its last component, inside of `path`. Symbolic links on the
 * way are followed only if they are root's or ours (as /var/run is). The descriptor (O_PATH), or
 * -errno with one line in `error`.
 */
int file_open_dir(const char *path, const char **name, char *error, size_t error_size);

/*
 * The file `name` in `dir_fd` to append to and to read back, made if there is none (0640 less the
 * umask). One that is there must be a regular file, ours, with one name, not writable by group or
 * others, and not locked: two writers would cut each other's lines, so who has the descriptor has the
 * lock. The descriptor, or -errno with one line in `error`.
 */
int file_open_ours(int dir_fd, const char *name, char *error, size_t error_size);

/* Both together, and a file that was there is emptied. */
int file_create(const char *path, char *error, size_t error_size);

#endif
