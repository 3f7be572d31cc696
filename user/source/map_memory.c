/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * map_memory.c - see map_memory.h. Sizes of the kernel's own structs are those of 5.10 to 7.3, rounded
 * up; a test compares the result with what the running kernel charges.
 */
#include "source/map_memory.h"

#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/procfs.h"

#define MAP_BYTES	    1024 /* struct bpf_map with that of its type around it */
#define HASH_ELEMENT_BYTES  48	 /* struct htab_elem */
#define HASH_BUCKET_BYTES   16	 /* struct bucket */
#define RING_PAGES	    3	 /* struct bpf_ringbuf, consumer and producer position */
#define STORAGE_ELEMENT	    80	 /* struct bpf_local_storage_elem */
#define STORAGE_OWNER_BYTES 256	 /* struct bpf_local_storage, one per task or socket */

static uint64_t round_up(uint64_t bytes, uint64_t to)
{
	return (bytes + to - 1) / to * to;
}

static uint64_t power_of_two(uint64_t least)
{
	uint64_t power = 1;

	while (power < least)
		power *= 2;
	return power;
}

static uint64_t hash_bytes(const struct map_size *size, uint64_t value_bytes, uint32_t spare)
{
	uint64_t element = HASH_ELEMENT_BYTES + round_up(size->key_size, 8) + value_bytes;

	return (size->max_entries + spare) * element +
	       power_of_two(size->max_entries) * HASH_BUCKET_BYTES;
}

static void ring(const struct map_size *size, uint32_t page_bytes, struct host_map *out)
{
	uint64_t pages = size->max_entries / page_bytes + RING_PAGES;

	/* The kernel maps the data twice in a row for itself, and libbpf for us. */
	out->bytes = pages * page_bytes + 2 * pages * sizeof(void *);
	out->mapped_bytes = 2 * (uint64_t)size->max_entries + 2 * page_bytes;
}

static void array(const struct map_size *size, uint32_t page_bytes, struct host_map *out)
{
	out->bytes = size->max_entries * round_up(size->value_size, 8);
	if (!(size->flags & BPF_F_MMAPABLE))
		return;
	out->bytes = round_up(out->bytes, page_bytes) + page_bytes;
	out->mapped_bytes = out->bytes - page_bytes;
}

static void storage(const struct map_size *size, const char *each, struct host_map *out)
{
	/* kmalloc hands out powers of two. */
	out->each = each;
	out->each_bytes =
		power_of_two(STORAGE_ELEMENT + round_up(size->value_size, 8)) + STORAGE_OWNER_BYTES;
}

void map_memory_of(const struct map_size *size, uint32_t nr_cpus, uint32_t page_bytes,
		   struct host_map *out)
{
	uint64_t value = round_up(size->value_size, 8);

	out->limit = size->max_entries;
	switch (size->type) {
	case BPF_MAP_TYPE_ARRAY:
		array(size, page_bytes, out);
		out->type = "array";
		break;
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		out->bytes = size->max_entries * (value * nr_cpus + sizeof(void *));
		out->type = "percpu_array";
		break;
	case BPF_MAP_TYPE_HASH:
		out->bytes = hash_bytes(size, value, nr_cpus);
		out->type = "hash";
		break;
	case BPF_MAP_TYPE_PERCPU_HASH:
		out->bytes =
			hash_bytes(size, sizeof(void *), 0) + size->max_entries * value * nr_cpus;
		out->type = "percpu_hash";
		break;
	case BPF_MAP_TYPE_QUEUE:
		out->bytes = (size->max_entries + 1ULL) * size->value_size;
		out->type = "queue";
		break;
	case BPF_MAP_TYPE_RINGBUF:
		ring(size, page_bytes, out);
		out->type = "ringbuf";
		break;
	case BPF_MAP_TYPE_TASK_STORAGE:
		storage(size, "process", out);
		out->type = "task_storage";
		break;
	case BPF_MAP_TYPE_SK_STORAGE:
		storage(size, "socket", out);
		out->type = "sk_storage";
		break;
	default:
		out->bytes = size->max_entries * (size->key_size + value) * nr_cpus;
		out->type = "other";
		break;
	}
	out->bytes += MAP_BYTES;
}

uint64_t map_memory_charged(const struct bpf_map *map)
{
	static const char key[] = "\nmemlock:";
	char path[64], text[1024];
	const char *at;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_map__fd(map));
	if (procfs_read_file(path, text, sizeof(text)) < 0 || !(at = strstr(text, key)))
		return 0;
	return strtoull(at + sizeof(key) - 1, NULL, 10);
}

uint32_t map_memory(const struct bpf_object *object, uint32_t nr_cpus, struct host_map *out,
		    uint32_t max)
{
	uint32_t page_bytes = (uint32_t)sysconf(_SC_PAGESIZE), nr = 0;
	const struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		struct map_size size = {
			.type = bpf_map__type(map),
			.flags = bpf_map__map_flags(map),
			.key_size = bpf_map__key_size(map),
			.value_size = bpf_map__value_size(map),
			.max_entries = bpf_map__max_entries(map),
		};

		if (!bpf_map__autocreate(map)) /* of another kind of kernel */
			continue;
		if (nr == max)
			break;
		memset(&out[nr], 0, sizeof(out[nr]));
		snprintf(out[nr].name, sizeof(out[nr].name), "%s", bpf_map__name(map));
		map_memory_of(&size, nr_cpus, page_bytes, &out[nr]);
		out[nr].kernel_bytes = map_memory_charged(map);
		nr++;
	}
	return nr;
}
