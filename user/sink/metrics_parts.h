/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * metrics_parts.h - what the files of the metrics share: metrics.c (what is counted where),
 * metrics_incidents.c (incidents and their verdicts), metrics_families.c and metrics_self.c (how it is named
 * and written).
 * Nobody else includes it.
 */
#ifndef MEMSWELL_METRICS_PARTS_H
#define MEMSWELL_METRICS_PARTS_H

#include "model/workload.h"
#include "sink/metrics.h"
#include "sink/metrics_rows.h"

#define METRICS_TTL_NS	  (900ULL * 1000000000ULL)
#define METRICS_GATEWAYS  32
#define METRICS_UPSTREAMS 128
#define METRICS_SERVICES  256
#define METRICS_LISTENERS 256
#define METRICS_DEATHS	  512
/* As many as the core tells apart: its own limits, and some room for the past. */
#define METRICS_TRACK_GATEWAYS	128
#define METRICS_TRACK_UPSTREAMS 256
#define METRICS_TRACK_SERVICES	2048
#define METRICS_TRACK_LISTENERS 1280

#define METRICS_INCIDENTS	  128 /* by who failed, and now or lately open */
#define METRICS_INCIDENT_VERDICTS 128
#define METRICS_LOSSES		  49

enum metrics_table {
	TABLE_GATEWAYS = 0,
	TABLE_UPSTREAMS,
	TABLE_SERVICES,
	TABLE_LISTENERS,
	TABLE_DEATHS,
	NR_METRICS_TABLES
};

/* Values of a row, by table. */
enum {
	GATEWAY_REQUESTS = 0,
	GATEWAY_STATUS,
	NR_GATEWAY_VALUES = GATEWAY_STATUS + NR_FLOW_STATUSES
};

#define METRICS_FAILURE_KINDS 8
#define METRICS_SIGN_KINDS    6
#define METRICS_CLIENT_KINDS  6

enum {
	UPSTREAM_REQUESTS = 0,
	UPSTREAM_RESPONSES,
	UPSTREAM_FAILURES,
	UPSTREAM_SIGNS = UPSTREAM_FAILURES + METRICS_FAILURE_KINDS,
	UPSTREAM_CLIENTS = UPSTREAM_SIGNS + METRICS_SIGN_KINDS,
	NR_UPSTREAM_COUNTERS = UPSTREAM_CLIENTS + METRICS_CLIENT_KINDS,
	UPSTREAM_BURST = NR_UPSTREAM_COUNTERS,
	NR_UPSTREAM_VALUES
};

enum {
	SERVICE_REQUESTS = 0,
	SERVICE_RECLAIM,
	SERVICE_RESTARTED,
	SERVICE_DEATHS,
	NR_SERVICE_COUNTERS = SERVICE_DEATHS + NR_DEATH_KINDS,
	SERVICE_PROCESSES = NR_SERVICE_COUNTERS,
	SERVICE_ANON,
	SERVICE_FILE,
	SERVICE_CGROUP_USAGE,
	SERVICE_CGROUP_LIMIT,
	SERVICE_CEILING,
	SERVICE_HEADROOM,
	SERVICE_LEVEL,
	SERVICE_GROWTH,
	SERVICE_TIME_LEFT,
	SERVICE_IN_FLIGHT,
	NR_SERVICE_VALUES
};

enum {
	LISTENER_RESTARTED = 0,
	LISTENER_DEATHS,
	NR_LISTENER_COUNTERS = LISTENER_DEATHS + NR_DEATH_KINDS,
	LISTENER_IS_UP = NR_LISTENER_COUNTERS,
	LISTENER_START,
	LISTENER_GROWTH,
	LISTENER_TIME_LEFT,
	LISTENER_HEADROOM,
	NR_LISTENER_VALUES
};

enum { DEATH_TIME = 0, NR_DEATH_VALUES };

_Static_assert(NR_UPSTREAM_VALUES <= METRICS_VALUES && NR_SERVICE_VALUES <= METRICS_VALUES &&
		       NR_LISTENER_VALUES <= METRICS_VALUES,
	       "room for the values of every table");

/* Who a row is about, as labels. */
struct metrics_who {
	char service_name[SERVICE_NAME_LEN];
	char executable[RECORD_COMM_LEN];
	uint8_t runtime; /* enum runtime_kind */
	struct workload workload;
};

struct metrics_gateway_row {
	struct metrics_row row;
	const char *personality;
	struct metrics_who who;
};

