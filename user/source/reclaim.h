/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* reclaim.h - reclaim times the kernel adds up per memory cgroup, as RECORD_RECLAIM deltas. */
#ifndef MEMSWELL_RECLAIM_H
#define MEMSWELL_RECLAIM_H

#include <stdint.h>

#include "base/hash_table.h"
#include "source/batch.h"

/* As many as the kernel's table holds; the kernel counts what it has no place for. */
#define RECLAIM_MAX_CGROUPS 1024U

struct reclaim {
	int map_fd;
	uint32_t nr_cpus;
	void *values; /* one batch of per-CPU values */
	struct hash_table told;
};

/* 0 or -errno. */
int reclaim_init(struct reclaim *reclaim, int map_fd, uint32_t nr_cpus);
void reclaim_free(struct reclaim *reclaim);
size_t reclaim_memory_ceiling(uint32_t nr_cpus);

/* A cgroup in which nothing was reclaimed since the last call has no record. */
void reclaim_collect(struct reclaim *reclaim, uint64_t now_ns, struct batch *batch);

#endif
