/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * gateway_flow.c - what one flow record says about gateways: of the legs to upstreams, of the
 * clients, of the listeners of gateways whose clients cannot be read, and what only the server
 * behind a leg can tell. It counts; whom it is put down to is decided at the end of the batch.
 */
#include "core/gateway_parts.h"

/* What a server alone can tell of is joined to who asked it so lately. */
#define JOIN_NS (10 * NSEC_PER_SEC)
/* How often the listeners of a gateway whose clients may be unreadable are looked for. */
#define LISTENERS_NS (10 * NSEC_PER_SEC)

/* A mark that an episode carries over from before the last reading starts at that reading. */
static struct flow_mark clamp(struct flow_mark mark, uint64_t since, uint64_t ts_ns)
{
	mark.first_ns = min_u64(max_u64(mark.first_ns, since), ts_ns);
	mark.last_ns = min_u64(max_u64(mark.last_ns, mark.first_ns), ts_ns);
	return mark;
}

static uint64_t capped(uint64_t n)
{
	return min_u64(n, UINT32_MAX);
}

/* `n` failures of a kind, and when the first and the last of them were. */
static void count_failure(struct impact *now, int fail, uint64_t n, const struct flow_mark *mark)
{
	now->fail[fail] += n;
	if (!n || !burst_is_leg_fail(fail))
		return;
	now->first_ns = earliest_ns(now->first_ns, mark->first_ns);
	now->last_ns = max_u64(now->last_ns, mark->last_ns);
	if (fail == FLOW_FAIL_REFUSED)
		now->first_refused_ns = earliest_ns(now->first_refused_ns, mark->first_ns);
	else if (fail == FLOW_FAIL_RST_BEFORE || fail == FLOW_FAIL_FIN_BEFORE ||
		 fail == FLOW_FAIL_RST_MID || fail == FLOW_FAIL_FIN_MID)
		now->first_reset_ns = earliest_ns(now->first_reset_ns, mark->first_ns);
}

static void count_failures(struct gateways *t, struct upstream *u, const struct record_flow *flow,
			   const struct flow_mark marks[NR_FLOW_FAILS])
{
	for (int i = 0; i < NR_FLOW_FAILS; i++)
		if (i != FLOW_FAIL_NO_PORT && i != FLOW_FAIL_ACCEPT_FULL)
			count_failure(&u->now, i, capped(flow->fail[i]), &marks[i]);
	if (flow->fail[FLOW_FAIL_ABANDONED])
		gateway_add_mark(&u->gave_up_mark, &marks[FLOW_FAIL_ABANDONED]);
	if (!flow->fail[FLOW_FAIL_NO_PORT])
		return;
	/* No fault of who was to be called. */
	u = gateway_local(t, &t->all[u->gateway]);
	if (u)
		count_failure(&u->now, FLOW_FAIL_NO_PORT, capped(flow->fail[FLOW_FAIL_NO_PORT]),
			      &marks[FLOW_FAIL_NO_PORT]);
}

static void count_answers(struct upstream *u, const struct record_flow *flow,
			  const struct flow_mark *bad, uint64_t ts_ns)
{
	uint64_t errors = 0;

	for (int i = FLOW_STATUS_2XX; i <= FLOW_STATUS_4XX; i++)
		u->good.fresh = add_u32(u->good.fresh, flow->status[i]);
	for (int i = 0; i < NR_GATEWAY_ERRORS; i++) {
		uint64_t n = capped(flow->status[FLOW_STATUS_5XX + i]);

		u->answered[i].fresh = add_u32(u->answered[i].fresh, n);
		u->now.app_answered += i ? n : 0;
		errors += n;
	}
	if (errors) {
		u->erred_ns = ts_ns;
		u->erred = (uint32_t)capped(errors);
	}
	if (flow->status[FLOW_STATUS_502] || flow->status[FLOW_STATUS_503] ||
	    flow->status[FLOW_STATUS_504])
		gateway_add_mark(&u->answered_mark, bad);
	if (!flow->responses)
		return;
	u->answered_ns =
		max_u64(u->answered_ns, max_u64(min_u64(flow->ok_mark.last_ns, ts_ns),
						flow->fail[FLOW_FAIL_STATUS] ? bad->last_ns : 0));
	u->now.ok_ns = max_u64(u->now.ok_ns, min_u64(flow->ok_mark.last_ns, ts_ns));
	u->now.ok_first_ns = max_u64(u->now.ok_first_ns, min_u64(flow->ok_mark.first_ns, ts_ns));
}

