/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * run_time.h - how long our programs ran in the kernel, by group.
 *
 * Counting costs each run of every program on the host some 50 ns, so it is switched on for one tick
 * in `every` only (BPF_ENABLE_STATS, which ends with its descriptor) and what was seen stands for the
 * whole time since the window before. An empty program, run a few thousand times at start, tells
 * what the counting itself is charged with; that is taken off.
 *
 * Where the kernel refuses (it takes CAP_SYS_ADMIN), traffic and samples are counted instead and
 * multiplied with what such a run took on the machine of docs/performance.md: right to a factor of
 * two, and blind to what other programs do.
 */
#ifndef MEMSWELL_RUN_TIME_H
#define MEMSWELL_RUN_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "model/record.h"

struct loader;

/* What the estimate multiplies: a message of HTTP on one side of a socket, a sampled process. */
#define RUN_TIME_MESSAGE_NS 120
#define RUN_TIME_SAMPLE_NS  600

struct run_count {
	uint64_t ns;
	uint64_t runs;
};

struct run_totals {
	struct run_count groups[NR_BPF_GROUPS];
};

struct run_time {
	uint32_t every; /* ticks; 0: never */
	uint32_t ticks_left;
	int stats_fd; /* open during a window, else -1 */
	bool refused;
	uint64_t floor_ns;   /* of counting, per run */
	uint64_t covered_ns; /* up to when `spent` tells */
	uint64_t opened_ns;
	struct run_totals at_open;
	struct run_totals spent; /* extrapolated, since start */
	enum bpf_time source;
};

/* `every` 0: neither counted nor estimated. */
void run_time_init(struct run_time *run_time, uint32_t every, uint64_t now_ns);
void run_time_free(struct run_time *run_time);

/*
 * Once a tick. `messages` and `samples` of that tick serve the estimate. True: what was spent is now
 * known up to this tick.
 */
bool run_time_tick(struct run_time *run_time, const struct loader *loader, uint64_t now_ns,
		   uint64_t messages, uint64_t samples);

uint64_t run_time_ns(const struct run_time *run_time);

/* Pure: what ran from `before` to `after`, within [opened_ns, now_ns], stands for all the time since
 * covered_ns. */
void run_time_extrapolate(struct run_time *run_time, const struct run_totals *after,
			  uint64_t now_ns);

#endif
