/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* correlate.c - see correlate.h. */
#include "core/correlate.h"

#include <string.h>

#define BEFORE_NS (30 * NSEC_PER_SEC)
/* Deaths this close together belong together: a whole container, a worker and its parent. */
#define TOGETHER_NS   (2 * NSEC_PER_SEC)
#define MAX_ANCESTORS 8
/* Who has run for so long serves, or will not. */
#define SETTLED_NS (5 * NSEC_PER_SEC)
/* memory.oom.group: the kernel marks the whole cgroup in one go. */
#define ONE_KILL_NS NSEC_PER_SEC
/* Another one that grew has to outdo the service's own growth clearly to be blamed for it. */
#define CLEARLY_MORE 1.5

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

bool correlate_same_program(const struct proc *a, const struct proc *b)
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

		if (!parent || !correlate_same_program(dead, parent))
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

/* The same for a worker: the listener stayed, and another one stands there since. */
static bool was_replaced(const struct correlation *c, uint64_t exit_ns, uint64_t first_ns)
{
	for (uint32_t i = 0; i < c->nr_services; i++) {
		const struct service *s = c->services[i];

		for (int m = 0; s->up && s->down_ns < exit_ns && m < s->nr_members; m++)
			if (s->members[m].proc.start_ns > exit_ns &&
			    s->members[m].proc.start_ns + SETTLED_NS <= first_ns)
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
	if (exit_ns > first_ns + CORRELATE_EARLY_NS || came_back(c, exit_ns, first_ns) ||
	    was_replaced(c, exit_ns, first_ns))
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

static bool one_kill(const struct death *a, const struct death *b)
{
	return a->oom_ns && b->oom_ns && cgroup_id_equal(&a->oom.memcg, &b->oom.memcg) &&
	       distance(a->oom_ns, b->oom_ns) <= ONE_KILL_NS && death_is_oom_kill(a) &&
	       death_is_oom_kill(b);
}

/* Bytes it grew by while it was watched. */
static double grown(const struct death *d)
{
	uint64_t peak = max_u64(d->peak_anon_bytes, d->anon_bytes);
	uint64_t baseline = d->traffic.baseline_anon_bytes;
	double trend = d->story.grew ? d->story.trend.slope * d->story.trend.window_s : 0;
	double above = baseline ? (double)since_ns(peak, baseline) : 0;

	return trend > above ? trend : above;
}

static bool in_one_container(const struct correlate_tables *t, const struct death *a,
			     const struct death *b)
{
	const struct proc *first = proctab_find(t->procs, &a->proc);
	const struct proc *second = proctab_find(t->procs, &b->proc);

	return first && second && first->container == second->container;
}

/*
 * Who filled the limit that took the service: itself, unless another in its container clearly grew
 * more. One elsewhere below a limit of several containers is no part of the service: then it is the
 * service that died for it.
 */
static struct death *grower(const struct correlate_tables *t, struct death *death)
{
	struct death *most = death;

	if (!death || !death_is_oom_kill(death))
		return death;
	for (uint16_t i = 1; i <= DEATH_MAX; i++) {
		struct death *d = &t->deaths->all[i];

		if (d != death && d->proc.tgid && one_kill(d, death) &&
		    in_one_container(t, d, death) &&
		    grown(d) > grown(most) * (most == death ? CLEARLY_MORE : 1))
			most = d;
	}
	return most;
}

uint32_t correlate_victims(const struct correlate_tables *t, const struct death *culprit,
			   const struct death *victims[CORRELATE_VICTIMS])
{
	uint32_t n = 0;

	for (uint16_t i = 1; i <= DEATH_MAX && n < CORRELATE_VICTIMS; i++) {
		const struct death *d = &t->deaths->all[i];

		if (d->proc.tgid && !proc_id_equal(&d->proc, &culprit->proc) &&
		    one_kill(d, culprit))
			victims[n++] = d;
	}
	return n;
}

/* Ends nobody asked for count for a crash loop, each group that dies together once. */
#define MAX_ENDS 16

struct ends {
	uint64_t ns[MAX_ENDS];
	uint32_t nr;
};

static void add_end(struct ends *ends, const struct death *d)
{
	if (!d->status || death_was_asked(d))
		return;
	for (uint32_t i = 0; i < ends->nr; i++)
		if (distance(ends->ns[i], d->exit_ns) <= TOGETHER_NS)
			return;
	if (ends->nr < MAX_ENDS)
		ends->ns[ends->nr++] = d->exit_ns;
}

struct window {
	uint64_t first_ns;
	uint64_t last_ns;
};

static bool until(const struct window *w, const struct death *d)
{
	return d->exit_ns <= w->last_ns + CORRELATE_EARLY_NS;
}

/* The end of what already failed before says nothing, but a dying process fails a little early. */
static bool may_have_failed(const struct window *w, const struct death *d)
{
	return d->exit_ns <= max_u64(w->first_ns + CORRELATE_EARLY_NS, w->last_ns);
}

static void consider(const struct correlation *c, const struct window *w,
		     const struct candidate *candidate, struct candidate *best,
		     struct candidate *late)
{
	const struct death *d = candidate->death;

	if (d->exit_ns > w->first_ns + CORRELATE_EARLY_NS && until(w, d))
		keep_better(late, candidate, w->first_ns);
	else if (in_window(c, d->exit_ns, w->first_ns))
		keep_better(best, candidate, w->first_ns);
}

void correlate(const struct correlate_tables *t, const struct endpoint *upstream, uint64_t first_ns,
	       uint64_t last_ns, struct correlation *out)
{
	struct candidate best = {0}, late = {0}, newest = {0};
	struct window window = {first_ns, last_ns};
	struct ends ends = {.nr = 0};

	memset(out, 0, sizeof(*out));
	out->nr_services = service_find(t->services, upstream, out->services);
	for (uint16_t i = 1; i <= DEATH_MAX; i++) {
		struct candidate c = {.death = &t->deaths->all[i]};

		if (!c.death->proc.tgid || !c.death->exit_ns)
			continue;
		c.relation = relation_of(t, out, &c.death->proc);
		if (c.relation == UNRELATED)
			continue;
		if (since_ns(last_ns, c.death->exit_ns) <= CORRELATE_RECENT_NS)
			add_end(&ends, c.death);
		if (c.death->exit_ns + BEFORE_NS >= first_ns && may_have_failed(&window, c.death))
			out->deaths_behind++;
		if (until(&window, c.death))
			keep_better(&newest, &c, last_ns + CORRELATE_EARLY_NS);
		consider(out, &window, &c, &best, &late);
	}
	out->death = grower(t, best.death);
	out->late = grower(t, late.death);
	out->newest = grower(t, newest.death);
	out->deaths_10m = ends.nr;
}
