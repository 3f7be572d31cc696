/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * actions.h - what the person on call should do: mitigate, diagnose, prevent, in that order, with
 * numbers from the evidence. Advice on a number that was not measured does without it or is not
 * given. Commands hold numbers and our own words only, so they are safe to paste.
 */
#ifndef MEMSWELL_ACTIONS_H
#define MEMSWELL_ACTIONS_H

#include "core/incident_sections.h"
#include "model/text.h"

/* After everything else of the report is filled. `server`: the runtime of who answers there. */
void actions_advise(const struct incident *incident, enum runtime_kind server,
		    struct report_incident *out);

/* For actions*.c ------------------------------------------------------------------------------- */

struct advice {
	const struct incident *incident;
	const struct traffic_story *traffic;
	struct report_incident *out;
	enum runtime_kind server;
	char spare[sizeof(((struct report_action *)0)->text)]; /* where there is no room */
};

/* The place for one action, among those of its kind; a full list keeps what came first. */
struct text action_add(struct advice *a, enum action_kind kind);

/* By class, for actions.c's table. */
void advise_memory_death(struct advice *a);
void advise_memory_stall(struct advice *a);
void advise_gc_thrash(struct advice *a);
void advise_supervisor_restart(struct advice *a);
void advise_node_pressure(struct advice *a);
void advise_pool(struct advice *a);

/* Who can be looked at now: the culprit while it lives, else who listens in its place; 0 nobody. */
uint32_t advice_pid(const struct advice *a);
/* How to see what fills the heap, or memory beside it, with the tools of its runtime. */
void advise_profile(struct advice *a);
void advise_native_profile(struct advice *a);
/* How to see what the threads of who serves there wait for. */
void advise_stacks(struct advice *a);

#endif
