/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* incident.c - the life of incidents: when they open, what is known about them, when they end. */
#include "core/incident.h"

#include <signal.h>
#include <string.h>

#include "core/state.h"
#include "core/text.h"

/* The exit of a slow process, or the end of a batch, may come after the burst was noticed. */
#define REEVALUATE_NS (5 * NSEC_PER_SEC)
/* What has to follow a death that comes after the first failures. */
#define LATE_MIN_FAILURES 5
#define LATE_RISE	  3
#define LATE_NS		  (10 * NSEC_PER_SEC)
/* Bursts are decided on while failures are in their ring. */
#define UPSTREAM_AWAKE_NS (BURST_SECONDS * NSEC_PER_SEC)

static struct upstream *upstream_of(struct core *core, const struct incident *incident)
{
	return &core->gateways.upstreams[incident->upstream];
}

static void correlate_upstream(struct core *core, const struct upstream *u, uint64_t first_ns,
			       uint64_t last_ns, struct correlation *out)
{
	struct correlate_tables tables = {&core->procs, &core->deaths, &core->services};

	correlate(&tables, &u->endpoint, first_ns, last_ns, out);
}

static void snapshot_culprit(struct core *core, struct incident *incident, const struct death *d)
{
	struct culprit *c = &incident->culprit;
	struct proc *p = proctab_find(&core->procs, &d->proc);
	struct container *container;

	incident->has_culprit = true;
	memset(c, 0, sizeof(*c));
	c->death = *d;
	if (!p)
		return;
	container = &core->containers.all[p->container];
	c->parent = p->parent;
	c->memcg = container->id;
	c->runtime = p->runtime;
	c->v8_watched = p->v8_probe;
	c->memcg_limit_bytes = p->memcg_limit_bytes;
	c->memcg_usage_bytes = p->memcg_usage_bytes;
	c->reclaim_ns = container_reclaim_ns(container, core->now_ns);
	memcpy(c->comm, p->comm, sizeof(c->comm));
	memcpy(c->exe_path, core->exes.exes[p->exe].path, sizeof(c->exe_path));
	memcpy(c->cgroup_path, container->path, sizeof(c->cgroup_path));
}

/* What the services behind the upstream say about the outage. */
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
	if (owner)
		memcpy(incident->owner_comm, owner->comm, sizeof(incident->owner_comm));
}

static void note_services(struct core *core, struct incident *incident, const struct correlation *c)
{
	const struct impact *impact = &upstream_of(core, incident)->burst.sum;
	uint64_t from_ns = incident->has_culprit
				   ? min_u64(incident->culprit.death.exit_ns, impact->first_ns)
				   : since_ns(impact->first_ns, NSEC_PER_SEC);

	incident->service_known = c->nr_services != 0;
	incident->listener_is_up = false;
	incident->restarts_10m = 0;
	for (uint32_t i = 0; i < c->nr_services; i++)
		note_service(core, incident, c->services[i], from_ns);
}

static uint64_t events_lost(const struct core *core, const struct incident *incident)
{
	return since_ns(heartbeat_events_lost(&core->heartbeat), incident->lost_before);
}

static void death_facts(const struct culprit *c, struct verdict_facts *f)
{
	const struct death_signal *s = death_signal_of(&c->death);
	struct report_death death;

	death_decode(&c->death, &death);
	f->died = true;
	f->oom_kill = death.oom_kill;
	f->oom_confirmed = death_oom_confirmed(&c->death);
	f->v8_oom = death.v8_oom;
	f->v8_runtime = c->runtime == RUNTIME_NODEJS;
	f->v8_watched = c->v8_watched;
	f->managed_heap = runtime_is_managed(c->runtime);
	f->aborted_itself = death_aborted_itself(&c->death);
	f->killed = death.signal == SIGKILL;
	f->signal_known = s != NULL;
	f->signal_from_kernel = s && s->code == SI_KERNEL;
	f->exit_code = death.exit_code;
	f->story = c->death.story;
}

