/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * core.c - see core.h. Takes each record into the tables and, on ticks, lets the parts decide in a
 * fixed order. It holds no rule of its own.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/state.h"
#include "core/text.h"

/* A death worth a report although nobody was served by the process. */
#define NOTABLE_PEAK_BYTES (64 * MIB)
/* The SIGKILL follows the mark within microseconds; later the OOM kill is told unconfirmed. */
#define OOM_CONFIRM_NS NSEC_PER_SEC
#define SILENT_NS      (10 * NSEC_PER_SEC)

static void release_proc(void *arg, struct proc *p);

struct core *core_new(const struct core_options *options, core_emit_fn emit, void *arg)
{
	struct core *core = calloc(1, sizeof(*core));

	if (!core)
		return NULL;
	core->options = *options;
	if (core->options.nr_gateways > CORE_MAX_GATEWAY_FILTERS)
		core->options.nr_gateways = CORE_MAX_GATEWAY_FILTERS;
	core->emit = emit;
	core->emit_arg = arg;
	proctab_init(&core->procs, release_proc, core);
	return core;
}

void core_free(struct core *core)
{
	free(core);
}

size_t core_memory_ceiling(void)
{
	return sizeof(struct core);
}

/* Processes ------------------------------------------------------------------------------------ */

static void set_anon(struct core *core, struct proc *p, uint64_t bytes)
{
	struct container *c = &core->containers.all[p->container];

	if (p->container)
		c->anon_bytes = add_u64(since_ns(c->anon_bytes, p->anon_bytes), bytes);
	p->anon_bytes = bytes;
	p->peak_anon_bytes = max_u64(p->peak_anon_bytes, bytes);
}

static void set_container(struct core *core, struct proc *p, const struct cgroup_id *id)
{
	uint64_t anon = p->anon_bytes;
	uint16_t index;

	if (!id->id || cgroup_id_equal(&core->containers.all[p->container].id, id))
		return;
	index = container_get(&core->containers, id, core->now_ns);
	set_anon(core, p, 0);
	if (p->container)
		core->containers.all[p->container].refs--;
	p->container = index;
	if (index)
		core->containers.all[index].refs++;
	set_anon(core, p, anon);
}

static void drop_growth(struct core *core, struct proc *p)
{
	growth_put(&core->growths, p->growth);
	p->growth = 0;
}

static void release_proc(void *arg, struct proc *p)
{
	struct core *core = arg;

	drop_growth(core, p);
	set_anon(core, p, 0);
	if (p->container)
		core->containers.all[p->container].refs--;
	exetab_put(&core->exes, p->exe);
	/* Its death stays: an incident may still ask for it, and it holds copies only. */
}

static struct proc *get_proc(struct core *core, const struct proc_id *id)
{
	return proctab_get(&core->procs, id);
}

static void set_comm(struct proc *p, const char comm[RECORD_COMM_LEN])
{
	if (comm[0])
		text_copy(p->comm, sizeof(p->comm), comm, RECORD_COMM_LEN);
}

static void take_proc(struct core *core, const struct record *r)
{
	const struct record_proc *in = &r->proc;
	struct proc *p = get_proc(core, &in->proc);
	const struct proc *parent;

	if (!p)
		return;
	p->parent = in->parent;
	set_comm(p, in->comm);
	set_container(core, p, &in->memcg);
	parent = proctab_find(&core->procs, &in->parent);
	/* A fork runs what its parent ran until it says otherwise. */
	if (in->origin != PROC_FORKED || !parent || p->exe)
		return;
	p->runtime = parent->runtime;
	p->v8_probe = parent->v8_probe;
	p->exe = exetab_take(&core->exes, core->exes.exes[parent->exe].path, EXETAB_PATH_LEN);
}

static void take_exec(struct core *core, const struct record *r)
{
	struct proc *p = get_proc(core, &r->exec.proc);

	if (!p)
		return;
	set_comm(p, r->exec.comm);
	set_container(core, p, &r->exec.memcg);
	/* Another program: what was known about the old one's memory and code is over. */
	p->runtime = RUNTIME_UNKNOWN;
	p->v8_probe = false;
	exetab_put(&core->exes, p->exe);
	p->exe = 0;
	drop_growth(core, p);
}

