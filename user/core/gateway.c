/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* gateway.c - see gateway.h. */
#include "core/gateway.h"

#include <string.h>

#include "core/service.h"
#include "core/text.h"

#define MAX_ANCESTORS 8
/* nginx and others take a failed upstream out for 10 s and answer without asking it. */
#define BLAME_NS (10 * NSEC_PER_SEC)

#define NR_BAD	3 /* 502, 503, 504 */
#define BAD(i)	(FLOW_STATUS_502 + (i))
#define BAD_504 2

#define NR_ERRORS     4 /* 5xx, 502, 503, 504 */
#define ERROR(i)      (FLOW_STATUS_5XX + (i))
#define ERROR_OTHER   0
#define ERROR_OF(bad) ((bad) + 1)

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

/* The gateway a process works for, remembered in the process; NULL if it has none (yet). */
static struct gateway *cached(struct gateways *t, const struct proc *p)
{
	struct gateway *g = &t->all[p->gateway];

	if (!p->gateway || g->generation != p->gateway_generation)
		return NULL;
	return g;
}

static struct gateway *gateway_get(struct gateways *t, struct proctab *procs, struct proc *p)
{
	struct gateway *g = cached(t, p);
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
	}
	p->gateway = i;
	p->gateway_generation = t->all[i].generation;
	if (!p->exit_ns)
		t->all[i].nr_workers++;
	return &t->all[i];
}

