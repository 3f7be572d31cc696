/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * incident_fixture.h - an incident as the core fills it, with everything measured, for tests of what
 * is told about it: a node process leaked to the 160 MiB limit of its cgroup. Tests change what
 * they need; fixture_tell() makes the parts of the report anew.
 */
#ifndef MEMSWELL_INCIDENT_FIXTURE_H
#define MEMSWELL_INCIDENT_FIXTURE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/actions.h"
#include "core/incident_sections.h"

#define FIXTURE_S(n) ((uint64_t)(n)*NSEC_PER_SEC)
#define FIXTURE_HAS(number)                                                                        \
	(struct measure)                                                                           \
	{                                                                                          \
		.value = (number), .has = true                                                     \
	}

struct fixture {
	struct core *core;
	struct incident incident;
	struct impact impact;
	struct report_incident out;
	enum runtime_kind server;
};

static inline struct growth_story fixture_growth(void)
{
	return (struct growth_story){
		.known = true,
		.grew = true,
		.trend = {.nr = 32,
			  .slope = 3.5 * (double)MIB,
			  .mk_z = 6.9,
			  .window_s = 32,
			  .growing = true},
		.onset_ns = FIXTURE_S(950),
		.native_share = FIXTURE_HAS(0.03),
		.bytes_per_request = FIXTURE_HAS(18974),
		.concavity = 0.98,
		.prediction_ns = FIXTURE_S(985),
		.predicted_s = 16,
		.first_prediction_ns = FIXTURE_S(960),
		.first_predicted_s = 42,
	};
}

static inline struct traffic_story fixture_traffic(void)
{
	return (struct traffic_story){
		.known = true,
		.explained = {.requests = FIXTURE_HAS(0.9),
			      .received = FIXTURE_HAS(0.02),
			      .in_flight = FIXTURE_HAS(0.03),
			      .background = FIXTURE_HAS(0.05)},
		.bytes_per_request = FIXTURE_HAS(18000),
		.baseline_anon_bytes = 20 * MIB,
		.in_flight_peak = 8,
		.in_flight_usual = 7,
	};
}

static inline void fixture_culprit(struct culprit *c)
{
	c->death.proc = (struct proc_id){.tgid = 12537, .start_ns = FIXTURE_S(940)};
	c->death.oom_ns = FIXTURE_S(1000) - 3 * NSEC_PER_MSEC;
	c->death.oom.usage_bytes = 160 * MIB;
	c->death.oom.limit_bytes = 160 * MIB;
	c->death.oom.memcg = (struct cgroup_id){.id = 12, .hierarchy = 5};
	c->death.signals[0] = (struct death_signal){
		.ts_ns = FIXTURE_S(1000) - 3 * NSEC_PER_MSEC, .sig = SIGKILL, .code = SI_KERNEL};
	c->death.nr_signals = 1;
	c->death.exit_ns = FIXTURE_S(1000);
	c->death.status = SIGKILL;
	c->death.peak_rss_bytes = 165 * MIB;
	c->death.peak_anon_bytes = 140 * MIB;
	c->death.anon_bytes = 138 * MIB;
	c->death.story = fixture_growth();
	c->death.traffic = fixture_traffic();
	c->death.ceilings.all[0] = (struct report_ceiling){CEILING_CGROUP, 160 * MIB};
	c->death.ceilings.all[1] = (struct report_ceiling){CEILING_HEAP_COMPUTED, 275 * MIB};
	c->death.ceilings.nr = 2;
	c->memcg = (struct cgroup_id){.id = 12, .hierarchy = 5};
	c->runtime = RUNTIME_NODEJS;
	c->memcg_limit_bytes = 160 * MIB;
	strcpy(c->comm, "node");
}

static inline void fixture_set(struct fixture *f, enum verdict_class class,
			       enum verdict_cause cause)
{
	f->incident.verdict.class = class;
	f->incident.verdict.cause = cause;
}

