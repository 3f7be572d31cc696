/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * state.h - everything the core holds, in one block of fixed size, and how its parts report.
 *
 * Only core.c, take_*.c, emit.c and incident*.c see the whole; every table below works without it.
 */
#ifndef MEMSWELL_STATE_H
#define MEMSWELL_STATE_H

#include "core/container.h"
#include "core/core.h"
#include "core/correlate.h"
#include "core/death.h"
#include "core/exetab.h"
#include "core/gap.h"
#include "core/gateway.h"
#include "core/growth.h"
#include "core/heartbeat.h"
#include "core/incident.h"
#include "core/lives.h"
#include "core/proctab.h"
#include "core/service.h"
#include "core/traffic.h"

/* Losses some tens of seconds ago, so that an incident can tell those around it from older ones. */
#define LOSS_HISTORY	4
#define LOSS_HISTORY_NS (10 * NSEC_PER_SEC)

/* What is known of one node as such; a stream of one host has one. */
struct node {
	struct record_header header;
	struct record_probe probes[REPORT_MAX_PROBES];
	uint32_t nr_probes;
	bool started;		/* its start was reported */
	uint64_t flows_read_ns; /* when the flows of the last batch were read, and of this one */
	uint64_t flows_now_ns;
	struct heartbeat heartbeat;
};

struct core {
	struct core_options options;
	core_emit_fn emit;
	void *emit_arg;
	uint64_t seq;
	uint64_t now_ns; /* newest record time; time never goes back */
	int64_t wall_offset_ns;
	bool stopped;
	uint64_t probes_refused;
	uint64_t lost[LOSS_HISTORY]; /* events lost until then, newest first */
	uint64_t lost_slot;
	struct gaps gaps;
	struct proctab procs;
	struct exetab exes;
	struct exetab told_names; /* of services; kept as those are: few, and each for many */
	struct containers containers;
	struct growths growths;
	uint16_t due_growths[GROWTH_MAX]; /* in the order their records came */
	uint16_t nr_due_growths;
	struct deaths deaths;
	uint16_t due_deaths[DEATH_MAX];
	uint16_t nr_due_deaths;
	struct services services;
	struct traffics traffics;
	struct lives_table lives;
	struct gateways gateways;
	struct incidents incidents;
	struct report report; /* being filled */
	uint32_t nr_nodes;
	struct node nodes[];
};

static inline const struct node *node_of(const struct core *core, uint16_t node)
{
	return &core->nodes[node < core->nr_nodes ? node : 0];
}

/* emit.c --------------------------------------------------------------------------------------- */

/* Say who watches, once per node, before anything else of it. */
void emit_start(struct core *core, uint16_t node);
/* An empty report of that node to fill; its first one ever is preceded by its start report. */
struct report *emit_begin(struct core *core, enum report_kind kind, uint16_t node, uint64_t ts_ns);
void emit_end(struct core *core);

void emit_proc(struct core *core, struct proc *p, struct report_proc *out);
/* The same for who knows already which service it is part of; NULL: of none. */
void emit_proc_of(struct core *core, const struct proc *p, const struct service *service,
		  struct report_proc *out);
/* Also for a process nobody knows. */
void emit_proc_id(struct core *core, const struct proc_id *id, struct report_proc *out);
/* What the service is called that `p` is part of, or would be at that port; see service_name.h. */
bool emit_service_name(const struct core *core, const struct proc *p, uint16_t port,
		       char out[SERVICE_NAME_LEN]);
void emit_gateway(struct core *core, const struct gateway *g, struct report_gateway *out);
void emit_impact(const struct gateway *g, const struct impact *impact, struct report_impact *out);

bool emit_probe_missing(const struct node *node, const char *name);
/* The hook a fact came from, as the probe records tell. */
const char *emit_probe_variant(const struct node *node, const char *name, const char *otherwise);

/* Events lost so far, on all nodes. */
uint64_t core_events_lost(const struct core *core);

#endif