static void take_exe(struct core *core, const struct record *r)
{
	struct proc *p = get_proc(core, &r->exe.proc);

	if (!p)
		return;
	p->runtime = r->exe.runtime;
	p->v8_probe = r->exe.v8_probe != 0;
	exetab_put(&core->exes, p->exe);
	p->exe = exetab_take(&core->exes, r->exe.path, sizeof(r->exe.path));
}

/* Memory --------------------------------------------------------------------------------------- */

static struct growth *growth_of(struct core *core, struct proc *p)
{
	if (p->exit_ns)
		return NULL;
	if (p->growth)
		return &core->growths.all[p->growth];
	if (p->anon_bytes < GROWTH_MIN_ANON_BYTES)
		return NULL;
	if (growth_full(&core->growths)) {
		core->growths.refused += !p->growth_refused;
		p->growth_refused = true;
		return NULL;
	}
	p->growth = growth_take(&core->growths, &p->id);
	core->growths.all[p->growth].first_requests = p->requests;
	return &core->growths.all[p->growth];
}

static void sample_growth(struct core *core, struct proc *p, uint64_t ts_ns)
{
	struct growth *g = growth_of(core, p);
	bool was_due;

	if (!g)
		return;
	was_due = g->due;
	growth_sample(g, ts_ns, p->anon_bytes);
	if (g->due && !was_due && core->nr_due_growths < GROWTH_MAX)
		core->due_growths[core->nr_due_growths++] = p->growth;
}

static void emit_sample(struct core *core, const struct proc *p, const struct record *r)
{
	struct report *out = emit_begin(core, REPORT_SAMPLE, r->ts_ns);

	emit_proc(core, p, &out->sample.proc);
	out->sample.task = r->task;
	emit_end(core);
}

static void take_task(struct core *core, const struct record *r)
{
	const struct record_task *in = &r->task;
	struct proc *p = get_proc(core, &in->proc);
	struct growth *g;

	if (!p || p->exit_ns)
		return;
	set_container(core, p, &in->memcg);
	set_anon(core, p, in->anon_bytes);
	p->memcg_usage_bytes = in->memcg_usage_bytes;
	p->memcg_limit_bytes = in->memcg_limit_bytes;
	g = growth_of(core, p);
	if (g)
		g->native.brk_bytes = in->brk_bytes;
	sample_growth(core, p, r->ts_ns);
	if (core->options.include_samples)
		emit_sample(core, p, r);
}

static void take_rss(struct core *core, const struct record *r)
{
	struct proc *p = get_proc(core, &r->rss.proc);

	if (!p || p->exit_ns)
		return;
	set_anon(core, p, r->rss.anon_bytes);
	sample_growth(core, p, r->ts_ns);
}

static void take_vm(struct core *core, const struct record *r)
{
	const struct record_vm *in = &r->vm;
	struct proc *p = get_proc(core, &in->proc);
	struct growth *g = p ? growth_of(core, p) : NULL;

	if (!g)
		return;
	g->native.malloc_mapped_bytes = in->malloc_mapped_bytes;
	g->native.malloc_unmapped_bytes = in->malloc_unmapped_bytes;
	g->native.has_vm = true;
}

static void take_cgroup(struct core *core, const struct record *r)
{
	uint16_t i = container_get(&core->containers, &r->cgroup.memcg, core->now_ns);

	if (i)
		text_copy(core->containers.all[i].path, sizeof(core->containers.all[i].path),
			  r->cgroup.path, sizeof(r->cgroup.path));
}

static void take_reclaim(struct core *core, const struct record *r)
{
	uint16_t i = container_get(&core->containers, &r->reclaim.memcg, core->now_ns);

	if (i)
		container_reclaimed(&core->containers.all[i],
				    add_u64(r->reclaim.direct_ns, r->reclaim.memcg_ns), r->ts_ns);
}

