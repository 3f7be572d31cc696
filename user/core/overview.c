/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * overview.c - core_overview (core.h): the tables as they stand, told to a view. It evaluates
 * nothing anew and writes to no table; where a question is asked that the core asks too, the answer
 * comes from the same function.
 */
#include <string.h>

#include "core/outlook.h"
#include "core/state.h"

/* Failures on the legs to each service, by its index; what several services may explain counts at each. */
struct failures {
	uint64_t of[SERVICE_MAX + 1];
};

static void recent_impact(const struct core *core, const struct upstream *u, struct impact *out)
{
	struct burst copy = u->burst; /* asking moves its window on */

	burst_recent(&copy, core->now_ns, out);
}

static void count_failures(struct core *core, struct failures *failures)
{
	for (uint32_t i = 1; i <= UPSTREAM_MAX; i++) {
		const struct upstream *u = &core->gateways.upstreams[i];
		struct service *found[SERVICE_FOUND_MAX];
		struct impact impact;
		uint32_t nr;

		if (!u->gateway || u->local)
			continue;
		recent_impact(core, u, &impact);
		nr = service_find(&core->services, &u->key, found);
		for (uint32_t f = 0; f < nr; f++)
			failures->of[found[f] - core->services.all] +=
				impact_upstream_failures(&impact);
	}
}

static void tell_service(const struct core *core, const struct service *s,
			 const struct failures *failures, struct overview_process *out)
{
	if (!s)
		return;
	out->service = s->local;
	out->bound = service_bound(&core->services, s)->local;
	out->failures = failures->of[s - core->services.all];
	out->restarts_10m = service_restarts(s, core->now_ns);
}

static void tell_growth(const struct core *core, const struct proc *p,
			const struct outlook *outlook, struct overview_process *out)
{
	const struct growth *g = &core->growths.all[p->growth];
	struct report_growth growth;

	if (!p->growth)
		return;
	growth_outlook(g, &outlook->growth, &growth);
	out->grown_bytes = growth_of_last_minute(g, core->now_ns, p->anon_bytes);
	out->level = growth.level;
	if (growth.level == GROWTH_NONE)
		return;
	out->slope_bytes_per_s = (struct measure){growth.slope_bytes_per_s, true};
	out->exhaustion_s = growth.exhaustion_s;
}

static void tell_traffic(const struct core *core, const struct proc *p,
			 struct overview_process *out)
{
	struct traffic_story traffic;

	if (!p->traffic)
		return;
	traffic_conclude(&core->traffics.all[p->traffic], core->now_ns, &traffic);
	if (!traffic.known)
		return;
	out->requests_per_s = (struct measure){(double)traffic.rate_now, true};
	out->in_flight = traffic.in_flight;
}

static void tell_process(struct core *core, struct proc *p, const struct failures *failures,
			 struct overview_process *out)
{
	const struct service *service = outlook_peek_service(core, p);
	struct outlook outlook;

	memset(out, 0, sizeof(*out));
	outlook_tell(core, p, service ? &service->local : NULL, &outlook);
	emit_proc_of(core, p, service, &out->proc);
	out->gateway = p->gateway &&
		       core->gateways.all[p->gateway].generation == p->gateway_generation &&
		       gateway_watched(&core->gateways.all[p->gateway], &core->options);
	out->anon_bytes = p->anon_bytes;
	out->file_bytes = p->file_bytes;
	out->memcg_usage_bytes = p->memcg_usage_bytes;
	out->memcg_limit_bytes = p->memcg_limit_bytes;
	if (outlook.ceilings.nr) {
		out->ceiling = outlook.ceilings.all[0];
		out->ceiling_used_bytes = outlook.ceilings.used[0];
	}
	out->requests = p->requests;
	out->reclaim_ns = core->containers.all[p->container].reclaim_total_ns;
	out->deaths_10m = outlook.lives.deaths_10m;
	tell_service(core, service, failures, out);
	tell_growth(core, p, &outlook, out);
	tell_traffic(core, p, out);
}

