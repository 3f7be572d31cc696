/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * report.h - what leaves the core: one report becomes one line of output.
 *
 * Reports carry values, not text: words come from vocabulary.h, JSON from report_json.c. Strings
 * point into the core or are arrays here, valid only during the emit callback.
 */
#ifndef MEMSWELL_REPORT_H
#define MEMSWELL_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/ids.h"
#include "model/record.h"
#include "model/vocabulary.h"
#include "model/workload.h"

enum report_kind {
	REPORT_START = 0, /* first line: who watches, with which probes */
	REPORT_HEARTBEAT,
	REPORT_PROCESS_EXIT,
	REPORT_OOM_KILL,
	REPORT_LISTENER,
	REPORT_GROWTH,
	REPORT_BURST,
	REPORT_INCIDENT,
	REPORT_SAMPLE, /* only with --include-samples */
	REPORT_GAP,
	NR_REPORT_KINDS
};

/* A quantity that may not be measurable: has=false prints as null. */
struct measure {
	double value;
	bool has;
};

struct report_proc {
	struct proc_id id;
	const struct record_header *header; /* of its node; NULL: that of the report */
	uint32_t parent_tgid;
	enum runtime_kind runtime;
	const char *comm;
	const char *exe_path;	 /* "" unknown */
	const char *cgroup_path; /* "" unknown */
	struct cgroup_id memcg;
	const struct workload *workload; /* never NULL from the core; empty fields are unknown */
	char service_name[SERVICE_NAME_LEN]; /* never "" for a process that serves */
};

#define REPORT_MAX_PROBES 48

struct report_start {
	const struct record_header *header;
	const struct record_probe *probes;
	uint32_t nr_probes;
};

struct report_loss {
	const char *stream;
	const char *reason;
	uint64_t count; /* since start */
};

#define REPORT_MAX_STREAMS 16

struct report_heartbeat {
	uint64_t uptime_ns;
	uint64_t cpu_ns;
	uint64_t rss_bytes;
	uint64_t map_bytes;
	uint64_t records;   /* taken in since start */
	uint64_t processes; /* alive, known */
	uint64_t flows;
	uint64_t open_incidents;
	const struct record_self *self; /* the rest of what it costs */
	const struct record_probe *probes;
	uint32_t nr_probes;
	const struct report_loss *losses; /* sorted by stream, reason */
	uint32_t nr_losses;
	const struct record_stream *streams;
	uint32_t nr_streams;
};

/* How a process ended, decoded. */
struct report_death {
	uint64_t ts_ns;
	int32_t exit_code; /* what a shell shows: code, or 128 + signal */
	int32_t signal;	   /* 0: ended by itself */
	int32_t signal_code;
	bool has_signal_code; /* the signal's generation was seen */
	uint32_t sender_tgid;
	const char *sender_comm;
	enum death_kind kind; /* all of it in one word */
	bool oom_kill;	      /* the kernel's OOM killer chose it */
	bool memcg_oom;	      /* ... because a cgroup hit its limit */
	bool v8_oom;	      /* V8 reported fatal out-of-memory first */
	bool abort_ignored;   /* SIGABRT to itself had no effect (PID 1 of a namespace) */
	uint64_t peak_rss_bytes;
	struct measure anon_bytes;
};

#define REPORT_MAX_SERVED 8

struct report_process_exit {
	struct report_proc proc;
	struct report_death death;
	uint64_t lifetime_ns;
	struct endpoint served[REPORT_MAX_SERVED]; /* addresses it answered at */
	uint32_t nr_served;
};

struct report_oom_kill {
	struct report_proc victim;
	struct report_proc trigger;
	struct record_oom oom;
	const char *limit_cgroup_path; /* "" unknown or global */
	bool confirmed;		       /* the SIGKILL was seen */
};

struct report_listener {
	struct report_proc owner;
	struct endpoint local;
	enum listener_state state;
	struct measure outage_ms; /* when it comes up: how long the address was without listener */
};

/* Trend of the floor of anonymous memory over one window; see core/trend.h. */
struct report_growth {
	struct report_proc proc;
	enum growth_level level;
	uint64_t floor_bytes;
	double slope_bytes_per_s; /* Theil-Sen */
	double slope_p10;
	double slope_p90;
	double mk_z;
	double window_s;
	uint64_t ceiling_bytes; /* 0 unknown */
	enum ceiling_source ceiling_source;
	struct measure exhaustion_s; /* time to ceiling at the slope */
	struct measure exhaustion_p10_s;
	struct measure exhaustion_p90_s;
};