/* Deaths --------------------------------------------------------------------------------------- */

static struct death *death_of(struct core *core, struct proc *p)
{
	struct death *d = &core->deaths.all[p->death];

	return p->death && proc_id_equal(&d->proc, &p->id) ? d : NULL;
}

/* Report it on the next ticks. A full list only happens when more die at once than are kept. */
static void queue_death(struct core *core, uint16_t index)
{
	for (uint16_t i = 0; i < core->nr_due_deaths; i++)
		if (core->due_deaths[i] == index)
			return;
	if (core->nr_due_deaths < DEATH_MAX)
		core->due_deaths[core->nr_due_deaths++] = index;
}

static struct death *get_death(struct core *core, struct proc *p)
{
	struct death *d = death_of(core, p);

	if (!d) {
		p->death = death_take(&core->deaths, &p->id);
		d = &core->deaths.all[p->death];
	}
	return d;
}

/* Does anybody depend on it: does it serve, or stand beside one that does? */
static bool serves(struct core *core, const struct proc *p)
{
	const struct proc *parent;

	if (p->held_listener || p->served_http)
		return true;
	parent = proctab_find(&core->procs, &p->parent);
	return parent && parent->held_listener && strcmp(parent->comm, p->comm) == 0;
}

static void take_signal(struct core *core, const struct record *r)
{
	struct proc *p = get_proc(core, &r->signal.target);

	if (!p || p->exit_seen)
		return;
	if (p->death || p->growth || serves(core, p))
		death_add_signal(get_death(core, p), r->ts_ns, &r->signal);
}

static void take_oom(struct core *core, const struct record *r)
{
	struct proc *p = get_proc(core, &r->oom.victim);
	struct death *d;

	if (!p)
		return;
	set_comm(p, r->oom.victim_comm);
	d = get_death(core, p);
	/* Marked again while it dies: the first mark tells the state that led to it. */
	if (d->oom_ns)
		return;
	d->oom = r->oom;
	d->oom_ns = r->ts_ns;
	queue_death(core, p->death);
}

static void take_v8_oom(struct core *core, const struct record *r)
{
	struct proc *p = get_proc(core, &r->v8_oom.proc);
	struct death *d;

	if (!p)
		return;
	d = get_death(core, p);
	d->v8_ns = earliest_ns(d->v8_ns, r->ts_ns);
}

static bool is_managed(uint8_t runtime)
{
	return runtime == RUNTIME_NODEJS || runtime == RUNTIME_JVM;
}

static void conclude_growth(struct core *core, struct proc *p, struct death *d)
{
	struct growth_end end = {
		.ts_ns = d->exit_ns,
		.anon_bytes = d->anon_bytes ? d->anon_bytes : p->anon_bytes,
		.requests = p->requests,
		.managed_heap = is_managed(p->runtime),
		.tick_ns = core->header.tick_ns,
	};

	if (p->growth)
		growth_conclude(&core->growths.all[p->growth], &end, &d->story);
}

static void end_death(struct core *core, struct proc *p, struct death *d)
{
	if (d->exit_ns)
		return;
	d->exit_ns = p->exit_ns;
	d->status = p->exit_status;
	d->peak_rss_bytes = max_u64(d->peak_rss_bytes, p->exit_peak_kib * KIB);
	if (!d->anon_bytes)
		d->anon_bytes = d->oom.anon_bytes ? d->oom.anon_bytes : p->anon_bytes;
	conclude_growth(core, p, d);
	queue_death(core, p->death);
}

static void take_exit(struct core *core, const struct record *r)
{
	const struct record_exit *in = &r->exit;
	struct proc *p = get_proc(core, &in->proc);
	bool fatal = in->status & 0x7f;
	struct death *d;

	if (!p || p->exit_seen)
		return;
	p->exit_seen = true;
	set_comm(p, in->comm);
	p->exit_status = in->status;
	p->exit_peak_kib = (uint32_t)min_u64(in->peak_rss_bytes / KIB, UINT32_MAX);
	gateway_worker_exit(&core->gateways, p);
	proctab_exit(&core->procs, p, r->ts_ns);
	p->exit_ns = max_u64(r->ts_ns, 1);
	if (p->death || serves(core, p) || (fatal && in->peak_rss_bytes >= NOTABLE_PEAK_BYTES)) {
		d = get_death(core, p);
		d->anon_bytes = in->anon_bytes;
		end_death(core, p, d);
	}
	set_anon(core, p, 0);
	drop_growth(core, p);
}

