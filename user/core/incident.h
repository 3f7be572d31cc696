/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * incident.h - one story per burst: opened with it, updated when the verdict, the culprit or the
 * status changes, closed after recovery; always under one id.
 *
 * What is needed to the end is copied here when the culprit is found, because its process entry
 * may leave before the incident does.
 *
 * A service that dies again and again is one incident: where the same upstream fails again within
 * ten minutes, for a reason of the same kind, the closed incident is opened again under its id.
 *
 * Limits: 64 open at a time; a burst beyond is reported without incident and counted in `refused`.
 * 32 closed ones are remembered; what finds its own forgotten opens as a new one.
 */
#ifndef MEMSWELL_INCIDENT_H
#define MEMSWELL_INCIDENT_H

#include "core/burst.h"
#include "core/container.h"
#include "core/death.h"
#include "core/exetab.h"
#include "core/ulid.h"
#include "core/verdict.h"

#define INCIDENT_MAX	  64
#define INCIDENT_CLOSED	  32
#define INCIDENT_AGAIN_NS (600 * NSEC_PER_SEC)
/* In upstream.incident: the burst was reported, but there was no room for an incident. */
#define INCIDENT_REFUSED UINT16_MAX

/* The process that explains it: one that died or, with death.exit_ns 0, one that serves badly. */
struct culprit {
	struct death death;
	struct proc_id parent;
	struct cgroup_id memcg;
	uint8_t runtime;
	bool v8_watched;
	uint64_t memcg_limit_bytes;
	uint64_t heap_limit_bytes; /* it was told */
	uint64_t memcg_usage_bytes;
	uint64_t reclaim_ns;
	uint64_t limit_events_per_s;
	uint64_t requests; /* answered in its life */
	char comm[RECORD_COMM_LEN];
	char exe_path[EXETAB_PATH_LEN];
	char cgroup_path[RECORD_PATH_LEN];
	struct workload workload;
	char service_name[SERVICE_NAME_LEN];
	bool is_named; /* that is a name, and not only COMM:PORT */
};

struct incident {
	bool used;
	char id[ULID_LEN];
	char burst_id[ULID_LEN];
	uint16_t upstream; /* index in struct gateways */
	uint16_t node;	   /* of the service, as far as it is known; else the gateway's */
	uint32_t revision;
	uint64_t opened_ns;
	uint64_t lost_before; /* events lost until shortly before it */
	struct report_verdict verdict;
	struct verdict_facts facts; /* the verdict was decided on; also what the report tells */
	struct impact carried; /* of earlier bursts of this incident, when it was opened again */
	uint32_t deaths_10m;
	uint32_t supervisor_tgid; /* who ended it or starts it again; 0 unknown */
	char supervisor_comm[RECORD_COMM_LEN];
	struct report_victim victims[REPORT_MAX_VICTIMS];
	uint32_t nr_victims;
	enum incident_status status;
	bool has_culprit; /* to be named; before that, culprit is what is known of who serves */
	struct culprit culprit;
	bool service_known;
	bool listener_is_up;
	uint64_t listener_down_ns; /* first time within the incident; 0 not seen */
	uint64_t listener_up_ns;
	bool listener_came; /* the address got its first listener after the first failure */
	uint32_t next_tgid;
	uint32_t restarts_10m;
	char owner_comm[RECORD_COMM_LEN]; /* of who listens or listened there, "" unknown */
	uint8_t owner_runtime;		  /* enum runtime_kind */
	char owner_service[SERVICE_NAME_LEN];
	bool owner_is_named; /* as culprit.is_named */
};

/* What is needed of a closed incident to go on with it. */
struct closed_incident {
	char id[ULID_LEN]; /* "" unused */
	struct proc_id gateway;
	struct endpoint upstream; /* loopback folded */
	uint64_t closed_ns;
	uint64_t lost_before;
	uint32_t revision;
	enum verdict_class class;
	bool died;
	struct impact carried; /* its own burst included */
};

struct incidents {
	struct incident all[INCIDENT_MAX + 1]; /* 0 unused */
	struct closed_incident closed[INCIDENT_CLOSED];
	uint16_t next_closed; /* a ring: the next one replaces the oldest */
	uint32_t nr_open;
	uint64_t refused;
};

struct core;

/* Decide on bursts and incidents; on every tick. */
void incident_tick(struct core *core);
/* The stream ends: say how open incidents stand. */
void incident_stop(struct core *core);

/* The node of its gateway. */
uint16_t incident_gateway_node(const struct core *core, const struct incident *incident);

/* Its death; NULL where nobody died of it, or nobody that is known. */
const struct death *incident_death(const struct incident *incident);

/* incident_culprit.c: who explains it ---------------------------------------------------------- */

struct correlation;

/*
 * Correlate and choose: a death, else who serves there. Fills culprit, victims and the number of
 * deaths; true if it is another death than before, or is called otherwise.
 */
bool incident_find_culprit(struct core *core, struct incident *incident, struct correlation *c);
/* What the services behind the upstream say about the outage. */
void incident_note_services(struct core *core, struct incident *incident,
			    const struct correlation *c);
/* Who ended it or starts it again. */
void incident_note_supervisor(struct core *core, struct incident *incident,
			      const struct correlation *c);

/* incident_report.c: the report of an incident, and the ids of one and its burst. */
void incident_make_ids(const struct core *core, struct incident *incident);
void incident_emit(struct core *core, const struct incident *incident, enum incident_record record);

#endif
