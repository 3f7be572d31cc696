/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * take_death.c - records about the end of a process, joined in its death, and their reports once the
 * parts are together.
 */
#include <signal.h>
#include <string.h>

#include "core/outlook.h"
#include "core/take.h"

/* A death worth a report although nobody was served by the process. */
#define NOTABLE_PEAK_BYTES (64 * MIB)
/* The SIGKILL follows the mark within microseconds; later the OOM kill is told unconfirmed. */
#define OOM_CONFIRM_NS NSEC_PER_SEC
/* Who holds less than half of what an OOM kill was about died of the others' memory. */
#define OWN_SHARE 0.5
/* Growth of another one that could have mattered. */
#define OTHER_GREW_BYTES (8 * MIB)
/* -XX:+ExitOnOutOfMemoryError, src/hotspot/share/utilities/debug.cpp */
#define JVM_OOM_EXIT_CODE 3
#define MAX_SUPERVISORS	  4

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

struct death *death_get(struct core *core, struct proc *p)
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

void take_signal(struct core *core, const struct record *r)
{
	struct proc *p = proctab_get(&core->procs, &r->signal.target);

	if (!p || p->exit_seen)
		return;
	if (p->death || p->growth || serves(core, p))
		death_add_signal(death_get(core, p), r->ts_ns, &r->signal);
}

/* Below the limit that was hit: in its cgroup or one whose path goes on from its own. */
static bool is_below(const struct container *c, const struct record_oom *oom,
		     const struct container *limit)
{
	size_t length = strlen(limit->path);

	if (c->id.node != oom->memcg.node)
		return false;
	if (!oom->memcg.id || cgroup_id_equal(&c->id, &oom->memcg))
		return true;
	if (!length || c->id.hierarchy != oom->memcg.hierarchy)
		return false;
	return strncmp(c->path, limit->path, length) == 0 &&
	       (c->path[length] == '/' || limit->path[length - 1] == '/');
}

/* Who else is below the limit; memory as of the newest samples, the victim's as of its mark. */
static void weigh_oom(struct core *core, const struct proc *victim, struct death *d)
{
	const struct container *limit =
		&core->containers.all[container_find(&core->containers, &d->oom.memcg)];
	const struct container *own = &core->containers.all[victim->container];
	uint64_t anon = max_u64(d->oom.anon_bytes, 1);
	uint64_t all = anon;

	d->oom_shared_limit = !cgroup_id_equal(&own->id, &d->oom.memcg);
	for (uint16_t i = 1; i <= core->containers.nr; i++) {
		const struct container *c = &core->containers.all[i];

		if (is_below(c, &d->oom, limit))
			all = add_u64(all, c == own ? since_ns(c->anon_bytes, victim->anon_bytes)
						    : c->anon_bytes);
	}
	d->oom_share = (double)anon / (double)all;
}

static void compare_growths(struct core *core, const struct proc *victim, struct death *d)
{
	const struct container *limit =
		&core->containers.all[container_find(&core->containers, &d->oom.memcg)];
	uint64_t own = d->oom.anon_bytes;

	if (victim->growth)
		own = growth_of_last_minute(&core->growths.all[victim->growth], d->oom_ns,
					    d->oom.anon_bytes);
	own = max_u64(own, OTHER_GREW_BYTES);
	for (uint16_t i = 1; i <= core->growths.nr_touched && !d->oom_other_grew; i++) {
		const struct growth *g = &core->growths.all[i];
		const struct proc *p = g->used ? proctab_find(&core->procs, &g->proc) : NULL;

		if (p && p != victim &&
		    is_below(&core->containers.all[p->container], &d->oom, limit))
			d->oom_other_grew =
				growth_of_last_minute(g, d->oom_ns, p->anon_bytes) > own;
	}
}

void take_oom(struct core *core, const struct record *r)
{
	struct proc *p = proctab_get(&core->procs, &r->oom.victim);
	struct death *d;

	if (!p)
		return;
	process_set_comm(p, r->oom.victim_comm);
	d = death_get(core, p);
	/* Marked again while it dies: the first mark tells the state that led to it. */
	if (d->oom_ns)
		return;
	d->oom = r->oom;
	d->oom_ns = r->ts_ns;
	weigh_oom(core, p, d);
	compare_growths(core, p, d);
	queue_death(core, p->death);
}

static void conclude_growth(struct core *core, struct proc *p, struct death *d, uint64_t ts_ns)
{
	struct growth_end end = {
		.ts_ns = ts_ns,
		.anon_bytes = d->anon_bytes ? d->anon_bytes : p->anon_bytes,
		.requests = p->requests,
		.managed_heap = runtime_is_managed(p->runtime),
		.heap_most_bytes = ceiling_heap_most(p->runtime, p->heap_limit_bytes),
		.tick_ns = node_of(core, p->id.node)->header.tick_ns,
	};

	if (p->growth)
		growth_conclude(&core->growths.all[p->growth], &end, &d->story);
}

