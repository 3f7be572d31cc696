/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* facts.c - see facts.h. */
#include "core/facts.h"

#include <signal.h>
#include <string.h>

#include "core/incident.h"
#include "core/outlook.h"
#include "core/rules.h"
#include "core/state.h"

#define MAX_ANCESTORS 8
/* A successor starts this soon after, or at most so long before. */
#define REPLACED_NS (60 * NSEC_PER_SEC)
/* "Lately" for answers of an upstream. */
#define LATELY_NS (600 * NSEC_PER_SEC)

/* Crash loops wait up to five minutes before they try again. */
#define UNHEARD_NS (300 * NSEC_PER_SEC)

/* The process tree ----------------------------------------------------------------------------- */

static bool is_ancestor(struct core *core, const struct proc_id *who, const struct proc_id *of)
{
	return proctab_is_ancestor(&core->procs, who, of, MAX_ANCESTORS);
}

/* The signal that ended it, else the one that asked it to end before something else did. */
static const struct death_signal *decisive_signal(const struct death *d)
{
	const struct death_signal *s = death_signal_of(d);

	return s || !d->nr_signals ? s : &d->signals[d->nr_signals - 1];
}

enum sender_kind facts_sender(struct core *core, const struct death *d,
			      const struct proc_id *successor)
{
	const struct death_signal *s = decisive_signal(d);

	if (!s)
		return SENDER_UNKNOWN;
	if (s->code > 0)
		return SENDER_KERNEL;
	if (proc_id_equal(&s->sender, &d->proc))
		return SENDER_ITSELF;
	if (s->sender.tgid == 1)
		return SENDER_INIT;
	if (is_ancestor(core, &s->sender, &d->proc) ||
	    (successor->tgid && is_ancestor(core, &s->sender, successor)))
		return SENDER_PARENT;
	return s->sender.tgid ? SENDER_OTHER : SENDER_UNKNOWN;
}

const struct proc *facts_supervisor(struct core *core, const struct death *d,
				    const struct proc_id *successor)
{
	const struct death_signal *s = decisive_signal(d);
	enum sender_kind sender = facts_sender(core, d, successor);
	const struct proc *next = proctab_find(&core->procs, successor);

	if (s && (sender == SENDER_PARENT || sender == SENDER_INIT))
		return proctab_find(&core->procs, &s->sender);
	if (next && is_ancestor(core, &next->parent, &d->proc))
		return proctab_find(&core->procs, &next->parent);
	return NULL;
}

/*
 * Before the end only what began late in the other one's life: workers that began together are
 * siblings, no successors.
 */
static bool in_time(const struct death *d, const struct proc *p)
{
	uint64_t start_ns = p->id.start_ns, life_ns = since_ns(d->exit_ns, d->proc.start_ns);

	if (start_ns >= d->exit_ns)
		return start_ns - d->exit_ns <= REPLACED_NS;
	return d->exit_ns - start_ns <= min_u64(REPLACED_NS, life_ns / 2);
}

static void consider(const struct death *d, const struct proc *dead, const struct proc *p,
		     struct successor *best)
{
	if (!p || p->exit_ns || proc_id_equal(&p->id, &d->proc) || !in_time(d, p))
		return;
	if (dead && !correlate_same_program(dead, p))
		return;
	if (best->proc.tgid && best->proc.start_ns >= p->id.start_ns)
		return;
	best->proc = p->id;
	best->before = p->id.start_ns < d->exit_ns;
}

/* On another address: the port may move with each start. */
static void consider_elsewhere(struct core *core, const struct death *d, const struct proc *dead,
			       struct successor *best)
{
	for (uint16_t i = 1; i <= core->services.nr; i++) {
		const struct service *s = &core->services.all[i];
		const struct proc *p = s->up ? proctab_find(&core->procs, &s->newest_owner) : NULL;

		/* Interpreters that init starts have all this in common; their cgroup tells. */
		if (p && p->exe && p->exe == dead->exe && p->container == dead->container &&
		    proc_id_equal(&p->parent, &dead->parent) && p->parent.tgid)
			consider(d, dead, p, best);
	}
}