/* Sockets -------------------------------------------------------------------------------------- */

static void emit_listener(struct core *core, const struct record *r, uint64_t outage_ns)
{
	struct report *out = emit_begin(core, REPORT_LISTENER, r->ts_ns);

	emit_proc_id(core, &r->listener.owner, &out->listener.owner);
	out->listener.local = r->listener.local;
	out->listener.state = r->listener.state;
	out->listener.outage_ms =
		(struct measure){(double)outage_ns / NSEC_PER_MSEC, outage_ns != 0};
	emit_end(core);
}

static void take_listener(struct core *core, const struct record *r)
{
	struct proc *p = get_proc(core, &r->listener.owner);
	uint64_t outage_ns;

	if (r->listener.state >= NR_LISTENER_STATES)
		return;
	if (p) {
		p->held_listener = true;
		p->created_listener |= r->listener.state == LISTENER_UP;
	}
	service_listener(&core->services, r->ts_ns, &r->listener, &outage_ns);
	if (r->listener.state != LISTENER_FOUND)
		emit_listener(core, r, outage_ns);
}

static void take_server_flow(struct core *core, struct proc *p, const struct record *r)
{
	const struct record_flow *flow = &r->flow;
	struct service *s;

	if (!flow->requests && !flow->responses)
		return;
	p->served_http = true;
	p->requests = add_u64(p->requests, flow->responses);
	s = service_get(&core->services, &flow->endpoint, r->ts_ns);
	if (s)
		service_serve(s, &p->id, r->ts_ns, false);
	/* It may have died before its flow was read for the first time. */
	if (p->exit_seen && !p->death)
		end_death(core, p, get_death(core, p));
}

static void take_flow(struct core *core, const struct record *r)
{
	struct proc *p = get_proc(core, &r->flow.proc);

	core->heartbeat.batch_flows++;
	core->flows_now_ns = max_u64(core->flows_now_ns, r->ts_ns);
	if (!p)
		return;
	if (r->flow.role == FLOW_SERVER)
		take_server_flow(core, p, r);
	gateway_flow(&core->gateways, &core->procs, p, &r->flow, r->ts_ns, core->flows_read_ns,
		     &core->options);
}

/* The stream itself ---------------------------------------------------------------------------- */

static void take_header(struct core *core, const struct record *r)
{
	struct record_header *h = &core->header;

	*h = r->header;
	h->host_name[sizeof(h->host_name) - 1] = '\0';
	h->host_id[sizeof(h->host_id) - 1] = '\0';
	h->boot_id[sizeof(h->boot_id) - 1] = '\0';
	h->kernel[sizeof(h->kernel) - 1] = '\0';
	h->arch[sizeof(h->arch) - 1] = '\0';
	h->detector_version[sizeof(h->detector_version) - 1] = '\0';
	core->wall_offset_ns = h->wall_offset_ns;
}

static void take_probe(struct core *core, const struct record *r)
{
	struct record_probe *probe;
	uint32_t i = 0;

	while (i < core->nr_probes &&
	       strncmp(core->probes[i].name, r->probe.name, sizeof(r->probe.name)) != 0)
		i++;
	if (i == REPORT_MAX_PROBES) {
		core->probes_refused++;
		return;
	}
	probe = &core->probes[i];
	*probe = r->probe;
	probe->name[sizeof(probe->name) - 1] = '\0';
	probe->variant[sizeof(probe->variant) - 1] = '\0';
	probe->reason[sizeof(probe->reason) - 1] = '\0';
	if (i == core->nr_probes)
		core->nr_probes++;
}