struct moment {
	uint64_t ts_ns;
	uint64_t since_ns;
};

static void client_flow(struct gateways *t, struct gateway *g, const struct record_flow *flow,
			const struct moment *when)
{
	struct flow_mark marks[NR_FLOW_FAILS];
	struct upstream *u;

	g->calls = true;
	if (!flow->endpoint.port) /* nobody's address, and that of the pseudo-upstream */
		return;
	u = gateway_upstream(t, g, &flow->endpoint);
	if (!u)
		return;
	for (int i = 0; i < NR_FLOW_FAILS; i++)
		marks[i] = clamp(flow->fail_mark[i], when->since_ns, when->ts_ns);
	u->used_ns = max_u64(u->used_ns, when->ts_ns);
	u->now.upstream_requests += capped(flow->requests);
	u->now.upstream_responses += capped(flow->responses);
	count_answers(u, flow, &marks[FLOW_FAIL_STATUS], when->ts_ns);
	count_failures(t, u, flow, marks);
}

static void server_flow(struct gateway *g, const struct record_flow *flow,
			const struct moment *when)
{
	struct flow_mark mark =
		clamp(flow->fail_mark[FLOW_FAIL_STATUS], when->since_ns, when->ts_ns);
	struct flow_mark unread =
		clamp(flow->fail_mark[FLOW_FAIL_RST_BEFORE], when->since_ns, when->ts_ns);
	const uint64_t *fail = flow->fail;

	g->serves = true;
	g->client_requests = add_u32(g->client_requests, flow->requests);
	for (int i = 0; i < NR_FLOW_STATUSES; i++)
		g->client_status[i] = add_u32(g->client_status[i], flow->status[i]);
	g->closed_unanswered = add_u32(g->closed_unanswered,
				       fail[FLOW_FAIL_FIN_BEFORE] + fail[FLOW_FAIL_RST_BEFORE]);
	g->closed_unread = add_u32(g->closed_unread, fail[FLOW_FAIL_RST_BEFORE]);
	if (fail[FLOW_FAIL_RST_BEFORE])
		gateway_add_mark(&g->turned_away_mark, &unread);
	g->clients_left = add_u32(g->clients_left, fail[FLOW_FAIL_ABANDONED]);
	if (flow->responses) {
		g->ok_ns = max_u64(g->ok_ns, min_u64(flow->ok_mark.last_ns, when->ts_ns));
		g->ok_first_ns =
			max_u64(g->ok_first_ns, min_u64(flow->ok_mark.first_ns, when->ts_ns));
	}
	if (fail[FLOW_FAIL_STATUS])
		gateway_add_mark(&g->bad, &mark);
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
	for (int i = 0; i < NR_FLOW_FAILS; i++)
		if (flow->fail[i] && burst_is_leg_fail(i))
			return true;
	return false;
}

static bool flow_has_bad_answers(const struct record_flow *flow)
{
	return flow->status[FLOW_STATUS_502] || flow->status[FLOW_STATUS_503] ||
	       flow->status[FLOW_STATUS_504];
}

/*
 * Most servers are no gateways and most clients neither. An entry is worth its room when a client
 * also serves, for a program known to be a gateway, or when there is a failure that would be lost
 * while the other role is not yet seen.
 */
static bool deserves_entry(const struct proc *p, const struct record_flow *flow)
{
	if (personality_of(p->comm)->known)
		return true;
	if (flow->role == FLOW_SERVER)
		return flow_has_bad_answers(flow);
	return p->served_http || flow_failed(flow);
}

/* Listeners ----------------------------------------------------------------------------------- */

static bool holds(struct proctab *procs, const struct gateway *g, const struct service *s)
{
	for (int i = 0; i < s->nr_socks; i++) {
		struct proc *owner = proctab_find(procs, &s->socks[i].owner);

		if (owner && proc_id_equal(&gateway_root(procs, owner)->id, &g->root))
			return true;
	}
	return false;
}

/*
 * Of clients that speak TLS or HTTP/2 nothing is seen. A program known to be a gateway serves them
 * all the same if it listens; of others that is only likely.
 */
static void look_for_listeners(struct gateway *g, const struct gateway_view *view, uint64_t ts_ns)
{
	struct services *services = view->services;

	if (g->listeners_ns && since_ns(ts_ns, g->listeners_ns) < LISTENERS_NS)
		return;
	g->listeners_ns = ts_ns;
	for (uint16_t i = 1; i <= services->nr; i++) {
		if (!holds(view->procs, g, &services->all[i]))
			continue;
		g->listens = true;
		g->serves |= g->personality->known;
		g->filters |= filters_of_port(view->options, services->all[i].local.port);
	}
}

