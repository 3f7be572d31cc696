/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * procfs.h - facts about a process that only /proc tells: executable, arguments, cgroup path.
 *
 * The parsers take text, so hostile text can be tested; the readers check that the pid still is the
 * process it is taken for. Nothing here is cached.
 */
#ifndef MEMSWELL_PROCFS_H
#define MEMSWELL_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "model/ids.h"

/*
 * The path in the hierarchy `hierarchy` (0: cgroup v2) of a /proc/PID/cgroup, as valid UTF-8. 0, or
 * -ENOENT and *out untouched. The text need not be terminated or well-formed.
 */
int procfs_parse_cgroup(const char *text, size_t len, uint32_t hierarchy, char *out,
			size_t out_size);

/* Field 22 of /proc/PID/stat, in clock ticks; the second field may hold spaces and parentheses. */
int procfs_parse_start_ticks(const char *text, size_t len, uint64_t *out);

/* Path of an executable as valid UTF-8, without the kernel's " (deleted)" mark. */
void procfs_clean_exe(const char *link, size_t len, char *out, size_t out_size);

/* A /proc/self/status bit mask line such as "CapEff:\t0000003fffffffff". */
int procfs_parse_hex_line(const char *text, size_t len, const char *key, uint64_t *out);

/* Read a small file whole, NUL-terminated. Its length, or -errno. */
ssize_t procfs_read_file(const char *path, char *out, size_t out_size);

bool procfs_is_alive(const struct proc_id *proc);

int procfs_cgroup_path(const struct proc_id *proc, uint32_t hierarchy, char *out, size_t out_size);

/* Path of the executable and which file it is. -ENOENT for a kernel thread or one that is gone. */
int procfs_exe(const struct proc_id *proc, char *path, size_t path_size, struct stat *st);

/*
 * Its command line and environment as they are, entries ended by NUL, cut where `out` is full.
 * Their length, or -errno. An environment holds secrets: keep it no longer than needed.
 */
ssize_t procfs_cmdline(const struct proc_id *proc, char *out, size_t out_size);
ssize_t procfs_environ(const struct proc_id *proc, char *out, size_t out_size);

#endif
