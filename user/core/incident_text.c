/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * incident_text.c - the sentence a person on call reads first: what happened and why we think so,
 * who was hit, is it over. Decides nothing: it words what the report already says in values.
 */
#include <signal.h>
#include <string.h>

#include "core/incident_sections.h"
#include "core/rules.h"
#include "model/text.h"

typedef unsigned long long ull;

/* What a sentence is made from: the report, and the facts behind it. */
struct subject {
	const struct incident *incident;
	const struct report_incident *r;
	const struct traffic_story *traffic;
};

void text_add_signal(struct text *t, int32_t sig)
{
	static const char *const names[] = {
		[SIGHUP] = "SIGHUP",   [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT",
		[SIGILL] = "SIGILL",   [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT",
		[SIGBUS] = "SIGBUS",   [SIGFPE] = "SIGFPE",   [SIGKILL] = "SIGKILL",
		[SIGSEGV] = "SIGSEGV", [SIGTERM] = "SIGTERM",
	};

	if (sig > 0 && (size_t)sig < sizeof(names) / sizeof(names[0]) && names[sig])
		text_add(t, "%s", names[sig]);
	else
		text_add(t, "signal %d", sig);
}

static void add_culprit(struct text *t, const struct subject *s)
{
	const struct report_proc *culprit = &s->r->culprit;
	const char *comm = *culprit->comm ? culprit->comm : "a process";

	if (s->incident->culprit.is_named)
		text_add(t, "%s (%s, pid %u)", culprit->service_name, comm, culprit->id.tgid);
	else
		text_add(t, "%s (pid %u)", comm, culprit->id.tgid);
}

/* Who: the culprit, else who answers there, else the address; with the service's name, if it has one. */
static void add_owner(struct text *t, const struct subject *s)
{
	if (s->r->has_culprit)
		add_culprit(t, s);
	else if (s->incident->owner_is_named)
		text_add(t, "%s", s->incident->owner_service);
	else if (*s->incident->owner_comm)
		text_add(t, "%s", s->incident->owner_comm);
	else
		text_add(t, "the upstream");
}

static bool ended_by_other(const struct report_incident *r)
{
	return r->died && r->death.has_signal_code && r->death.signal_code <= 0 &&
	       r->death.sender_tgid && r->death.sender_tgid != r->culprit.id.tgid;
}

static void add_sender(struct text *t, const struct report_incident *r)
{
	text_add(t, "%s (pid %u)", *r->death.sender_comm ? r->death.sender_comm : "a process",
		 r->death.sender_tgid);
}

static void add_slope(struct text *t, const struct report_incident *r, const char *what)
{
	const struct report_memory *m = &r->memory;

	if (!m->floor_slope_bytes_per_s.has)
		return;
	text_add(t, " after %s grew by ", what);
	text_add_rate(t, m->floor_slope_bytes_per_s.value);
	text_add(t, " for ");
	text_add_duration(t, u64_of(m->window_s.value * (double)NSEC_PER_SEC));
}

/* Why it got so large. ------------------------------------------------------------------------- */

static void add_leak(struct text *t, const struct subject *s, const char *what)
{
	const struct measure *kept = &s->r->memory.bytes_per_request;
	const struct measure *background = &s->r->explanation.background;

	add_slope(t, s->r, what);
	if (background->has && background->value > 0.5) {
		text_add(t, ", with or without requests");
	} else if (kept->has && kept->value >= 1) {
		text_add(t, ", ");
		text_add_bytes(t, u64_of(kept->value));
		text_add(t, " kept per request");
	}
}

static void add_limit_too_small(struct text *t, const struct subject *s)
{
	const struct lives_story *lives = &s->incident->facts.lives;

	text_add(t, ": not a leak, it needs more than it may have");
	if (lives->memory_deaths)
		text_add(t, " (%u earlier lives ended the same way)", lives->memory_deaths);
}

static void add_payload(struct text *t, const struct subject *s)
{
	const struct report_explanation *e = &s->r->explanation;

	text_add(t, " while it read large requests");
	if (e->largest_request_bytes.has) {
		text_add(t, " (up to ");
		text_add_bytes(t, u64_of(e->largest_request_bytes.value));
		if (e->amplification.has) {
			text_add(t, ", each byte took ");
			text_add_decimal(t, e->amplification.value);
			text_add(t, " of memory");
		}
		text_add(t, ")");
	}
}

/* "requests waited for ...": the pool and the queue before it. */
static void add_pool(struct text *t, const struct subject *s)
{
	const struct report_pool *pool = &s->r->pool;

	if (s->r->explanation.in_flight_peak.has)
		text_add(t, "%llu requests", (ull)u64_of(s->r->explanation.in_flight_peak.value));
	else
		text_add(t, "requests");
	text_add(t, " waited for ");
	if (!pool->saturated) {
		text_add(t, "a backend");
		return;
	}
	text_add(t, "%u connections to ", pool->connections);
	text_add_endpoint(t, &pool->backend);
	if (pool->latency_ratio >= 1.5) {
		text_add(t, ", which answers ");
		text_add_decimal(t, pool->latency_ratio);
		text_add(t, " times slower");
	}
}

static void add_cause(struct text *t, const struct subject *s)
{
	switch (s->r->verdict.cause) {
	case CAUSE_HEAP_LEAK:
		add_leak(t, s, "its heap");
		break;
	case CAUSE_NATIVE_LEAK:
		add_leak(t, s, "memory outside its heap");
		break;
	case CAUSE_LIMIT_TOO_SMALL:
		add_limit_too_small(t, s);
		break;
	case CAUSE_LARGE_PAYLOAD:
		add_payload(t, s);
		break;
	case CAUSE_DB_POOL_EXHAUSTION:
		text_add(t, " because ");
		add_pool(t, s);
		break;
	case CAUSE_UNKNOWN_GROWTH:
		text_add(t, rules_filled_otherwise(&s->incident->facts)
				    ? ", full of shared memory, files in memory or the kernel's own"
				    : "; no steady growth led there");
		break;
	default:
		add_slope(t, s->r, "its memory");
	}
}

/* What happened, by class. --------------------------------------------------------------------- */

static void add_memory_end(struct text *t, const struct report_incident *r, bool heap_full_exit)
{
	if (r->death.memcg_oom && r->memory.limit_bytes.has) {
		text_add(t, " was OOM-killed at the ");
		text_add_bytes(t, u64_of(r->memory.limit_bytes.value));
		text_add(t, " limit of its memory cgroup");
	} else if (r->death.oom_kill) {
		text_add(t, " was OOM-killed by the kernel");
	} else if (r->culprit.runtime == RUNTIME_NODEJS) {
		text_add(t, " died at its JavaScript heap limit (exit code %d)",
			 r->death.exit_code);
	} else if (heap_full_exit) {
		text_add(t, " ended itself on OutOfMemoryError (exit code %d)", r->death.exit_code);
	} else {
		text_add(t, " ran out of memory (exit code %d)", r->death.exit_code);
	}
}

static void add_memory_death(struct text *t, const struct subject *s)
{
	add_owner(t, s);
	add_memory_end(t, s->r, s->incident->culprit.death.heap_full_exit);
	if (s->r->nr_victims)
		text_add(t, ", %u others with it,", s->r->nr_victims);
	add_cause(t, s);
}

static void add_stall(struct text *t, const struct subject *s)
{
	const struct report_memory *m = &s->r->memory;
	const struct report_explanation *e = &s->r->explanation;

	add_owner(t, s);
	text_add(t, " hangs at its memory limit");
	if (m->limit_bytes.has && m->limit_usage_bytes.has) {
		text_add(t, " (");
		text_add_bytes(t, u64_of(m->limit_usage_bytes.value));
		text_add(t, " of ");
		text_add_bytes(t, u64_of(m->limit_bytes.value));
		text_add(t, ")");
	}
	if (e->stalled_s.has) {
		text_add(t, ": no answer for ");
		text_add_duration(t, u64_of(e->stalled_s.value * (double)NSEC_PER_SEC));
	}
	if (e->limit_events_per_s.has)
		text_add(t, ", %llu reclaims/s", (ull)u64_of(e->limit_events_per_s.value));
	add_cause(t, s);
}

static void add_thrash(struct text *t, const struct subject *s)
{
	add_owner(t, s);
	text_add(t, " spends its CPU on garbage collection");
	if (s->r->explanation.cpu_per_request_ratio.has &&
	    s->r->explanation.cpu_per_request_ratio.value >= 1.5) {
		text_add(t, ", ");
		text_add_decimal(t, s->r->explanation.cpu_per_request_ratio.value);
		text_add(t, " times as much per request as before");
	}
	if (s->r->memory.ceiling_bytes) {
		text_add(t, ", near its ceiling of ");
		text_add_bytes(t, s->r->memory.ceiling_bytes);
	}
	add_cause(t, s);
}

static void add_supervisor_restart(struct text *t, const struct subject *s)
{
	const struct report_incident *r = s->r;

	add_owner(t, s);
	text_add(t, " was restarted by ");
	if (r->supervisor_tgid)
		text_add(t, "%s (pid %u)",
			 *r->supervisor_comm ? r->supervisor_comm : "its supervisor",
			 r->supervisor_tgid);
	else if (ended_by_other(r))
		add_sender(t, r);
	else
		text_add(t, "its supervisor");
	text_add(t, " for its memory");
	if (r->memory.peak_anon_bytes.has) {
		text_add(t, ", ");
		text_add_bytes(t, u64_of(r->memory.peak_anon_bytes.value));
	}
	add_cause(t, s);
}

static void add_pressure(struct text *t, const struct subject *s)
{
	add_owner(t, s);
	text_add(t, " was OOM-killed for others: ");
	if (s->r->death.memcg_oom)
		text_add(t, "the limit above it was full");
	else
		text_add(t, "the machine was out of memory");
	if (s->incident->culprit.death.oom_share > 0) {
		text_add(t, " and it had %llu %% of that",
			 (ull)u64_of(s->incident->culprit.death.oom_share * 100 + 0.5));
	}
}

static void add_deploy(struct text *t, const struct subject *s)
{
	const struct report_incident *r = s->r;

	add_owner(t, s);
	text_add(t, " was replaced");
	if (r->next_tgid)
		text_add(t, " by pid %u", r->next_tgid);
	if (ended_by_other(r)) {
		text_add(t, " (");
		text_add_signal(t, r->death.signal ? r->death.signal : s->incident->facts.signal);
		text_add(t, " from ");
		add_sender(t, r);
		text_add(t, ")");
	}
	if (s->incident->facts.outage_ns) {
		text_add(t, "; nobody listened for ");
		text_add_duration(t, s->incident->facts.outage_ns);
	}
	text_add(t, "; memory is not the cause");
}

static void add_other_death(struct text *t, const struct subject *s)
{
	const struct report_incident *r = s->r;
	bool by_user = ended_by_other(r);

	add_owner(t, s);
	if (!r->died) {
		text_add(t, " is down; why was not seen");
		return;
	}
	if (r->death.signal) {
		text_add(t, by_user ? " was ended by " : " died of ");
		text_add_signal(t, r->death.signal);
	} else {
		text_add(t, " exited with code %d", r->death.exit_code);
	}
	if (by_user) {
		text_add(t, "%s from ", r->death.signal ? "" : " after a signal");
		add_sender(t, r);
	}
	text_add(t, "; nothing says that memory was the cause");
}

static void add_race(struct text *t, const struct subject *s)
{
	add_owner(t, s);
	text_add(t, " closed idle connections just as the gateway reused them; nobody died");
}

static void add_app_error(struct text *t, const struct subject *s)
{
	add_owner(t, s);
	text_add(t, " itself answered with 502, 503 or 504");
	if (s->r->impact.app_answered)
		text_add(t, ", %llu times", (ull)s->r->impact.app_answered);
	text_add(t, "; the gateway only passed it on");
}

static void add_overload(struct text *t, const struct subject *s)
{
	const struct verdict_facts *f = &s->incident->facts;

	add_owner(t, s);
	text_add(t, " is alive but does not keep up");
	if (s->r->verdict.cause == CAUSE_DB_POOL_EXHAUSTION) {
		text_add(t, ": ");
		add_pool(t, s);
		return;
	}
	if (s->traffic->in_flight_peak)
		text_add(t, ": %llu requests wait", (ull)s->traffic->in_flight_peak);
	if (f->accept_full)
		text_add(t, ", %llu connects met a full accept queue", (ull)f->accept_full);
	if (f->load_ratio >= 1.5) {
		text_add(t, ", load is ");
		text_add_decimal(t, f->load_ratio);
		text_add(t, " times the usual");
	}
}

static void add_local(struct text *t, const struct subject *s)
{
	text_add(t, "the gateway failed requests itself");
	if (s->incident->facts.no_port)
		text_add(t, ": no local port was left for %llu connects",
			 (ull)s->incident->facts.no_port);
	else
		text_add(t, ", before it asked any upstream: out of connections or files");
}

static void add_network(struct text *t, const struct subject *s)
{
	const struct report_impact *i = &s->r->impact;

	text_add(t, "the network to ");
	text_add_endpoint(t, &s->r->upstream);
	text_add(t, " fails");
	if (i->upstream_fail[FLOW_FAIL_CONNECT_TIMEOUT])
		text_add(t, ", %llu connects met silence",
			 (ull)i->upstream_fail[FLOW_FAIL_CONNECT_TIMEOUT]);
	if (i->upstream_fail[FLOW_FAIL_UNREACHABLE])
		text_add(t, ", %llu had no route or host",
			 (ull)i->upstream_fail[FLOW_FAIL_UNREACHABLE]);
}

static void add_config(struct text *t, const struct subject *s)
{
	text_add_endpoint(t, &s->r->upstream);
	text_add(t,
		 " never answered and nobody listens there: the gateway is told a wrong address, "
		 "or the service was not started");
}

static void add_unexplained(struct text *t, const struct subject *s)
{
	const struct verdict_facts *f = &s->incident->facts;

	if (rules_hung(f)) {
		add_owner(t, s);
		text_add(t, " lives but answered nobody for ");
		text_add_duration(t, u64_of(rules_silent_s(f) * (double)NSEC_PER_SEC));
		text_add(t, "; nothing that was seen explains it");
	} else if (f->died_unheard) {
		text_add(t, "nobody listens at ");
		text_add_endpoint(t, &s->r->upstream);
		text_add(t, ", and %u processes ran out of memory before they listened anywhere",
			 f->died_unheard);
	} else {
		text_add(t, "requests to an upstream failed and nothing that was seen explains it");
	}
}

static void (*const sentences[])(struct text *t, const struct subject *s) = {
	[VERDICT_UNEXPLAINED] = add_unexplained,
	[VERDICT_MEMORY_DEATH] = add_memory_death,
	[VERDICT_UPSTREAM_DOWN_NONMEMORY] = add_other_death,
	[VERDICT_KEEPALIVE_RACE] = add_race,
	[VERDICT_MEMORY_STALL] = add_stall,
	[VERDICT_GC_THRASH] = add_thrash,
	[VERDICT_SUPERVISOR_MEMORY_RESTART] = add_supervisor_restart,
	[VERDICT_NODE_PRESSURE_VICTIM] = add_pressure,
	[VERDICT_DEPLOY_RESTART] = add_deploy,
	[VERDICT_APP_ERROR_STATUS] = add_app_error,
	[VERDICT_BACKEND_OVERLOAD] = add_overload,
	[VERDICT_PROXY_LOCAL_EXHAUSTION] = add_local,
	[VERDICT_NETWORK] = add_network,
	[VERDICT_CONFIG] = add_config,
};
_Static_assert(sizeof(sentences) / sizeof(sentences[0]) == NR_VERDICT_CLASSES,
	       "a sentence for every class");

/* Who was hit. --------------------------------------------------------------------------------- */

struct count {
	uint64_t value;
	const char *verb; /* "" where the one before still holds */
	const char *what;
};

/* "421 x 502" or "3 x 502 and 9 x 504 and closed 2 clients unanswered": what clients were told. */
static void add_answers(struct text *t, const struct report_impact *i)
{
	const struct count ends[] = {
		{i->client_status[FLOW_STATUS_502], "answered", "x 502"},
		{i->client_status[FLOW_STATUS_503], "answered", "x 503"},
		{i->client_status[FLOW_STATUS_504], "answered", "x 504"},
		{i->client_errors, "answered", "x another 5xx"},
		{i->client_closed, "closed", "clients unanswered"},
		{i->truncated, "cut off", "answers"},
	};
	const char *verb = "";

	for (size_t e = 0; e < sizeof(ends) / sizeof(ends[0]); e++) {
		if (!ends[e].value)
			continue;
		text_add(t, *verb ? " and " : " ");
		if (strcmp(verb, ends[e].verb) != 0)
			text_add(t, "%s ", ends[e].verb);
		text_add(t, "%llu %s", (ull)ends[e].value, ends[e].what);
		verb = ends[e].verb;
	}
	if (!*verb && i->unread)
		text_add(t, " gave answers that cannot be read (TLS, HTTP/2)");
	else if (!*verb)
		text_add(t, " answered no client with an error");
	else if (i->inferred)
		text_add(t, " (inferred)");
}

/* "(420 refused, 8 reset by 10.0.3.7:3000)"; nothing where nothing failed there. */
static void add_failures(struct text *t, const struct report_incident *r)
{
	const uint64_t *fail = r->impact.upstream_fail;
	const struct count counts[] = {
		{fail[FLOW_FAIL_REFUSED], "", "refused"},
		{fail[FLOW_FAIL_RST_BEFORE] + fail[FLOW_FAIL_FIN_BEFORE] + fail[FLOW_FAIL_RST_MID],
		 "", "reset"},
		{fail[FLOW_FAIL_CONNECT_TIMEOUT] + fail[FLOW_FAIL_UNREACHABLE], "", "not reached"},
		{fail[FLOW_FAIL_ABANDONED], "", "given up on"},
		{r->impact.masked_by_retry, "", "masked by retry"},
	};
	const char *separator = " (";

	if (!r->upstream.port)
		return;
	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		if (!counts[c].value)
			continue;
		text_add(t, "%s%llu %s", separator, (ull)counts[c].value, counts[c].what);
		separator = ", ";
	}
	text_add(t, "%s", *separator == ' ' ? " (upstream " : "; upstream ");
	text_add_endpoint(t, &r->upstream);
	text_add(t, ")");
}

static void add_impact(struct text *t, const struct report_incident *r)
{
	const struct report_impact *i = &r->impact;
	uint64_t lasted_ns = since_ns(i->last_failure_ns, i->first_failure_ns);

	text_add(t, "; %s (pid %u)", *r->gateway.proc.comm ? r->gateway.proc.comm : "the gateway",
		 r->gateway.proc.id.tgid);
	add_answers(t, i);
	if (lasted_ns) {
		text_add(t, " in ");
		text_add_duration(t, lasted_ns);
	}
	add_failures(t, r);
}

static void add_status(struct text *t, const struct report_incident *r)
{
	if (r->status == STATUS_CRASH_LOOP)
		text_add(t, "; crash loop, %u deaths in 10 min", r->deaths_10m);
	else if (r->status == STATUS_RECOVERED)
		text_add(t, "; recovered");
	else if (r->record == INCIDENT_CLOSE)
		text_add(t, "; quiet since, not seen to recover");
	else
		text_add(t, "; ongoing");
}

/* Whether it is over is never cut off: the rest gets the room that leaves. */
void incident_summary(const struct incident *incident, struct report_incident *out)
{
	struct subject s = {incident, out, incident_traffic(incident)};
	char status[64];
	struct text t;

	text_init(&t, status, sizeof(status));
	add_status(&t, out);
	text_init(&t, out->summary, sizeof(out->summary) - t.len);
	if ((unsigned int)out->verdict.class < NR_VERDICT_CLASSES)
		sentences[out->verdict.class](&t, &s);
	add_impact(&t, out);
	t.size = sizeof(out->summary);
	text_add(&t, "%s", status);
}
