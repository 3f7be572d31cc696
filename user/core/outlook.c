/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* outlook.c - see outlook.h. */
#include "core/outlook.h"

#include "core/state.h"

#define MAX_ANCESTORS 4
/* With so much of its cgroup's memory its own, the others do not matter. */
#define IN_COMPANY 1.2

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

const struct endpoint *outlook_service(struct core *core, struct proc *p)
{
	struct proc *up = p;
	uint16_t index = 0;

	for (int i = 0; i <= MAX_ANCESTORS && up && correlate_same_program(p, up) && !index; i++) {
		index = service_of(core, up);
		up = proctab_find(&core->procs, &up->parent);
	}
	return index ? &core->services.all[index].local : NULL;
}

void outlook_lives(struct core *core, struct proc *p, uint64_t now_ns, struct lives_story *out)
{
	const struct endpoint *service = outlook_service(core, p);
	struct life current = {
		.proc = p->id,
		.end_ns = p->exit_ns,
		.peak_anon_bytes = p->peak_anon_bytes,
	};

	lives_tell(service ? lives_find(&core->lives, service) : NULL, &current, now_ns, out);
}

void outlook_ceilings(const struct core *core, const struct proc *p, uint64_t anon_bytes,
		      const struct lives_story *lives, struct ceilings *out)
{
	const struct container *c = &core->containers.all[p->container];
	struct ceiling_inputs in = {
		.anon_bytes = anon_bytes,
		.cgroup_anon_bytes = add_u64(since_ns(c->anon_bytes, p->anon_bytes), anon_bytes),
		.cgroup_limit_bytes = p->memcg_limit_bytes,
		.machine_bytes = core->header.memory_bytes,
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
