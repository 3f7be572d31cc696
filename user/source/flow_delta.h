/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * flow_delta.h - arithmetic on flow counters: add up the CPUs, subtract what was already told.
 * Pure. Which slot belongs to which flow, and when it is free again, is flow_table.h.
 */
#ifndef MEMSWELL_FLOW_DELTA_H
#define MEMSWELL_FLOW_DELTA_H

#include <stdbool.h>
#include <stdint.h>

#include "model/record.h"
#include "wire.h"

/* Totals over `nr_cpus` rows that the kernel may be writing to meanwhile. */
void flow_sum(const struct wire_flow_stats *rows, uint32_t nr_cpus, struct wire_flow_stats *out);

/*
 * Widen *into by `mark` if both belong to one episode (their gap is at most WIRE_EPISODE_NS), else
 * keep the newer. Each CPU tracks episodes alone, so call it until nothing changes: flow_sum does.
 * Returns whether *into changed.
 */
bool flow_mark_merge(struct wire_mark *into, const struct wire_mark *mark);

/* Requests that wait for an answer; 0 when no socket of the flow is open. Never negative. */
uint64_t flow_in_flight(const struct wire_flow_stats *total);

/*
 * What of a total is needed to tell what came after it, for there is one for each flow. Counts are kept
 * modulo 2^32: between two looks they move by less than half of that.
 */
struct flow_told {
	uint64_t request_bytes;
	uint64_t response_bytes;
	uint64_t latency_sum_ns;
	uint32_t requests;
	uint32_t responses;
	uint32_t opened;
	uint32_t closed;
	uint32_t in_flight;
	uint32_t status[NR_WIRE_STATUSES];
	uint32_t fail[NR_WIRE_FAILS];
	uint32_t latency[WIRE_LATENCY_BUCKETS];
};

void flow_told_set(struct flow_told *told, const struct wire_flow_stats *now);

/*
 * Fill the counters of out->flow with what happened since then. Returns whether anything did; a counter
 * that went backwards counts as unchanged.
 */
bool flow_delta(const struct flow_told *last, const struct wire_flow_stats *now,
		struct record *out);

#endif
