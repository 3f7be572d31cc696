/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * cgroups.h - names of memory cgroups, each told once. From its id where the hierarchy is mounted,
 * else from /proc of a process in it. Those that are gone are told, too, where they can be looked for
 * by id: a few at a time, so a cgroup may be gone for a while.
 */
#ifndef MEMSWELL_CGROUPS_H
#define MEMSWELL_CGROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "source/batch.h"
#include "source/container_names.h"

/* Beyond this all are forgotten and told again. */
#define CGROUPS_MAX 8192

/* Looked for in one tick. */
#define CGROUPS_PER_TICK 16

struct cgroups {
	struct hash_table told;
	uint32_t next; /* to be looked for */
	struct container_names names;
	int mount_fd; /* or -errno */
	bool mount_is_v2;
};

/* `files` is kept. */
void cgroups_init(struct cgroups *cgroups, struct host_files *files);
void cgroups_free(struct cgroups *cgroups);
size_t cgroups_memory_ceiling(void);

/* RECORD_CGROUP if `id` is new; `proc` is a process in it, or NULL. */
void cgroups_name(struct cgroups *cgroups, const struct cgroup_id *id, const struct proc_id *proc,
		  uint64_t ts_ns, struct batch *batch);

/* Once a tick: RECORD_CGROUP for those that are gone, RECORD_CONTAINER for what is known by now. */
void cgroups_tick(struct cgroups *cgroups, uint64_t now_ns, struct batch *batch);

#endif
