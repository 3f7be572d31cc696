/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* gateway.c - see gateway.h. */
#include "core/gateway.h"

#include <string.h>

#include "core/gateway_parts.h"
#include "core/gateway_share.h"
#include "model/text.h"

#define MAX_ANCESTORS 8

struct proc *gateway_root(struct proctab *procs, struct proc *p)
{
	for (int i = 0; i < MAX_ANCESTORS && !p->created_listener; i++) {
		struct proc *parent = proctab_find(procs, &p->parent);

		if (!parent || parent == p || strcmp(parent->comm, p->comm) != 0)
			return p;
		p = parent;
	}
	return p;
}

static uint32_t head_of(uint16_t gateway, const struct endpoint *e)
{
	uint64_t low, high;

	memcpy(&high, e->addr, sizeof(high));
	memcpy(&low, e->addr + 8, sizeof(low));
	return hash_u64(hash_u64(high) ^ low ^ (uint64_t)gateway << 48 ^ (uint64_t)e->netns << 16 ^
			e->port) %
	       UPSTREAM_HEADS;
}

/* Out of its chain and its gateway's list. */
static void drop_upstream(struct gateways *t, uint16_t index)
{
	struct upstream *u = &t->upstreams[index];
	uint16_t *link = &t->heads[head_of(u->gateway, &u->key)];

	while (*link != index)
		link = &t->upstreams[*link].next;
	*link = u->next;
	link = &t->all[u->gateway].upstreams;
	while (*link != index)
		link = &t->upstreams[*link].sibling;
	*link = u->sibling;
	memset(u, 0, sizeof(*u));
}

static bool has_open_burst(const struct gateways *t, const struct gateway *g)
{
	for (uint16_t i = g->upstreams; i; i = t->upstreams[i].sibling)
		if (t->upstreams[i].burst.open || t->upstreams[i].incident)
			return true;
	return false;
}

/* An unused entry, else the idle one that matters least; 0 if all are needed. */
static uint16_t take_gateway(struct gateways *t)
{
	uint16_t victim = 0;
	uint16_t generation;

	for (uint16_t i = 1; i <= GATEWAY_MAX; i++) {
		const struct gateway *g = &t->all[i];
		const struct gateway *v = &t->all[victim];
		bool whole = g->serves && g->calls;
		bool victim_whole = v->serves && v->calls;

		if (!g->root.tgid)
			return i;
		if (g->active || has_open_burst(t, g))
			continue;
		if (!victim || whole < victim_whole ||
		    (whole == victim_whole && g->used_ns < v->used_ns))
			victim = i;
	}
	if (!victim)
		return 0;
	while (t->all[victim].upstreams)
		drop_upstream(t, t->all[victim].upstreams);
	generation = t->all[victim].generation;
	memset(&t->all[victim], 0, sizeof(t->all[victim]));
	t->all[victim].generation = (uint16_t)(generation + 1);
	return victim;
}

static uint16_t find_root(const struct gateways *t, const struct proc_id *root)
{
	for (uint16_t i = 1; i <= GATEWAY_MAX; i++)
		if (proc_id_equal(&t->all[i].root, root))
			return i;
	return 0;
}

struct gateway *gateway_known(struct gateways *t, const struct proc *p)
{
	struct gateway *g = &t->all[p->gateway];

	if (!p->gateway || g->generation != p->gateway_generation)
		return NULL;
	return g;
}

struct gateway *gateway_get(struct gateways *t, struct proctab *procs, struct proc *p)
{
	struct gateway *g = gateway_known(t, p);
	struct proc *root;
	uint16_t i;

	if (g)
		return g;
	root = gateway_root(procs, p);
	i = find_root(t, &root->id);
	if (!i) {
		i = take_gateway(t);
		if (!i) {
			t->refused++;
			return NULL;
		}
		t->all[i].root = root->id;
		text_copy(t->all[i].comm, sizeof(t->all[i].comm), root->comm, sizeof(root->comm));
		t->all[i].personality = personality_of(t->all[i].comm);
	}
	p->gateway = i;
	p->gateway_generation = t->all[i].generation;
	if (!p->exit_ns)
		t->all[i].nr_workers++;
	return &t->all[i];
}

void gateway_worker_exit(struct gateways *t, const struct proc *p)
{
	struct gateway *g = gateway_known(t, p);

	if (g && g->nr_workers)
		g->nr_workers--;
}

static uint16_t take_upstream(struct gateways *t)
{
	uint16_t victim = 0;

	for (uint16_t i = 1; i <= UPSTREAM_MAX; i++) {
		const struct upstream *u = &t->upstreams[i];

		if (!u->gateway)
			return i;
		if (u->burst.open || u->incident)
			continue;
		if (!victim || u->used_ns < t->upstreams[victim].used_ns)
			victim = i;
	}
	if (victim)
		drop_upstream(t, victim);
	return victim;
}

struct upstream *gateway_upstream(struct gateways *t, const struct gateway *g,
				  const struct endpoint *e)
{
	uint16_t gateway = (uint16_t)(g - t->all);
	struct endpoint key = service_fold_loopback(e);
	uint16_t *head = &t->heads[head_of(gateway, &key)];
	uint16_t i = *head;

	while (i &&
	       (t->upstreams[i].gateway != gateway || !endpoint_equal(&t->upstreams[i].key, &key)))
		i = t->upstreams[i].next;
	if (i)
		return &t->upstreams[i];
	i = take_upstream(t);
	if (!i) {
		t->refused++;
		return NULL;
	}
	t->upstreams[i].endpoint = *e;
	t->upstreams[i].key = key;
	t->upstreams[i].gateway = gateway;
	t->upstreams[i].next = *head;
	t->upstreams[i].sibling = t->all[gateway].upstreams;
	t->all[gateway].upstreams = i;
	*head = i;
	return &t->upstreams[i];
}

