/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* cgroups.c - see cgroups.h. */
#include "source/cgroups.h"

#include <unistd.h>

#include "source/decode.h"
#include "source/mounts.h"
#include "source/procfs.h"

struct cgroup_told {
	struct wire_cgroup key;
};

void cgroups_init(struct cgroups *cgroups)
{
	hash_table_init(&cgroups->told, sizeof(struct cgroup_told), sizeof(struct wire_cgroup),
			CGROUPS_MAX);
	cgroups->mount_fd = mounts_open_memory_cgroup();
}

void cgroups_free(struct cgroups *cgroups)
{
	hash_table_free(&cgroups->told);
	if (cgroups->mount_fd >= 0)
		close(cgroups->mount_fd);
	cgroups->mount_fd = -1;
}

size_t cgroups_memory_ceiling(void)
{
	return hash_table_memory_ceiling(sizeof(struct cgroup_told), CGROUPS_MAX);
}

void cgroups_name(struct cgroups *cgroups, const struct cgroup_id *id, const struct proc_id *proc,
		  uint64_t ts_ns, struct batch *batch)
{
	struct wire_cgroup key = {.id = id->id, .hierarchy = id->hierarchy};
	char *path;
	struct record record;

	if (!id->id || hash_table_find(&cgroups->told, &key))
		return;
	record_init(&record, RECORD_CGROUP, ts_ns);
	path = record.cgroup.path;
	record.cgroup.memcg = *id;
	if ((cgroups->mount_fd < 0 ||
	     mounts_cgroup_path(cgroups->mount_fd, id->id, path, sizeof(record.cgroup.path))) &&
	    (!proc || procfs_cgroup_path(proc, id->hierarchy, path, sizeof(record.cgroup.path))))
		return;
	if (cgroups->told.nr == CGROUPS_MAX)
		hash_table_free(&cgroups->told);
	hash_table_insert(&cgroups->told, &key);
	batch_add(batch, &record);
}