struct report_gateway {
	struct report_proc proc; /* root of the gateway's process group, e.g. the nginx master */
	const char *personality; /* "nginx", "haproxy", "envoy", "generic" */
	uint32_t nr_workers;
};

struct report_impact {
	uint64_t first_failure_ns;
	uint64_t last_failure_ns;
	uint64_t client_status[NR_FLOW_STATUSES]; /* responses of the gateway to its clients */
	uint64_t upstream_fail[NR_FLOW_FAILS];	  /* failures on the legs to this upstream */
	uint64_t upstream_requests;
	uint64_t upstream_responses;
	uint64_t client_requests;
	uint64_t no_live;	/* client failures without any upstream attempt behind them */
	uint64_t client_errors; /* part of 5xx: the gateway's own, where the legs failed */
	uint64_t client_closed; /* clients closed on without an answer, where the legs failed */
	uint64_t masked_by_retry;
	uint64_t truncated;    /* answers that began and broke off */
	uint64_t app_answered; /* 502, 503 and 504 the upstream gave itself */
	bool unread;   /* no answer to a client could be read: of client_status nothing is known */
	bool inferred; /* client_status 502..504 come from the legs and the gateway's habits */
	double failure_ratio;
};

struct report_burst {
	char id[27];
	char incident_id[27];
	bool open;
	struct report_gateway gateway;
	struct endpoint upstream;
	struct report_impact impact;
	double base_rate_per_s;
	double log10_p; /* Poisson tail that opened it */
};

#define REPORT_MAX_SCORES	40
#define REPORT_MAX_ALTERNATIVES 4
#define REPORT_MAX_TIMELINE	24
#define REPORT_MAX_EVIDENCE	16
#define REPORT_MAX_ACTIONS	6

struct report_score {
	const char *rule;
	const char *about; /* the class or cause it speaks for, or "data_quality" */
	double weight;	   /* log-odds added, 0 when the rule looked and found nothing */
	double value;	   /* what it looked at, in the rule's unit */
};

struct report_alternative {
	enum verdict_class class;
	enum verdict_cause cause;
	double confidence;
};

struct report_verdict {
	enum verdict_class class;
	enum verdict_cause cause;
	double confidence; /* 0..1 */
	bool insufficient_history;
	struct report_alternative alternatives[REPORT_MAX_ALTERNATIVES];
	uint32_t nr_alternatives;
	struct report_score scores[REPORT_MAX_SCORES];
	uint32_t nr_scores;
};

struct report_moment {
	uint64_t ts_ns;
	enum moment_kind kind;
	uint64_t count;	 /* 0: not a count */
	char detail[96]; /* "" none */
};

struct report_evidence {
	const char *source; /* "tp_btf/signal_generate" */
	uint64_t ts_ns;
	uint64_t count;
	char fields[160]; /* "key=value key=value", keys ours, values numbers or our words */
};

struct report_action {
	uint32_t priority;
	enum action_kind kind;
	char text[256];
};

#define REPORT_MAX_CEILINGS 6

struct report_ceiling {
	enum ceiling_source source;
	uint64_t bytes;
};

/* What the growth of the culprit went with: shares of the bytes grown, 0..1; see core/traffic.h. */
struct report_explanation {
	struct measure requests;
	struct measure received; /* request bodies */
	struct measure in_flight;
	struct measure background;
	struct measure amplification; /* bytes grown per byte received */
	struct measure largest_request_bytes;
	struct measure cpu_per_request_ratio; /* now, to what it was */
	struct measure in_flight_peak;
	struct measure stalled_s;	   /* requests waiting, none answered */
	struct measure limit_events_per_s; /* reclaim at the cgroup's limit */
	struct measure major_faults_per_s;
};

/* Connections to a backend that were all in use. */
struct report_pool {
	bool saturated;
	struct endpoint backend;
	uint32_t connections;
	double latency_ratio;
	uint64_t since_ns;
};

/* A forecast and what became of it. */
struct report_forecast {
	uint64_t first_ns;	/* first warning with a time to the ceiling; 0 none */
	uint64_t newest_ns;	/* newest one */
	struct measure first_s; /* seconds left, as said then */
	struct measure newest_s;
	struct measure lead_s;	/* how long before the death the first one was */
	struct measure error_s; /* newest one: predicted moment of death minus the real one */
};

#define REPORT_MAX_VICTIMS 8