static void tell_legs(struct core *core, const struct overview_sink *sink)
{
	for (uint32_t i = 1; i <= UPSTREAM_MAX; i++) {
		const struct upstream *u = &core->gateways.upstreams[i];
		const struct gateway *g = &core->gateways.all[u->gateway];
		struct overview_leg leg;
		struct impact impact;

		if (!u->gateway || !gateway_watched(g, &core->options))
			continue;
		memset(&leg, 0, sizeof(leg));
		recent_impact(core, u, &impact);
		emit_gateway(core, g, &leg.gateway);
		emit_impact(g, &impact, &leg.recent);
		emit_impact(g, &u->total, &leg.total);
		leg.upstream = u->endpoint;
		leg.burst_open = u->burst.open;
		leg.used_ns = u->used_ns;
		leg.failing_since_ns = u->failing_since_ns;
		leg.failed_ns = u->failing_until_ns;
		sink->leg(sink->arg, &leg);
	}
}

static void tell_gateways(struct core *core, const struct overview_sink *sink)
{
	for (uint32_t i = 1; i <= GATEWAY_MAX; i++) {
		const struct gateway *g = &core->gateways.all[i];
		struct overview_gateway out = {.client_requests = g->total_requests,
					       .used_ns = g->used_ns};

		if (!g->root.tgid || !gateway_watched(g, &core->options))
			continue;
		emit_gateway(core, g, &out.gateway);
		memcpy(out.client_status, g->total_status, sizeof(out.client_status));
		sink->gateway(sink->arg, &out);
	}
}

/* Who answers there: of the living the one seen last, else of the dead; the listener's before. */
static struct proc_id who_answers(struct core *core, const struct service *s,
				  const struct service *bound)
{
	const struct service_member *best = NULL;
	bool best_lives = false;

	for (int i = 0; i < s->nr_members; i++) {
		const struct service_member *m = &s->members[i];
		const struct proc *p = proctab_find(&core->procs, &m->proc);
		bool lives = p && !p->exit_ns;

		if (best && (lives != best_lives ? best_lives : m->seen_ns <= best->seen_ns))
			continue;
		best = m;
		best_lives = lives;
	}
	return best ? best->proc : bound->newest_owner;
}

static void tell_listener(struct core *core, const struct service *s, struct overview_listener *out)
{
	const struct service *bound = service_bound(&core->services, s);
	struct proc_id who = who_answers(core, s, bound);
	const struct proc *p = proctab_find(&core->procs, &who);

	memset(out, 0, sizeof(*out));
	out->local = s->local;
	out->bound = bound->local;
	/* A listener that was never seen has at least somebody who answers. */
	out->up = bound->up || (!bound->up_ns && !bound->down_ns && p && !p->exit_ns);
	out->since_ns = bound->up_ns ? bound->up_ns : bound->newest_owner.start_ns;
	if (!out->since_ns)
		out->since_ns = who.start_ns;
	emit_proc_id(core, &who, &out->proc);
	out->seen_ns = max_u64(s->seen_ns, bound->down_ns);
	out->requests = s->requests;
	out->restarts = bound->restarts;
	for (int i = 0; i < NR_DEATH_KINDS; i++)
		out->deaths[i] = s->deaths[i];
}

static void tell_deaths(struct core *core, const struct service *s,
			const struct overview_sink *sink)
{
	for (int i = 0; i < NR_DEATH_KINDS; i++) {
		struct overview_death out = {.local = s->local, .kind = i, .ts_ns = s->died_ns[i]};

		if (!out.ts_ns || since_ns(core->now_ns, out.ts_ns) > OVERVIEW_DEATH_NS)
			continue;
		emit_proc_id(core, &s->died[i], &out.proc);
		if (!proctab_find(&core->procs, &s->died[i]))
			out.proc.id.tgid = 0;
		sink->death(sink->arg, &out);
	}
}

static void tell_listeners(struct core *core, const struct overview_sink *sink)
{
	for (uint16_t i = 1; i <= core->services.nr; i++) {
		struct overview_listener listener;

		tell_listener(core, &core->services.all[i], &listener);
		sink->listener(sink->arg, &listener);
		tell_deaths(core, &core->services.all[i], sink);
	}
}

void core_overview(struct core *core, const struct overview_sink *sink)
{
	struct failures failures = {0};

	count_failures(core, &failures);
	for (uint32_t i = 1; i <= core->procs.nr_touched; i++) {
		struct proc *p = &core->procs.procs[i];
		struct overview_process process;

		if (!p->id.tgid || p->exit_ns ||
		    (!p->growth && !p->served_http && !p->held_listener))
			continue;
		tell_process(core, p, &failures, &process);
		sink->process(sink->arg, &process);
	}
	tell_legs(core, sink);
	if (sink->gateway)
		tell_gateways(core, sink);
	if (sink->listener)
		tell_listeners(core, sink);
}
