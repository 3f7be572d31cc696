/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * incident_text.c - the sentence and the advice a person on call reads. Decides nothing: it words
 * what the report already says in values.
 */
#include <signal.h>
#include <string.h>

#include "core/incident.h"
#include "core/text.h"
#include "core/units.h"
#include "model/report.h"

typedef unsigned long long ull;

static void add_signal(struct text *t, int32_t sig)
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

static void add_culprit(struct text *t, const struct report_incident *r)
{
	text_add(t, "%s (pid %u)", *r->culprit.comm ? r->culprit.comm : "a process",
		 r->culprit.id.tgid);
}

static void add_growth(struct text *t, const struct report_incident *r)
{
	const struct report_memory *m = &r->memory;

	if (r->verdict.cause == CAUSE_UNKNOWN_GROWTH || !m->floor_slope_bytes_per_s.has) {
		text_add(t, "; how its memory got there was not seen to be a steady growth");
		return;
	}
	text_add(t, " after its %s grew by ",
		 r->verdict.cause == CAUSE_NATIVE_LEAK ? "memory outside the heap" : "heap");
	text_add_mib(t, u64_of(m->floor_slope_bytes_per_s.value));
	text_add(t, "/s for %llu s", (ull)u64_of(m->window_s.value));
}

static void add_memory_death(struct text *t, const struct report_incident *r)
{
	add_culprit(t, r);
	if (r->death.memcg_oom && r->memory.limit_bytes.has) {
		text_add(t, " was OOM-killed at the ");
		text_add_mib(t, u64_of(r->memory.limit_bytes.value));
		text_add(t, " limit of its memory cgroup");
	} else if (r->death.oom_kill) {
		text_add(t, " was OOM-killed by the kernel");
	} else {
		text_add(t, " gave up at the limit of its JavaScript heap (exit code %d)",
			 r->death.exit_code);
	}
	add_growth(t, r);
}

static void add_other_death(struct text *t, const struct report_incident *r)
{
	bool by_user = r->death.has_signal_code && r->death.signal_code <= 0 &&
		       r->death.sender_tgid != r->culprit.id.tgid;

	add_culprit(t, r);
	if (r->death.signal) {
		text_add(t, by_user ? " was ended by " : " died of ");
		add_signal(t, r->death.signal);
	} else {
		text_add(t, " exited with code %d", r->death.exit_code);
	}
	if (by_user)
		text_add(t, "%s from %s (pid %u)", r->death.signal ? "" : " after a signal",
			 r->death.sender_comm, r->death.sender_tgid);
	text_add(t, "; nothing says that memory was the cause");
}

/* "421 x 502" or "3 x 502 and 9 x 504 and closed 2 clients unanswered": what clients were told. */
static void add_answers(struct text *t, const struct report_impact *i)
{
	const struct {
		const char *verb, *what;
		uint64_t count;
	} ends[] = {
		{"answered", "x 502", i->client_status[FLOW_STATUS_502]},
		{"answered", "x 503", i->client_status[FLOW_STATUS_503]},
		{"answered", "x 504", i->client_status[FLOW_STATUS_504]},
		{"answered", "x another 5xx", i->client_errors},
		{"closed", "clients unanswered", i->client_closed},
	};
	const char *verb = "";

	for (size_t e = 0; e < sizeof(ends) / sizeof(ends[0]); e++) {
		if (!ends[e].count)
			continue;
		text_add(t, *verb ? " and " : " ");
		if (strcmp(verb, ends[e].verb) != 0)
			text_add(t, "%s ", ends[e].verb);
		text_add(t, "%llu %s", (ull)ends[e].count, ends[e].what);
		verb = ends[e].verb;
	}
	if (!*verb)
		text_add(t, " answered no client with an error");
}