struct upstream *gateway_local(struct gateways *t, struct gateway *g)
{
	const struct endpoint nowhere = {.node = g->root.node};
	struct upstream *u = gateway_upstream(t, g, &nowhere);

	if (u)
		u->local = u->burst.local = true;
	return u;
}

struct upstream *gateway_next_upstream(struct gateways *t, const struct gateway *g,
				       const struct upstream *previous)
{
	uint16_t i = previous ? previous->sibling : g->upstreams;

	return i ? &t->upstreams[i] : NULL;
}

/* Questions ----------------------------------------------------------------------------------- */

static bool asked_for(const struct gateway *g, const struct core_options *options)
{
	for (uint32_t i = 0; i < options->nr_gateways; i++) {
		const struct gateway_filter *f = &options->gateways[i];

		if ((!f->comm[0] || strncmp(f->comm, g->comm, sizeof(f->comm)) == 0) &&
		    (!f->port || (g->filters & 1 << i)))
			return true;
	}
	return options->nr_gateways == 0;
}

bool gateway_watched(const struct gateway *g, const struct core_options *options)
{
	return g->calls && g->serves && asked_for(g, options);
}

bool gateway_suspected(const struct gateway *g, const struct core_options *options)
{
	return g->calls && g->listens && asked_for(g, options);
}

struct gateway *gateway_of_service(struct gateways *t, struct proctab *procs,
				   const struct service *s)
{
	struct gateway *found = NULL;
	uint64_t newest_ns = 0;

	for (int i = 0; i < s->nr_members; i++) {
		struct proc *p = proctab_find(procs, &s->members[i].proc);
		struct gateway *g;

		if (!p || (found && s->members[i].seen_ns <= newest_ns))
			continue;
		g = &t->all[find_root(t, &gateway_root(procs, p)->id)];
		if (!g->root.tgid || !g->serves || !g->calls)
			continue;
		found = g;
		newest_ns = s->members[i].seen_ns;
	}
	return found;
}

double gateway_load_ratio(const struct gateway *g, uint64_t now_ns)
{
	return load_to_usual(&g->load, now_ns);
}

const char *gateway_personality(const struct gateway *g)
{
	return g->personality ? g->personality->name : "generic";
}

/* End of a batch ------------------------------------------------------------------------------ */

/* What is longer apart is another run of failures. */
#define FAILURE_RUN_NS (30 * NSEC_PER_SEC)

static void note_failures(struct upstream *u, uint64_t now_ns)
{
	const struct impact *now = &u->now;

	u->used_ns = now_ns;
	if (!u->failing_until_ns || since_ns(now->first_ns, u->failing_until_ns) > FAILURE_RUN_NS)
		u->failing_since_ns = now->first_ns;
	u->failing_until_ns = max_u64(u->failing_until_ns, now->last_ns);
}

static void roll_upstream(const struct gateway *g, struct upstream *u, uint64_t now_ns)
{
	struct impact *now = &u->now;

	for (int i = 0; i < FLOW_STATUS_502; i++)
		now->client_status[i] = g->client_status[i];
	now->client_requests = g->client_requests;
	now->first_ns = earliest_ns(now->first_ns, u->answered_mark.first_ns);
	now->last_ns = max_u64(now->last_ns, u->answered_mark.last_ns);
	if (u->local) {
		now->ok_ns = g->ok_ns;
		now->ok_first_ns = g->ok_first_ns;
	}
	if (now->last_ns)
		note_failures(u, now_ns);
	burst_add(&u->burst, now_ns, now);
	impact_add(&u->total, now);
	memset(now, 0, sizeof(*now));
	memset(&u->answered_mark, 0, sizeof(u->answered_mark));
}

/* Requests in this batch, without those it refused by itself: they come back at once. */
static uint64_t load_of(struct gateways *t, const struct gateway *g)
{
	uint64_t asked = 0, told = 0;
	struct upstream *u;

	gateway_for_each_upstream (u, t, g) {
		asked += u->now.upstream_requests;
		told += impact_client_failures(&u->now);
	}
	return g->opaque ? asked : since_ns(g->client_requests, told);
}

static void roll_gateway(struct gateways *t, struct gateway *g, uint64_t now_ns)
{
	struct upstream *u;

	gateway_share(t, g, now_ns);
	load_add(&g->load, now_ns, load_of(t, g));
	gateway_for_each_upstream (u, t, g)
		roll_upstream(g, u, now_ns);
	for (int i = 0; i < NR_FLOW_STATUSES; i++)
		g->total_status[i] = add_u64(g->total_status[i], g->client_status[i]);
	g->total_requests = add_u64(g->total_requests, g->client_requests);
	memset(g->client_status, 0, sizeof(g->client_status));
	memset(&g->bad, 0, sizeof(g->bad));
	g->client_requests = 0;
	g->closed_unanswered = g->closed_unread = g->clients_left = 0;
	g->ok_ns = g->ok_first_ns = 0;
	g->active = false;
}

void gateway_tick(struct gateways *t, uint16_t node, uint64_t now_ns)
{
	for (uint16_t i = 1; i <= GATEWAY_MAX; i++)
		if (t->all[i].root.node == node && (t->all[i].active || t->all[i].waiting))
			roll_gateway(t, &t->all[i], now_ns);
}