void facts_successor(struct core *core, const struct correlation *c, const struct death *d,
		     struct successor *out)
{
	const struct proc *dead = proctab_find(&core->procs, &d->proc);

	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < c->nr_services; i++) {
		const struct service *s = c->services[i];

		consider(d, dead, proctab_find(&core->procs, &s->newest_owner), out);
		for (int m = 0; m < s->nr_members; m++)
			consider(d, dead, proctab_find(&core->procs, &s->members[m].proc), out);
	}
	if (!out->proc.tgid && dead)
		consider_elsewhere(core, d, dead, out);
}

/* Of the living -------------------------------------------------------------------------------- */

/* Who shares a door with one that is stuck may wait as well: it is only in trouble of its own. */
static enum traffic_trouble trouble_of(const struct core *core, const struct proc *p)
{
	enum traffic_trouble trouble =
		p->traffic ? traffic_trouble(&core->traffics.all[p->traffic], core->now_ns)
			   : TRAFFIC_FINE;

	if (trouble == TRAFFIC_COMPUTES &&
	    rules_share(p->anon_bytes, p->heap_limit_bytes) < RULES_HAS_ROOM)
		return TRAFFIC_SILENT;
	return trouble;
}

static bool matters_more(const struct core *core, const struct proc *a, const struct proc *b)
{
	enum traffic_trouble of_a = trouble_of(core, a), of_b = trouble_of(core, b);

	return of_a != of_b ? of_a > of_b : a->anon_bytes > b->anon_bytes;
}

struct proc *facts_owner(struct core *core, const struct correlation *c)
{
	struct proc *best = NULL;

	for (uint32_t i = 0; i < c->nr_services; i++) {
		const struct service *s = c->services[i];

		for (int m = 0; m < s->nr_members; m++) {
			struct proc *p = proctab_find(&core->procs, &s->members[m].proc);

			if (p && !p->exit_ns && (!best || matters_more(core, p, best)))
				best = p;
		}
	}
	return best;
}

void facts_account(struct core *core, struct proc *p, struct death *out)
{
	struct growth_end end = {
		.ts_ns = core->now_ns,
		.anon_bytes = p->anon_bytes,
		.requests = p->requests,
		.managed_heap = runtime_is_managed(p->runtime),
		.heap_most_bytes = ceiling_heap_most(p->runtime, p->heap_limit_bytes),
		.tick_ns = node_of(core, p->id.node)->header.tick_ns,
	};

	memset(out, 0, sizeof(*out));
	out->proc = p->id;
	out->anon_bytes = p->anon_bytes;
	out->peak_anon_bytes = p->peak_anon_bytes;
	if (p->growth)
		growth_conclude(&core->growths.all[p->growth], &end, &out->story);
	if (p->traffic)
		traffic_conclude(&core->traffics.all[p->traffic], core->now_ns, &out->traffic);
	outlook_lives(core, p, core->now_ns, &out->lives);
	outlook_ceilings(core, p, p->anon_bytes, &out->lives, &out->ceilings);
}

/* Facts ---------------------------------------------------------------------------------------- */

static void memory_facts(const struct death *d, struct verdict_facts *f)
{
	f->story = d->story;
	f->traffic = d->traffic;
	f->lives = d->lives;
	f->ceilings = d->ceilings;
	f->peak_anon_bytes = max_u64(d->peak_anon_bytes, d->anon_bytes);
	f->peak_rss_bytes = d->peak_rss_bytes;
}

