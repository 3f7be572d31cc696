/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * budget.h - whether memswell costs more than it may, and when a hook has to go. Pure: it is told
 * what was used and when, and answers; which hook goes is a column of the table in probes.c.
 *
 * Cost is averaged over stretches of BUDGET_HOLD_NS. A stretch above the budget sheds one hook and
 * begins the next stretch, so that each step is seen to work before the next is taken. What was
 * shed stays so: the counters behind a hook have a hole then, and a load that comes in waves would
 * otherwise attach and detach for ever. A restart begins anew.
 */
#ifndef MEMSWELL_BUDGET_H
#define MEMSWELL_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define BUDGET_HOLD_NS 10000000000ULL

struct budget {
	uint32_t ppm;	   /* of one core; 0: no budget */
	uint32_t cost_ppm; /* over the last whole stretch; 0: none yet */
	uint64_t since_ns; /* the current stretch; 0: none yet */
	uint64_t agent_ns; /* as it began */
	uint64_t bpf_ns;
};

/* Both are cumulative: the agent's CPU time and the run time of its programs. True: shed one. */
bool budget_spend(struct budget *budget, uint64_t now_ns, uint64_t agent_ns, uint64_t bpf_ns);

#endif
