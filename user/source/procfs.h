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

/* Inode numbers of the first namespaces: PROC_PID_INIT_INO and so on, include/linux/proc_ns.h */
#define PROCFS_INITIAL_PID    0xeffffffcU
#define PROCFS_INITIAL_CGROUP 0xeffffffbU

/* Is this link of /proc/self/ns the namespace with that number? */
bool procfs_in_initial_namespace(const char *path, uint32_t initial);

/*
 * The path in the hierarchy `hierarchy` (0: cgroup v2) of a /proc/PID/cgroup, as valid UTF-8. 0, or
 * *out untouched and -ENOENT, or -EXDEV if it begins above the reader's cgroup namespace. The text need
 * not be terminated or well-formed.
 */
int procfs_parse_cgroup(const char *text, size_t len, uint32_t hierarchy, char *out,
			size_t out_size);

/* Field 22 of /proc/PID/stat, in clock ticks; the second field may hold spaces and parentheses. */
int procfs_parse_start_ticks(const char *text, size_t len, uint64_t *out);

/* Path of an executable as valid UTF-8, without the kernel's " (deleted)" mark. */
void procfs_clean_exe(const char *link, size_t len, char *out, size_t out_size);

/* A /proc/self/status line of one hexadecimal number, such as "CapEff:\t0000003fffffffff". */
int procfs_parse_hex_line(const char *text, size_t len, const char *key, uint64_t *out);

/* Read a small file whole, NUL-terminated. Its length, or -errno. */
ssize_t procfs_read_file(const char *path, char *out, size_t out_size);

bool procfs_is_alive(const struct proc_id *proc);

/* As procfs_parse_cgroup; -EXDEV too where we have a cgroup namespace of our own. */
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
