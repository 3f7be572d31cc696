/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * mounts.h - directories of kernel file systems we need, as file descriptors: cgroup2, tracefs and
 * the hierarchy that has the memory controller.
 *
 * What is mounted is used. What is not is mounted detached (fsmount): it belongs to the descriptor
 * alone, no mount table anywhere shows it and closing it undoes it.
 */
#ifndef MEMSWELL_MOUNTS_H
#define MEMSWELL_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All return a descriptor, or -errno. */
int mounts_open_cgroup2(void);
int mounts_open_tracefs(void);
/* The v1 hierarchy with the memory controller if there is one, else cgroup2. */
int mounts_open_memory_cgroup(void);

/* Is the directory in cgroup2, and not in a v1 hierarchy? */
bool mounts_is_cgroup2(int fd);

/*
 * Path below its mount of the directory with inode `id` in the hierarchy `mount_fd` is in, as valid
 * UTF-8. 0 or -errno; -ESTALE if it is gone.
 */
int mounts_cgroup_path(int mount_fd, uint64_t id, char *out, size_t out_size);
/* Was there a cgroup of that id, and is it removed? False where that cannot be told. */
bool mounts_cgroup_is_gone(int mount_fd, uint64_t id);

/*
 * Pure: the mount point that a /proc/self/mountinfo shows for this type (and this option in its super
 * options, unless NULL). Of several the one that shows most of the file system: a container has its own
 * cgroup mounted, beside the host's root if that was given to it. 0, or -ENOENT and *out untouched.
 */
int mounts_parse_mountinfo(const char *text, size_t len, const char *type, const char *option,
			   char *out, size_t out_size);

#endif
