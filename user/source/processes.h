/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * processes.h - what the source itself must remember of each process: what it last told of it, so
 * that samples become records only when something moved. The model's process table is the core's.
 */
#ifndef MEMSWELL_PROCESSES_H
#define MEMSWELL_PROCESSES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "source/batch.h"
#include "source/cgroups.h"
#include "source/executables.h"
#include "wire.h"

/* Processes beyond this are seen when they are born and die, but not sampled: counted as a loss. */
#define PROCESSES_MAX 16384

struct processes {
	struct hash_table table;
	struct executables *executables;
	struct cgroups *cgroups;
	uint32_t page_bytes;
	uint64_t machine_bytes;
	bool defer_rest;   /* tell who there is; samples and executables at the next run */
	uint64_t since_ns; /* births after this have an event */
	uint64_t now_ns;   /* of the last sample */
	uint32_t sweep;	   /* counts iterator runs */
};

void processes_init(struct processes *processes, struct executables *executables,
		    struct cgroups *cgroups, uint64_t since_ns);
void processes_free(struct processes *processes);
size_t processes_memory_ceiling(void);

/*
 * A decoded event: births, execs, deaths, listeners change what is remembered. Whether it is news:
 * on its way down V8 passes more than one of the functions that are watched.
 */
bool processes_event(struct processes *processes, const struct record *record);

/* One iterator sample: the records it is worth. False if the table has no place for the process. */
bool processes_sample(struct processes *processes, const struct wire_task *task,
		      struct batch *batch);

/* After all samples of a run: forget those that were not among them. */
void processes_sweep(struct processes *processes);

bool processes_has(const struct processes *processes, const struct wire_proc *proc);

/* The process has sockets with traffic. */
void processes_mark_serving(struct processes *processes, const struct wire_proc *proc);

#endif