static void add_impact(struct text *t, const struct report_incident *r)
{
	const struct report_impact *i = &r->impact;
	uint64_t resets = i->upstream_fail[FLOW_FAIL_RST_BEFORE] +
			  i->upstream_fail[FLOW_FAIL_FIN_BEFORE] +
			  i->upstream_fail[FLOW_FAIL_RST_MID];

	text_add(t, "; %s (pid %u)", *r->gateway.proc.comm ? r->gateway.proc.comm : "the gateway",
		 r->gateway.proc.id.tgid);
	add_answers(t, i);
	text_add(t, " in ");
	text_add_seconds(t, since_ns(i->last_failure_ns, i->first_failure_ns));
	text_add(t, " (%llu refused, %llu reset by ", (ull)i->upstream_fail[FLOW_FAIL_REFUSED],
		 (ull)resets);
	text_add_endpoint(t, &r->upstream);
	if (i->masked_by_retry)
		text_add(t, ", %llu masked by retries", (ull)i->masked_by_retry);
	text_add(t, ")");
}

void incident_summary(const struct incident *incident, struct report_incident *out)
{
	struct text t;

	text_init(&t, out->summary, sizeof(out->summary));
	switch (out->verdict.class) {
	case VERDICT_MEMORY_DEATH:
		add_memory_death(&t, out);
		break;
	case VERDICT_UPSTREAM_DOWN_NONMEMORY:
		add_other_death(&t, out);
		break;
	case VERDICT_KEEPALIVE_RACE:
		text_add(&t,
			 "%s closed idle connections just as the gateway reused them; "
			 "nobody died",
			 *incident->owner_comm ? incident->owner_comm : "the upstream");
		break;
	default:
		text_add(&t,
			 "requests to an upstream failed and nothing that was seen explains it");
	}
	add_impact(&t, out);
}

/* Actions -------------------------------------------------------------------------------------- */

static struct text add_action(struct report_incident *out, enum action_kind kind)
{
	struct report_action *a = &out->actions[out->nr_actions];
	struct text t;

	if (out->nr_actions < REPORT_MAX_ACTIONS - 1)
		out->nr_actions++;
	a->priority = out->nr_actions;
	a->kind = kind;
	text_init(&t, a->text, sizeof(a->text));
	return t;
}

static void advise_until_fixed(struct report_incident *out)
{
	struct text t = add_action(out, ACTION_MITIGATE);
	double slope = out->memory.floor_slope_bytes_per_s.value;
	double room = (double)out->memory.ceiling_bytes;

	text_add(&t, "Run at least two replicas and restart each before it is full");
	if (out->memory.floor_slope_bytes_per_s.has && slope > 0 && room > 0) {
		text_add(&t, ": at ");
		text_add_mib(&t, u64_of(slope));
		text_add(&t, "/s an empty process reaches ");
		text_add_mib(&t, out->memory.ceiling_bytes);
		text_add(&t, " in %llu s", (ull)u64_of(room / slope));
	}
	text_add(&t, ".");
}

static void advise_heap_leak(struct report_incident *out)
{
	struct text t;

	advise_until_fixed(out);
	t = add_action(out, ACTION_DIAGNOSE);
	if (out->culprit.runtime == RUNTIME_NODEJS)
		text_add(&t, "Run one instance with --heapsnapshot-signal=SIGUSR2, take two heap "
			     "snapshots some minutes apart and compare what was kept");
	else
		text_add(&t,
			 "Take two heap profiles of one instance some minutes apart and compare "
			 "what was kept");
	if (out->memory.bytes_per_request.has)
		text_add(&t, "; about %llu bytes stay per request",
			 (ull)u64_of(out->memory.bytes_per_request.value));
	text_add(&t, ".");
	t = add_action(out, ACTION_PREVENT);
	text_add(&t, "Alert on memswell's growth records of this service: they name the time left "
		     "before anything fails.");
}

static void advise_native_leak(struct report_incident *out)
{
	struct text t;

	advise_until_fixed(out);
	t = add_action(out, ACTION_DIAGNOSE);
	if (out->culprit.runtime == RUNTIME_NODEJS)
		text_add(&t,
			 "Watch process.memoryUsage(): external and arrayBuffers grow, heapUsed "
			 "does not. Look for Buffers that are kept, and for native addons");
	else
		text_add(&t,
			 "The managed heap is not what grows: look for direct buffers and native "
			 "libraries");
	text_add(&t, " (%llu %% of the growth is outside the heap).",
		 (ull)u64_of(out->memory.native_share.value * 100));
	t = add_action(out, ACTION_PREVENT);
	text_add(&t, "A heap limit does not catch this; alert on memswell's growth records.");
}

