/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* emit.c - fills the parts of reports that several kinds share, and hands reports out in order. */
#include <string.h>

#include "core/outlook.h"
#include "core/service_name.h"
#include "core/state.h"

void emit_start(struct core *core, uint16_t node)
{
	struct node *n = &core->nodes[node];
	struct report *r = &core->report;

	if (n->started)
		return;
	n->started = true;
	memset(r, 0, sizeof(*r));
	r->kind = REPORT_START;
	r->ts_ns = n->heartbeat.first_ns;
	r->header = r->start.header = &n->header;
	r->start.probes = n->probes;
	r->start.nr_probes = n->nr_probes;
	emit_end(core);
}

struct report *emit_begin(struct core *core, enum report_kind kind, uint16_t node, uint64_t ts_ns)
{
	if (node >= core->nr_nodes)
		node = 0;
	emit_start(core, node);
	memset(&core->report, 0, sizeof(core->report));
	core->report.kind = kind;
	core->report.ts_ns = ts_ns;
	core->report.header = &core->nodes[node].header;
	return &core->report;
}

void emit_end(struct core *core)
{
	core->report.seq = core->seq++;
	core->report.wall_offset_ns = core->wall_offset_ns;
	core->emit(core->emit_arg, &core->report);
}

bool emit_service_name(const struct core *core, const struct proc *p, uint16_t port,
		       char out[SERVICE_NAME_LEN])
{
	const struct service_name_facts facts = {
		.workload = &core->containers.all[p->container].workload,
		.host_name = node_of(core, p->id.node)->header.host_name,
		.told = core->told_names.exes[p->told_name].path,
		.told_source = p->told_name_source,
		.comm = p->comm,
		.port = port,
	};

	return service_name_tell(&facts, out);
}

void emit_proc_of(struct core *core, const struct proc *p, const struct service *service,
		  struct report_proc *out)
{
	out->id = p->id;
	out->header = &node_of(core, p->id.node)->header;
	out->parent_tgid = p->parent.tgid;
	out->runtime = p->runtime < NR_RUNTIMES ? p->runtime : RUNTIME_UNKNOWN;
	out->comm = p->comm;
	out->exe_path = core->exes.exes[p->exe].path;
	out->cgroup_path = core->containers.all[p->container].path;
	out->memcg = core->containers.all[p->container].id;
	out->workload = &core->containers.all[p->container].workload;
	out->service_name[0] = '\0';
	if (service)
		emit_service_name(core, p, service->local.port, out->service_name);
}

void emit_proc(struct core *core, struct proc *p, struct report_proc *out)
{
	emit_proc_of(core, p, outlook_peek_service(core, p), out);
}

void emit_proc_id(struct core *core, const struct proc_id *id, struct report_proc *out)
{
	struct proc *p = proctab_find(&core->procs, id);

	if (p) {
		emit_proc(core, p, out);
		return;
	}
	memset(out, 0, sizeof(*out));
	out->id = *id;
	out->header = &node_of(core, id->node)->header;
	out->comm = out->exe_path = out->cgroup_path = "";
	out->workload = &workload_unknown;
}

void emit_gateway(struct core *core, const struct gateway *g, struct report_gateway *out)
{
	emit_proc_id(core, &g->root, &out->proc);
	if (!*out->proc.comm)
		out->proc.comm = g->comm;
	out->personality = gateway_personality(g);
	out->nr_workers = g->nr_workers;
}

void emit_impact(const struct gateway *g, const struct impact *impact, struct report_impact *out)
{
	out->first_failure_ns = impact->first_ns;
	out->last_failure_ns = impact->last_ns;
	memcpy(out->client_status, impact->client_status, sizeof(out->client_status));
	for (int i = 0; i < 3; i++)
		out->client_status[FLOW_STATUS_502 + i] += impact->passed_on[i];
	memcpy(out->upstream_fail, impact->fail, sizeof(out->upstream_fail));
	out->upstream_requests = impact->upstream_requests;
	out->upstream_responses = impact->upstream_responses;
	out->client_requests = impact->client_requests;
	out->no_live = impact_no_live(impact);
	out->client_errors = impact->client_errors;
	out->client_closed = impact->client_closed;
	out->masked_by_retry = impact_masked(impact);
	out->truncated = impact->truncated;
	out->app_answered = impact->app_answered;
	out->unread = !g->serves;
	out->inferred = impact->inferred || out->unread;
	out->failure_ratio = impact_failure_ratio(impact);
}

static const struct record_probe *find_probe(const struct node *node, const char *name)
{
	for (uint32_t i = 0; i < node->nr_probes; i++)
		if (strcmp(node->probes[i].name, name) == 0)
			return &node->probes[i];
	return NULL;
}

bool emit_probe_missing(const struct node *node, const char *name)
{
	const struct record_probe *probe = find_probe(node, name);

	return probe && probe->state != PROBE_ATTACHED;
}

const char *emit_probe_variant(const struct node *node, const char *name, const char *otherwise)
{
	const struct record_probe *probe = find_probe(node, name);

	return probe && probe->variant[0] ? probe->variant : otherwise;
}
