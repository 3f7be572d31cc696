/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * incident.h - one story per burst: opened with it, updated when the verdict, the culprit or the
 * status changes, closed after recovery; always under one id.
 *
 * What is needed to the end is copied here when the culprit is found, because its process entry
 * may leave before the incident does.
 *
 * Limit: 64 open at a time; a burst beyond is reported without incident and counted in `refused`.
 */
#ifndef MEMSWELL_INCIDENT_H
#define MEMSWELL_INCIDENT_H

#include "core/container.h"
#include "core/death.h"
#include "core/exetab.h"
#include "core/ulid.h"
#include "core/verdict.h"

#define INCIDENT_MAX 64
/* In upstream.incident: the burst was reported, but there was no room for an incident. */
#define INCIDENT_REFUSED UINT16_MAX

struct culprit {
	struct death death;
	struct proc_id parent;
	struct cgroup_id memcg;
	uint8_t runtime;
	bool v8_watched;
	uint64_t memcg_limit_bytes;
	uint64_t memcg_usage_bytes;
	uint64_t reclaim_ns;
	char comm[RECORD_COMM_LEN];
	char exe_path[EXETAB_PATH_LEN];
	char cgroup_path[RECORD_PATH_LEN];
};

struct incident {
	bool used;
	char id[ULID_LEN];
	char burst_id[ULID_LEN];
	uint16_t upstream; /* index in struct gateways */
	uint32_t revision;
	uint64_t opened_ns;
	uint64_t lost_before; /* events lost until shortly before it */
	struct report_verdict verdict;
	enum incident_status status;
	bool has_culprit;
	struct culprit culprit;
	bool service_known;
	bool listener_is_up;
	uint64_t listener_down_ns; /* first time within the incident; 0 not seen */
	uint64_t listener_up_ns;
	uint32_t next_tgid;
	uint32_t restarts_10m;
	char owner_comm[RECORD_COMM_LEN]; /* of who listens or listened there, "" unknown */
};

struct incidents {
	struct incident all[INCIDENT_MAX + 1]; /* 0 unused */
	uint32_t nr_open;
	uint64_t refused;
};

struct core;

/* Decide on bursts and incidents; on every tick. */
void incident_tick(struct core *core);
/* The stream ends: say how open incidents stand. */
void incident_stop(struct core *core);

/* incident_report.c: the report of an incident, and the ids of one and its burst. */
void incident_make_ids(const struct core *core, struct incident *incident);
void incident_emit(struct core *core, const struct incident *incident, enum incident_record record);

/* incident_text.c: what a person reads. */
struct report_incident;
void incident_summary(const struct incident *incident, struct report_incident *out);
void incident_actions(struct report_incident *out);

#endif
