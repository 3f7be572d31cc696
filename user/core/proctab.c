/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* proctab.c - see proctab.h. */
#include "core/proctab.h"

#include <string.h>

/* Bounds the work of one tick; ten times the forks a busy host does in a second. */
#define EXPIRE_PER_CALL 4096

void proctab_init(struct proctab *t, proctab_release_fn release, void *arg)
{
	t->release = release;
	t->arg = arg;
}

/* By tgid alone, so that a chain holds every life of a reused pid. */
static uint16_t *head_of(struct proctab *t, uint32_t tgid)
{
	return &t->heads[hash_u64(tgid) % PROCTAB_HEADS];
}

static bool same_pid(const struct proc_id *a, const struct proc_id *b)
{
	return a->tgid == b->tgid && a->node == b->node;
}

static uint16_t index_of(const struct proctab *t, const struct proc *p)
{
	return (uint16_t)(p - t->procs);
}

struct proc *proctab_find(struct proctab *t, const struct proc_id *id)
{
	struct proc *newest = NULL;

	if (!id->tgid)
		return NULL;
	for (uint16_t i = *head_of(t, id->tgid); i; i = t->procs[i].next) {
		struct proc *p = &t->procs[i];

		if (!same_pid(&p->id, id))
			continue;
		if (p->id.start_ns == id->start_ns)
			return p;
		if (!newest || p->id.start_ns > newest->id.start_ns)
			newest = p;
	}
	return id->start_ns ? NULL : newest;
}

static void unlink_dead(struct proctab *t, struct proc *p)
{
	if (p->older)
		t->procs[p->older].newer = p->newer;
	else
		t->oldest_dead = p->newer;
	if (p->newer)
		t->procs[p->newer].older = p->older;
	else
		t->newest_dead = p->older;
}

static void evict_oldest_dead(struct proctab *t)
{
	struct proc *p = &t->procs[t->oldest_dead];
	uint16_t index = t->oldest_dead;
	uint16_t *link = head_of(t, p->id.tgid);

	t->release(t->arg, p);
	unlink_dead(t, p);
	while (*link != index)
		link = &t->procs[*link].next;
	*link = p->next;
	memset(p, 0, sizeof(*p));
	p->next = t->free_list;
	t->free_list = index;
}

static struct proc *take_slot(struct proctab *t)
{
	struct proc *p;

	if (!t->free_list && t->nr_touched == PROCTAB_SIZE && t->oldest_dead)
		evict_oldest_dead(t);
	if (t->free_list) {
		p = &t->procs[t->free_list];
		t->free_list = p->next;
		return p;
	}
	if (t->nr_touched == PROCTAB_SIZE) {
		t->refused++;
		return NULL;
	}
	return &t->procs[++t->nr_touched];
}

/*
 * One tgid lives once: whoever has it and began earlier is gone, even if its exit was lost. Returns
 * the begin of a later life, 0 if the new one is the newest.
 */
static uint64_t end_other_lives(struct proctab *t, const struct proc_id *id)
{
	uint64_t later_ns = 0;

	for (uint16_t i = *head_of(t, id->tgid); i; i = t->procs[i].next) {
		struct proc *p = &t->procs[i];

		if (!same_pid(&p->id, id))
			continue;
		if (p->id.start_ns < id->start_ns)
			proctab_exit(t, p, id->start_ns);
		else
			later_ns = earliest_ns(later_ns, p->id.start_ns);
	}
	return later_ns;
}

struct proc *proctab_get(struct proctab *t, const struct proc_id *id)
{
	struct proc *p = proctab_find(t, id);
	uint64_t later_ns;
	uint16_t *head;

	if (p || !id->tgid)
		return p;
	p = take_slot(t);
	if (!p)
		return NULL;
	later_ns = end_other_lives(t, id);
	head = head_of(t, id->tgid);
	memset(p, 0, sizeof(*p));
	p->id = *id;
	p->next = *head;
	*head = index_of(t, p);
	t->nr_alive++;
	if (later_ns)
		proctab_exit(t, p, later_ns);
	return p;
}

bool proctab_is_ancestor(struct proctab *t, const struct proc_id *who, const struct proc_id *of,
			 int generations)
{
	const struct proc *p = proctab_find(t, of);

	for (int i = 0; p && i < generations; i++) {
		if (proc_id_equal(&p->parent, who))
			return true;
		p = proctab_find(t, &p->parent);
	}
	return false;
}

void proctab_exit(struct proctab *t, struct proc *p, uint64_t ts_ns)
{
	uint16_t index = index_of(t, p);

	if (p->exit_ns)
		return;
	p->exit_ns = ts_ns ? ts_ns : 1;
	p->older = t->newest_dead;
	p->newer = 0;
	if (t->newest_dead)
		t->procs[t->newest_dead].newer = index;
	else
		t->oldest_dead = index;
	t->newest_dead = index;
	t->nr_alive--;
}

void proctab_expire(struct proctab *t, uint64_t now_ns)
{
	for (int i = 0; i < EXPIRE_PER_CALL && t->oldest_dead; i++) {
		if (since_ns(now_ns, t->procs[t->oldest_dead].exit_ns) < PROCTAB_KEEP_DEAD_NS)
			return;
		evict_oldest_dead(t);
	}
}
