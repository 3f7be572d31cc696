/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * incident_report.c - turns an incident into its report: who, since when, how sure, and the parts
 * that other files fill (incident_sections.h). It decides nothing about the incident.
 */
#include <string.h>

#include "core/actions.h"
#include "core/incident_sections.h"
#include "model/text.h"

#define SEVERITY_WARN  13
#define SEVERITY_ERROR 17

static uint64_t wall_ms(const struct core *core, uint64_t ts_ns)
{
	return (ts_ns + (uint64_t)core->wall_offset_ns) / NSEC_PER_MSEC;
}

void incident_make_ids(const struct core *core, struct incident *incident)
{
	const struct upstream *u = &core->gateways.upstreams[incident->upstream];
	const struct gateway *g = &core->gateways.all[u->gateway];
	uint64_t first_ns = u->burst.sum.first_ns;
	const struct record_header *host = &node_of(core, g->root.node)->header;
	struct ulid_seed seed = {0};

	ulid_seed_add(&seed, host->host_id, strlen(host->host_id));
	ulid_seed_add(&seed, host->boot_id, strlen(host->boot_id));
	ulid_seed_add(&seed, host->host_name, strlen(host->host_name));
	ulid_seed_add(&seed, &g->root.tgid, sizeof(g->root.tgid));
	ulid_seed_add(&seed, &g->root.start_ns, sizeof(g->root.start_ns));
	ulid_seed_add(&seed, u->endpoint.addr, sizeof(u->endpoint.addr));
	ulid_seed_add(&seed, &u->endpoint.netns, sizeof(u->endpoint.netns));
	ulid_seed_add(&seed, &u->endpoint.port, sizeof(u->endpoint.port));
	ulid_seed_add(&seed, &first_ns, sizeof(first_ns));
	ulid_format(&seed, wall_ms(core, first_ns), incident->id);
	ulid_seed_add(&seed, "burst", 5);
	ulid_format(&seed, wall_ms(core, first_ns), incident->burst_id);
}

static void fill_culprit(const struct core *core, const struct incident *incident,
			 struct report_incident *out)
{
	const struct culprit *c = &incident->culprit;

	out->culprit.comm = out->culprit.exe_path = out->culprit.cgroup_path = "";
	out->culprit.workload = &workload_unknown;
	out->death.sender_comm = "";
	out->has_culprit = incident->has_culprit;
	if (!incident->has_culprit)
		return;
	out->culprit = (struct report_proc){
		.id = c->death.proc,
		.header = &node_of(core, c->death.proc.node)->header,
		.parent_tgid = c->parent.tgid,
		.runtime = c->runtime < NR_RUNTIMES ? c->runtime : RUNTIME_UNKNOWN,
		.comm = c->comm,
		.exe_path = c->exe_path,
		.cgroup_path = c->cgroup_path,
		.memcg = c->memcg,
		.workload = &c->workload,
	};
	out->died = c->death.exit_ns != 0;
	death_decode(&c->death, &out->death);
}

static void fill_company(const struct incident *incident, struct report_incident *out)
{
	out->next_tgid = incident->next_tgid;
	out->restarts_10m = incident->restarts_10m;
	out->deaths_10m = incident->deaths_10m;
	out->supervisor_tgid = incident->supervisor_tgid;
	out->supervisor_comm = incident->supervisor_comm;
	out->nr_victims = (uint32_t)min_u64(incident->nr_victims, REPORT_MAX_VICTIMS);
	memcpy(out->victims, incident->victims, sizeof(out->victims));
}

static bool is_listed(const struct report_incident *out, const char *name)
{
	for (uint32_t i = 0; i < out->nr_missing_probes; i++)
		if (strcmp(out->missing_probes[i], name) == 0)
			return true;
	return false;
}

static void add_missing(const struct node *node, struct report_incident *out)
{
	for (uint32_t i = 0; i < node->nr_probes && out->nr_missing_probes < REPORT_MAX_PROBES; i++)
		if (node->probes[i].state != PROBE_ATTACHED &&
		    !is_listed(out, node->probes[i].name))
			out->missing_probes[out->nr_missing_probes++] = node->probes[i].name;
}

static void fill_quality(const struct core *core, const struct incident *incident,
			 struct report_incident *out)
{
	out->events_lost = since_ns(core_events_lost(core), incident->lost_before);
	out->unwatched_ns = incident->facts.unwatched_ns;
	out->other_node = incident->facts.other_node;
	out->clock_error_ns = incident->facts.clock_error_ns;
	add_missing(node_of(core, incident_gateway_node(core, incident)), out);
	if (out->other_node)
		add_missing(node_of(core, incident->node), out);
}

static void fill_service_name(const struct incident *incident, struct report_incident *out)
{
	memcpy(out->service_name,
	       incident->has_culprit ? incident->culprit.service_name : incident->owner_service,
	       sizeof(out->service_name));
	memcpy(out->culprit.service_name, incident->culprit.service_name,
	       sizeof(out->culprit.service_name));
}

/* Warnings about what clients did not feel, errors about what they did or, unread, must have. */
static uint32_t severity(const struct gateway *g, const struct impact *impact)
{
	bool unread = !g->serves && impact_upstream_failures(impact) > impact_masked(impact);

	return impact_clients_hurt(impact) || unread ? SEVERITY_ERROR : SEVERITY_WARN;
}

/* Of the culprit or, before anybody is named, of who is known to serve there or to have served. */
static enum runtime_kind server_runtime(const struct incident *incident)
{
	uint8_t runtime =
		incident->culprit.runtime ? incident->culprit.runtime : incident->owner_runtime;

	return runtime < NR_RUNTIMES ? (enum runtime_kind)runtime : RUNTIME_UNKNOWN;
}

void incident_emit(struct core *core, const struct incident *incident, enum incident_record record)
{
	const struct upstream *u = &core->gateways.upstreams[incident->upstream];
	struct report *r = emit_begin(core, REPORT_INCIDENT, incident->node, core->now_ns);
	struct report_incident *out = &r->incident;
	struct impact impact = incident->carried;

	impact_add(&impact, &u->burst.sum);
	memcpy(out->id, incident->id, sizeof(out->id));
	out->record = record;
	out->revision = incident->revision;
	out->status = incident->status;
	out->severity_number = severity(&core->gateways.all[u->gateway], &impact);
	out->verdict = incident->verdict;
	out->upstream = u->endpoint;
	emit_gateway(core, &core->gateways.all[u->gateway], &out->gateway);
	emit_impact(&core->gateways.all[u->gateway], &impact, &out->impact);
	fill_culprit(core, incident, out);
	fill_company(incident, out);
	incident_fill_memory(core, incident, out);
	incident_fill_timeline(incident, &impact, out);
	incident_fill_evidence(core, incident, &impact, out);
	fill_quality(core, incident, out);
	fill_service_name(incident, out);
	incident_summary(incident, out);
	actions_advise(incident, server_runtime(incident), out);
	emit_end(core);
}
