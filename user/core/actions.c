/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * actions.c - see actions.h. The list itself, and advice where memory is not the cause; where it is,
 * actions_memory.c advises.
 */
#include "core/actions.h"

#include <string.h>

#include "core/rules.h"

typedef unsigned long long ull;

struct text action_add(struct advice *a, enum action_kind kind)
{
	struct report_incident *out = a->out;
	uint32_t i = out->nr_actions;
	struct text t;

	if (i == REPORT_MAX_ACTIONS) {
		text_init(&t, a->spare, sizeof(a->spare));
		return t;
	}
	while (i > 0 && out->actions[i - 1].kind > kind)
		i--;
	memmove(&out->actions[i + 1], &out->actions[i],
		(out->nr_actions - i) * sizeof(out->actions[0]));
	out->nr_actions++;
	out->actions[i].kind = kind;
	text_init(&t, out->actions[i].text, sizeof(out->actions[i].text));
	return t;
}

static bool signalled_by_other(const struct report_incident *r)
{
	return r->death.has_signal_code && r->death.signal_code <= 0 && r->death.sender_tgid &&
	       r->death.sender_tgid != r->culprit.id.tgid;
}

static void advise_sender(struct advice *a)
{
	const struct report_incident *r = a->out;
	struct text t = action_add(a, ACTION_DIAGNOSE);

	text_add(&t, "Find out why %s (pid %u) sent ",
		 *r->death.sender_comm ? r->death.sender_comm : "a process", r->death.sender_tgid);
	if (r->death.signal)
		text_add_signal(&t, r->death.signal);
	else
		text_add(&t, "a signal");
	/* Whoever watches over memory may have sent it; a trend is worth a hint, no more. */
	if (r->memory.mk_z.has) {
		text_add(&t, "; a watchdog may have seen its memory grow by ");
		text_add_rate(&t, r->memory.floor_slope_bytes_per_s.value);
		text_add(&t, ".");
	} else {
		text_add(&t, "; memory is not what to look at.");
	}
}

static void advise_overlap(struct advice *a)
{
	struct text t = action_add(a, ACTION_PREVENT);

	text_add(&t,
		 "Start the next process before the old one stops, and let the gateway retry on "
		 "another replica.");
}

static void advise_other_death(struct advice *a)
{
	const struct report_incident *r = a->out;
	struct text t;

	if (!r->died) {
		t = action_add(a, ACTION_MITIGATE);
		text_add(&t, "Start the service behind ");
		text_add_endpoint(&t, &r->upstream);
		text_add(&t, ", then look at the end of its log.");
	} else if (signalled_by_other(r)) {
		advise_sender(a);
	} else if (r->death.signal) {
		t = action_add(a, ACTION_DIAGNOSE);
		text_add(&t, "Look at the core dump and the log of the process for the crash (");
		text_add_signal(&t, r->death.signal);
		text_add(&t, "); memory is not what to look at.");
	} else {
		t = action_add(a, ACTION_DIAGNOSE);
		text_add(&t,
			 "Look at the end of the service's log: it exited by itself with code %d; "
			 "memory is not what to look at.",
			 r->death.exit_code);
	}
	advise_overlap(a);
}

static void advise_deploy(struct advice *a)
{
	uint64_t outage_ns = a->incident->facts.outage_ns;
	struct text t = action_add(a, ACTION_PREVENT);

	text_add(&t,
		 "Take the old process out of the gateway and let it finish its requests before "
		 "it stops, and start the new one first");
	if (outage_ns) {
		text_add(&t, "; nobody listened for ");
		text_add_duration(&t, outage_ns);
	}
	text_add(&t, ".");
	t = action_add(a, ACTION_DIAGNOSE);
	text_add(&t, "No fault to look for if this was a deployment: memory is not the cause.");
}