struct report_victim {
	uint32_t tgid;
	uint64_t anon_bytes;
	char comm[RECORD_COMM_LEN];
};

struct report_memory {
	struct measure anon_bytes_at_death;
	struct measure peak_anon_bytes;
	struct measure peak_rss_bytes;
	struct measure limit_bytes; /* effective cgroup limit */
	struct measure limit_usage_bytes;
	uint64_t ceiling_bytes;
	enum ceiling_source ceiling_source;
	struct measure floor_slope_bytes_per_s;
	struct measure slope_p10;
	struct measure slope_p90;
	struct measure mk_z;
	struct measure window_s;
	struct measure bytes_per_request;
	struct measure native_share; /* part of the growth outside the managed heap */
	struct report_ceiling ceilings[REPORT_MAX_CEILINGS]; /* all that are known, lowest first */
	uint32_t nr_ceilings;
	struct measure concavity; /* slope of the last half to that of the whole, 0: it flattened */
	struct measure reclaim_ms; /* reclaim in its cgroup within the last minute */
	uint32_t cgroup_version;
};

enum incident_record { INCIDENT_OPEN = 0, INCIDENT_UPDATE, INCIDENT_CLOSE, NR_INCIDENT_RECORDS };

struct report_incident {
	char id[27]; /* ULID, derived from host, upstream and time: the same on replay */
	enum incident_record record;
	uint32_t revision;
	enum incident_status status;
	uint32_t severity_number; /* OpenTelemetry */
	struct report_verdict verdict;
	bool has_culprit;
	struct report_proc culprit;
	struct report_death death; /* when has_culprit and it died */
	bool died;
	uint32_t next_tgid; /* who listens there now; 0 nobody yet */
	uint32_t restarts_10m;
	struct endpoint upstream;
	struct report_gateway gateway;
	struct report_memory memory;
	struct report_forecast forecast;
	struct report_explanation explanation;
	struct report_pool pool;
	struct report_victim victims[REPORT_MAX_VICTIMS]; /* others that died with it */
	uint32_t nr_victims;
	uint32_t deaths_10m;	     /* of the service, this one included */
	uint32_t supervisor_tgid;    /* who ended it or starts it again; 0 unknown */
	const char *supervisor_comm; /* "" unknown */
	struct report_impact impact;
	struct report_moment timeline[REPORT_MAX_TIMELINE]; /* in time order */
	uint32_t nr_moments;
	uint64_t zero_ns; /* what offsets count from: the death, else the first failure */
	struct report_evidence evidence[REPORT_MAX_EVIDENCE];
	uint32_t nr_evidence;
	struct report_action actions[REPORT_MAX_ACTIONS];
	uint32_t nr_actions;
	uint64_t events_lost;	 /* in the window of the incident */
	uint64_t unwatched_ns;	 /* of that window, see report_gap */
	bool other_node;	 /* the service is on another one than the gateway ... */
	uint64_t clock_error_ns; /* ... and their clocks may differ by this */
	const char *missing_probes[REPORT_MAX_PROBES];
	uint32_t nr_missing_probes;
	char summary[320];
	char service_name[SERVICE_NAME_LEN];
};

#define REPORT_MAX_GAP_SERVICES	 16
#define REPORT_MAX_GAP_INCIDENTS 8

/* It served before a gap and is gone after it. */
struct report_gap_service {
	struct report_proc proc;
	struct endpoint local;
	struct report_proc successor; /* who listens there now; tgid 0: nobody */
};

struct report_gap {
	struct record_gap gap; /* ends at the time of the report */
	struct report_gap_service services[REPORT_MAX_GAP_SERVICES];
	uint32_t nr_services;
	const char *incidents[REPORT_MAX_GAP_INCIDENTS]; /* ids, open before the gap */
	uint32_t nr_incidents;
};

struct report_sample {
	struct report_proc proc;
	struct record_task task;
};

struct report {
	enum report_kind kind;
	uint64_t seq;	/* without gaps, in emit order */
	uint64_t ts_ns; /* boot clock of the record that caused it */
	int64_t wall_offset_ns;
	const struct record_header *header; /* of its node: host, kernel */
	union {
		struct report_start start;
		struct report_heartbeat heartbeat;
		struct report_process_exit process_exit;
		struct report_oom_kill oom_kill;
		struct report_listener listener;
		struct report_growth growth;
		struct report_burst burst;
		struct report_incident incident;
		struct report_sample sample;
		struct report_gap gap;
	};
};

#endif
