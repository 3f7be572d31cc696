/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * collect.h - what the live source collects, and in which order: everything once a tick, what cannot
 * wait at an alarm, and at the end what is left. When that is, bpf_source.c decides.
 */
#ifndef MEMSWELL_COLLECT_H
#define MEMSWELL_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/accounts.h"
#include "source/batch.h"
#include "source/bpf_source.h"
#include "source/cgroups.h"
#include "source/cost.h"
#include "source/executables.h"
#include "source/flow_table.h"
#include "source/loader.h"
#include "source/losses.h"
#include "source/missed_runs.h"
#include "source/processes.h"
#include "source/reclaim.h"
#include "source/ring_fill.h"

struct ring_buffer;

struct collector {
	struct loader *loader;
	const struct bpf_source_options *options;
	uint64_t started_ns;
	struct ring_buffer *rings;
	struct batch batch;
	struct losses losses;
	struct accounts accounts;
	struct missed_runs missed_runs;
	struct reclaim reclaim;
	struct flow_table flows;
	struct ring_fill fills[NR_RINGS];
	struct cost cost;
	uint64_t nr_samples; /* of this tick */
	struct executables executables;
	struct cgroups cgroups;
	struct host_files host_files;
	struct processes processes;
	uint32_t page_bytes;
	bool alarm;	     /* raised and not served yet */
	uint64_t drained_ns; /* when a batch was last complete */
	uint64_t self_told_ns;
	int64_t wall_offset_ns;
	char error[256]; /* of what failed last */
	struct record_probe probes[LOADER_MAX_HOOKS];
};

/* *collector is zero. It keeps both pointers; collector_free may follow from here on. */
void collector_init(struct collector *collector, struct loader *loader,
		    const struct bpf_source_options *options);
/* Once programs are loaded. 0 or -errno. */
int collector_open_maps(struct collector *collector);
/* Once the hooks that are not on traffic are attached. */
void collector_init_tables(struct collector *collector);
/* Once all hooks are attached: what became of them, and from now on the cost. */
void collector_start(struct collector *collector);
/* Before the loader is freed. */
void collector_free(struct collector *collector);

/* These add to the batch. 0, or -errno with a line in `error` of the collector. */
int collect_old(struct collector *collector);
int collect_rings(struct collector *collector);
int collect_all(struct collector *collector);
int collect_alarm(struct collector *collector);
int collect_rest(struct collector *collector);

/* What a stream of records begins with. */
void collect_header(struct collector *collector);

/* As those of bpf_source.h. */
void collector_count_output(struct collector *collector, uint64_t made, uint64_t written);
void collector_add_loss(struct collector *collector, const char *stream, const char *reason,
			uint64_t count);

#endif
