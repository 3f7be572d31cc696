/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * history.h - one host over time, as views show it: what each process, memory cgroup and flow of
 * requests did, from the records the core is fed with and the lines every sink writes.
 *
 * It remembers and adds up; it judges nothing. Times are the host's boot clock.
 *
 * Limits, and what happens there: 16384 processes known by name (dead ones leave first, else the new
 * one is not known), 768 of them with memory over time (the longest dead leaves, else the new one
 * has none; only those get one that reach 4 MiB or serve requests), 192 flows (the longest unused
 * leaves) and 1024 cgroups (new ones are not known). history_refused() counts.
 */
#ifndef MEMSWELL_HISTORY_H
#define MEMSWELL_HISTORY_H

#include "model/record.h"
#include "model/vocabulary.h"
#include "view/series.h"

enum memory_gauge {
	MEMORY_ANON = 0, /* anonymous memory of the process */
	MEMORY_RSS,	 /* with files and shared memory */
	MEMORY_USAGE,	 /* of its memory cgroup */
	NR_MEMORY_GAUGES
};

enum flow_gauge { FLOW_IN_FLIGHT = 0, NR_FLOW_GAUGES };

/* Counts of a flow: requests and responses, then one per status, failure and latency bucket. */
#define FLOW_REQUESTS	   0
#define FLOW_RESPONSES	   1
#define FLOW_STATUS_COUNTS 2
#define FLOW_FAIL_COUNTS   (FLOW_STATUS_COUNTS + NR_FLOW_STATUSES)
#define FLOW_LATENCIES	   (FLOW_FAIL_COUNTS + NR_FLOW_FAILS)
#define NR_FLOW_COUNTS	   (FLOW_LATENCIES + RECORD_LATENCY_BUCKETS)

enum reclaim_count { RECLAIM_DIRECT_US = 0, RECLAIM_MEMCG_US, RECLAIM_EVENTS, NR_RECLAIM_COUNTS };

/* A forecast as it was made, from a line of kind memswell.growth. */
struct history_forecast {
	uint64_t ts_ns;
	uint64_t floor_bytes;
	uint64_t ceiling_bytes; /* 0 unknown */
	double exhaustion_s;	/* < 0: not foreseen; likewise the two below */
	double exhaustion_p10_s;
	double exhaustion_p90_s;
};

#define HISTORY_FORECASTS 16 /* the first and the newest ones */

struct history_process {
	struct proc_id id;
	uint32_t parent_tgid;
	struct cgroup_id memcg;
	char comm[RECORD_COMM_LEN];
	uint64_t first_ns; /* first seen */
	uint64_t exit_ns;  /* 0: alive */
	uint64_t anon_bytes, file_bytes, shmem_bytes;
	uint64_t usage_bytes;
	bool serves;			    /* it has a listener, or was seen to serve requests */
	struct series *memory;		    /* enum memory_gauge; NULL: none kept */
	struct history_forecast *forecasts; /* in time order; NULL: none */
	uint32_t nr_forecasts;
};

/* What a program, all its workers together, did with one endpoint in one role. */
struct history_flow {
	struct proc_id program; /* topmost ancestor of the same name */
	struct endpoint endpoint;
	uint8_t role; /* enum flow_role */
	uint64_t last_ns;
	struct series series; /* enum flow_gauge, NR_FLOW_COUNTS */
};

struct history_cgroup {
	struct cgroup_id id;
	struct series *reclaim; /* enum reclaim_count; NULL: nothing yet */
};

struct history;

struct history *history_new(void); /* NULL when out of memory */
void history_free(struct history *h);

/* Take a record, before or after the core took it. */
void history_record(struct history *h, const struct record *record);

/* Wall clock minus boot clock, as told last; 0 before. */
int64_t history_wall_offset(const struct history *h);
void history_set_wall_offset(struct history *h, int64_t offset_ns);
uint64_t history_now(const struct history *h); /* newest time seen */
/* Did it get records, so that traffic can be shown? */
bool history_has_records(const struct history *h);

/* What lines tell: see feed.h. The process is made known if it was not. */
struct history_process *history_process_of_line(struct history *h, uint32_t tgid, const char *comm,
						uint64_t start_ns);
void history_sample(struct history *h, struct history_process *p, uint64_t ts_ns,
		    const struct record_task *task);
void history_forecast(struct history_process *p, const struct history_forecast *forecast);

/* The process of that number which lived at ts_ns, else the newest before; NULL unknown. */
struct history_process *history_find(const struct history *h, uint32_t tgid, uint64_t ts_ns);
struct history_cgroup *history_find_cgroup(const struct history *h, const struct cgroup_id *id);

/* One after the other, from cursor 0; NULL after the last. */
struct history_process *history_next_process(const struct history *h, uint32_t *cursor);

/* The program a process belongs to: its topmost ancestor of the same name. */
struct proc_id history_program(const struct history *h, const struct history_process *p);

/*
 * Sum of all flows of a role with an endpoint: of one program, or of all (program NULL). For servers
 * endpoint NULL means every address it serves. Address and port are compared, and the network
 * namespace where one is given. 0 or -ENOMEM; without flows out->nr is 0.
 */
struct flow_query {
	enum flow_role role;
	const struct proc_id *program;
	const struct endpoint *endpoint;
};
int history_read_flows(const struct history *h, const struct flow_query *query,
		       const struct series_window *window, struct series_points *out);

/* Latency below which that share (0..1) of the answers counted at `counts` stayed; < 0: none. */
double flow_latency_ms(const double *counts, double share);

/* What found no room, or lost it to what came later. */
uint64_t history_refused(const struct history *h);
size_t history_bytes(const struct history *h);

#endif