static void gather_facts(struct core *core, const struct incident *incident,
			 const struct correlation *c, struct verdict_facts *f)
{
	const struct impact *impact = &upstream_of(core, incident)->burst.sum;

	memset(f, 0, sizeof(*f));
	if (incident->has_culprit)
		death_facts(&incident->culprit, f);
	f->failures = impact_upstream_failures(impact);
	f->on_reused = impact->fail[FLOW_FAIL_RST_REUSED] + impact->fail[FLOW_FAIL_FIN_REUSED];
	f->refused = impact->fail[FLOW_FAIL_REFUSED];
	f->answers = impact->upstream_responses;
	f->service_known = incident->service_known;
	f->listener_stayed = incident->listener_is_up && !incident->listener_down_ns;
	f->deaths_behind = c->deaths_behind;
	f->exits_unseen = emit_probe_missing(core, "exit");
	f->signals_unseen = emit_probe_missing(core, "signal");
	f->oom_unseen = emit_probe_missing(core, "oom");
	f->http_unseen =
		emit_probe_missing(core, "http_ingress") || emit_probe_missing(core, "http_egress");
	f->events_lost = events_lost(core, incident);
}

static bool is_young(const struct core *core, const struct incident *incident)
{
	return since_ns(core->now_ns, incident->opened_ns) <= REEVALUATE_NS;
}

/*
 * Failures had begun before somebody died. It explains them if connections began to fail with it: a
 * process that thrashes answers too late before it gives up, while a race goes on over a restart.
 */
static bool explains_late(struct core *core, struct incident *incident, const struct death *d)
{
	uint64_t before, after;

	if (!d || since_ns(core->now_ns, d->exit_ns) > LATE_NS)
		return false;
	burst_around(&upstream_of(core, incident)->burst, core->now_ns, d->exit_ns, &before,
		     &after);
	return after >= LATE_MIN_FAILURES && after >= LATE_RISE * before;
}

/* True if the culprit or the verdict is another one than before. */
static bool evaluate(struct core *core, struct incident *incident)
{
	const struct upstream *u = upstream_of(core, incident);
	enum verdict_class class = incident->verdict.class;
	enum verdict_cause cause = incident->verdict.cause;
	struct verdict_facts facts;
	struct correlation c;
	bool changed = false;

	correlate_upstream(core, u, u->burst.sum.first_ns, u->burst.sum.last_ns, &c);
	if (!c.death && !incident->has_culprit && explains_late(core, incident, c.late))
		c.death = c.late;
	if (c.death && (!incident->has_culprit || is_young(core, incident))) {
		changed = !incident->has_culprit ||
			  !proc_id_equal(&incident->culprit.death.proc, &c.death->proc);
		snapshot_culprit(core, incident, c.death);
		c.death->explained = true;
	}
	note_services(core, incident, &c);
	gather_facts(core, incident, &c, &facts);
	verdict_decide(&facts, &incident->verdict);
	return changed || incident->verdict.class != class || incident->verdict.cause != cause;
}

static void emit_burst(struct core *core, const struct upstream *u, bool open,
		       const struct incident *incident)
{
	struct report *r = emit_begin(core, REPORT_BURST, core->now_ns);
	struct report_burst *out = &r->burst;

	if (incident) {
		memcpy(out->id, incident->burst_id, sizeof(out->id));
		memcpy(out->incident_id, incident->id, sizeof(out->incident_id));
	}
	out->open = open;
	emit_gateway(core, &core->gateways.all[u->gateway], &out->gateway);
	out->upstream = u->endpoint;
	emit_impact(&u->burst.sum, &out->impact);
	out->base_rate_per_s = burst_base_rate(&u->burst);
	out->log10_p = u->burst.log10_p;
	emit_end(core);
}

static uint16_t take_incident(struct incidents *t)
{
	for (uint16_t i = 1; i <= INCIDENT_MAX; i++) {
		if (t->all[i].used)
			continue;
		memset(&t->all[i], 0, sizeof(t->all[i]));
		t->all[i].used = true;
		t->nr_open++;
		return i;
	}
	t->refused++;
	return INCIDENT_REFUSED;
}

