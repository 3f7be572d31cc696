/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * core.c - see core.h. Hands each record to what takes it into the tables (take.h) and, on ticks,
 * lets the parts decide in a fixed order. It holds no rule of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "core/outlook.h"
#include "core/take.h"

#define SILENT_NS (10 * NSEC_PER_SEC)

struct core *core_new(const struct core_options *options, core_emit_fn emit, void *arg)
{
	uint32_t nr_nodes = options->nr_nodes ? options->nr_nodes : 1;
	struct core *core = calloc(1, sizeof(*core) + nr_nodes * sizeof(core->nodes[0]));

	if (!core)
		return NULL;
	core->nr_nodes = nr_nodes;
	core->options = *options;
	if (core->options.nr_gateways > CORE_MAX_GATEWAY_FILTERS)
		core->options.nr_gateways = CORE_MAX_GATEWAY_FILTERS;
	core->emit = emit;
	core->emit_arg = arg;
	proctab_init(&core->procs, process_release, core);
	return core;
}

void core_free(struct core *core)
{
	free(core);
}

/* The stream itself ---------------------------------------------------------------------------- */

static void take_header(struct core *core, const struct record *r)
{
	struct record_header *h = &core->nodes[r->node].header;

	*h = r->header;
	h->host_name[sizeof(h->host_name) - 1] = '\0';
	h->host_id[sizeof(h->host_id) - 1] = '\0';
	h->boot_id[sizeof(h->boot_id) - 1] = '\0';
	h->kernel[sizeof(h->kernel) - 1] = '\0';
	h->arch[sizeof(h->arch) - 1] = '\0';
	h->detector_version[sizeof(h->detector_version) - 1] = '\0';
	core->wall_offset_ns = h->wall_offset_ns;
}

/* The counters stand still from here on: what they do not show does not tell against malloc. */
static void forget_vm(struct core *core, uint16_t node)
{
	for (uint16_t i = 1; i <= core->growths.nr_touched; i++)
		if (core->growths.all[i].proc.node == node)
			core->growths.all[i].native.has_vm = false;
}

static void take_probe(struct core *core, const struct record *r)
{
	struct node *node = &core->nodes[r->node];
	struct record_probe *probe;
	uint32_t i = 0;

	while (i < node->nr_probes &&
	       strncmp(node->probes[i].name, r->probe.name, sizeof(r->probe.name)) != 0)
		i++;
	if (i == REPORT_MAX_PROBES) {
		core->probes_refused++;
		return;
	}
	probe = &node->probes[i];
	*probe = r->probe;
	probe->name[sizeof(probe->name) - 1] = '\0';
	probe->variant[sizeof(probe->variant) - 1] = '\0';
	probe->reason[sizeof(probe->reason) - 1] = '\0';
	if (i == node->nr_probes)
		node->nr_probes++;
	if (probe->state == PROBE_SHED && !strcmp(probe->name, "vm_events"))
		forget_vm(core, r->node);
}

static void take_clock(struct core *core, const struct record *r)
{
	core->wall_offset_ns = r->clock.wall_offset_ns;
}

static void take_loss(struct core *core, const struct record *r)
{
	heartbeat_loss(&core->nodes[r->node].heartbeat, &r->loss);
}

static void take_stream(struct core *core, const struct record *r)
{
	heartbeat_stream(&core->nodes[r->node].heartbeat, &r->stream);
}

static void take_self(struct core *core, const struct record *r)
{
	core->nodes[r->node].heartbeat.self = r->self;
}

/* Ticks ---------------------------------------------------------------------------------------- */

static void report_growth(struct core *core, uint16_t index)
{
	struct growth *g = &core->growths.all[index];
	struct proc *p = proctab_find(&core->procs, &g->proc);
	struct report_growth growth;
	struct outlook outlook;
	struct report *out;

	if (!g->used || !p)
		return;
	outlook_tell(core, p, outlook_service(core, p), &outlook);
	if (!growth_evaluate(g, &outlook.growth, &growth))
		return;
	out = emit_begin(core, REPORT_GROWTH, p->id.node, core->now_ns);
	out->growth = growth;
	emit_proc(core, p, &out->growth.proc);
	emit_end(core);
}

/* Sources are silent while nothing moves; an alarm has to notice that it grows no more. */
static void resample_silent(struct core *core)
{
	for (uint16_t i = 1; i <= core->growths.nr_touched; i++) {
		struct growth *g = &core->growths.all[i];
		struct proc *p;

		if (!g->used || !g->level || since_ns(core->now_ns, g->last_ns) < SILENT_NS)
			continue;
		p = proctab_find(&core->procs, &g->proc);
		if (p)
			process_sample(core, p, core->now_ns);
	}
}

/* Of tables that all nodes share: told with the first one's. */
static void count_own_losses(struct core *core)
{
	struct heartbeat *h = &core->nodes[0].heartbeat;

	heartbeat_set_loss(h, "core", "process_table", core->procs.refused);
	heartbeat_set_loss(h, "core", "exe_table", core->exes.refused);
	heartbeat_set_loss(h, "core", "name_table", core->told_names.refused);
	heartbeat_set_loss(h, "core", "container_table", core->containers.refused);
	heartbeat_set_loss(h, "core", "death_table", core->deaths.lost);
	heartbeat_set_loss(h, "core", "growth_table", core->growths.refused);
	heartbeat_set_loss(h, "core", "traffic_table", core->traffics.refused);
	heartbeat_set_loss(h, "core", "service_table", core->services.refused);
	heartbeat_set_loss(h, "core", "lives_table", core->lives.refused);
	heartbeat_set_loss(h, "core", "gateway_table", core->gateways.refused);
	heartbeat_set_loss(h, "core", "incident_table", core->incidents.refused);
	heartbeat_set_loss(h, "core", "probe_table", core->probes_refused);
}

