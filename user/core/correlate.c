/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* correlate.c - see correlate.h. */
#include "core/correlate.h"

#include <string.h>

#define BEFORE_NS (30 * NSEC_PER_SEC)
#define AFTER_NS  (2 * NSEC_PER_SEC)
/* Deaths this close together belong together: a whole container, a worker and its parent. */
#define TOGETHER_NS   (2 * NSEC_PER_SEC)
#define MAX_ANCESTORS 8

enum relation { UNRELATED = 0, WORKER, MEMBER };

static const struct service_member *member(const struct correlation *c, const struct proc_id *id)
{
	for (uint32_t i = 0; i < c->nr_services; i++) {
		const struct service *s = c->services[i];

		for (int m = 0; m < s->nr_members; m++)
			if (proc_id_equal(&s->members[m].proc, id))
				return &s->members[m];
	}
	return NULL;
}

static bool same_program(const struct proc *a, const struct proc *b)
{
	return (a->exe && a->exe == b->exe) || strcmp(a->comm, b->comm) == 0;
}

/* Members, and children of a member that run its program: workers that never answered by name. */
static enum relation relation_of(const struct correlate_tables *t, const struct correlation *c,
				 const struct proc_id *id)
{
	struct proc *dead, *p;

	if (member(c, id))
		return MEMBER;
	dead = p = proctab_find(t->procs, id);
	for (int i = 0; p && i < MAX_ANCESTORS; i++) {
		struct proc *parent = proctab_find(t->procs, &p->parent);

		if (!parent || !same_program(dead, parent))
			return UNRELATED;
		if (member(c, &parent->id))
			return WORKER;
		p = parent;
	}
	return UNRELATED;
}

/* Was somebody listening again between this death and the first failure? */
static bool came_back(const struct correlation *c, uint64_t exit_ns, uint64_t first_ns)
{
	for (uint32_t i = 0; i < c->nr_services; i++) {
		const struct service *s = c->services[i];

		if (s->up_ns > exit_ns && s->up_ns < first_ns)
			return true;
	}
	return false;
}

/* Did the address lose its last listener with this death, and was it still so at the failure? */
static bool down_since(const struct correlation *c, uint64_t exit_ns, uint64_t first_ns)
{
	for (uint32_t i = 0; i < c->nr_services; i++) {
		const struct service *s = c->services[i];

		if (s->down_ns >= exit_ns && s->down_ns - exit_ns < TOGETHER_NS &&
		    (!s->up || s->up_ns >= first_ns))
			return true;
	}
	return false;
}

static bool in_window(const struct correlation *c, uint64_t exit_ns, uint64_t first_ns)
{
	if (exit_ns > first_ns + AFTER_NS || came_back(c, exit_ns, first_ns))
		return false;
	return since_ns(first_ns, exit_ns) <= BEFORE_NS || down_since(c, exit_ns, first_ns);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

struct candidate {
	struct death *death;
	enum relation relation;
};

/* Nearest to the failures; of those that died together the one memory killed, then a member. */
static bool better(const struct candidate *a, const struct candidate *b, uint64_t first_ns)
{
	uint64_t a_ns = a->death->exit_ns, b_ns = b->death->exit_ns;

	if (distance(a_ns, b_ns) > TOGETHER_NS)
		return distance(a_ns, first_ns) < distance(b_ns, first_ns);
	if (death_by_memory(a->death) != death_by_memory(b->death))
		return death_by_memory(a->death);
	if (a->relation != b->relation)
		return a->relation > b->relation;
	/* The first one of several equals took the others along. */
	if (a_ns != b_ns)
		return a_ns < b_ns;
	return a->death->proc.tgid < b->death->proc.tgid;
}

static void keep_better(struct candidate *best, const struct candidate *c, uint64_t first_ns)
{
	if (!best->death || better(c, best, first_ns))
		*best = *c;
}

void correlate(const struct correlate_tables *t, const struct endpoint *upstream, uint64_t first_ns,
	       uint64_t last_ns, struct correlation *out)
{
	struct candidate best = {0}, late = {0};

	memset(out, 0, sizeof(*out));
	out->nr_services = service_find(t->services, upstream, out->services);
	for (uint16_t i = 1; i <= DEATH_MAX; i++) {
		struct candidate c = {.death = &t->deaths->all[i]};

		if (!c.death->proc.tgid || !c.death->exit_ns)
			continue;
		c.relation = relation_of(t, out, &c.death->proc);
		if (c.relation == UNRELATED)
			continue;
		if (c.death->exit_ns + BEFORE_NS >= first_ns &&
		    c.death->exit_ns <= last_ns + AFTER_NS)
			out->deaths_behind++;
		if (c.death->exit_ns > first_ns + AFTER_NS &&
		    c.death->exit_ns <= last_ns + AFTER_NS)
			keep_better(&late, &c, first_ns);
		else if (in_window(out, c.death->exit_ns, first_ns))
			keep_better(&best, &c, first_ns);
	}
	out->death = best.death;
	out->late = late.death;
}
