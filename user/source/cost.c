/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* cost.c - see cost.h. */
#include "source/cost.h"

#include <stdio.h>

#include "base/log.h"
#include "source/decode.h"
#include "source/loader.h"
#include "source/self.h"

#define PPM_PER_PERCENT 1e4
#define BUDGET_EVERY	5U /* ticks: two looks or more at each stretch of a budget */

void cost_init(struct cost *cost)
{
	*cost = (struct cost){.run_time.stats_fd = -1};
}

void cost_start(struct cost *cost, uint32_t stats_every, uint32_t budget_ppm)
{
	uint32_t every = stats_every;

	cost->budget.ppm = budget_ppm;
	if (cost->budget.ppm && (!every || every > BUDGET_EVERY))
		every = BUDGET_EVERY;
	run_time_init(&cost->run_time, every, self_boot_ns());
}

void cost_free(struct cost *cost)
{
	run_time_free(&cost->run_time);
}

bool cost_tick(struct cost *cost, const struct loader *loader, uint64_t now_ns, uint64_t messages,
	       uint64_t samples)
{
	bool known = run_time_tick(&cost->run_time, loader, now_ns,
				   messages - cost->estimated_messages, samples);

	cost->estimated_messages = messages;
	return known &&
	       budget_spend(&cost->budget, now_ns, self_cpu_ns(), run_time_ns(&cost->run_time));
}

/* What the core knows of hooks it learns from records. */
const struct loader_hook *cost_shed(struct cost *cost, struct loader *loader, uint64_t now_ns,
				    struct batch *batch)
{
	struct record record;
	struct loader_hook *hook;
	char reason[RECORD_TEXT_LEN];

	snprintf(reason, sizeof(reason), "shed: cost %.3f %% of a core, --budget is %.3f %%",
		 cost->budget.cost_ppm / PPM_PER_PERCENT, cost->budget.ppm / PPM_PER_PERCENT);
	hook = loader_shed(loader, reason);
	if (!hook) {
		if (!cost->budget_is_hopeless)
			log_warn("cost %.3f %% of a core, --budget is %.3f %%, and what is left "
				 "of the hooks is needed",
				 cost->budget.cost_ppm / PPM_PER_PERCENT,
				 cost->budget.ppm / PPM_PER_PERCENT);
		cost->budget_is_hopeless = true;
		return NULL;
	}
	log_warn("hook %s is %s", hook->probe.name, hook->probe.reason);
	record_init(&record, RECORD_PROBE, now_ns);
	record.probe = hook->probe;
	batch_add(batch, &record);
	return hook;
}

void cost_fill(const struct cost *cost, struct record_self *out)
{
	out->bpf_time = (uint8_t)cost->run_time.source;
	for (int i = 0; i < NR_BPF_GROUPS; i++) {
		out->bpf_ns[i] = cost->run_time.spent.groups[i].ns;
		out->bpf_runs[i] = cost->run_time.spent.groups[i].runs;
	}
	out->budget_ppm = cost->budget.ppm;
	out->cost_ppm = cost->budget.cost_ppm;
}
