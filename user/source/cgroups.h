/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * cgroups.h - names of memory cgroups, each told once. From its id where the hierarchy is mounted,
 * else from /proc of a process in it.
 */
#ifndef MEMSWELL_CGROUPS_H
#define MEMSWELL_CGROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "source/batch.h"

/* Beyond this all are forgotten and told again. */
#define CGROUPS_MAX 8192

struct cgroups {
	struct hash_table told;
	int mount_fd; /* or -errno */
	bool mount_is_v2;
};

void cgroups_init(struct cgroups *cgroups);
void cgroups_free(struct cgroups *cgroups);
size_t cgroups_memory_ceiling(void);

/* RECORD_CGROUP if `id` is new; `proc` is a process in it, or NULL. */
void cgroups_name(struct cgroups *cgroups, const struct cgroup_id *id, const struct proc_id *proc,
		  uint64_t ts_ns, struct batch *batch);

#endif
