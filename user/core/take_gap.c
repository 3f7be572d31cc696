/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* take_gap.c - records about times without us, and their report. */
#include "core/take.h"

/* It died before this run, so nobody but the record knows it. */
static void describe_before(const struct record_gap_service *service, struct report_proc *out)
{
	out->id = service->proc;
	out->comm = service->comm;
	out->exe_path = out->cgroup_path = "";
	out->workload = &workload_unknown;
}

void take_gap(struct core *core, const struct record *r)
{
	gap_report(core); /* one that nothing reported yet would be overwritten */
	gap_begin(&core->gaps, r->ts_ns, &r->gap);
	core->gaps.node = r->node;
}

void take_gap_service(struct core *core, const struct record *r)
{
	gap_add_service(&core->gaps, &r->gap_service);
}

void take_gap_incident(struct core *core, const struct record *r)
{
	gap_add_incident(&core->gaps, &r->gap_incident);
}

void gap_report(struct core *core)
{
	struct gaps *gaps = &core->gaps;
	struct report_gap *out;

	if (!gaps->is_open)
		return;
	gaps->is_open = false;
	out = &emit_begin(core, REPORT_GAP, gaps->node, gaps->ts_ns)->gap;
	out->gap = gaps->gap;
	for (uint32_t i = 0; i < gaps->nr_services; i++) {
		struct report_gap_service *service = &out->services[out->nr_services++];

		describe_before(&gaps->services[i], &service->proc);
		service->local = gaps->services[i].local;
		emit_proc_id(core, &gaps->services[i].successor, &service->successor);
	}
	for (uint32_t i = 0; i < gaps->nr_incidents; i++)
		out->incidents[out->nr_incidents++] = gaps->incidents[i].id;
	emit_end(core);
}
