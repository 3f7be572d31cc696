/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * top_table.h - what `memswell top` shows, as data: processes with a short history, grouped into
 * services or containers, in an order, with a filter; ways from gateways to upstreams; open
 * incidents. Filled once a tick from the core's overview, its reports and the latencies of the
 * records. Pure: it knows no terminal and no clock.
 *
 * Limits: 1024 processes, 192 legs, 64 open incidents. What finds no room is counted in `hidden` and
 * shown as a number.
 */
#ifndef MEMSWELL_TOP_TABLE_H
#define MEMSWELL_TOP_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/overview.h"
#include "model/record.h"
#include "model/report.h"

#define TOP_PROCESSES_MAX 1024
#define TOP_LEGS_MAX	  192
#define TOP_INCIDENTS_MAX 64
#define TOP_HISTORY	  64
#define TOP_NAME_LEN	  128
#define TOP_ADDRESS_LEN	  56

enum top_view { TOP_SERVICES = 0, TOP_CONTAINERS, TOP_PROCESSES, NR_TOP_VIEWS };

enum top_sort {
	TOP_BY_FATE = 0, /* who will fail first: least time left, then most of its ceiling used */
	TOP_BY_MEMORY,
	TOP_BY_GROWTH,
	TOP_BY_REQUESTS,
	TOP_BY_FAILURES,
	TOP_BY_NAME,
	NR_TOP_SORTS
};

const char *top_view_name(enum top_view view);
const char *top_sort_name(enum top_sort sort);

struct top_process {
	struct overview_process now; /* strings below, not those of the overview */
	char comm[RECORD_COMM_LEN];
	char exe_path[RECORD_PATH_LEN];
	char cgroup_path[RECORD_PATH_LEN];
	struct workload workload;
	uint32_t history_kib[TOP_HISTORY]; /* anonymous memory, oldest first */
	uint32_t nr_history;
	double latency[RECORD_LATENCY_BUCKETS]; /* answers by latency, fading */
	bool used;
	bool seen; /* in this tick */
};

struct top_leg {
	struct overview_leg now;
	char comm[RECORD_COMM_LEN];
};

struct top_incident {
	char id[27];
	uint64_t opened_ns;
	uint32_t severity_number;
	enum verdict_class class;
	enum verdict_cause cause;
	double confidence;
	char summary[sizeof(((struct report_incident *)0)->summary)];
};

struct top_table {
	struct top_process processes[TOP_PROCESSES_MAX];
	struct top_leg legs[TOP_LEGS_MAX];
	struct top_incident incidents[TOP_INCIDENTS_MAX]; /* oldest first */
	uint32_t nr_legs;
	uint32_t nr_incidents;
	uint64_t hidden; /* in this tick: processes and legs without room */
	uint64_t now_ns;
	int64_t wall_offset_ns;
	uint64_t events_lost; /* since start, as the newest heartbeat said */
	char host_name[RECORD_TEXT_LEN];
};

/* One line of the list: a process, or all of one service or container. */
struct top_row {
	uint64_t key; /* stays the same from tick to tick */
	char name[TOP_NAME_LEN];
	char address[TOP_ADDRESS_LEN];	/* it answers on; "" none */
	const struct top_process *main; /* of a group the one that will fail first */
	uint32_t nr_processes;
	uint64_t anon_bytes;
	uint64_t ceiling_bytes; /* of `main`, and how much of it is used; 0 unknown */
	uint64_t ceiling_used_bytes;
	uint64_t grown_bytes; /* in the last minute */
	enum growth_level level;
	struct measure exhaustion_s;
	double requests_per_s;
	uint64_t failures;
	uint64_t in_flight;
	uint32_t restarts_10m;
	double latency[RECORD_LATENCY_BUCKETS];
	struct measure p50_us;
	struct measure p95_us;
	uint32_t history_kib[TOP_HISTORY];
	uint32_t nr_history;
};

/* Records give latencies, reports incidents; both come before the tick that closes their batch. */
void top_table_record(struct top_table *t, const struct record *record);
void top_table_report(struct top_table *t, const struct report *report);

/* A tick: begin, then what the overview tells, then end. */
void top_table_begin(struct top_table *t, uint64_t now_ns);
void top_table_process(struct top_table *t, const struct overview_process *process);
void top_table_leg(struct top_table *t, const struct overview_leg *leg);
void top_table_end(struct top_table *t);

struct top_query {
	enum top_view view;
	enum top_sort sort;
	bool reverse;
	const char *filter; /* shown is what has it in its name, address, paths or pid; "" all */
};

/* The rows, in order; at most `max`. Returns their number. */
uint32_t top_table_rows(const struct top_table *t, const struct top_query *query,
			struct top_row *rows, uint32_t max);

/* Is one row nearer to failing than the other? <0, 0, >0 as qsort has it. */
int top_row_compare_fate(const struct top_row *a, const struct top_row *b);

#endif
