/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * incident.c - the life of incidents: when they open, when they open again, when there is something
 * new to say, when they end. Whom they are about is incident_culprit.c.
 */
#include "core/incident.h"

#include <string.h>

#include "core/facts.h"
#include "core/rules.h"
#include "core/state.h"

/* Bursts are decided on while failures are in their ring. */
#define UPSTREAM_AWAKE_NS (BURST_SECONDS * NSEC_PER_SEC)
/* Failures within a chain of gateways reach the outer one's clients at once, or by its retries. */
#define CHAIN_NS (10 * NSEC_PER_SEC)
/* How long most gateways let a request wait. */
#define PATIENCE_NS (60 * NSEC_PER_SEC)

static struct upstream *upstream_of(struct core *core, const struct incident *incident)
{
	return &core->gateways.upstreams[incident->upstream];
}

/* What it means -------------------------------------------------------------------------------- */

/* Is a living process to be named? Only where the verdict is about what it does. */
static bool is_about_process(enum verdict_class class)
{
	return class == VERDICT_MEMORY_STALL || class == VERDICT_GC_THRASH ||
	       class == VERDICT_BACKEND_OVERLOAD || class == VERDICT_APP_ERROR_STATUS;
}

/* It ends again and again; restarts that somebody ordered are no loop. */
static bool loops(const struct incident *incident)
{
	return incident->deaths_10m >= LIVES_LOOP_DEATHS && incident_death(incident) &&
	       incident->verdict.class != VERDICT_DEPLOY_RESTART &&
	       incident->verdict.class != VERDICT_UNEXPLAINED;
}

/* True if the culprit, the verdict or the status is another one than before. */
static bool evaluate(struct core *core, struct incident *incident)
{
	enum verdict_class class = incident->verdict.class;
	enum verdict_cause cause = incident->verdict.cause;
	enum incident_status status = incident->status;
	struct verdict_facts before = incident->facts;
	struct culprit culprit = incident->culprit;
	struct correlation c;
	bool changed, same;

	changed = incident_find_culprit(core, incident, &c);
	incident_note_services(core, incident, &c);
	incident_note_supervisor(core, incident, &c);
	facts_gather(core, incident, &c, &incident->facts);
	same = proc_id_equal(&culprit.death.proc, &incident->culprit.death.proc);
	/* Of one process what is known of it now: it went on since its worst moment. */
	if (facts_keep_worst(&before, same, &incident->facts) && !same)
		incident->culprit = culprit;
	verdict_decide(&incident->facts, &incident->verdict);
	incident->has_culprit =
		incident_death(incident) ||
		(incident->culprit.death.proc.tgid && is_about_process(incident->verdict.class));
	incident->status = loops(incident) ? STATUS_CRASH_LOOP : STATUS_ONGOING;
	return changed || incident->verdict.class != class || incident->verdict.cause != cause ||
	       incident->status != status;
}

/* Again ---------------------------------------------------------------------------------------- */

static const struct endpoint *key_of(struct core *core, const struct incident *incident)
{
	return &upstream_of(core, incident)->key;
}

static const struct proc_id *gateway_of(struct core *core, const struct incident *incident)
{
	return &core->gateways.all[upstream_of(core, incident)->gateway].root;
}

static void remember(struct core *core, const struct incident *incident)
{
	struct incidents *t = &core->incidents;
	struct closed_incident *c = &t->closed[t->next_closed];

	t->next_closed = (uint16_t)((t->next_closed + 1) % INCIDENT_CLOSED);
	memset(c, 0, sizeof(*c));
	memcpy(c->id, incident->id, sizeof(c->id));
	c->gateway = *gateway_of(core, incident);
	c->upstream = *key_of(core, incident);
	c->closed_ns = core->now_ns;
	c->lost_before = incident->lost_before;
	c->revision = incident->revision;
	c->class = incident->verdict.class;
	c->died = incident_death(incident) != NULL;
	c->carried = incident->carried;
	impact_add(&c->carried, &upstream_of(core, incident)->burst.sum);
}