static void process_facts(const struct culprit *c, struct verdict_facts *f)
{
	const struct death *d = &c->death;

	memory_facts(d, f);
	f->v8_runtime = c->runtime == RUNTIME_NODEJS;
	f->v8_watched = c->v8_watched;
	f->managed_heap = runtime_is_managed(c->runtime);
	f->served = c->requests != 0;
	f->limit_events_per_s = c->limit_events_per_s;
	f->heap_used = rules_share(d->anon_bytes, c->heap_limit_bytes);
	if (c->memcg_limit_bytes)
		f->limit_used = (double)c->memcg_usage_bytes / (double)c->memcg_limit_bytes;
}

static void death_facts(const struct death *d, struct verdict_facts *f)
{
	const struct death_signal *s = death_signal_of(d);
	struct report_death death;

	death_decode(d, &death);
	f->died = true;
	f->at_ns = d->exit_ns;
	f->oom_kill = death.oom_kill;
	f->oom_confirmed = death_oom_confirmed(d);
	f->v8_oom = death.v8_oom;
	f->aborted_itself = death_aborted_itself(d);
	f->killed = death.signal == SIGKILL;
	f->asked = death_was_asked(d);
	f->signal_known = s != NULL;
	f->signal_from_kernel = s && s->code == SI_KERNEL;
	f->signal = s ? s->sig : death.signal;
	f->exit_code = death.exit_code;
	f->heap_full_exit = d->heap_full_exit;
	f->map_failed = death_is_map_failure(d);
	f->lifetime_ns = since_ns(d->exit_ns, d->proc.start_ns);
	f->oom_shared_limit = d->oom_shared_limit;
	f->oom_share = d->oom_share;
	f->oom_other_grew = d->oom_other_grew;
	if (d->oom_share > 0 && d->oom.limit_bytes != RECORD_NO_LIMIT)
		f->oom_anon_share =
			rules_share(d->oom.anon_bytes, d->oom.limit_bytes) / d->oom_share;
}

static void succession_facts(struct core *core, const struct correlation *c, const struct death *d,
			     struct verdict_facts *f)
{
	struct successor successor;

	facts_successor(core, c, d, &successor);
	f->replaced = successor.proc.tgid != 0;
	f->replaced_before = successor.before;
	f->sender = facts_sender(core, d, &successor.proc);
}

void facts_of_end(struct core *core, const struct correlation *c, const struct death *d,
		  struct verdict_facts *f)
{
	memset(f, 0, sizeof(*f));
	memory_facts(d, f);
	death_facts(d, f);
	succession_facts(core, c, d, f);
}

static void end_facts(struct core *core, const struct incident *incident,
		      const struct correlation *c, struct verdict_facts *f)
{
	const struct death *d = &incident->culprit.death;

	death_facts(d, f);
	succession_facts(core, c, d, f);
	f->listener_inherited = incident->listener_is_up && !incident->listener_down_ns;
	f->outage_ns = since_ns(incident->listener_up_ns, incident->listener_down_ns);
}

static void failure_facts(const struct impact *i, struct verdict_facts *f)
{
	f->failures = impact_upstream_failures(i);
	f->on_reused = i->fail[FLOW_FAIL_RST_REUSED] + i->fail[FLOW_FAIL_FIN_REUSED];
	f->refused = i->fail[FLOW_FAIL_REFUSED];
	f->timed_out = i->fail[FLOW_FAIL_CONNECT_TIMEOUT];
	f->unreachable = i->fail[FLOW_FAIL_UNREACHABLE];
	f->no_port = i->fail[FLOW_FAIL_NO_PORT];
	f->answers = i->upstream_responses;
	f->abandoned = i->abandoned;
	f->accept_full = i->accept_full;
	f->app_answered = i->app_answered;
	f->truncated = i->truncated;
	f->client_502 = i->client_status[FLOW_STATUS_502];
	f->client_503 = i->client_status[FLOW_STATUS_503];
	f->client_504 = i->client_status[FLOW_STATUS_504];
	f->client_errors = i->client_errors + i->client_closed; /* without a gateway status */
}

