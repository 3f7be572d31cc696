/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * incident_culprit.c - whom an incident is about: the death behind it, those that died with it, who
 * ended it and, where nobody died, the process that serves. What it means is verdict.c's.
 */
#include <string.h>

#include "core/facts.h"
#include "core/incident.h"
#include "core/outlook.h"
#include "core/state.h"
#include "model/text.h"

/* The exit of a slow process, or the end of a batch, may come after the burst was noticed. */
#define YOUNG_NS (5 * NSEC_PER_SEC)
/* What has to follow a death that comes after the first failures. */
#define LATE_MIN_FAILURES 5
#define LATE_RISE	  3
#define LATE_NS		  (10 * NSEC_PER_SEC)
/* Deaths further apart are two. */
#define TOGETHER_NS (2 * NSEC_PER_SEC)

static struct upstream *upstream_of(struct core *core, const struct incident *incident)
{
	return &core->gateways.upstreams[incident->upstream];
}

uint16_t incident_gateway_node(const struct core *core, const struct incident *incident)
{
	const struct upstream *u = &core->gateways.upstreams[incident->upstream];

	return core->gateways.all[u->gateway].root.node;
}

const struct death *incident_death(const struct incident *incident)
{
	return incident->culprit.death.exit_ns ? &incident->culprit.death : NULL;
}

/* Whose it is and how it is called, as far as is known by now. */
static void name(struct core *core, struct incident *incident, struct proc *p)
{
	struct culprit *c = &incident->culprit;
	const struct endpoint *at = &upstream_of(core, incident)->endpoint;
	const struct service *service = outlook_peek_service(core, p);

	c->workload = core->containers.all[p->container].workload;
	c->is_named = emit_service_name(core, p, service ? service->local.port : at->port,
					c->service_name);
}

/* What the runtime says may come after the death. True: it came. */
static bool name_again(struct core *core, struct incident *incident)
{
	struct proc *p = proctab_find(&core->procs, &incident->culprit.death.proc);

	if (!p || !p->container ||
	    memcmp(&incident->culprit.workload, &core->containers.all[p->container].workload,
		   sizeof(struct workload)) == 0)
		return false;
	name(core, incident, p);
	return true;
}

static void snapshot(struct core *core, struct incident *incident, struct proc *p)
{
	struct culprit *c = &incident->culprit;
	struct container *container = &core->containers.all[p->container];

	c->parent = p->parent;
	c->memcg = container->id;
	c->runtime = p->runtime;
	c->v8_watched = p->v8_probe;
	c->requests = p->requests;
	c->memcg_limit_bytes = p->memcg_limit_bytes;
	c->heap_limit_bytes = p->heap_limit_bytes;
	c->memcg_usage_bytes = p->memcg_usage_bytes;
	c->reclaim_ns = container_reclaim_ns(container, core->now_ns);
	c->limit_events_per_s = container_limit_events_per_s(container, core->now_ns);
	text_copy(c->comm, sizeof(c->comm), p->comm, sizeof(p->comm));
	memcpy(c->exe_path, core->exes.exes[p->exe].path, sizeof(c->exe_path));
	memcpy(c->cgroup_path, container->path, sizeof(c->cgroup_path));
	name(core, incident, p);
}

static void take_death(struct core *core, struct incident *incident, struct death *d)
{
	struct proc *p = proctab_find(&core->procs, &d->proc);

	memset(&incident->culprit, 0, sizeof(incident->culprit));
	incident->culprit.death = *d;
	d->explained = true;
	if (p)
		snapshot(core, incident, p);
}

static void take_owner(struct core *core, struct incident *incident, const struct correlation *c)
{
	struct proc *p = facts_owner(core, c);

	memset(&incident->culprit, 0, sizeof(incident->culprit));
	if (!p)
		return;
	facts_account(core, p, &incident->culprit.death);
	snapshot(core, incident, p);
}

