/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* outlook.c - see outlook.h. */
#include "core/outlook.h"

#include "core/state.h"

#define MAX_ANCESTORS 4
/* With so much of its cgroup's memory its own, the others do not matter. */
#define IN_COMPANY 1.2
/* A collector that runs without end does so in the last part of its heap. */
#define ASK_FOR_THRASH 0.8

static const struct service_member *member_of(const struct service *s, const struct proc_id *id)
{
	for (int i = 0; i < s->nr_members; i++)
		if (proc_id_equal(&s->members[i].proc, id))
			return &s->members[i];
	return NULL;
}

struct found {
	uint16_t index; /* 0 none */
	bool owner;
	uint16_t port;
};

static void consider(struct found *best, const struct found *f)
{
	if (best->index && best->owner != f->owner ? best->owner
						   : best->index && best->port <= f->port)
		return;
	*best = *f;
}

static uint16_t search(const struct services *t, const struct proc_id *id)
{
	struct found best = {0};

	for (uint16_t i = 1; i <= t->nr; i++) {
		const struct service_member *m = member_of(&t->all[i], id);

		if (m)
			consider(&best, &(struct found){i, m->owner, t->all[i].local.port});
	}
	return best.index;
}

/* Searched for once; an entry whose address left the table for another one no longer knows it. */
static uint16_t service_of(struct core *core, struct proc *p)
{
	if (!p->held_listener && !p->served_http)
		return 0;
	if (!p->service || !member_of(&core->services.all[p->service], &p->id))
		p->service = search(&core->services, &p->id);
	return p->service;
}

/* Its own, else that of the nearest ancestor that runs the same program. */
static const struct service *inherited(struct core *core, struct proc *p,
				       uint16_t (*own)(struct core *core, struct proc *p))
{
	struct proc *up = p;
	uint16_t index = 0;

	for (int i = 0; i <= MAX_ANCESTORS && up && correlate_same_program(p, up) && !index; i++) {
		index = own(core, up);
		up = proctab_find(&core->procs, &up->parent);
	}
	return index ? &core->services.all[index] : NULL;
}

const struct endpoint *outlook_service(struct core *core, struct proc *p)
{
	const struct service *s = inherited(core, p, service_of);

	return s ? &s->local : NULL;
}

static uint16_t peek(struct core *core, struct proc *p)
{
	return p->held_listener || p->served_http ? search(&core->services, &p->id) : 0;
}

const struct service *outlook_peek_service(struct core *core, struct proc *p)
{
	return inherited(core, p, peek);
}

static void tell_lives(struct core *core, const struct proc *p, const struct endpoint *service,
		       uint64_t now_ns, struct lives_story *out)
{
	struct life current = {
		.proc = p->id,
		.end_ns = p->exit_ns,
		.peak_anon_bytes = p->peak_anon_bytes,
	};

	lives_tell(service ? lives_find(&core->lives, service) : NULL, &current, now_ns, out);
}

void outlook_lives(struct core *core, struct proc *p, uint64_t now_ns, struct lives_story *out)
{
	tell_lives(core, p, outlook_service(core, p), now_ns, out);
}

void outlook_ceilings(const struct core *core, const struct proc *p, uint64_t anon_bytes,
		      const struct lives_story *lives, struct ceilings *out)
{
	const struct container *c = &core->containers.all[p->container];
	struct ceiling_inputs in = {
		.anon_bytes = anon_bytes,
		.cgroup_anon_bytes = add_u64(since_ns(c->anon_bytes, p->anon_bytes), anon_bytes),
		.cgroup_limit_bytes = p->memcg_limit_bytes,
		.machine_bytes = node_of(core, p->id.node)->header.memory_bytes,
		.runtime = p->runtime,
		.runtime_version = p->runtime_version,
		.heap_limit_bytes = p->heap_limit_bytes,
		.memory_ceiling_bytes = lives->memory_ceiling_bytes,
		.supervisor_ceiling_bytes = lives->supervisor_ceiling_bytes,
		.supervisor_limit_bytes = p->supervisor_limit_bytes,
		.file_bytes = p->file_bytes,
		.cgroup_v2 = c->id.hierarchy == 0,
	};

	if (p->growth)
		in.native_bytes = growth_native_bytes(&core->growths.all[p->growth]);
	ceiling_find(&in, out);
}

double outlook_cgroup_pace(struct core *core, const struct proc *p)
{
	uint64_t together = core->containers.all[p->container].anon_bytes;
	double own = 0, all = 0;

	if (!p->container || (double)together < IN_COMPANY * (double)p->anon_bytes ||
	    together < p->memcg_limit_bytes / 2)
		return 1;
	for (uint16_t i = 1; i <= core->growths.nr_touched; i++) {
		const struct growth *g = &core->growths.all[i];
		const struct proc *other = g->used ? proctab_find(&core->procs, &g->proc) : NULL;
		double grown;

		if (!other || other->container != p->container)
			continue;
		grown = (double)growth_of_last_minute(g, core->now_ns, other->anon_bytes);
		all += grown;
		own += other == p ? grown : 0;
	}
	return own > 0 ? all / own : 1;
}

/* Asked only where it can matter: the traffic of a process that has most of its ceiling. */
static bool is_thrashing(const struct core *core, const struct proc *p,
			 const struct ceilings *ceilings)
{
	struct traffic_story traffic;

	if (!p->traffic || !ceilings->nr ||
	    (double)ceilings->used[0] < ASK_FOR_THRASH * (double)ceilings->all[0].bytes)
		return false;
	traffic_conclude(&core->traffics.all[p->traffic], core->now_ns, &traffic);
	return traffic.thrash_ns != 0;
}

void outlook_tell(struct core *core, struct proc *p, const struct endpoint *service,
		  struct outlook *out)
{
	tell_lives(core, p, service, core->now_ns, &out->lives);
	outlook_ceilings(core, p, p->anon_bytes, &out->lives, &out->ceilings);
	out->growth = (struct growth_now){
		.now_ns = core->now_ns,
		.tick_ns = node_of(core, p->id.node)->header.tick_ns,
		.ceilings = &out->ceilings,
		.survived_bytes = out->lives.peak_bytes,
		.cgroup_pace = outlook_cgroup_pace(core, p),
		.thrashing = is_thrashing(core, p, &out->ceilings),
	};
}