static bool is_loopback(const struct endpoint *e)
{
	static const uint8_t v4[13] = {[10] = 0xff, [11] = 0xff, [12] = 127};
	static const uint8_t v6[16] = {[15] = 1};

	return memcmp(e->addr, v4, sizeof(v4)) == 0 || memcmp(e->addr, v6, sizeof(v6)) == 0;
}

/* Nothing is known of what was before either of them was watched. */
static uint64_t watched_since(const struct core *core, const struct gateway *g, uint16_t service)
{
	return max_u64(node_of(core, g->root.node)->heartbeat.first_ns,
		       node_of(core, service)->heartbeat.first_ns);
}

/* Does anybody here listen on exactly that address, whatever the port? */
static bool on_this_host(const struct core *core, const struct endpoint *e)
{
	for (uint16_t i = 1; i <= core->services.nr; i++)
		if (core->services.all[i].local.node == e->node &&
		    memcmp(core->services.all[i].local.addr, e->addr, sizeof(e->addr)) == 0)
			return true;
	return is_loopback(e);
}

static void upstream_facts(struct core *core, const struct incident *incident,
			   struct verdict_facts *f)
{
	const struct upstream *u = &core->gateways.upstreams[incident->upstream];
	const struct gateway *g = &core->gateways.all[u->gateway];

	failure_facts(&u->burst.sum, f);
	f->local = u->local;
	f->known_gateway = g->personality && g->personality->known;
	f->ever_answered = u->answered_ns && since_ns(core->now_ns, u->answered_ns) < LATELY_NS;
	f->same_host = !u->local && on_this_host(core, &u->endpoint);
	if (f->abandoned)
		f->silent_ns = since_ns(min_u64(f->at_ns, u->burst.sum.last_ns),
					u->answered_ns ? u->answered_ns : u->burst.sum.first_ns);
	f->load_ratio = gateway_load_ratio(g, core->now_ns);
	f->watched_ns = since_ns(u->burst.sum.first_ns, watched_since(core, g, incident->node));
	f->failing_ns = since_ns(core->now_ns, u->burst.sum.first_ns);
}

/*
 * Nobody knows what address they would have had. One that dies may be anybody's; what is started
 * again and again is a service.
 */
static uint32_t died_unheard(struct core *core, uint16_t node, uint64_t from_ns)
{
	uint16_t lives[EXETAB_SIZE + 1] = {0};
	uint16_t most = 0;

	for (uint16_t i = 1; i <= DEATH_MAX; i++) {
		const struct death *d = &core->deaths.all[i];
		const struct proc *p = proctab_find(&core->procs, &d->proc);

		if (d->exit_ns >= from_ns && d->exit_ns && d->proc.node == node &&
		    death_by_memory(d) && p && !p->held_listener && !p->requests &&
		    ++lives[p->exe] > most)
			most = lives[p->exe];
	}
	return most > 1 ? most : 0;
}

static void node_facts(const struct core *core, const struct incident *incident,
		       struct verdict_facts *f)
{
	uint16_t gateway = incident_gateway_node(core, incident);

	f->other_node = incident->node != gateway;
	if (f->other_node)
		f->clock_error_ns = add_u64(node_of(core, gateway)->header.clock_error_ns,
					    node_of(core, incident->node)->header.clock_error_ns);
}

/* By the gateway's node, or by the service's. */
static uint32_t unseen(const struct core *core, const struct incident *incident)
{
	const struct node *gateway = node_of(core, incident_gateway_node(core, incident));
	const struct node *service = node_of(core, incident->node);
	const struct culprit *c = &incident->culprit;
	uint32_t missing = 0;

	for (int hook = 0; hook < NR_HOOKS; hook++) {
		const char *name = hook_row((enum hook)hook)->name;

		if (emit_probe_missing(gateway, name) || emit_probe_missing(service, name))
			missing |= HOOK_BIT(hook);
	}
	if (c->runtime != RUNTIME_NODEJS || c->v8_watched)
		missing &= ~HOOK_BIT(HOOK_V8_OOM);
	return missing;
}