void take_v8_oom(struct core *core, const struct record *r)
{
	struct proc *p = proctab_get(&core->procs, &r->v8_oom.proc);
	struct death *d;

	if (!p)
		return;
	d = death_get(core, p);
	/* Giving up passes several places that say so. */
	if (d->v8_ns && since_ns(r->ts_ns, d->v8_ns) <= DEATH_SIGNAL_NS)
		return;
	d->v8_ns = r->ts_ns;
	d->v8_anon_bytes = p->anon_bytes;
	conclude_growth(core, p, d, r->ts_ns);
}

/* Told by its command line how to end when its heap is full, it ended so. */
static bool is_heap_full_exit(const struct proc *p, const struct death *d)
{
	if (p->oom_exit == OOM_EXIT_CODE)
		return d->status == JVM_OOM_EXIT_CODE << 8;
	return p->oom_exit == OOM_EXIT_ABORT && death_aborted_itself(d);
}

static enum life_end end_of_life(struct core *core, const struct proc *p, const struct death *d)
{
	const struct death_signal *s = death_signal_of(d);

	if (death_is_oom_kill(d))
		return d->oom_share < OWN_SHARE ? LIFE_ENDED_OTHERWISE : LIFE_OOM;
	if (death_by_memory(d))
		return LIFE_HEAP_FULL;
	if (s && s->code <= 0 &&
	    proctab_is_ancestor(&core->procs, &s->sender, &p->id, MAX_SUPERVISORS))
		return LIFE_SUPERVISOR;
	return LIFE_ENDED_OTHERWISE;
}

static void add_life(struct core *core, struct proc *p, const struct death *d)
{
	const struct endpoint *service = outlook_service(core, p);
	struct life life = {
		.proc = p->id,
		.end_ns = d->exit_ns,
		.peak_anon_bytes = d->peak_anon_bytes,
		.baseline_anon_bytes = d->traffic.baseline_anon_bytes,
		.requests = p->requests,
		.grew = d->story.grew && !d->story.insufficient,
		.end = (uint8_t)end_of_life(core, p, d),
	};

	if (service)
		lives_add(&core->lives, service, &life);
}

/* The last look at what its tables hold. The ceilings are those that stood before it ended. */
static void conclude_tables(struct core *core, struct proc *p, struct death *d)
{
	if (p->traffic)
		traffic_conclude(&core->traffics.all[p->traffic], d->exit_ns, &d->traffic);
	p->peak_anon_bytes = max_u64(p->peak_anon_bytes, d->anon_bytes);
	d->peak_anon_bytes = p->peak_anon_bytes;
	d->map_failed_ns = p->map_failed_ns;
	d->heap_full_exit = is_heap_full_exit(p, d);
	outlook_lives(core, p, d->exit_ns, &d->lives);
	outlook_ceilings(core, p, max_u64(p->anon_bytes, d->anon_bytes), &d->lives, &d->ceilings);
	add_life(core, p, d);
}

void death_conclude(struct core *core, struct proc *p, struct death *d)
{
	if (d->exit_ns)
		return;
	d->exit_ns = p->exit_ns;
	d->status = p->exit_status;
	d->peak_rss_bytes = max_u64(d->peak_rss_bytes, p->exit_peak_kib * KIB);
	if (!d->anon_bytes)
		d->anon_bytes = d->oom.anon_bytes ? d->oom.anon_bytes : p->anon_bytes;
	/* A worker thread gives its heap back before the process ends: what led here was before. */
	if (!death_is_v8_oom(d) || d->anon_bytes >= d->v8_anon_bytes)
		conclude_growth(core, p, d, d->exit_ns);
	conclude_tables(core, p, d);
	service_count_death(&core->services,
			    &(struct service_death){p->id, d->exit_ns, death_kind_of(d)});
	queue_death(core, p->death);
}

void take_exit(struct core *core, const struct record *r)
{
	const struct record_exit *in = &r->exit;
	struct proc *p = proctab_get(&core->procs, &in->proc);
	bool fatal = in->status & 0x7f;
	struct death *d;

	if (!p || p->exit_seen)
		return;
	p->exit_seen = true;
	process_set_comm(p, in->comm);
	p->exit_status = in->status;
	p->exit_peak_kib = (uint32_t)min_u64(in->peak_rss_bytes / KIB, UINT32_MAX);
	gateway_worker_exit(&core->gateways, p);
	proctab_exit(&core->procs, p, r->ts_ns);
	p->exit_ns = max_u64(r->ts_ns, 1);
	if (p->death || serves(core, p) || (fatal && in->peak_rss_bytes >= NOTABLE_PEAK_BYTES)) {
		d = death_get(core, p);
		d->anon_bytes = in->anon_bytes;
		death_conclude(core, p, d);
	}
	process_set_anon(core, p, 0);
	process_drop_growth(core, p);
}

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
	out = emit_begin(core, REPORT_OOM_KILL, d->proc.node, d->oom_ns);
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
	out = emit_begin(core, REPORT_PROCESS_EXIT, d->proc.node, d->exit_ns);
	emit_proc_id(core, &d->proc, &out->process_exit.proc);
	death_decode(d, &out->process_exit.death);
	out->process_exit.lifetime_ns = since_ns(d->exit_ns, d->proc.start_ns);
	out->process_exit.nr_served = service_answered_at(
		&core->services, &d->proc, out->process_exit.served, REPORT_MAX_SERVED);
	emit_end(core);
}

void deaths_report(struct core *core)
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