static inline void fixture_setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->core = calloc(1, core_memory_ceiling());
	assert_non_null(f->core);
	f->core->now_ns = FIXTURE_S(1005);
	f->incident.has_culprit = true;
	fixture_culprit(&f->incident.culprit);
	f->incident.next_tgid = 16390;
	strcpy(f->incident.owner_comm, "node");
	f->incident.listener_down_ns = FIXTURE_S(1000);
	f->impact = (struct impact){
		.client_status = {[FLOW_STATUS_2XX] = 900, [FLOW_STATUS_502] = 428},
		.fail = {[FLOW_FAIL_REFUSED] = 420, [FLOW_FAIL_RST_BEFORE] = 8},
		.first_ns = FIXTURE_S(1000) + NSEC_PER_MSEC,
		.last_ns = FIXTURE_S(1002) + NSEC_PER_MSEC,
		.first_reset_ns = FIXTURE_S(1000) + NSEC_PER_MSEC,
		.first_refused_ns = FIXTURE_S(1000) + 2 * NSEC_PER_MSEC,
	};
	f->server = RUNTIME_NODEJS;
	fixture_set(f, VERDICT_MEMORY_DEATH, CAUSE_HEAP_LEAK);
}

static inline void fixture_teardown(struct fixture *f)
{
	free(f->core);
}

/* Nobody died: the process serves on, and facts are about it. */
static inline void fixture_alive(struct fixture *f)
{
	struct death *d = &f->incident.culprit.death;

	f->incident.facts.owner_alive = true;
	f->incident.facts.story = d->story;
	f->incident.facts.traffic = d->traffic;
	f->incident.facts.ceilings = d->ceilings;
	*d = (struct death){.proc = d->proc};
	f->incident.next_tgid = 0;
	f->incident.listener_down_ns = 0;
}

/* Ended by another process. */
static inline void fixture_signalled(struct fixture *f, int32_t sig)
{
	struct death *d = &f->incident.culprit.death;

	d->oom_ns = 0;
	d->status = (uint32_t)sig;
	d->signals[0] = (struct death_signal){.ts_ns = FIXTURE_S(1000) - NSEC_PER_MSEC,
					      .sender = {.tgid = 900, .start_ns = 1},
					      .sig = sig,
					      .code = SI_USER,
					      .sender_comm = "bash"};
}

static inline void fixture_report(struct fixture *f)
{
	struct report_incident *out = &f->out;

	memset(out, 0, sizeof(*out));
	out->record = INCIDENT_UPDATE;
	out->status = f->incident.status;
	out->verdict = f->incident.verdict;
	out->upstream = (struct endpoint){.addr = {[15] = 1}, .port = 3000};
	out->gateway = (struct report_gateway){
		.proc = {.id = {.tgid = 21}, .comm = "nginx", .exe_path = "", .cgroup_path = ""},
		.personality = "nginx"};
	out->impact = (struct report_impact){.first_failure_ns = f->impact.first_ns,
					     .last_failure_ns = f->impact.last_ns,
					     .client_closed = f->impact.client_closed,
					     .truncated = f->impact.truncated,
					     .app_answered = f->impact.app_answered};
	memcpy(out->impact.client_status, f->impact.client_status, sizeof(f->impact.client_status));
	memcpy(out->impact.upstream_fail, f->impact.fail, sizeof(f->impact.fail));
	out->culprit.comm = out->culprit.exe_path = out->culprit.cgroup_path = "";
	out->death.sender_comm = "";
	out->has_culprit = f->incident.has_culprit;
	out->next_tgid = f->incident.next_tgid;
	out->deaths_10m = f->incident.deaths_10m;
	out->supervisor_tgid = f->incident.supervisor_tgid;
	out->supervisor_comm = f->incident.supervisor_comm;
	if (!out->has_culprit)
		return;
	out->culprit.id = f->incident.culprit.death.proc;
	out->culprit.comm = f->incident.culprit.comm;
	out->culprit.runtime = f->incident.culprit.runtime;
	out->died = f->incident.culprit.death.exit_ns != 0;
	death_decode(&f->incident.culprit.death, &out->death);
}

static inline void fixture_tell(struct fixture *f)
{
	fixture_report(f);
	incident_fill_memory(f->core, &f->incident, &f->out);
	incident_fill_timeline(&f->incident, &f->impact, &f->out);
	incident_fill_evidence(f->core, &f->incident, &f->impact, &f->out);
	incident_summary(&f->incident, &f->out);
	actions_advise(&f->incident, f->server, &f->out);
}

#endif