static void take_clock(struct core *core, const struct record *r)
{
	core->wall_offset_ns = r->clock.wall_offset_ns;
}

static void take_loss(struct core *core, const struct record *r)
{
	heartbeat_loss(&core->heartbeat, &r->loss);
}

static void take_self(struct core *core, const struct record *r)
{
	core->heartbeat.self = r->self;
}

/* Ticks ---------------------------------------------------------------------------------------- */

static bool report_oom(struct core *core, struct death *d)
{
	bool confirmed = death_oom_confirmed(d);
	struct report *out;
	uint16_t limit;

	if (!d->oom_ns || d->oom_reported)
		return true;
	if (!confirmed && !d->exit_ns && since_ns(core->now_ns, d->oom_ns) < OOM_CONFIRM_NS)
		return false;
	d->oom_reported = true;
	limit = container_find(&core->containers, &d->oom.memcg);
	out = emit_begin(core, REPORT_OOM_KILL, d->oom_ns);
	emit_proc_id(core, &d->proc, &out->oom_kill.victim);
	emit_proc_id(core, &d->oom.trigger, &out->oom_kill.trigger);
	out->oom_kill.oom = d->oom;
	out->oom_kill.limit_cgroup_path = core->containers.all[limit].path;
	out->oom_kill.confirmed = confirmed;
	emit_end(core);
	return true;
}

static void report_exit(struct core *core, struct death *d)
{
	const struct proc *p = proctab_find(&core->procs, &d->proc);
	struct report *out;
	bool notable;

	if (!d->exit_ns || d->exit_reported)
		return;
	d->exit_reported = true;
	notable = (p && (p->held_listener || p->served_http)) || d->oom_ns || d->v8_ns ||
		  ((d->status & 0x7f) && d->peak_rss_bytes >= NOTABLE_PEAK_BYTES);
	if (!notable)
		return;
	out = emit_begin(core, REPORT_PROCESS_EXIT, d->exit_ns);
	emit_proc_id(core, &d->proc, &out->process_exit.proc);
	death_decode(d, &out->process_exit.death);
	out->process_exit.lifetime_ns = since_ns(d->exit_ns, d->proc.start_ns);
	emit_end(core);
}

/* In the order of their records; what still waits for its SIGKILL or its exit stays. */
static void report_deaths(struct core *core)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < core->nr_due_deaths; i++) {
		struct death *d = &core->deaths.all[core->due_deaths[i]];

		if (!report_oom(core, d))
			core->due_deaths[kept++] = core->due_deaths[i];
		else
			report_exit(core, d);
	}
	core->nr_due_deaths = kept;
}

/* What is left of the limit is used by everything in the cgroup, not only by this process. */
static void ceiling_of(const struct core *core, const struct proc *p, struct growth_ceiling *out)
{
	uint64_t anon = core->containers.all[p->container].anon_bytes;

	out->bytes = p->memcg_limit_bytes;
	out->used_bytes = max_u64(anon, p->anon_bytes);
}

static void report_growth(struct core *core, uint16_t index)
{
	struct growth *g = &core->growths.all[index];
	const struct proc *p = proctab_find(&core->procs, &g->proc);
	struct growth_ceiling ceiling;
	struct report_growth growth;
	struct report *out;

	if (!g->used || !p)
		return;
	ceiling_of(core, p, &ceiling);
	if (!growth_evaluate(g, core->now_ns, core->header.tick_ns, &ceiling, &growth))
		return;
	out = emit_begin(core, REPORT_GROWTH, core->now_ns);
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
			sample_growth(core, p, core->now_ns);
	}
}

static void count_own_losses(struct core *core)
{
	struct heartbeat *h = &core->heartbeat;

	heartbeat_set_loss(h, "core", "process_table", core->procs.refused);
	heartbeat_set_loss(h, "core", "exe_table", core->exes.refused);
	heartbeat_set_loss(h, "core", "container_table", core->containers.refused);
	heartbeat_set_loss(h, "core", "death_table", core->deaths.lost);
	heartbeat_set_loss(h, "core", "growth_table", core->growths.refused);
	heartbeat_set_loss(h, "core", "service_table", core->services.refused);
	heartbeat_set_loss(h, "core", "gateway_table", core->gateways.refused);
	heartbeat_set_loss(h, "core", "incident_table", core->incidents.refused);
	heartbeat_set_loss(h, "core", "probe_table", core->probes_refused);
}