/* The settings by which a server keeps connections longer than 60 s, nginx's default for idle ones. */
static const char *idle_setting(enum runtime_kind runtime)
{
	switch (runtime) {
	case RUNTIME_NODEJS:
		return "server.keepAliveTimeout = 65000 and server.headersTimeout = 66000 (it has "
		       "5 s by default)";
	case RUNTIME_PYTHON:
		return "gunicorn --keep-alive 65 or uvicorn --timeout-keep-alive 65";
	case RUNTIME_GO:
		return "http.Server.IdleTimeout of 65 s";
	case RUNTIME_RUBY:
		return "puma's persistent_timeout 65";
	case RUNTIME_JVM:
		return "the connector's keepAliveTimeout of 65 s";
	default:
		return NULL;
	}
}

static void advise_race(struct advice *a)
{
	const uint64_t *fail = a->out->impact.upstream_fail;
	uint64_t lost = fail[FLOW_FAIL_RST_REUSED] + fail[FLOW_FAIL_FIN_REUSED];
	const char *setting = idle_setting(a->server);
	struct text t = action_add(a, ACTION_MITIGATE);

	text_add(&t, "Let the gateway retry requests that failed on a reused connection");
	if (lost)
		text_add(&t, " (%llu so far)", (ull)lost);
	text_add(&t, ", where a repeated request does no harm.");
	t = action_add(a, ACTION_PREVENT);
	text_add(&t, "Make the server keep idle connections longer than the gateway does");
	if (setting)
		text_add(&t, ": %s for a gateway that drops them after 60 s", setting);
	else
		text_add(&t, ", 65 s for a gateway that drops them after 60 s");
	text_add(&t, ".");
}

static void advise_app_error(struct advice *a)
{
	struct text t = action_add(a, ACTION_DIAGNOSE);

	text_add(&t, "Look at the log of the service at ");
	text_add_endpoint(&t, &a->out->upstream);
	text_add(&t, ": it answered with 502, 503 or 504 itself; neither the gateway nor "
		     "memory is at fault.");
}

static void advise_overload(struct advice *a)
{
	const struct verdict_facts *f = &a->incident->facts;
	struct text t;

	if (a->out->verdict.cause == CAUSE_DB_POOL_EXHAUSTION) {
		advise_pool(a);
		return;
	}
	t = action_add(a, ACTION_MITIGATE);
	text_add(&t, "Add capacity, or limit requests at the gateway");
	if (f->load_ratio >= 1.5) {
		text_add(&t, ": load is ");
		text_add_decimal(&t, f->load_ratio);
		text_add(&t, " times the usual");
	}
	text_add(&t, ".");
	if (f->accept_full) {
		t = action_add(a, ACTION_PREVENT);
		text_add(&t,
			 "%llu connects met a full accept queue: raise the backlog of listen() and "
			 "net.core.somaxconn, if short peaks are what has to be taken.",
			 (ull)f->accept_full);
	}
	if (f->abandoned) {
		t = action_add(a, ACTION_DIAGNOSE);
		text_add(
			&t,
			"The gateway gave up waiting for %llu requests: find what takes so long; a "
			"longer timeout only makes the queue longer.",
			(ull)f->abandoned);
	}
}

static void advise_local(struct advice *a)
{
	uint64_t no_port = a->incident->facts.no_port;
	struct text t = action_add(a, ACTION_MITIGATE);

	if (no_port) {
		text_add(&t,
			 "Reuse connections to upstreams (nginx: keepalive in upstream{}), and "
			 "widen net.ipv4.ip_local_port_range: %llu connects found no local port.",
			 (ull)no_port);
	} else {
		text_add(&t, "Raise the gateway's own limits: nginx worker_connections and "
			     "worker_rlimit_nofile, haproxy maxconn; and reuse connections to "
			     "upstreams.");
	}
	t = action_add(a, ACTION_DIAGNOSE);
	text_add(&t, "Look at the gateway's error log (worker_connections are not enough, too many "
		     "open files, no live upstreams); no upstream was asked.");
}

