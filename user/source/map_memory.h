/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * map_memory.h - what the maps of an object take at their limits: from their types, sizes and entries,
 * as the kernel lays them out. Works before load as well; the kernel's own account, where it has one,
 * is put beside it.
 */
#ifndef MEMSWELL_MAP_MEMORY_H
#define MEMSWELL_MAP_MEMORY_H

#include <stdint.h>

#include "model/host.h"

struct bpf_map;
struct bpf_object;

struct map_size {
	uint32_t type; /* enum bpf_map_type */
	uint32_t flags;
	uint32_t key_size;
	uint32_t value_size;
	uint32_t max_entries;
};

/* Pure: fills bytes, mapped_bytes, each and each_bytes of *out. */
void map_memory_of(const struct map_size *size, uint32_t nr_cpus, uint32_t page_bytes,
		   struct host_map *out);

/* What the kernel charges for a loaded map; 0 where it does not say. */
uint64_t map_memory_charged(const struct bpf_map *map);

/* All maps of the object, at most `max`; returns their number. */
uint32_t map_memory(const struct bpf_object *object, uint32_t nr_cpus, struct host_map *out,
		    uint32_t max);

#endif