void gateway_worker_exit(struct gateways *t, const struct proc *p)
{
	struct gateway *g = cached(t, p);

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

static struct upstream *upstream_get(struct gateways *t, uint16_t gateway, const struct endpoint *e)
{
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

/* A mark that an episode carries over from before the last reading starts at that reading. */
static struct flow_mark clamp(struct flow_mark mark, uint64_t since, uint64_t ts_ns)
{
	mark.first_ns = min_u64(max_u64(mark.first_ns, since), ts_ns);
	mark.last_ns = min_u64(max_u64(mark.last_ns, mark.first_ns), ts_ns);
	return mark;
}

static void count_failures(struct upstream *u, const struct record_flow *flow, uint64_t ts_ns,
			   uint64_t since)
{
	struct tally *now = &u->now;

	for (int i = 0; i < NR_FLOW_FAILS; i++) {
		struct flow_mark mark = clamp(flow->fail_mark[i], since, ts_ns);

		now->fail[i] = add_u32(now->fail[i], flow->fail[i]);
		if (!flow->fail[i] || i > FLOW_FAIL_RST_MID)
			continue;
		now->first_ns = earliest_ns(now->first_ns, mark.first_ns);
		now->last_ns = max_u64(now->last_ns, mark.last_ns);
		if (i == FLOW_FAIL_REFUSED)
			now->first_refused_ns = earliest_ns(now->first_refused_ns, mark.first_ns);
		else if (i != FLOW_FAIL_CONNECT_TIMEOUT)
			now->first_reset_ns = earliest_ns(now->first_reset_ns, mark.first_ns);
	}
	u->abandoned = add_u32(u->abandoned, flow->fail[FLOW_FAIL_ABANDONED]);
}

static void client_flow(struct gateways *t, struct gateway *g, const struct record_flow *flow,
			uint64_t ts_ns, uint64_t since)
{
	struct upstream *u = upstream_get(t, (uint16_t)(g - t->all), &flow->endpoint);

	g->calls = true;
	if (!u)
		return;
	u->used_ns = max_u64(u->used_ns, ts_ns);
	u->now.upstream_requests = add_u32(u->now.upstream_requests, flow->requests);
	u->now.upstream_responses = add_u32(u->now.upstream_responses, flow->responses);
	for (int i = 0; i < NR_ERRORS; i++)
		u->answered[i] = add_u32(u->answered[i], flow->status[ERROR(i)]);
	if (flow->responses) {
		u->now.ok_ns = max_u64(u->now.ok_ns, min_u64(flow->ok_mark.last_ns, ts_ns));
		u->now.ok_first_ns =
			max_u64(u->now.ok_first_ns, min_u64(flow->ok_mark.first_ns, ts_ns));
	}
	count_failures(u, flow, ts_ns, since);
}

static void server_flow(struct gateway *g, const struct record_flow *flow, uint64_t ts_ns,
			uint64_t since)
{
	struct flow_mark mark = clamp(flow->fail_mark[FLOW_FAIL_STATUS], since, ts_ns);

	g->serves = true;
	g->client_requests = add_u32(g->client_requests, flow->requests);
	for (int i = 0; i < NR_FLOW_STATUSES; i++)
		g->client_status[i] = add_u32(g->client_status[i], flow->status[i]);
	g->closed_unanswered =
		add_u32(g->closed_unanswered,
			flow->fail[FLOW_FAIL_FIN_BEFORE] + flow->fail[FLOW_FAIL_RST_BEFORE]);
	if (!flow->fail[FLOW_FAIL_STATUS])
		return;
	g->first_bad_ns = earliest_ns(g->first_bad_ns, mark.first_ns);
	g->last_bad_ns = max_u64(g->last_bad_ns, mark.last_ns);
}

_Static_assert(CORE_MAX_GATEWAY_FILTERS <= 16, "a bit per filter in gateway.filters");

static uint16_t filters_of_port(const struct core_options *options, uint16_t port)
{
	uint16_t filters = 0;

	for (uint32_t i = 0; i < options->nr_gateways; i++)
		if (options->gateways[i].port == port)
			filters |= (uint16_t)(1 << i);
	return filters;
}

static bool flow_failed(const struct record_flow *flow)
{
	for (int i = 0; i <= FLOW_FAIL_RST_MID; i++)
		if (flow->fail[i])
			return true;
	return false;
}

/*
 * Most servers are no gateways and most clients neither. An entry is worth its room when a client
 * also serves, or when there is a failure that would be lost while the other role is not yet seen.
 */
static bool deserves_entry(const struct proc *p, const struct record_flow *flow)
{
	if (flow->role == FLOW_SERVER)
		return flow->status[FLOW_STATUS_502] || flow->status[FLOW_STATUS_503] ||
		       flow->status[FLOW_STATUS_504];
	return p->served_http || flow_failed(flow);
}

void gateway_flow(struct gateways *t, struct proctab *procs, struct proc *p,
		  const struct record_flow *flow, uint64_t ts_ns, uint64_t since,
		  const struct core_options *options)
{
	struct gateway *g = cached(t, p);

	if (flow->role != FLOW_SERVER && flow->role != FLOW_CLIENT)
		return;
	if (!g && deserves_entry(p, flow))
		g = gateway_get(t, procs, p);
	if (!g)
		return;
	g->used_ns = max_u64(g->used_ns, ts_ns);
	g->active = true;
	if (flow->role == FLOW_CLIENT) {
		g->serves |= p->served_http;
		client_flow(t, g, flow, ts_ns, since);
		return;
	}
	g->filters |= filters_of_port(options, flow->endpoint.port);
	server_flow(g, flow, ts_ns, since);
}

bool gateway_watched(const struct gateway *g, const struct core_options *options)
{
	if (!g->serves || !g->calls)
		return false;
	for (uint32_t i = 0; i < options->nr_gateways; i++) {
		const struct gateway_filter *f = &options->gateways[i];

		if ((!f->comm[0] || strncmp(f->comm, g->comm, sizeof(f->comm)) == 0) &&
		    (!f->port || (g->filters & 1 << i)))
			return true;
	}
	return options->nr_gateways == 0;
}

/* Sharing out --------------------------------------------------------------------------------- */

static uint32_t leg_failures(const struct upstream *u)
{
	const uint32_t *fail = u->now.fail;
	uint64_t sum = 0;

	for (int i = 0; i <= FLOW_FAIL_RST_MID; i++)
		sum += fail[i];
	return (uint32_t)min_u64(sum, UINT32_MAX);
}

/* What speaks for an upstream having caused a bad answer of this batch. */
static uint32_t weight_now(const struct upstream *u, int bad)
{
	if (bad == BAD_504)
		return add_u32(u->now.fail[FLOW_FAIL_CONNECT_TIMEOUT], u->abandoned);
	return leg_failures(u);
}

/* Failures of the last ten seconds, for answers without any attempt behind them. */
static uint32_t weight_recent(const struct upstream *u, uint64_t now_ns)
{
	return u->failed_ns && since_ns(now_ns, u->failed_ns) <= BLAME_NS ? u->recent : 0;
}

struct share {
	uint64_t now_ns;
	int bad;
	bool recent; /* weigh by the last ten seconds instead of by this batch */
};

static uint64_t weight(const struct upstream *u, const struct share *s)
{
	return s->recent ? weight_recent(u, s->now_ns) : weight_now(u, s->bad);
}

static void blame(const struct gateway *g, struct upstream *u, int bad, uint64_t n)
{
	struct tally *now = &u->now;

	if (!n)
		return;
	now->client_status[BAD(bad)] = add_u32(now->client_status[BAD(bad)], n);
	now->first_ns = earliest_ns(now->first_ns, g->first_bad_ns);
	now->last_ns = max_u64(now->last_ns, g->last_bad_ns);
	if (!now->last_ns) /* shared out a batch late: its time is no longer known */
		now->last_ns = u->failed_ns;
}

/*
 * Share `n` bad answers out in proportion to the weights, exactly: each upstream takes its part of
 * what is left, so the parts add up to n. False if no upstream has any weight.
 */
static bool share_out(struct gateways *t, struct gateway *g, uint32_t n, const struct share *s)
{
	uint64_t weights = 0, left = n;

	for (uint16_t i = g->upstreams; i; i = t->upstreams[i].sibling)
		weights += weight(&t->upstreams[i], s);
	if (!weights)
		return false;
	for (uint16_t i = g->upstreams; i && left; i = t->upstreams[i].sibling) {
		uint64_t w = weight(&t->upstreams[i], s);
		uint64_t part = weights ? (left * w + weights / 2) / weights : 0;

		blame(g, &t->upstreams[i], s->bad, part);
		left -= part;
		weights -= w;
	}
	return true;
}

/* Bad answers of the gateway itself: without those an upstream gave and the gateway passed on. */
static uint32_t own_answers(struct gateways *t, struct gateway *g, int error)
{
	uint64_t passed_on = g->answered_before[error];
	uint64_t answered = g->client_status[ERROR(error)];

	for (uint16_t i = g->upstreams; i; i = t->upstreams[i].sibling)
		passed_on += t->upstreams[i].answered[error];
	/* What is passed on may reach the client, and our counters, one batch later. */
	g->answered_before[error] = 0;
	if (passed_on > answered)
		g->answered_before[error] = (uint32_t)min_u64(passed_on - answered, UINT32_MAX);
	return (uint32_t)since_ns(answered, passed_on);
}

static void share_bad(struct gateways *t, struct gateway *g, int bad, uint64_t now_ns)
{
	struct share share = {.now_ns = now_ns, .bad = bad};
	uint32_t own = own_answers(t, g, ERROR_OF(bad));
	uint32_t n = add_u32(g->unshared[bad], own);

	if (!n)
		return;
	if (own)
		g->unshared_ns = now_ns;
	g->unshared[bad] = 0;
	if (share_out(t, g, n, &share))
		return;
	share.recent = true;
	if (share_out(t, g, n, &share))
		return;
	/* Counters are not read in one instant: the failure behind it may come with the next batch. */
	if (since_ns(now_ns, g->unshared_ns) < BLAME_NS)
		g->unshared[bad] = n;
}

/* Failures on the legs of this batch, or just before it for what reached the client meanwhile. */
static uint32_t failed_lately(const struct upstream *u, uint64_t now_ns)
{
	uint32_t failed = leg_failures(u);

	if (!failed && u->failed_ns && since_ns(now_ns, u->failed_ns) <= NSEC_PER_SEC)
		failed = u->recent;
	return failed;
}

/*
 * How else than by 502, 503 and 504 clients were told: by another error, or by a closed connection.
 * Both have other reasons as well, so each upstream takes no more of them than failed on its legs.
 */
static void share_hidden(struct gateways *t, struct gateway *g, uint64_t now_ns)
{
	uint32_t errors = own_answers(t, g, ERROR_OTHER);
	uint32_t closed = g->closed_unanswered;

	for (uint16_t i = g->upstreams; i && (errors || closed); i = t->upstreams[i].sibling) {
		struct upstream *u = &t->upstreams[i];
		uint32_t room = failed_lately(u, now_ns);

		u->now.client_errors = (uint32_t)min_u64(errors, room);
		errors -= u->now.client_errors;
		u->now.client_closed = (uint32_t)min_u64(closed, room - u->now.client_errors);
		closed -= u->now.client_closed;
	}
}

/* Clients that were told in this batch, as far as this upstream is to blame. */
static uint32_t told(const struct upstream *u)
{
	uint32_t n = add_u32(u->now.client_errors, u->now.client_closed);

	for (int bad = 0; bad < NR_BAD; bad++)
		n = add_u32(n, u->now.client_status[BAD(bad)]);
	return n;
}

/*
 * An answer after a failure may be the retry's. Where none came and clients were told so, no retry
 * helped. A batch may end between a failure and its retry, so the next ones decide as well.
 */
static void count_lost(struct gateways *t, struct gateway *g)
{
	uint64_t ok_ns = 0;

	for (uint16_t i = g->upstreams; i; i = t->upstreams[i].sibling)
		ok_ns = max_u64(ok_ns, t->upstreams[i].now.ok_ns);
	for (uint16_t i = g->upstreams; i; i = t->upstreams[i].sibling) {
		struct upstream *u = &t->upstreams[i];

		u->undecided = add_u32(u->undecided, leg_failures(u));
		u->undecided_ns = max_u64(u->undecided_ns, u->now.last_ns);
		if (ok_ns > u->undecided_ns) {
			u->undecided = 0;
		} else if (told(u)) {
			u->now.lost = u->undecided;
			u->now.lost_told = told(u);
			u->undecided = 0;
		}
	}
}

static void roll_upstream(const struct gateway *g, struct upstream *u, uint64_t now_ns)
{
	uint32_t failed = add_u32(leg_failures(u), u->abandoned);

	for (int i = 0; i < FLOW_STATUS_502; i++)
		u->now.client_status[i] = g->client_status[i];
	u->now.client_requests = g->client_requests;
	if (failed) {
		u->failed_ns = now_ns;
		u->recent = failed;
	}
	if (u->now.last_ns)
		u->used_ns = now_ns;
	burst_add(&u->burst, now_ns, &u->now);
	memset(&u->now, 0, sizeof(u->now));
	memset(u->answered, 0, sizeof(u->answered));
	u->abandoned = 0;
}

static void roll_gateway(struct gateways *t, struct gateway *g, uint64_t now_ns)
{
	for (int bad = 0; bad < NR_BAD; bad++)
		share_bad(t, g, bad, now_ns);
	share_hidden(t, g, now_ns);
	count_lost(t, g);
	for (uint16_t i = g->upstreams; i; i = t->upstreams[i].sibling)
		roll_upstream(g, &t->upstreams[i], now_ns);
	memset(g->client_status, 0, sizeof(g->client_status));
	g->client_requests = 0;
	g->closed_unanswered = 0;
	g->first_bad_ns = g->last_bad_ns = 0;
	g->active = false;
}

void gateway_tick(struct gateways *t, uint64_t now_ns)
{
	for (uint16_t i = 1; i <= GATEWAY_MAX; i++)
		if (t->all[i].active)
			roll_gateway(t, &t->all[i], now_ns);
}

const char *gateway_personality(const struct gateway *g)
{
	static const char *const known[] = {"nginx", "haproxy", "envoy"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(g->comm, known[i]) == 0)
			return known[i];
	return "generic";
}