/* A death follows a death, whatever its signal; else it has to be the same class. */
static bool same_kind(const struct closed_incident *c, const struct incident *incident)
{
	return (c->died && incident_death(incident)) || c->class == incident->verdict.class;
}

static struct closed_incident *find_closed(struct core *core, const struct incident *incident)
{
	for (int i = 0; i < INCIDENT_CLOSED; i++) {
		struct closed_incident *c = &core->incidents.closed[i];

		if (c->id[0] && since_ns(core->now_ns, c->closed_ns) <= INCIDENT_AGAIN_NS &&
		    proc_id_equal(&c->gateway, gateway_of(core, incident)) &&
		    endpoint_equal(&c->upstream, key_of(core, incident)) && same_kind(c, incident))
			return c;
	}
	return NULL;
}

/* True if it goes on with one that was closed. */
static bool continue_closed(struct core *core, struct incident *incident)
{
	struct closed_incident *c = find_closed(core, incident);

	if (!c)
		return false;
	memcpy(incident->id, c->id, sizeof(incident->id));
	incident->revision = c->revision;
	incident->lost_before = c->lost_before;
	incident->carried = c->carried;
	memset(c, 0, sizeof(*c));
	return true;
}

/* Life ----------------------------------------------------------------------------------------- */

static void emit_burst(struct core *core, const struct upstream *u, bool open,
		       const struct incident *incident)
{
	struct report *r = emit_begin(core, REPORT_BURST, u->endpoint.node, core->now_ns);
	struct report_burst *out = &r->burst;

	if (incident) {
		memcpy(out->id, incident->burst_id, sizeof(out->id));
		memcpy(out->incident_id, incident->id, sizeof(out->incident_id));
	}
	out->open = open;
	emit_gateway(core, &core->gateways.all[u->gateway], &out->gateway);
	out->upstream = u->endpoint;
	emit_impact(&core->gateways.all[u->gateway], &u->burst.sum, &out->impact);
	out->base_rate_per_s = burst_base_rate(&u->burst);
	out->log10_p = u->burst.log10_p;
	emit_end(core);
}

static void tell(struct core *core, struct incident *incident, enum incident_record record)
{
	incident->revision++;
	incident_emit(core, incident, record);
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
	bool again;

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
	again = continue_closed(core, incident);
	emit_burst(core, u, true, incident);
	tell(core, incident, again ? INCIDENT_UPDATE : INCIDENT_OPEN);
}

/*
 * The burst is over. It is recovered if the upstream answered again, or could: silence is no
 * recovery when nobody is known to listen, or when a listener that never went down refused. A loop
 * is not over between two deaths.
 */
static enum incident_status final_status(const struct incident *incident, const struct upstream *u)
{
	const struct impact *impact = &u->burst.sum;
	bool could = incident->listener_is_up &&
		     (incident->listener_up_ns || !impact->fail[FLOW_FAIL_REFUSED]);

	if (incident->status == STATUS_CRASH_LOOP)
		return STATUS_CRASH_LOOP;
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
	tell(core, incident, INCIDENT_CLOSE);
	remember(core, incident);
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
	if (evaluate(core, incident))
		tell(core, incident, INCIDENT_UPDATE);
}

static bool ended_at_supervisor_limit(struct core *core, const struct correlation *c,
				      const struct death *d)
{
	struct verdict_facts f;

	if (!d->nr_signals || !d->ceilings.nr)
		return false;
	facts_of_end(core, c, d, &f);
	return rules_at_supervisor_limit(&f);
}

/* What memory_end_behind() takes for an end by memory. */
enum memory_end { DIED_OF_MEMORY, RESTARTED_FOR_MEMORY };

static bool is_memory_end(struct core *core, const struct correlation *c, const struct death *d,
			  enum memory_end kind)
{
	if (!d || d->explained)
		return false;
	return death_by_memory(d) ||
	       (kind == RESTARTED_FOR_MEMORY && ended_at_supervisor_limit(core, c, d));
}

/*
 * Behind the upstream memory ended a process: then one failure is no accident, also when it is too
 * few for a burst, as with one worker of many, with little traffic, or where retries helped. Once
 * per death. Failures that began with another end may go on with this one.
 */