static void note_victims(const struct correlate_tables *t, struct incident *incident)
{
	const struct death *victims[CORRELATE_VICTIMS];
	uint32_t n = correlate_victims(t, &incident->culprit.death, victims);

	_Static_assert(CORRELATE_VICTIMS <= REPORT_MAX_VICTIMS, "victims of an incident");
	for (uint32_t i = 0; i < n; i++) {
		struct report_victim *v = &incident->victims[i];
		const struct proc *p = proctab_find(t->procs, &victims[i]->proc);

		memset(v, 0, sizeof(*v));
		v->tgid = victims[i]->proc.tgid;
		v->anon_bytes = max_u64(victims[i]->anon_bytes, victims[i]->oom.anon_bytes);
		if (p)
			text_copy(v->comm, sizeof(v->comm), p->comm, sizeof(p->comm));
	}
	incident->nr_victims = n;
}

/*
 * Memory ended it, and its memory was full, or it thrashed or stood still, when requests began to
 * wait in vain: dying of memory begins long before the end. Who filled up only while requests waited
 * did so because of them.
 */
static bool was_dying(const struct impact *impact, const struct death *d)
{
	const struct traffic_story *t = &d->traffic;
	uint64_t since = earliest_ns(earliest_ns(t->high_ns, t->thrash_ns), t->silent_ns);

	return death_by_memory(d) && since && since <= impact->first_ns &&
	       2 * impact->abandoned > impact_upstream_failures(impact);
}

/*
 * Failures had begun before somebody died. It explains them if it was dying already, or if
 * connections began to fail with it: a process that thrashes answers too late before it gives up,
 * while a race goes on over a restart. One that had stood still explains all of them.
 */
static bool explains_late(struct core *core, struct incident *incident, const struct death *d)
{
	uint64_t before, after;

	if (!d || since_ns(core->now_ns, d->exit_ns) > LATE_NS)
		return false;
	if (incident->has_culprit && proc_id_equal(&incident->culprit.death.proc, &d->proc))
		return true;
	if (was_dying(&upstream_of(core, incident)->burst.sum, d))
		return true;
	burst_around(&upstream_of(core, incident)->burst, core->now_ns, d->exit_ns, &before,
		     &after);
	return after >= LATE_MIN_FAILURES && after >= LATE_RISE * before;
}

/* A better one than at first, now that the end of the batch is known; never back to an earlier life. */
static bool is_no_older(const struct incident *incident, const struct death *d)
{
	return d && d->exit_ns + TOGETHER_NS >= incident->culprit.death.exit_ns;
}

/* Nearly all failures of the burst came with this death. */
static bool brought_most(struct core *core, const struct incident *incident, const struct death *d)
{
	struct burst *burst = &upstream_of(core, incident)->burst;
	uint64_t all = impact_upstream_failures(&burst->sum), before, after;

	burst_around(burst, core->now_ns, d->exit_ns, &before, &after);
	return after >= LATE_MIN_FAILURES && after >= LATE_RISE * since_ns(all, after);
}

/*
 * It died, came back and died again within one burst: the newest life tells most. One that had lived
 * beside it is no newer life: what the first death began is not its fault, unless that was little.
 */
static bool died_again(struct core *core, const struct incident *incident, const struct death *d)
{
	const struct death *last = &incident->culprit.death;
	uint64_t first_ns = upstream_of(core, incident)->burst.sum.first_ns;
	bool began_it = last->exit_ns + TOGETHER_NS >= first_ns;

	if (!d || d->exit_ns <= last->exit_ns + TOGETHER_NS)
		return false;
	if (began_it && d->proc.start_ns < last->exit_ns && !brought_most(core, incident, d))
		return false;
	return death_by_memory(d) || !death_by_memory(last);
}

