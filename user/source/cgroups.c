/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* cgroups.c - see cgroups.h. */
#include "source/cgroups.h"

#include <errno.h>
#include <unistd.h>

#include "model/cgroup_path.h"
#include "source/decode.h"
#include "source/mounts.h"
#include "source/procfs.h"

struct cgroup_told {
	struct wire_cgroup key;
};

void cgroups_init(struct cgroups *cgroups, struct host_files *files)
{
	cgroups->next = 0;
	container_names_init(&cgroups->names, files);
	hash_table_init(&cgroups->told, sizeof(struct cgroup_told), sizeof(struct wire_cgroup),
			CGROUPS_MAX);
	cgroups->mount_fd = mounts_open_memory_cgroup();
	cgroups->mount_is_v2 = cgroups->mount_fd >= 0 && mounts_is_cgroup2(cgroups->mount_fd);
}

void cgroups_free(struct cgroups *cgroups)
{
	hash_table_free(&cgroups->told);
	container_names_free(&cgroups->names);
	if (cgroups->mount_fd >= 0)
		close(cgroups->mount_fd);
	cgroups->mount_fd = -1;
}

size_t cgroups_memory_ceiling(void)
{
	return hash_table_memory_ceiling(sizeof(struct cgroup_told), CGROUPS_MAX);
}

/*
 * The memory controller may be in a v1 hierarchy that is not mounted here. Ids are numbers within one
 * hierarchy: in another they are somebody else's. That of cgroup2 is number 0.
 */
static bool is_mounted(const struct cgroups *cgroups, uint32_t hierarchy)
{
	return cgroups->mount_fd >= 0 && cgroups->mount_is_v2 == !hierarchy;
}

static int path_by_id(const struct cgroups *cgroups, const struct cgroup_id *id, char *out,
		      size_t out_size)
{
	if (!is_mounted(cgroups, id->hierarchy))
		return -ENOENT;
	return mounts_cgroup_path(cgroups->mount_fd, id->id, out, out_size);
}

void cgroups_name(struct cgroups *cgroups, const struct cgroup_id *id, const struct proc_id *proc,
		  uint64_t ts_ns, struct batch *batch)
{
	struct wire_cgroup key = {.id = id->id, .hierarchy = id->hierarchy};
	struct workload workload;
	char *path;
	struct record record;

	if (!id->id || hash_table_find(&cgroups->told, &key))
		return;
	record_init(&record, RECORD_CGROUP, ts_ns);
	path = record.cgroup.path;
	record.cgroup.memcg = *id;
	if (path_by_id(cgroups, id, path, sizeof(record.cgroup.path)) &&
	    (!proc || procfs_cgroup_path(proc, id->hierarchy, path, sizeof(record.cgroup.path))))
		return;
	if (cgroups->told.nr == CGROUPS_MAX)
		hash_table_free(&cgroups->told);
	hash_table_insert(&cgroups->told, &key);
	batch_add(batch, &record);
	if (cgroup_path_parse(path, &workload))
		container_names_add(&cgroups->names, &workload, ts_ns, batch);
}

static void tell_removed(const struct wire_cgroup *key, uint64_t now_ns, struct batch *batch)
{
	struct record record;

	record_init(&record, RECORD_CGROUP, now_ns);
	record.cgroup.memcg = (struct cgroup_id){.id = key->id, .hierarchy = key->hierarchy};
	record.cgroup.removed = 1;
	batch_add(batch, &record);
}

static bool is_gone(const struct cgroups *cgroups, const struct wire_cgroup *key)
{
	return is_mounted(cgroups, key->hierarchy) &&
	       mounts_cgroup_is_gone(cgroups->mount_fd, key->id);
}

static void look_for_some(struct cgroups *cgroups, uint64_t now_ns, struct batch *batch)
{
	for (uint32_t i = 0; i < CGROUPS_PER_TICK && i < cgroups->told.nr; i++) {
		struct wire_cgroup key;

		if (cgroups->next >= cgroups->told.nr)
			cgroups->next = 0;
		key = ((struct cgroup_told *)hash_table_at(&cgroups->told, cgroups->next))->key;
		if (is_gone(cgroups, &key)) {
			tell_removed(&key, now_ns, batch);
			/* The last one takes its number. */
			hash_table_remove(&cgroups->told, &key);
		} else {
			cgroups->next++;
		}
	}
}

void cgroups_tick(struct cgroups *cgroups, uint64_t now_ns, struct batch *batch)
{
	look_for_some(cgroups, now_ns, batch);
	container_names_tick(&cgroups->names, now_ns, batch);
}