/* Times are wall clock; 0: none yet. */
struct metrics_upstream_row {
	struct metrics_row row;
	double failing_since_s;
	double failed_s;
};

struct metrics_service_row {
	struct metrics_row row;
	uint8_t ceiling; /* enum ceiling_source */
	struct metrics_who who;
};

struct metrics_listener_row {
	struct metrics_row row;
	struct endpoint bound;
	struct metrics_who who;
};

/* key.word: the kind. */
struct metrics_death_row {
	struct metrics_row row;
	struct metrics_who who;
};

/* An incident and under which verdict it stands; kept for a while when it has ended. */
struct metrics_incident {
	char id[27]; /* "" unused */
	bool open;
	bool counted; /* under that verdict */
	uint64_t seen_ns;
	uint8_t class;
	uint8_t cause;
	uint16_t row; /* index into incident_rows; METRICS_INCIDENTS: other */
};

struct metrics_incident_row {
	char service_name[METRICS_NAME_LEN];
	char gateway[METRICS_NAME_LEN];
	struct endpoint upstream;
	uint8_t class;
	uint8_t cause;
	uint32_t open;
	uint64_t ended;
	uint64_t seen_ns; /* 0: unused */
};

struct metrics_incidents {
	struct metrics_incident all[METRICS_INCIDENT_VERDICTS];
	struct metrics_incident_row rows[METRICS_INCIDENTS + 1]; /* the last: other */
	uint32_t open[NR_VERDICT_CLASSES][NR_VERDICT_CAUSES];
	uint64_t ended[NR_VERDICT_CLASSES][NR_VERDICT_CAUSES];
	uint32_t left_out; /* since start */
};

/* What the newest heartbeat said; has is false before the first. */
struct metrics_self {
	bool has;
	struct report_heartbeat heartbeat; /* its pointers are not kept */
	struct record_self self;
	struct record_loss losses[METRICS_LOSSES];
	uint32_t nr_losses;
	struct record_stream streams[REPORT_MAX_STREAMS];
	struct record_probe probes[REPORT_MAX_PROBES];
	uint32_t nr_probes;
};

struct metrics {
	struct metrics_rows tables[NR_METRICS_TABLES];
	struct metrics_incidents incidents;
	struct metrics_self self;
	struct record_header header;
	bool has_header;
	uint64_t now_ns; /* of the round */
	uint64_t tick_ns;
	uint64_t started_ns;
	int64_t wall_offset_ns;
	uint64_t bursts;
	uint64_t growths[NR_GROWTH_LEVELS];
	uint64_t oom_kills[2]; /* at a cgroup's limit, of the machine */
	uint64_t exits[NR_DEATH_KINDS];
	uint64_t gaps[NR_GAP_CAUSES];
	uint64_t gap_ns[NR_GAP_CAUSES];
	uint64_t left_out; /* lines of the newest answer */
};

/* May a class come with this cause? */
bool metrics_verdict_can_be(enum verdict_class class, enum verdict_cause cause);
void metrics_count_incident(struct metrics_incidents *t, const struct report *report);
void metrics_expire_incidents(struct metrics_incidents *t, uint64_t now_ns);

/* The label of a gateway. */
const char *metrics_gateway_name(const struct report_gateway *gateway);
/* The word for the rest, and a name as it is told apart by: clean, and not that word. */
extern const char metrics_other[];
void metrics_name_copy(char to[METRICS_NAME_LEN], const char *name);
/* "10.0.0.1:80", "[::1]:80"; `none` for no address. */
void metrics_endpoint_text(const struct endpoint *e, char *out, size_t size);

/* A family with a function that writes its samples. */
struct metrics_family {
	const char *name;
	const char *unit;
	const char *help;
	enum metrics_type type;
	void (*write)(struct metrics_text *t, const struct metrics *m, const char *name);
};

void metrics_write_families(struct metrics_text *t, const struct metrics *m,
			    const struct metrics_family *families, size_t nr);
/* One sample with at most one label (NULL: none). */
void metrics_sample(struct metrics_text *t, const char *name, enum metrics_type type,
		    const char *label, const char *word, double value);
/* metrics_self.c: all about memswell itself. */
void metrics_write_self(struct metrics_text *t, const struct metrics *m);

/* Kinds of failures and signs, in the order of their values. */
extern const uint8_t metrics_failures[METRICS_FAILURE_KINDS]; /* enum flow_fail */
extern const uint8_t metrics_signs[METRICS_SIGN_KINDS];

#endif