static void advise_unknown_growth(struct report_incident *out)
{
	struct text t = add_action(out, ACTION_MITIGATE);

	if (out->memory.limit_bytes.has && out->memory.peak_rss_bytes.has) {
		text_add(&t, "Compare the limit of ");
		text_add_mib(&t, u64_of(out->memory.limit_bytes.value));
		text_add(&t, " with what the service needs at peak (");
		text_add_mib(&t, u64_of(out->memory.peak_rss_bytes.value));
		text_add(&t, " at the end) and raise it if that is normal.");
	} else {
		text_add(&t,
			 "Give the service or the machine more memory until the cause is known.");
	}
	t = add_action(out, ACTION_DIAGNOSE);
	text_add(&t,
		 "No steady growth led here: look for a single large request or job just before "
		 "the death, and limit body sizes at the gateway.");
}

static void advise_other_death(struct report_incident *out)
{
	struct text t = add_action(out, ACTION_DIAGNOSE);
	bool by_other = out->death.has_signal_code && out->death.signal_code <= 0 &&
			out->death.sender_tgid && out->death.sender_tgid != out->culprit.id.tgid;

	if (by_other) {
		text_add(&t, "Find out why %s (pid %u) sent ", out->death.sender_comm,
			 out->death.sender_tgid);
		if (out->death.signal)
			add_signal(&t, out->death.signal);
		else
			text_add(&t, "a signal");
		/* Whoever watches over memory may have sent it; a trend is worth a hint, no more. */
		if (out->memory.mk_z.has) {
			text_add(&t, "; a watchdog may have seen its memory grow by ");
			text_add_mib(&t, u64_of(out->memory.floor_slope_bytes_per_s.value));
			text_add(&t, "/s.");
		} else {
			text_add(&t, "; memory is not what to look at.");
		}
	} else if (out->death.signal) {
		text_add(&t, "Look at the core dump and the log of the process for the crash (");
		add_signal(&t, out->death.signal);
		text_add(&t, "); memory is not what to look at.");
	} else {
		text_add(&t,
			 "Look at the end of the service's log: it exited by itself with code %d; "
			 "memory is not what to look at.",
			 out->death.exit_code);
	}
	t = add_action(out, ACTION_PREVENT);
	text_add(&t, "Start the next process before the old one stops, and let the gateway retry "
		     "on another replica.");
}

static void advise_keepalive_race(struct report_incident *out)
{
	struct text t = add_action(out, ACTION_PREVENT);

	text_add(&t, "Make the server keep idle connections longer than the gateway does (server "
		     "keep-alive timeout > gateway's upstream idle timeout).");
	t = add_action(out, ACTION_MITIGATE);
	text_add(&t,
		 "Let the gateway retry requests that failed on a reused connection; it lost "
		 "%llu that way.",
		 (ull)(out->impact.upstream_fail[FLOW_FAIL_RST_REUSED] +
		       out->impact.upstream_fail[FLOW_FAIL_FIN_REUSED]));
}

static void advise_unexplained(struct report_incident *out)
{
	struct text t = add_action(out, ACTION_DIAGNOSE);

	text_add(&t, "Check whether ");
	text_add_endpoint(&t, &out->upstream);
	text_add(&t, " is the right address and reachable, then the upstream's own log; no death "
		     "was seen behind it.");
}

void incident_actions(struct report_incident *out)
{
	if (out->verdict.class == VERDICT_MEMORY_DEATH) {
		if (out->verdict.cause == CAUSE_HEAP_LEAK)
			advise_heap_leak(out);
		else if (out->verdict.cause == CAUSE_NATIVE_LEAK)
			advise_native_leak(out);
		else
			advise_unknown_growth(out);
	} else if (out->verdict.class == VERDICT_UPSTREAM_DOWN_NONMEMORY) {
		advise_other_death(out);
	} else if (out->verdict.class == VERDICT_KEEPALIVE_RACE) {
		advise_keepalive_race(out);
	} else {
		advise_unexplained(out);
	}
}
