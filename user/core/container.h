/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * container.h - memory cgroups: path, whose they are, what their processes use, time spent in reclaim.
 *
 * Limit: 1024. A cgroup that was removed leaves with the last process that was in it, for an incident
 * may still ask. When full, the one unused for longest that no process refers to leaves; if all are in
 * use a new one is not taken and counted in `refused`.
 */
#ifndef MEMSWELL_CONTAINER_H
#define MEMSWELL_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"
#include "model/record.h"
#include "model/workload.h"

#define CONTAINER_MAX	 1024
#define CONTAINER_HEADS	 512
#define RECLAIM_SLICES	 6
#define RECLAIM_SLICE_NS (10 * NSEC_PER_SEC)
#define LIMIT_SLICE_NS	 (5 * NSEC_PER_SEC)

struct container {
	struct cgroup_id id;
	uint64_t used_ns;
	uint64_t anon_bytes;	   /* of the processes directly in it */
	uint64_t reclaim_total_ns; /* since it is known */
	uint64_t reclaim_slice;	   /* number of the newest slice */
	uint64_t reclaim_ns[RECLAIM_SLICES];
	uint64_t limit_slice; /* likewise, for reclaim at its limit: newest, and the one before */
	uint64_t limit_events[2];
	uint32_t refs; /* processes */
	uint16_t next; /* in its chain, or of those that are free */
	bool removed;
	bool is_hosts; /* the path names a container of the host's own runtime */
	char path[RECORD_PATH_LEN];
	struct workload workload; /* of the processes in it */
};

struct containers {
	struct container all[CONTAINER_MAX + 1]; /* 0: unknown, path "" */
	uint16_t heads[CONTAINER_HEADS];
	uint16_t nr;
	uint16_t free_list;
	uint64_t refused;
};

/* Index, 0 if unknown. */
uint16_t container_find(const struct containers *t, const struct cgroup_id *id);
/* Index, 0 for id 0 and when there is no room. */
uint16_t container_get(struct containers *t, const struct cgroup_id *id, uint64_t now_ns);

/* One process less. */
void container_put(struct containers *t, uint16_t index);
/* The cgroup is gone. */
void container_remove(struct containers *t, const struct cgroup_id *id);

/* Its path, and all that follows from it; `path` need not be terminated. */
void container_set_path(struct containers *t, uint16_t index, const char *path, size_t path_size);
/* What the runtime says of a container goes to all cgroups of it on that node; what is empty is no news. */
void container_tell(struct containers *t, uint16_t node, const struct record_container *told);

void container_reclaimed(struct container *c, uint64_t ns, uint64_t now_ns);
/* Reclaim time within the last minute. */
uint64_t container_reclaim_ns(struct container *c, uint64_t now_ns);

/* It hit its limit so many times. */
void container_limit_hit(struct container *c, uint64_t count, uint64_t now_ns);
/* ... per second, in the last five to ten seconds. */
uint64_t container_limit_events_per_s(struct container *c, uint64_t now_ns);

#endif
