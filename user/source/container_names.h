/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * container_names.h - what the host's runtimes say of the containers whose cgroups were named: asked for at
 * once, again with growing distance while it is not all there, and given up after the last try. What was
 * learnt becomes a RECORD_CONTAINER.
 */
#ifndef MEMSWELL_CONTAINER_NAMES_H
#define MEMSWELL_CONTAINER_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "source/batch.h"
#include "source/host_files.h"

/* Beyond this a container is asked for once and not again. */
#define CONTAINER_NAMES_MAX 1024
/* 1, 2, 4, ... seconds: a bit more than four minutes. */
#define CONTAINER_NAMES_TRIES 9
/* In one tick; the others are due in the next one. */
#define CONTAINER_NAMES_PER_TICK 32

struct container_names {
	struct hash_table waiting; /* for their next try */
	struct host_files *files;
	uint64_t due_ns;   /* of the first; UINT64_MAX none */
	uint32_t nr_asked; /* in this tick */
	bool is_gone;	   /* who opens the files */
};

void container_names_init(struct container_names *names, struct host_files *files);
void container_names_free(struct container_names *names);
size_t container_names_memory_ceiling(void);

/* The cgroup of a container was named. */
void container_names_add(struct container_names *names, const struct workload *container,
			 uint64_t now_ns, struct batch *batch);
/* Once a tick: whose turn it is. */
void container_names_tick(struct container_names *names, uint64_t now_ns, struct batch *batch);

#endif
