/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* budget.c - see budget.h. */
#include "source/budget.h"

#define PPM 1000000.0

static uint64_t since(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

static uint32_t to_ppm(uint64_t spent_ns, uint64_t wall_ns)
{
	double ppm = (double)spent_ns * PPM / (double)wall_ns;

	return ppm < (double)UINT32_MAX ? (uint32_t)ppm : UINT32_MAX;
}

static void begin_stretch(struct budget *budget, uint64_t now_ns, uint64_t agent_ns,
			  uint64_t bpf_ns)
{
	budget->since_ns = now_ns;
	budget->agent_ns = agent_ns;
	budget->bpf_ns = bpf_ns;
}

bool budget_spend(struct budget *budget, uint64_t now_ns, uint64_t agent_ns, uint64_t bpf_ns)
{
	uint64_t spent_ns;

	if (!budget->since_ns) {
		begin_stretch(budget, now_ns, agent_ns, bpf_ns);
		return false;
	}
	if (since(now_ns, budget->since_ns) < BUDGET_HOLD_NS)
		return false;
	spent_ns = since(agent_ns, budget->agent_ns) + since(bpf_ns, budget->bpf_ns);
	budget->cost_ppm = to_ppm(spent_ns, now_ns - budget->since_ns);
	begin_stretch(budget, now_ns, agent_ns, bpf_ns);
	return budget->ppm && budget->cost_ppm > budget->ppm;
}