static void advise_network(struct advice *a)
{
	struct text t = action_add(a, ACTION_DIAGNOSE);

	text_add(&t, "From the gateway's host check the way to ");
	text_add_endpoint(&t, &a->out->upstream);
	text_add(&t,
		 ": routes (ip route get), firewalls, network policies, and whether that host is "
		 "up.");
}

static void advise_config(struct advice *a)
{
	struct text t = action_add(a, ACTION_MITIGATE);

	text_add(&t, "Check the gateway's configuration: is ");
	text_add_endpoint(&t, &a->out->upstream);
	text_add(&t, " the right address and port? If it is, start the service that should listen "
		     "there.");
}

static void advise_unheard(struct advice *a)
{
	struct text t = action_add(a, ACTION_DIAGNOSE);

	text_add(&t,
		 "See in the memswell.process_exit lines who ran out of memory before it listened; "
		 "if that is what should listen at ");
	text_add_endpoint(&t, &a->out->upstream);
	text_add(&t,
		 ", it needs a larger memory limit or a smaller heap, else check that address.");
}

static void advise_unexplained(struct advice *a)
{
	const struct verdict_facts *f = &a->incident->facts;
	struct text t;

	if (rules_hung(f)) {
		advise_stacks(a);
		return;
	}
	if (f->died_unheard) {
		advise_unheard(a);
		return;
	}
	t = action_add(a, ACTION_DIAGNOSE);
	if (f->local) {
		text_add(&t, "Look at the gateway's own error log: it asked no upstream.");
		return;
	}
	text_add(&t, "Check whether ");
	text_add_endpoint(&t, &a->out->upstream);
	text_add(&t, " is the right address and reachable, then the upstream's own log; no death "
		     "was seen behind it.");
}

static void advise_crash_loop(struct advice *a)
{
	struct text t = action_add(a, ACTION_MITIGATE);

	text_add(&t,
		 "Break the loop: %u deaths in 10 minutes. Take it out of the gateway or roll "
		 "back what changed last; each restart only repeats it.",
		 a->out->deaths_10m);
}

static void (*const advisers[])(struct advice *a) = {
	[VERDICT_UNEXPLAINED] = advise_unexplained,
	[VERDICT_MEMORY_DEATH] = advise_memory_death,
	[VERDICT_UPSTREAM_DOWN_NONMEMORY] = advise_other_death,
	[VERDICT_KEEPALIVE_RACE] = advise_race,
	[VERDICT_MEMORY_STALL] = advise_memory_stall,
	[VERDICT_GC_THRASH] = advise_gc_thrash,
	[VERDICT_SUPERVISOR_MEMORY_RESTART] = advise_supervisor_restart,
	[VERDICT_NODE_PRESSURE_VICTIM] = advise_node_pressure,
	[VERDICT_DEPLOY_RESTART] = advise_deploy,
	[VERDICT_APP_ERROR_STATUS] = advise_app_error,
	[VERDICT_BACKEND_OVERLOAD] = advise_overload,
	[VERDICT_PROXY_LOCAL_EXHAUSTION] = advise_local,
	[VERDICT_NETWORK] = advise_network,
	[VERDICT_CONFIG] = advise_config,
};
_Static_assert(sizeof(advisers) / sizeof(advisers[0]) == NR_VERDICT_CLASSES,
	       "advice for every class");

void actions_advise(const struct incident *incident, enum runtime_kind server,
		    struct report_incident *out)
{
	struct advice a = {.incident = incident,
			   .traffic = incident_traffic(incident),
			   .out = out,
			   .server = server};

	out->nr_actions = 0;
	if (out->status == STATUS_CRASH_LOOP)
		advise_crash_loop(&a);
	if ((unsigned int)out->verdict.class < NR_VERDICT_CLASSES)
		advisers[out->verdict.class](&a);
	for (uint32_t i = 0; i < out->nr_actions; i++)
		out->actions[i].priority = i + 1;
}
