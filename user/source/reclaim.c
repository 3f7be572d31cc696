/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* reclaim.c - see reclaim.h. */
#include "source/reclaim.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/decode.h"
#include "wire.h"

#define BATCH_CGROUPS 64U

struct reclaim_told {
	struct wire_cgroup key;
	struct wire_reclaim total;
};

int reclaim_init(struct reclaim *reclaim, int map_fd, uint32_t nr_cpus)
{
	reclaim->map_fd = map_fd;
	reclaim->nr_cpus = nr_cpus;
	hash_table_init(&reclaim->told, sizeof(struct reclaim_told), sizeof(struct wire_cgroup),
			RECLAIM_MAX_CGROUPS);
	reclaim->values = calloc((size_t)BATCH_CGROUPS * nr_cpus, sizeof(struct wire_reclaim));
	return reclaim->values ? 0 : -ENOMEM;
}

void reclaim_free(struct reclaim *reclaim)
{
	free(reclaim->values);
	reclaim->values = NULL;
	hash_table_free(&reclaim->told);
}

size_t reclaim_memory_ceiling(uint32_t nr_cpus)
{
	return hash_table_memory_ceiling(sizeof(struct reclaim_told), RECLAIM_MAX_CGROUPS) +
	       (size_t)BATCH_CGROUPS * nr_cpus * sizeof(struct wire_reclaim);
}

static void tell(struct reclaim *reclaim, const struct wire_cgroup *key,
		 const struct wire_reclaim *total, uint64_t now_ns, struct batch *batch)
{
	struct reclaim_told *told = hash_table_insert(&reclaim->told, key);
	struct record record;

	if (!told || memcmp(&told->total, total, sizeof(*total)) == 0)
		return;
	record_init(&record, RECORD_RECLAIM, now_ns);
	record.reclaim.memcg.id = key->id;
	record.reclaim.memcg.hierarchy = key->hierarchy;
	record.reclaim.direct_ns = total->direct_ns - told->total.direct_ns;
	record.reclaim.memcg_ns = total->memcg_ns - told->total.memcg_ns;
	record.reclaim.direct_count = total->direct_count - told->total.direct_count;
	record.reclaim.memcg_count = total->memcg_count - told->total.memcg_count;
	told->total = *total;
	batch_add(batch, &record);
}

static struct wire_reclaim sum(const struct wire_reclaim *rows, uint32_t nr_cpus)
{
	struct wire_reclaim total = {0};

	for (uint32_t cpu = 0; cpu < nr_cpus; cpu++) {
		total.direct_ns += rows[cpu].direct_ns;
		total.memcg_ns += rows[cpu].memcg_ns;
		total.direct_count += rows[cpu].direct_count;
		total.memcg_count += rows[cpu].memcg_count;
	}
	return total;
}

void reclaim_collect(struct reclaim *reclaim, uint64_t now_ns, struct batch *batch)
{
	struct wire_cgroup keys[BATCH_CGROUPS];
	const struct wire_reclaim *rows = reclaim->values;
	uint32_t cursor = 0, nr;
	int err;

	for (uint32_t round = 0; round <= RECLAIM_MAX_CGROUPS; round++) {
		nr = BATCH_CGROUPS;
		err = bpf_map_lookup_batch(reclaim->map_fd, round ? &cursor : NULL, &cursor, keys,
					   reclaim->values, &nr, NULL);
		if (err && err != -ENOENT)
			return;
		for (uint32_t i = 0; i < nr; i++) {
			struct wire_reclaim total =
				sum(&rows[i * reclaim->nr_cpus], reclaim->nr_cpus);

			tell(reclaim, &keys[i], &total, now_ns, batch);
		}
		if (err)
			return;
	}
}
