/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_flow_delta.c - whatever stands in the counters that the kernel writes while they are read: sums
 * end, deltas never go below zero, marks are filled where there is a failure and in order.
 *
 * First byte: how many CPUs, 1 to 4. Then their rows at one time, and at a later one.
 */
#include "fuzz.h"
#include "source/decode.h"
#include "source/flow_delta.h"

#define MAX_CPUS 4

static void take_sum(struct input *in, uint32_t nr_cpus, struct wire_flow_stats *out)
{
	struct wire_flow_stats rows[MAX_CPUS];

	for (uint32_t cpu = 0; cpu < nr_cpus; cpu++)
		input_copy(in, &rows[cpu], sizeof(rows[cpu]));
	flow_sum(rows, nr_cpus, out);
}

static bool is_delta(uint64_t delta, uint64_t last, uint64_t now)
{
	uint32_t moved = (uint32_t)now - (uint32_t)last;

	return delta == (moved > INT32_MAX ? 0 : moved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	uint32_t nr_cpus = input_u8(&in) % MAX_CPUS + 1;
	struct wire_flow_stats last, now;
	struct record record;
	struct flow_told told;
	bool moved;

	take_sum(&in, nr_cpus, &last);
	take_sum(&in, nr_cpus, &now);
	record_init(&record, RECORD_FLOW, 1);
	flow_told_set(&told, &last);
	moved = flow_delta(&told, &now, &record);
	EXPECT(is_delta(record.flow.requests, last.requests, now.requests));
	EXPECT(is_delta(record.flow.responses, last.responses, now.responses));
	EXPECT(moved || (!record.flow.requests && !record.flow.responses));
	for (int i = 0; i < NR_FLOW_FAILS; i++) {
		EXPECT(is_delta(record.flow.fail[i], last.fail[i], now.fail[i]));
		EXPECT(moved || !record.flow.fail[i]);
		EXPECT(record.flow.fail[i] || !record.flow.fail_mark[i].last_ns);
	}
	EXPECT(flow_in_flight(&now) <= now.requests);
	return 0;
}
