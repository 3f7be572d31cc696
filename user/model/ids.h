/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ids.h - how the model names things: a process, a network endpoint, a memory cgroup.
 *
 * A bare pid or address is never an identity here: pids are reused (so tgid plus start time) and
 * addresses repeat across network namespaces (so address, port and namespace). All of them repeat
 * on every node, so each carries its node too: 0 unless recordings of several nodes are merged
 * (source/merge.h). It is nothing a recording holds.
 */
#ifndef MEMSWELL_IDS_H
#define MEMSWELL_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A thread group. start_ns: boot-clock start of its leader. tgid 0: unknown. */
struct proc_id {
	uint64_t start_ns;
	uint32_t tgid;
	uint16_t node;
};

/* addr: network order, IPv4 as ::ffff:a.b.c.d. port: host order. netns: namespace inode. */
struct endpoint {
	uint8_t addr[16];
	uint32_t netns;
	uint16_t port;
	uint16_t node;
};

/* A memory cgroup: directory inode within a hierarchy (0 is cgroup v2). id 0: unknown. */
struct cgroup_id {
	uint64_t id;
	uint32_t hierarchy;
	uint16_t node;
};

static inline bool proc_id_equal(const struct proc_id *a, const struct proc_id *b)
{
	return a->tgid == b->tgid && a->start_ns == b->start_ns && a->node == b->node;
}

static inline bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && a->netns == b->netns && a->node == b->node &&
	       memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

static inline bool cgroup_id_equal(const struct cgroup_id *a, const struct cgroup_id *b)
{
	return a->id == b->id && a->hierarchy == b->hierarchy && a->node == b->node;
}

#endif
