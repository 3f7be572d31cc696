/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * flow_table.h - the mapped flow counters: which slot is which flow, RECORD_FLOW deltas, and giving
 * slots back. The arithmetic is flow_delta.h.
 *
 * The kernel takes slots from a queue when a flow is new; only we put them back. A socket remembers
 * its slot, so a slot is given back in two steps: first its key is deleted, so that nobody finds it
 * any more; when nothing counted in it for a while after that, it is zeroed and queued.
 *
 * The counters are read through a mapping that moves over the slots in use, in their order.
 */
#ifndef MEMSWELL_FLOW_TABLE_H
#define MEMSWELL_FLOW_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "source/batch.h"
#include "wire.h"

struct flow;

/* One slot in so many is for backends; they take no other, and nothing else takes theirs. */
#define FLOW_BACKEND_SHARE 4U

struct flow_maps {
	int stats_fd;
	int slots_fd;
	int free_slots_fd;
	int free_backends_fd;
};

struct flow_table {
	struct flow_maps maps;
	uint32_t nr_cpus;
	uint32_t nr_slots;
	uint8_t *window; /* mapped part of the counters; NULL: none */
	size_t window_bytes;
	size_t window_begin; /* where in the map */
	struct flow **flows; /* by slot; NULL: free, or not seen yet */
	uint64_t messages;   /* requests, responses and 16 KiB of body each, so far */
};

/* Whether a process still runs. */
typedef bool (*flow_alive_fn)(void *arg, const struct wire_proc *proc);

/* A flow of HTTP: its process has sockets that speak it. */
typedef void (*flow_seen_fn)(void *arg, const struct wire_proc *proc);

/* Map the counters and offer all slots but the overflow slot to the kernel. 0 or -errno. */
int flow_table_init(struct flow_table *table, const struct flow_maps *maps, uint32_t nr_cpus,
		    uint32_t nr_slots);
void flow_table_free(struct flow_table *table);
/* What of the counters is mapped, at most. */
size_t flow_table_window_bytes(uint32_t nr_cpus, uint32_t nr_slots);
/* Without that. */
size_t flow_table_memory_ceiling(uint32_t nr_slots);

/* A record for every flow in which something happened since the last call. */
void flow_table_collect(struct flow_table *table, uint64_t now_ns, struct batch *batch);

uint32_t flow_table_used(const struct flow_table *table);

/* Tell which processes have HTTP flows. */
void flow_table_each(const struct flow_table *table, flow_seen_fn fn, void *arg);

/* Give back what nobody uses: flows of dead processes, and idle ones without sockets. */
void flow_table_release(struct flow_table *table, uint64_t now_ns, flow_alive_fn alive, void *arg);

#endif