static void open_incident(struct core *core, struct upstream *u)
{
	struct incident *incident;

	u->incident = take_incident(&core->incidents);
	if (u->incident == INCIDENT_REFUSED) {
		emit_burst(core, u, true, NULL);
		return;
	}
	incident = &core->incidents.all[u->incident];
	incident->upstream = (uint16_t)(u - core->gateways.upstreams);
	incident->opened_ns = core->now_ns;
	incident->lost_before = core->lost[LOSS_HISTORY - 1];
	incident_make_ids(core, incident);
	evaluate(core, incident);
	emit_burst(core, u, true, incident);
	incident->revision++;
	incident_emit(core, incident, INCIDENT_OPEN);
}

/*
 * The burst is over. It is recovered if the upstream answered again, or could: silence is no
 * recovery when nobody is known to listen, or when a listener that never went down refused.
 */
static enum incident_status final_status(const struct incident *incident, const struct upstream *u)
{
	const struct impact *impact = &u->burst.sum;
	bool could = incident->listener_is_up &&
		     (incident->listener_up_ns || !impact->fail[FLOW_FAIL_REFUSED]);

	return impact->ok_ns > impact->last_ns || could ? STATUS_RECOVERED : STATUS_ONGOING;
}

static void close_incident(struct core *core, struct upstream *u)
{
	struct incident *incident;

	if (u->incident == INCIDENT_REFUSED) {
		emit_burst(core, u, false, NULL);
		u->incident = 0;
		return;
	}
	incident = &core->incidents.all[u->incident];
	evaluate(core, incident);
	incident->status = final_status(incident, u);
	emit_burst(core, u, false, incident);
	incident->revision++;
	incident_emit(core, incident, INCIDENT_CLOSE);
	incident->used = false;
	core->incidents.nr_open--;
	u->incident = 0;
}

static void update_incident(struct core *core, struct upstream *u)
{
	struct incident *incident;

	if (u->incident == INCIDENT_REFUSED)
		return;
	incident = &core->incidents.all[u->incident];
	/* Later only what had no explanation may still get one. */
	if (!is_young(core, incident) && incident->has_culprit)
		return;
	if (!evaluate(core, incident))
		return;
	incident->revision++;
	incident_emit(core, incident, INCIDENT_UPDATE);
}

/*
 * Behind the upstream a process died of memory: then one failure is no accident, also when it is
 * too few for a burst, as with one worker of many or with little traffic. Once per death.
 */
static bool memory_death_behind(struct core *core, struct upstream *u)
{
	struct correlation c;
	struct impact recent;

	burst_recent(&u->burst, core->now_ns, &recent);
	if (!recent.last_ns ||
	    since_ns(core->now_ns, recent.last_ns) >= BURST_QUIET_S * NSEC_PER_SEC)
		return false;
	correlate_upstream(core, u, recent.first_ns, recent.last_ns, &c);
	return c.death && death_by_memory(c.death) && !c.death->explained;
}

static void tick_upstream(struct core *core, struct upstream *u)
{
	const struct gateway *g = &core->gateways.all[u->gateway];

	if (!u->burst.open && since_ns(core->now_ns, u->used_ns) > UPSTREAM_AWAKE_NS)
		return;
	burst_decide(&u->burst, core->now_ns);
	if (!u->burst.open && memory_death_behind(core, u))
		burst_open(&u->burst, core->now_ns);
	if (u->burst.open && !u->incident && gateway_watched(g, &core->options))
		open_incident(core, u);
	else if (u->burst.open && u->incident)
		update_incident(core, u);
	else if (!u->burst.open && u->incident)
		close_incident(core, u);
}

void incident_tick(struct core *core)
{
	for (uint16_t i = 1; i <= UPSTREAM_MAX; i++)
		if (core->gateways.upstreams[i].gateway)
			tick_upstream(core, &core->gateways.upstreams[i]);
}

void incident_stop(struct core *core)
{
	for (uint16_t i = 1; i <= UPSTREAM_MAX; i++) {
		struct upstream *u = &core->gateways.upstreams[i];
		struct incident *incident;

		if (!u->incident || u->incident == INCIDENT_REFUSED)
			continue;
		incident = &core->incidents.all[u->incident];
		evaluate(core, incident);
		incident->revision++;
		incident_emit(core, incident, INCIDENT_UPDATE);
	}
}