/* Servers behind gateways --------------------------------------------------------------------- */

/* Do requests to this upstream come to that address? In another namespace only if to no third. */
static bool leads_to(struct services *services, const struct upstream *u,
		     const struct endpoint *local)
{
	struct service *found[SERVICE_FOUND_MAX];

	if (!u->gateway || u->local)
		return false;
	switch (service_match(local, &u->endpoint)) {
	case MATCH_NONE:
		return false;
	case MATCH_WILDCARD:
	case MATCH_EXACT:
		return true;
	default:
		return service_find(services, &u->endpoint, found) &&
		       found[0]->local.netns == local->netns && found[0]->local.node == local->node;
	}
}

/* The upstreams that lead to an address and were used lately; their number. */
static uint32_t find_behind(struct gateways *t, const struct gateway_view *view,
			    const struct record_flow *flow, uint64_t ts_ns,
			    uint16_t found[UPSTREAM_MAX])
{
	uint32_t n = 0;

	for (uint16_t i = 1; i <= UPSTREAM_MAX; i++) {
		const struct upstream *u = &t->upstreams[i];

		if (since_ns(ts_ns, u->used_ns) <= JOIN_NS &&
		    leads_to(view->services, u, &flow->endpoint))
			found[n++] = i;
	}
	return n;
}

/*
 * What only the server can tell: a FIN_MID of its flow is in no client's. It does not know whose
 * connection it was: several gateways in front of it get equal parts; clients that are no gateways
 * are not known, and theirs is in it.
 */
static void join_server(struct gateways *t, const struct gateway_view *view,
			const struct record_flow *flow, uint64_t ts_ns)
{
	struct flow_mark mark = clamp(flow->fail_mark[FLOW_FAIL_FIN_MID], view->since_ns, ts_ns);
	uint64_t cut = capped(flow->fail[FLOW_FAIL_FIN_MID]);
	uint64_t full = capped(flow->fail[FLOW_FAIL_ACCEPT_FULL]);
	uint16_t found[UPSTREAM_MAX];
	uint32_t n;

	if (!cut && !full)
		return;
	for (n = find_behind(t, view, flow, ts_ns, found); n; n--) {
		struct upstream *u = &t->upstreams[found[n - 1]];

		count_failure(&u->now, FLOW_FAIL_FIN_MID, cut / n, &mark);
		u->now.fail[FLOW_FAIL_ACCEPT_FULL] += full / n;
		u->now.accept_full += full / n;
		cut -= cut / n;
		full -= full / n;
		t->all[u->gateway].active = true;
	}
}

/* Its bad answers are those of another gateway's upstream. */
static bool is_behind_another(struct gateways *t, const struct gateway_view *view,
			      const struct gateway *g, const struct record_flow *flow,
			      uint64_t ts_ns)
{
	uint16_t found[UPSTREAM_MAX];
	uint32_t n = find_behind(t, view, flow, ts_ns, found);

	while (n--)
		if (&t->all[t->upstreams[found[n]].gateway] != g)
			return true;
	return false;
}

void gateway_flow(struct gateways *t, const struct gateway_view *view, struct proc *p,
		  const struct record_flow *flow, uint64_t ts_ns)
{
	struct moment when = {ts_ns, view->since_ns};
	struct gateway *g = gateway_known(t, p);

	if (flow->role == FLOW_SERVER)
		join_server(t, view, flow, ts_ns);
	else if (flow->role == FLOW_BACKEND && g && flow->requests)
		g->backends_ns = ts_ns;
	if (flow->role != FLOW_SERVER && flow->role != FLOW_CLIENT)
		return;
	if (!g && deserves_entry(p, flow))
		g = gateway_get(t, view->procs, p);
	if (!g)
		return;
	g->used_ns = max_u64(g->used_ns, ts_ns);
	g->active = true;
	if (flow->role == FLOW_CLIENT) {
		g->serves |= p->served_http;
		look_for_listeners(g, view, ts_ns);
		client_flow(t, g, flow, &when);
		return;
	}
	g->filters |= filters_of_port(view->options, flow->endpoint.port);
	if (flow_has_bad_answers(flow) && is_behind_another(t, view, g, flow, ts_ns))
		g->behind_ns = ts_ns;
	server_flow(g, flow, &when);
}