static struct death *choose_death(struct core *core, struct incident *incident,
				  const struct correlation *c)
{
	bool young = since_ns(core->now_ns, incident->opened_ns) <= YOUNG_NS;

	if (!incident_death(incident)) {
		if (!c->death && explains_late(core, incident, c->late))
			return c->late;
		return c->death;
	}
	if (died_again(core, incident, c->newest))
		return c->newest;
	return young && is_no_older(incident, c->death) ? c->death : NULL;
}

static uint16_t service_node(const struct core *core, const struct incident *incident,
			     const struct correlation *c)
{
	if (incident->culprit.death.proc.tgid)
		return incident->culprit.death.proc.node;
	return c->nr_services ? c->services[0]->local.node : incident_gateway_node(core, incident);
}

bool incident_find_culprit(struct core *core, struct incident *incident, struct correlation *c)
{
	struct correlate_tables tables = {&core->procs, &core->deaths, &core->services};
	const struct upstream *u = upstream_of(core, incident);
	struct proc_id before = {0};
	struct death *d;

	correlate(&tables, &u->endpoint, u->burst.sum.first_ns, u->burst.sum.last_ns, c);
	if (incident_death(incident))
		before = incident->culprit.death.proc;
	d = choose_death(core, incident, c);
	if (d)
		take_death(core, incident, d);
	else if (!incident_death(incident))
		take_owner(core, incident, c);
	incident->deaths_10m = c->deaths_10m;
	incident->node = service_node(core, incident, c);
	if (!d)
		return incident_death(incident) && name_again(core, incident);
	note_victims(&tables, incident);
	return !proc_id_equal(&before, &d->proc);
}

/* The service ---------------------------------------------------------------------------------- */

static void note_service(struct core *core, struct incident *incident, const struct service *s,
			 uint64_t from_ns)
{
	const struct proc *owner = proctab_find(&core->procs, &s->newest_owner);

	incident->listener_is_up |= s->up;
	if (s->down_ns >= from_ns)
		incident->listener_down_ns = earliest_ns(incident->listener_down_ns, s->down_ns);
	if (incident->listener_down_ns && s->up_ns > incident->listener_down_ns)
		incident->listener_up_ns = earliest_ns(incident->listener_up_ns, s->up_ns);
	if (s->up && s->up_ns >= from_ns && s->up_ns)
		incident->next_tgid = s->newest_owner.tgid;
	incident->restarts_10m =
		(uint32_t)max_u64(incident->restarts_10m, service_restarts(s, core->now_ns));
	if (!owner)
		return;
	memcpy(incident->owner_comm, owner->comm, sizeof(incident->owner_comm));
	incident->owner_runtime = owner->runtime;
	incident->owner_is_named =
		emit_service_name(core, owner, s->local.port, incident->owner_service);
}

void incident_note_services(struct core *core, struct incident *incident,
			    const struct correlation *c)
{
	const struct impact *impact = &upstream_of(core, incident)->burst.sum;
	const struct death *d = incident_death(incident);
	uint64_t from_ns = d ? min_u64(d->exit_ns, impact->first_ns)
			     : since_ns(impact->first_ns, NSEC_PER_SEC);

	incident->service_known = c->nr_services != 0;
	incident->listener_is_up = false;
	incident->restarts_10m = 0;
	for (uint32_t i = 0; i < c->nr_services; i++) {
		note_service(core, incident, c->services[i], from_ns);
		incident->listener_came |=
			c->services[i]->up_ns > impact->first_ns && !c->services[i]->down_ns;
	}
}

void incident_note_supervisor(struct core *core, struct incident *incident,
			      const struct correlation *c)
{
	const struct death *d = incident_death(incident);
	struct successor successor;
	const struct proc *p;

	incident->supervisor_tgid = 0;
	incident->supervisor_comm[0] = '\0';
	if (!d)
		return;
	facts_successor(core, c, d, &successor);
	p = facts_supervisor(core, d, &successor.proc);
	if (!p)
		return;
	incident->supervisor_tgid = p->id.tgid;
	memcpy(incident->supervisor_comm, p->comm, sizeof(incident->supervisor_comm));
}
