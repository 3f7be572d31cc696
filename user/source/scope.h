/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * scope.h - only what runs in some cgroups: a filter on the live stream, for hosts of which one part
 * is somebody else's business. What is outside reaches neither the core nor a recording. Pure.
 *
 * The kernel side sees the whole host as ever: losses, cost and the names of cgroups are the host's.
 *
 * A process is inside once it was born in one of the cgroups (or below), executed something there, or
 * was sampled there; then it stays inside, wherever it is moved to. What it did before it came in is
 * not told. A cgroup whose name is not known is outside.
 *
 * Limits: 32768 living processes, 8192 cgroups inside; what is beyond is outside.
 */
#ifndef MEMSWELL_SCOPE_H
#define MEMSWELL_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "source/source.h"

#define SCOPE_MAX_ROOTS	    8
#define SCOPE_MAX_PROCESSES 32768
#define SCOPE_MAX_CGROUPS   8192

/* Paths within the hierarchy of the memory controller, "/a/b"; nr 0: everything. */
struct scope_roots {
	const char *paths[SCOPE_MAX_ROOTS];
	uint32_t nr;
};

struct scope {
	struct scope_roots roots;
	struct hash_table cgroups;   /* those inside */
	struct hash_table processes; /* all that live, and a while longer */
	uint64_t swept_ns;
};

void scope_init(struct scope *scope, const struct scope_roots *roots);
void scope_free(struct scope *scope);
size_t scope_memory_ceiling(void);

/* Hand a record to `fn` if it is about something inside, after what must be known before it. */
void scope_take(struct scope *scope, const struct record *record, record_fn fn, void *arg);

#endif