uint64_t core_events_lost(const struct core *core)
{
	uint64_t lost = 0;

	for (uint32_t i = 0; i < core->nr_nodes; i++)
		lost = add_u64(lost, heartbeat_events_lost(&core->nodes[i].heartbeat));
	return lost;
}

static void remember_losses(struct core *core)
{
	uint64_t slot = core->now_ns / LOSS_HISTORY_NS;
	uint64_t lost = core_events_lost(core);

	if (slot == core->lost_slot)
		return;
	memmove(&core->lost[1], &core->lost[0], sizeof(core->lost) - sizeof(core->lost[0]));
	core->lost[0] = lost;
	core->lost_slot = slot;
}

static void beat(struct core *core, uint16_t node)
{
	struct node *n = &core->nodes[node];
	struct report_heartbeat heartbeat;
	struct report *out;

	if (!heartbeat_due(&n->heartbeat, core->now_ns, &heartbeat))
		return;
	out = emit_begin(core, REPORT_HEARTBEAT, node, core->now_ns);
	out->heartbeat = heartbeat;
	out->heartbeat.processes = core->procs.nr_alive;
	out->heartbeat.probes = n->probes;
	out->heartbeat.nr_probes = n->nr_probes;
	out->heartbeat.open_incidents = core->incidents.nr_open;
	emit_end(core);
}

static void end_batch(struct core *core, struct node *node, bool regular)
{
	struct heartbeat *h = &node->heartbeat;

	if (regular)
		h->flows = h->batch_flows;
	h->batch_flows = 0;
	node->flows_read_ns = max_u64(node->flows_read_ns, node->flows_now_ns);
	core->nr_due_growths = 0;
	proctab_expire(&core->procs, core->now_ns);
}

/* Gateways are looked at when the batch of their own node is whole. */
static void decide(struct core *core, uint16_t node, bool regular)
{
	count_own_losses(core);
	gap_report(core);
	gateway_tick(&core->gateways, node, core->now_ns);
	deaths_report(core);
	resample_silent(core);
	for (uint16_t i = 0; i < core->nr_due_growths; i++)
		report_growth(core, core->due_growths[i]);
	incident_tick(core);
	beat(core, node);
	remember_losses(core);
	end_batch(core, &core->nodes[node], regular);
}

static void take_tick(struct core *core, const struct record *r)
{
	emit_start(core, r->node);
	decide(core, r->node, !r->tick.alarm);
}

static void take_stop(struct core *core, const struct record *r)
{
	(void)r;
	for (uint32_t i = 0; i < core->nr_nodes; i++) {
		heartbeat_close(&core->nodes[i].heartbeat);
		decide(core, (uint16_t)i, true);
	}
	incident_stop(core);
	core->stopped = true;
}

typedef void (*take_fn)(struct core *core, const struct record *record);

static const take_fn takers[NR_RECORD_KINDS] = {
	[RECORD_HEADER] = take_header,
	[RECORD_PROBE] = take_probe,
	[RECORD_CLOCK] = take_clock,
	[RECORD_PROC] = take_proc,
	[RECORD_EXEC] = take_exec,
	[RECORD_EXE] = take_exe,
	[RECORD_EXIT] = take_exit,
	[RECORD_SIGNAL] = take_signal,
	[RECORD_OOM] = take_oom,
	[RECORD_V8_OOM] = take_v8_oom,
	[RECORD_TASK] = take_task,
	[RECORD_RSS] = take_rss,
	[RECORD_VM] = take_vm,
	[RECORD_CGROUP] = take_cgroup,
	[RECORD_CONTAINER] = take_container,
	[RECORD_RECLAIM] = take_reclaim,
	[RECORD_LISTENER] = take_listener,
	[RECORD_FLOW] = take_flow,
	[RECORD_LOSS] = take_loss,
	[RECORD_SELF] = take_self,
	[RECORD_TICK] = take_tick,
	[RECORD_STOP] = take_stop,
	[RECORD_STREAM] = take_stream,
	[RECORD_GAP] = take_gap,
	[RECORD_GAP_SERVICE] = take_gap_service,
	[RECORD_GAP_INCIDENT] = take_gap_incident,
};

void core_feed(struct core *core, const struct record *record)
{
	struct heartbeat *h;

	if (core->stopped || record->node >= core->nr_nodes ||
	    (unsigned int)record->kind >= NR_RECORD_KINDS || !takers[record->kind])
		return;
	core->now_ns = max_u64(core->now_ns, record->ts_ns);
	h = &core->nodes[record->node].heartbeat;
	if (!h->records++) {
		h->first_ns = record->ts_ns;
		h->next_ns = record->ts_ns + HEARTBEAT_NS;
	}
	takers[record->kind](core, record);
}
