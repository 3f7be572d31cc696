/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * history_parts.h - what the files of history.h share: who and what is known (history.c), the traffic of
 * programs (history_flows.c), and what records and lines add to both (history_take.c).
 */
#ifndef MEMSWELL_HISTORY_PARTS_H
#define MEMSWELL_HISTORY_PARTS_H

#include "base/hash_table.h"
#include "view/history.h"

#define HISTORY_MAX_PROCESSES 16384
#define HISTORY_MAX_FLOWS     192
#define HISTORY_MAX_CGROUPS   1024

struct history {
	int64_t wall_offset_ns;
	uint64_t now_ns;
	uint64_t tick_ns;      /* length of a tick */
	uint64_t phase_ns;     /* ... and when they come */
	uint64_t last_tick_ns; /* newest tick: flows told now are since then */
	bool has_records;
	uint64_t refused;
	struct history_process *processes[HISTORY_MAX_PROCESSES]; /* NULL: free */
	uint32_t nr_places;					  /* used once */
	uint32_t nr_processes;
	uint32_t nr_memories;
	struct hash_table holders; /* struct holder */
	struct history_flow *flows[HISTORY_MAX_FLOWS];
	uint32_t nr_flows;
	struct history_cgroup *cgroups[HISTORY_MAX_CGROUPS];
	uint32_t nr_cgroups;
	struct hash_table cgroup_places; /* struct cgroup_entry */
};

/* history.c ------------------------------------------------------------------------------------ */

/* Who has that number now; NULL: nobody. */
struct history_process *history_holder_of(const struct history *h, uint32_t tgid);
/* Also in place of who has the number. NULL at the limit, which is counted. */
struct history_process *history_add_process(struct history *h, const struct proc_id *id);
/* The process a record names, made known if it is not. NULL for none and at the limit. */
struct history_process *history_process_of(struct history *h, const struct proc_id *id);
/* Its memory as it stands goes into its series, if it is worth one. */
void history_note_memory(struct history *h, struct history_process *p, uint64_t ts_ns,
			 bool with_usage);
/* Made known if it is not; NULL for none and at the limit. */
struct history_cgroup *history_cgroup_of(struct history *h, const struct cgroup_id *id);
struct series *history_series_make(uint16_t nr_gauges, uint16_t nr_counts, uint64_t step_ns,
				   uint64_t phase_ns);

/* history_flows.c ------------------------------------------------------------------------------ */

void history_take_flow(struct history *h, const struct record *r);

/* history_take.c ------------------------------------------------------------------------------- */

/* When what was told at ts_ns happened: in the middle of the time since the tick before. */
uint64_t history_middle_of_batch(const struct history *h, uint64_t ts_ns);

#endif
