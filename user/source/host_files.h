/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * host_files.h - opens the files that container runtimes keep on the host about one container. Which files
 * those are stands in one table.
 *
 * A seccomp filter cannot see what openat2(2) is asked for, so the process that parses strangers' bytes
 * may not call it: a child does. It is asked for a row of the table and an id of 64 hexadecimal digits, and
 * answers with the descriptor of a regular file, open for reading.
 */
#ifndef MEMSWELL_HOST_FILES_H
#define MEMSWELL_HOST_FILES_H

#include <stdint.h>
#include <sys/types.h>

#include "model/workload.h"
#include "source/container_config.h"

struct host_file {
	uint8_t runtime;       /* enum container_runtime; unknown: of more than one */
	uint8_t kind;	       /* enum container_config */
	const char *directory; /* beneath the host's root */
	const char *name;      /* within it; what follows the id */
};

/* In the order in which they are to be asked for. */
const struct host_file *host_files_table(uint32_t *nr);

struct host_files {
	int fd; /* socket to the child; -1: there is none */
	pid_t pid;
};

/* `root`: where the host's root directory is. 0 or -errno, and then nothing can be opened. */
int host_files_start(struct host_files *files, const char *root);
/*
 * A descriptor, or -errno: -ENOENT no such file, -EPIPE the child is gone, -EFBIG it is larger than
 * CONTAINER_CONFIG_MAX_BYTES, ... `id` is WORKLOAD_ID_LEN bytes.
 */
int host_files_open(struct host_files *files, uint32_t row, const char *id);
void host_files_stop(struct host_files *files);

/* What the child does, for tests: beneath the directory `root_fd`. A descriptor or -errno. */
int host_files_open_beneath(int root_fd, uint32_t row, const char *id);

#endif