/* Through all the failures: that it went away afterwards is another story. */
static bool listener_stayed(const struct incident *incident, const struct impact *impact)
{
	if (incident->listener_down_ns)
		return incident->listener_down_ns > impact->last_ns;
	return incident->listener_is_up;
}

void facts_gather(struct core *core, const struct incident *incident, const struct correlation *c,
		  struct verdict_facts *f)
{
	const struct upstream *u = &core->gateways.upstreams[incident->upstream];

	memset(f, 0, sizeof(*f));
	f->at_ns = core->now_ns;
	process_facts(&incident->culprit, f);
	if (incident_death(incident))
		end_facts(core, incident, c, f);
	f->owner_alive = facts_owner(core, c) != NULL;
	upstream_facts(core, incident, f);
	node_facts(core, incident, f);
	f->service_known = incident->service_known;
	f->listener_stayed = listener_stayed(incident, &u->burst.sum);
	f->listener_came = incident->listener_came;
	f->deaths_behind = c->deaths_behind;
	if (f->same_host && !f->service_known)
		f->died_unheard = died_unheard(core, incident->node,
					       since_ns(u->burst.sum.first_ns, UNHEARD_NS));
	f->unseen = unseen(core, incident);
	f->events_lost = since_ns(core_events_lost(core), incident->lost_before);
	f->unwatched_ns = gap_unwatched_ns(
		&core->gaps, since_ns(u->burst.sum.first_ns, LOSS_HISTORY * LOSS_HISTORY_NS));
}

enum trouble { QUIET = 0, QUEUEING, POOL_FULL, THRASHING, STALLED };

static enum trouble trouble(const struct verdict_facts *f)
{
	if (rules_stalled(f))
		return STALLED;
	if (rules_thrashing(f) || rules_busy_with_full_heap(f))
		return THRASHING;
	if (!rules_queueing(f) || !f->answers)
		return QUIET;
	return f->traffic.pool.saturated ? POOL_FULL : QUEUEING;
}

static void keep_process(const struct verdict_facts *before, struct verdict_facts *now)
{
	now->at_ns = before->at_ns;
	now->story = before->story;
	now->traffic = before->traffic;
	now->lives = before->lives;
	now->ceilings = before->ceilings;
	now->peak_anon_bytes = before->peak_anon_bytes;
	now->peak_rss_bytes = before->peak_rss_bytes;
	now->v8_runtime = before->v8_runtime;
	now->v8_watched = before->v8_watched;
	now->managed_heap = before->managed_heap;
	now->served = before->served;
	now->limit_used = before->limit_used;
	now->heap_used = before->heap_used;
	now->limit_events_per_s = before->limit_events_per_s;
}

/* Whoever ends what stands still or only collects garbage ends it for that, as watchers do. */
static bool ended_for_its_trouble(enum trouble then, const struct verdict_facts *now)
{
	return then >= THRASHING && (now->asked || now->killed) && !rules_memory_evidence(now);
}

bool facts_keep_worst(const struct verdict_facts *before, bool same_process,
		      struct verdict_facts *now)
{
	enum trouble then = trouble(before);

	now->silent_ns = max_u64(now->silent_ns, before->silent_ns);
	if (rules_stalled(before) && before->story.grew && !now->story.grew) {
		now->story = before->story;
		now->traffic.explained = before->traffic.explained;
	}
	/* Of equals the first: a queue that lasts becomes usual, and a stall shows no growth. */
	if (then == QUIET || then < trouble(now) || (before->died && !now->died))
		return false;
	if (now->died && !(same_process && ended_for_its_trouble(then, now)))
		return false;
	now->owner_alive = before->owner_alive;
	keep_process(before, now);
	return !now->died;
}
