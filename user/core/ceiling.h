/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ceiling.h - what will end a process when it grows on, and which of that comes first. Pure: it is
 * told the limits that are known and compares the room left to each.
 *
 * Heap limits are turned into anonymous memory: a heap is not all of it (young generation, code,
 * stacks). What earlier lives showed beats what is computed for the same runtime. An estimate that
 * the process has passed is left out. GOMEMLIMIT is none: Go collects harder there and goes on.
 */
#ifndef MEMSWELL_CEILING_H
#define MEMSWELL_CEILING_H

#include "base/units.h"
#include "model/record.h"
#include "model/report.h"

struct ceiling_inputs {
	uint64_t anon_bytes;	     /* of the process now */
	uint64_t cgroup_anon_bytes;  /* of all processes of its cgroup */
	uint64_t cgroup_limit_bytes; /* effective; 0 none */
	uint64_t machine_bytes;	     /* 0 unknown */
	uint8_t runtime;	     /* enum runtime_kind */
	uint16_t runtime_version;
	uint64_t heap_limit_bytes;	   /* told by flag or environment; 0 none */
	uint64_t memory_ceiling_bytes;	   /* from lives_story */
	uint64_t supervisor_ceiling_bytes; /* from lives_story */
	uint64_t supervisor_limit_bytes;   /* told; 0 none */
	uint64_t file_bytes;		   /* resident, of the process */
	uint64_t native_bytes;		   /* part of anon_bytes that malloc manages; 0 unknown */
	bool cgroup_v2;
};

struct ceilings {
	struct report_ceiling all[REPORT_MAX_CEILINGS]; /* by room left, least first */
	uint32_t nr;
	uint64_t used_bytes; /* of the first one: by this process and what shares it */
	uint64_t used[REPORT_MAX_CEILINGS]; /* of each likewise */
	bool heap_observed;		    /* CEILING_PREVIOUS_LIFE is where the heap was full */
	bool heap_fills_anyway; /* the runtime fills its heap before it collects: no sign of growth */
};

/* The i-th limits the heap rather than the process: memory beside the heap does not count for it. */
bool ceiling_is_heap(const struct ceilings *c, uint32_t i);

/* The most that a managed heap can hold which was told this limit; 0 unknown. */
uint64_t ceiling_heap_most(enum runtime_kind runtime, uint64_t heap_limit_bytes);

void ceiling_find(const struct ceiling_inputs *in, struct ceilings *out);

/*
 * V8's heap limit for a machine or cgroup of so much memory, without flags. cgroup_limit_bytes as far
 * as that version reads it, 0 none. 0: version unknown to us.
 */
uint64_t ceiling_v8_default(uint64_t cgroup_limit_bytes, uint64_t machine_bytes, uint16_t version);

#endif