static const struct death *memory_end_behind(struct core *core, struct upstream *u,
					     enum memory_end kind)
{
	struct correlate_tables tables = {&core->procs, &core->deaths, &core->services};
	struct correlation c;
	struct impact recent;

	burst_current(&u->burst, core->now_ns, &recent);
	if (!recent.last_ns ||
	    since_ns(core->now_ns, recent.last_ns) >= BURST_QUIET_S * NSEC_PER_SEC)
		return NULL;
	correlate(&tables, &u->endpoint, recent.first_ns, recent.last_ns, &c);
	if (is_memory_end(core, &c, c.death, kind))
		return c.death;
	if (is_memory_end(core, &c, c.newest, kind) && c.newest->exit_ns >= recent.first_ns)
		return c.newest;
	return NULL;
}

/* Does this gateway fail at one of its own upstreams? */
static bool fails_itself(struct core *core, const struct gateway *g)
{
	const struct upstream *u = NULL;

	while ((u = gateway_next_upstream(&core->gateways, g, u)))
		if (u->burst.open || u->incident ||
		    (u->failed_ns && since_ns(core->now_ns, u->failed_ns) <= CHAIN_NS))
			return true;
	return false;
}

/*
 * A chain: what failed here is what another gateway behind it answered because its own upstream
 * fails. The incident is there; this one would only repeat it.
 */
static bool told_further_in(struct core *core, const struct upstream *u)
{
	struct service *found[SERVICE_FOUND_MAX];
	const struct impact *impact = &u->burst.sum;
	uint32_t n;

	if (u->local || impact->app_answered <= impact_upstream_failures(impact))
		return false;
	n = service_find(&core->services, &u->endpoint, found);
	for (uint32_t i = 0; i < n; i++) {
		const struct gateway *g =
			gateway_of_service(&core->gateways, &core->procs, found[i]);

		if (g && g != &core->gateways.all[u->gateway] && fails_itself(core, g))
			return true;
	}
	return false;
}

/*
 * Requests that wait for an upstream hold connections and ports of the gateway until its patience
 * ends, and may take all it has. Then the burst to explain is that upstream's; if this one outlasts
 * it, it is told after all.
 */
static bool ran_out_by_waiting(struct core *core, const struct upstream *u)
{
	const struct gateway *g = &core->gateways.all[u->gateway];
	const struct upstream *other = NULL;

	while (u->local && (other = gateway_next_upstream(&core->gateways, g, other))) {
		uint64_t failed_ns = other->burst.sum.last_ns;

		if (!other->local && failed_ns && since_ns(core->now_ns, failed_ns) <= PATIENCE_NS)
			return true;
	}
	return false;
}

/* That a program is a gateway may be a guess only where a death beyond doubt lies behind it. */
static bool is_worth_an_incident(struct core *core, struct upstream *u)
{
	const struct gateway *g = &core->gateways.all[u->gateway];

	if (!gateway_watched(g, &core->options) &&
	    !(gateway_suspected(g, &core->options) && memory_end_behind(core, u, DIED_OF_MEMORY)))
		return false;
	return !told_further_in(core, u) && !ran_out_by_waiting(core, u);
}

static void tick_upstream(struct core *core, struct upstream *u)
{
	const struct death *d;

	if (!u->burst.open && since_ns(core->now_ns, u->used_ns) > UPSTREAM_AWAKE_NS)
		return;
	burst_decide(&u->burst, core->now_ns);
	if (!u->burst.open && (d = memory_end_behind(core, u, RESTARTED_FOR_MEMORY)))
		burst_open(&u->burst, core->now_ns, since_ns(d->exit_ns, CORRELATE_EARLY_NS));
	if (u->burst.open && u->incident)
		update_incident(core, u);
	else if (u->burst.open && is_worth_an_incident(core, u))
		open_incident(core, u);
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

		if (!u->incident || u->incident == INCIDENT_REFUSED)
			continue;
		evaluate(core, &core->incidents.all[u->incident]);
		tell(core, &core->incidents.all[u->incident], INCIDENT_UPDATE);
	}
}