static void remember_losses(struct core *core)
{
	uint64_t slot = core->now_ns / LOSS_HISTORY_NS;
	uint64_t lost = heartbeat_events_lost(&core->heartbeat);

	if (slot == core->lost_slot)
		return;
	memmove(&core->lost[1], &core->lost[0], sizeof(core->lost) - sizeof(core->lost[0]));
	core->lost[0] = lost;
	core->lost_slot = slot;
}

static void beat(struct core *core)
{
	struct report_heartbeat heartbeat;
	struct report *out;

	if (!heartbeat_due(&core->heartbeat, core->now_ns, &heartbeat))
		return;
	out = emit_begin(core, REPORT_HEARTBEAT, core->now_ns);
	out->heartbeat = heartbeat;
	out->heartbeat.processes = core->procs.nr_alive;
	out->heartbeat.open_incidents = core->incidents.nr_open;
	emit_end(core);
}

static void end_batch(struct core *core, bool regular)
{
	struct heartbeat *h = &core->heartbeat;

	if (regular)
		h->flows = h->batch_flows;
	h->batch_flows = 0;
	core->flows_read_ns = max_u64(core->flows_read_ns, core->flows_now_ns);
	core->nr_due_growths = 0;
	proctab_expire(&core->procs, core->now_ns);
}

static void decide(struct core *core, bool regular)
{
	count_own_losses(core);
	gateway_tick(&core->gateways, core->now_ns);
	report_deaths(core);
	resample_silent(core);
	for (uint16_t i = 0; i < core->nr_due_growths; i++)
		report_growth(core, core->due_growths[i]);
	incident_tick(core);
	beat(core);
	remember_losses(core);
	end_batch(core, regular);
}

static void take_tick(struct core *core, const struct record *r)
{
	emit_start(core);
	decide(core, !r->tick.alarm);
}

static void take_stop(struct core *core, const struct record *r)
{
	(void)r;
	decide(core, true);
	incident_stop(core);
	core->stopped = true;
}

typedef void (*take_fn)(struct core *core, const struct record *record);

static const take_fn takers[NR_RECORD_KINDS] = {
	[RECORD_HEADER] = take_header,	 [RECORD_PROBE] = take_probe,
	[RECORD_CLOCK] = take_clock,	 [RECORD_PROC] = take_proc,
	[RECORD_EXEC] = take_exec,	 [RECORD_EXE] = take_exe,
	[RECORD_EXIT] = take_exit,	 [RECORD_SIGNAL] = take_signal,
	[RECORD_OOM] = take_oom,	 [RECORD_V8_OOM] = take_v8_oom,
	[RECORD_TASK] = take_task,	 [RECORD_RSS] = take_rss,
	[RECORD_VM] = take_vm,		 [RECORD_CGROUP] = take_cgroup,
	[RECORD_RECLAIM] = take_reclaim, [RECORD_LISTENER] = take_listener,
	[RECORD_FLOW] = take_flow,	 [RECORD_LOSS] = take_loss,
	[RECORD_SELF] = take_self,	 [RECORD_TICK] = take_tick,
	[RECORD_STOP] = take_stop,
};

void core_feed(struct core *core, const struct record *record)
{
	if (core->stopped || (unsigned int)record->kind >= NR_RECORD_KINDS || !takers[record->kind])
		return;
	core->now_ns = max_u64(core->now_ns, record->ts_ns);
	if (!core->heartbeat.records++) {
		core->heartbeat.first_ns = record->ts_ns;
		core->heartbeat.next_ns = record->ts_ns + HEARTBEAT_NS;
	}
	takers[record->kind](core, record);
}
