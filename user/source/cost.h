/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * cost.h - what memswell itself costs the host: told in RECORD_SELF, and kept below the budget by
 * giving up hooks.
 */
#ifndef MEMSWELL_COST_H
#define MEMSWELL_COST_H

#include <stdbool.h>
#include <stdint.h>

#include "source/batch.h"
#include "source/budget.h"
#include "source/run_time.h"

struct loader;
struct loader_hook;

struct cost {
	struct run_time run_time;
	struct budget budget;
	uint64_t estimated_messages; /* of all HTTP messages so far */
	bool budget_is_hopeless;
};

/* Nothing is counted before cost_start; cost_free may follow either. */
void cost_init(struct cost *cost);
/* `stats_every` and `budget_ppm` as in bpf_source.h. */
void cost_start(struct cost *cost, uint32_t stats_every, uint32_t budget_ppm);
void cost_free(struct cost *cost);

/* Once a tick; `messages` are those so far, `samples` those of the tick. True: shed one hook. */
bool cost_tick(struct cost *cost, const struct loader *loader, uint64_t now_ns, uint64_t messages,
	       uint64_t samples);

/* One hook less, told in a record. NULL: none is left that could go. */
const struct loader_hook *cost_shed(struct cost *cost, struct loader *loader, uint64_t now_ns,
				    struct batch *batch);

/* The part of the record that is about run time and budget. */
void cost_fill(const struct cost *cost, struct record_self *out);

#endif
