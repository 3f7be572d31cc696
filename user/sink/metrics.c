/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * metrics.c - see metrics.h: which report and which part of the overview counts where. How it is
 * named and written is metrics_families.c's.
 */
#include "sink/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/address.h"
#include "model/text.h"
#include "sink/metrics_parts.h"

#define NS_PER_S 1e9
#define BITS(nr) ((1U << (nr)) - 1)

/* What rows are kept for when there is no room for all: trouble first, then traffic, then size. */
#define WEIGHT_OF_TROUBLE 1e6
#define WEIGHT_OF_LEVEL	  1e5
#define BYTES_PER_WEIGHT  1048576.0

const char metrics_other[] = "other";

static const struct metrics_rows_limits limits[NR_METRICS_TABLES] = {
	[TABLE_GATEWAYS] = {sizeof(struct metrics_gateway_row), METRICS_GATEWAYS,
			    METRICS_TRACK_GATEWAYS, BITS(NR_GATEWAY_VALUES), METRICS_TTL_NS},
	[TABLE_UPSTREAMS] = {sizeof(struct metrics_upstream_row), METRICS_UPSTREAMS,
			     METRICS_TRACK_UPSTREAMS, BITS(NR_UPSTREAM_COUNTERS), METRICS_TTL_NS},
	[TABLE_SERVICES] = {sizeof(struct metrics_service_row), METRICS_SERVICES,
			    METRICS_TRACK_SERVICES, BITS(NR_SERVICE_COUNTERS), METRICS_TTL_NS},
	[TABLE_LISTENERS] = {sizeof(struct metrics_listener_row), METRICS_LISTENERS,
			     METRICS_TRACK_LISTENERS, BITS(NR_LISTENER_COUNTERS), METRICS_TTL_NS},
	[TABLE_DEATHS] = {sizeof(struct metrics_death_row), METRICS_DEATHS, 0, 0, METRICS_TTL_NS},
};

const uint8_t metrics_failures[METRICS_FAILURE_KINDS] = {
	FLOW_FAIL_REFUSED, FLOW_FAIL_CONNECT_TIMEOUT, FLOW_FAIL_RST_BEFORE,  FLOW_FAIL_FIN_BEFORE,
	FLOW_FAIL_RST_MID, FLOW_FAIL_FIN_MID,	      FLOW_FAIL_UNREACHABLE, FLOW_FAIL_NO_PORT,
};

const uint8_t metrics_signs[METRICS_SIGN_KINDS] = {
	FLOW_FAIL_RST_REUSED, FLOW_FAIL_FIN_REUSED, FLOW_FAIL_ABANDONED,
	FLOW_FAIL_STATUS,     FLOW_FAIL_RST_SENT,   FLOW_FAIL_ACCEPT_FULL,
};

struct metrics *metrics_new(void)
{
	struct metrics *m = calloc(1, sizeof(*m));

	for (int i = 0; m && i < NR_METRICS_TABLES; i++)
		metrics_rows_init(&m->tables[i], &limits[i]);
	return m;
}

void metrics_free(struct metrics *m)
{
	for (int i = 0; m && i < NR_METRICS_TABLES; i++)
		metrics_rows_free(&m->tables[i]);
	free(m);
}

size_t metrics_memory_ceiling(void)
{
	size_t sum = sizeof(struct metrics);

	for (int i = 0; i < NR_METRICS_TABLES; i++)
		sum += metrics_rows_memory_ceiling(&limits[i]);
	return sum;
}

/* Words ---------------------------------------------------------------------------------------- */

const char *metrics_gateway_name(const struct report_gateway *gateway)
{
	return gateway->proc.service_name[0] ? gateway->proc.service_name : gateway->proc.comm;
}

void metrics_name_copy(char to[METRICS_NAME_LEN], const char *name)
{
	metrics_text_clean(to, METRICS_NAME_LEN - 1, name);
	if (!strcmp(to, metrics_other))
		snprintf(to, METRICS_NAME_LEN, "%s_", metrics_other);
}

void metrics_endpoint_text(const struct endpoint *e, char *out, size_t size)
{
	struct text text;

	text_init(&text, out, size);
	if (e->port)
		text_add_endpoint(&text, e);
	else
		text_add(&text, "none");
}

static double wall_s(const struct metrics *m, uint64_t boot_ns)
{
	return (double)((int64_t)boot_ns + m->wall_offset_ns) / NS_PER_S;
}

static void fill_who(struct metrics_who *who, const struct report_proc *proc)
{
	text_copy(who->service_name, sizeof(who->service_name), proc->service_name,
		  sizeof(proc->service_name));
	if (!who->service_name[0])
		text_copy(who->service_name, sizeof(who->service_name), proc->comm,
			  RECORD_COMM_LEN);
	text_copy(who->executable, sizeof(who->executable), proc->comm, RECORD_COMM_LEN);
	who->runtime = (uint8_t)proc->runtime;
	who->workload = proc->workload ? *proc->workload : workload_unknown;
}

/* Reports -------------------------------------------------------------------------------------- */

static void take_start(struct metrics *m, const struct report *report)
{
	m->header = *report->start.header;
	m->has_header = true;
	m->started_ns = report->ts_ns;
	m->self.nr_probes = report->start.nr_probes;
	memcpy(m->self.probes, report->start.probes,
	       report->start.nr_probes * sizeof(m->self.probes[0]));
}

static void take_heartbeat(struct metrics *m, const struct report *report)
{
	const struct report_heartbeat *in = &report->heartbeat;
	struct metrics_self *self = &m->self;

	self->has = true;
	self->heartbeat = *in;
	if (in->self)
		self->self = *in->self;
	self->nr_losses = in->nr_losses < METRICS_LOSSES ? in->nr_losses : METRICS_LOSSES;
	for (uint32_t i = 0; i < self->nr_losses; i++) {
		struct record_loss *loss = &self->losses[i];

		snprintf(loss->stream, sizeof(loss->stream), "%s", in->losses[i].stream);
		snprintf(loss->reason, sizeof(loss->reason), "%s", in->losses[i].reason);
		loss->count = in->losses[i].count;
	}
	self->heartbeat.nr_streams = in->nr_streams;
	memcpy(self->streams, in->streams, in->nr_streams * sizeof(self->streams[0]));
	self->nr_probes = in->nr_probes;
	memcpy(self->probes, in->probes, in->nr_probes * sizeof(self->probes[0]));
}

static void take_gap(struct metrics *m, const struct report *report)
{
	const struct record_gap *gap = &report->gap.gap;
	int64_t from_wall_ns = gap->from_wall_ns;
	int64_t to_wall_ns = (int64_t)report->ts_ns + report->wall_offset_ns;

	if (gap->cause >= NR_GAP_CAUSES)
		return;
	m->gaps[gap->cause]++;
	if (gap->from_ns && report->ts_ns > gap->from_ns)
		m->gap_ns[gap->cause] += report->ts_ns - gap->from_ns;
	else if (from_wall_ns && to_wall_ns > from_wall_ns)
		m->gap_ns[gap->cause] += (uint64_t)(to_wall_ns - from_wall_ns);
}

void metrics_report(struct metrics *m, const struct report *report)
{
	m->wall_offset_ns = report->wall_offset_ns;
	switch (report->kind) {
	case REPORT_START:
		take_start(m, report);
		break;
	case REPORT_HEARTBEAT:
		take_heartbeat(m, report);
		break;
	case REPORT_PROCESS_EXIT:
		m->exits[report->process_exit.death.kind]++;
		break;
	case REPORT_OOM_KILL:
		m->oom_kills[report->oom_kill.oom.memcg.id == 0]++;
		break;
	case REPORT_GROWTH:
		m->growths[report->growth.level]++;
		break;
	case REPORT_BURST:
		m->bursts += report->burst.open;
		break;
	case REPORT_INCIDENT:
		metrics_count_incident(&m->incidents, report);
		break;
	case REPORT_GAP:
		take_gap(m, report);
		break;
	default:
		break;
	}
}

void metrics_tick(struct metrics *m, uint64_t now_ns)
{
	m->tick_ns = now_ns;
}

/* The present ---------------------------------------------------------------------------------- */

/* Was it there lately? What is gone for longer has no row, and its tracker only waits for it. */
static bool is_recent(const struct metrics *m, uint64_t alive_ns)
{
	return m->now_ns <= alive_ns + METRICS_TTL_NS;
}

static struct metrics_row *get_row(struct metrics *m, enum metrics_table table,
				   const struct metrics_key *key, double weight, uint64_t alive_ns)
{
	struct metrics_row *row;

	if (!is_recent(m, alive_ns))
		return NULL;
	row = metrics_rows_get(&m->tables[table], key, weight);
	if (row && alive_ns > row->alive_ns)
		row->alive_ns = alive_ns;
	return row;
}

static struct metrics_tracker *track(struct metrics *m, enum metrics_table table,
				     const struct proc_id *proc, const struct endpoint *endpoint)
{
	struct metrics_tracker_key key;

	memset(&key, 0, sizeof(key));
	key.proc.tgid = proc->tgid;
	key.proc.start_ns = proc->start_ns;
	memcpy(key.endpoint.addr, endpoint->addr, sizeof(key.endpoint.addr));
	key.endpoint.netns = endpoint->netns;
	key.endpoint.port = endpoint->port;
	return metrics_rows_track(&m->tables[table], &key);
}

static void make_key(struct metrics_key *key, const char *name, const struct endpoint *endpoint)
{
	memset(key, 0, sizeof(*key));
	metrics_name_copy(key->name, name);
	if (!endpoint->port) /* nowhere, wherever that is */
		return;
	memcpy(key->endpoint.addr, endpoint->addr, sizeof(key->endpoint.addr));
	key->endpoint.netns = endpoint->netns;
	key->endpoint.port = endpoint->port;
}

static const struct endpoint nowhere;
static const struct proc_id nobody;

/* A gateway is there while it has a worker, else as long as it was used lately. */
static uint64_t alive_of(const struct metrics *m, const struct report_gateway *gateway,
			 uint64_t used_ns)
{
	return gateway->nr_workers ? m->now_ns : used_ns;
}

static void see_gateway(void *arg, const struct overview_gateway *in)
{
	struct metrics *m = arg;
	struct metrics_rows *rows = &m->tables[TABLE_GATEWAYS];
	struct metrics_tracker *tracker = track(m, TABLE_GATEWAYS, &in->gateway.proc.id, &nowhere);
	struct metrics_gateway_row *gateway;
	struct metrics_row *row;
	struct metrics_key key;

	make_key(&key, metrics_gateway_name(&in->gateway), &nowhere);
	row = get_row(m, TABLE_GATEWAYS, &key, (double)in->client_requests,
		      alive_of(m, &in->gateway, in->used_ns));
	metrics_rows_count(rows, row, tracker, GATEWAY_REQUESTS, (double)in->client_requests);
	for (int i = 0; i < NR_FLOW_STATUSES; i++)
		metrics_rows_count(rows, row, tracker, GATEWAY_STATUS + (uint32_t)i,
				   (double)in->client_status[i]);
	if (!row)
		return;
	gateway = (struct metrics_gateway_row *)row;
	gateway->personality = in->gateway.personality;
	fill_who(&gateway->who, &in->gateway.proc);
}

static double failures_of(const struct report_impact *impact)
{
	double sum = 0;

	for (int i = 0; i < METRICS_FAILURE_KINDS; i++)
		sum += (double)impact->upstream_fail[metrics_failures[i]];
	return sum;
}

static void count_upstream(struct metrics_rows *rows, struct metrics_row *row,
			   struct metrics_tracker *tracker, const struct report_impact *total)
{
	const uint64_t clients[METRICS_CLIENT_KINDS] = {
		total->client_status[FLOW_STATUS_502],
		total->client_status[FLOW_STATUS_503],
		total->client_status[FLOW_STATUS_504],
		total->client_errors,
		total->client_closed,
		total->truncated,
	};

	metrics_rows_count(rows, row, tracker, UPSTREAM_REQUESTS, (double)total->upstream_requests);
	metrics_rows_count(rows, row, tracker, UPSTREAM_RESPONSES,
			   (double)total->upstream_responses);
	for (uint32_t i = 0; i < METRICS_FAILURE_KINDS; i++)
		metrics_rows_count(rows, row, tracker, UPSTREAM_FAILURES + i,
				   (double)total->upstream_fail[metrics_failures[i]]);
	for (uint32_t i = 0; i < METRICS_SIGN_KINDS; i++)
		metrics_rows_count(rows, row, tracker, UPSTREAM_SIGNS + i,
				   (double)total->upstream_fail[metrics_signs[i]]);
	for (uint32_t i = 0; i < METRICS_CLIENT_KINDS; i++)
		metrics_rows_count(rows, row, tracker, UPSTREAM_CLIENTS + i, (double)clients[i]);
}

static void see_leg(void *arg, const struct overview_leg *in)
{
	struct metrics *m = arg;
	struct metrics_rows *rows = &m->tables[TABLE_UPSTREAMS];
	struct metrics_tracker *tracker =
		track(m, TABLE_UPSTREAMS, &in->gateway.proc.id, &in->upstream);
	struct endpoint upstream = in->upstream;
	struct metrics_upstream_row *leg;
	struct metrics_row *row;
	struct metrics_key key;
	double weight =
		WEIGHT_OF_TROUBLE * failures_of(&in->recent) + (double)in->recent.upstream_requests;

	upstream.netns = 0; /* no label: gateways of one name and upstream are one row */
	make_key(&key, metrics_gateway_name(&in->gateway), &upstream);
	row = get_row(m, TABLE_UPSTREAMS, &key, weight, alive_of(m, &in->gateway, in->used_ns));
	count_upstream(rows, row, tracker, &in->total);
	if (!row)
		return;
	metrics_rows_gauge(rows, row, UPSTREAM_BURST, in->burst_open, METRICS_MOST);
	leg = (struct metrics_upstream_row *)row;
	if (!in->failed_ns || wall_s(m, in->failed_ns) <= leg->failed_s)
		return;
	leg->failed_s = wall_s(m, in->failed_ns);
	leg->failing_since_s = wall_s(m, in->failing_since_ns);
}

static double headroom_of(const struct overview_process *p)
{
	return p->ceiling_used_bytes < p->ceiling.bytes
		       ? (double)(p->ceiling.bytes - p->ceiling_used_bytes)
		       : 0;
}

/* Ceilings, and who the row is about, are those of the process with the least room. */
static void tell_ceiling(struct metrics_rows *rows, struct metrics_row *row,
			 const struct overview_process *in, bool is_first)
{
	bool has = in->ceiling.source != CEILING_NONE;
	double headroom = has ? headroom_of(in) : NAN;
	struct metrics_service_row *service = (struct metrics_service_row *)row;
	double least = row ? row->values[SERVICE_HEADROOM] : NAN;

	if (has)
		metrics_rows_gauge(rows, row, SERVICE_HEADROOM, headroom, METRICS_LEAST);
	if (!row || !(is_first || (has && (isnan(least) || headroom < least))))
		return;
	fill_who(&service->who, &in->proc);
	service->ceiling = (uint8_t)in->ceiling.source;
	if (has)
		row->values[SERVICE_CEILING] = (double)in->ceiling.bytes;
	row->values[SERVICE_CGROUP_USAGE] =
		in->memcg_usage_bytes ? (double)in->memcg_usage_bytes : NAN;
	row->values[SERVICE_CGROUP_LIMIT] =
		in->memcg_limit_bytes != RECORD_NO_LIMIT ? (double)in->memcg_limit_bytes : NAN;
}

static void tell_memory(struct metrics_rows *rows, struct metrics_row *row,
			const struct overview_process *in)
{
	bool is_first = row && isnan(row->values[SERVICE_PROCESSES]);

	tell_ceiling(rows, row, in, is_first);
	metrics_rows_gauge(rows, row, SERVICE_PROCESSES, 1, METRICS_SUM);
	metrics_rows_gauge(rows, row, SERVICE_ANON, (double)in->anon_bytes, METRICS_SUM);
	metrics_rows_gauge(rows, row, SERVICE_FILE, (double)in->file_bytes, METRICS_SUM);
	metrics_rows_gauge(rows, row, SERVICE_LEVEL, (double)in->level, METRICS_MOST);
	metrics_rows_gauge(rows, row, SERVICE_IN_FLIGHT, (double)in->in_flight, METRICS_SUM);
	if (in->slope_bytes_per_s.has)
		metrics_rows_gauge(rows, row, SERVICE_GROWTH, in->slope_bytes_per_s.value,
				   METRICS_MOST);
	if (in->exhaustion_s.has)
		metrics_rows_gauge(rows, row, SERVICE_TIME_LEFT, in->exhaustion_s.value,
				   METRICS_LEAST);
}

/* Counted once for a cgroup, by whichever of its processes is told first. */
static void tell_reclaim(struct metrics *m, struct metrics_row *row,
			 const struct overview_process *in)
{
	const struct cgroup_id *memcg = &in->proc.memcg;
	struct endpoint e = {.netns = memcg->hierarchy};
	struct metrics_tracker *tracker;

	if (!memcg->id || !in->bound.port)
		return;
	memcpy(e.addr, &memcg->id, sizeof(memcg->id));
	tracker = track(m, TABLE_SERVICES, &nobody, &e);
	metrics_rows_count(&m->tables[TABLE_SERVICES], row, tracker, SERVICE_RECLAIM,
			   (double)in->reclaim_ns / NS_PER_S);
}

static void service_key(struct metrics_key *key, const struct overview_process *in)
{
	const char *name = *in->proc.service_name ? in->proc.service_name : in->proc.comm;

	make_key(key, in->bound.port ? "" : name, &in->bound);
}

static void see_process(void *arg, const struct overview_process *in)
{
	struct metrics *m = arg;
	double weight = WEIGHT_OF_TROUBLE * (double)(in->failures + in->deaths_10m) +
			WEIGHT_OF_LEVEL * in->level +
			(in->requests_per_s.has ? in->requests_per_s.value : 0) +
			(double)in->anon_bytes / BYTES_PER_WEIGHT;
	struct metrics_row *row;
	struct metrics_key key;

	service_key(&key, in);
	row = get_row(m, TABLE_SERVICES, &key, weight, m->now_ns);
	tell_memory(&m->tables[TABLE_SERVICES], row, in);
	tell_reclaim(m, row, in);
}

static double deaths_of(const struct overview_listener *in)
{
	double sum = 0;

	for (int i = 0; i < NR_DEATH_KINDS; i++)
		sum += (double)in->deaths[i];
	return sum;
}

static bool is_bound(const struct overview_listener *in)
{
	return endpoint_equal(&in->local, &in->bound);
}

static uint64_t listener_alive_ns(const struct metrics *m, const struct overview_listener *in)
{
	return in->up ? m->now_ns : in->seen_ns;
}

/* The counters of a service are those of its listener. */
static void count_service(struct metrics *m, const struct overview_listener *in)
{
	struct metrics_rows *rows = &m->tables[TABLE_SERVICES];
	struct metrics_tracker *tracker = track(m, TABLE_SERVICES, &nobody, &in->local);
	struct metrics_row *row;
	struct metrics_key key;

	make_key(&key, "", &in->local);
	row = get_row(m, TABLE_SERVICES, &key, deaths_of(in), listener_alive_ns(m, in));
	metrics_rows_count(rows, row, tracker, SERVICE_REQUESTS, (double)in->requests);
	metrics_rows_count(rows, row, tracker, SERVICE_RESTARTED, (double)in->restarts);
	for (uint32_t i = 0; i < NR_DEATH_KINDS; i++)
		metrics_rows_count(rows, row, tracker, SERVICE_DEATHS + i, (double)in->deaths[i]);
	if (row && !((struct metrics_service_row *)row)->who.service_name[0])
		fill_who(&((struct metrics_service_row *)row)->who, &in->proc);
}

/* As of its service, which was told before. */
static void copy_outlook(struct metrics *m, struct metrics_row *row, const struct endpoint *bound)
{
	static const uint32_t from[] = {SERVICE_GROWTH, SERVICE_TIME_LEFT, SERVICE_HEADROOM};
	static const uint32_t to[] = {LISTENER_GROWTH, LISTENER_TIME_LEFT, LISTENER_HEADROOM};
	const struct metrics_row *service;
	struct metrics_key key;

	make_key(&key, "", bound);
	service = hash_table_find(&m->tables[TABLE_SERVICES].rows, &key);
	for (uint32_t i = 0; service && i < sizeof(to) / sizeof(to[0]); i++)
		row->values[to[i]] = service->values[from[i]];
}

static void see_listener(void *arg, const struct overview_listener *in)
{
	struct metrics *m = arg;
	struct metrics_rows *rows = &m->tables[TABLE_LISTENERS];
	struct metrics_tracker *tracker = track(m, TABLE_LISTENERS, &nobody, &in->local);
	struct metrics_listener_row *listener;
	struct metrics_row *row;
	struct metrics_key key;

	if (is_bound(in))
		count_service(m, in);
	make_key(&key, "", &in->local);
	row = get_row(m, TABLE_LISTENERS, &key,
		      WEIGHT_OF_TROUBLE * deaths_of(in) + (double)in->requests,
		      listener_alive_ns(m, in));
	metrics_rows_count(rows, row, tracker, LISTENER_RESTARTED, (double)in->restarts);
	for (uint32_t i = 0; i < NR_DEATH_KINDS; i++)
		metrics_rows_count(rows, row, tracker, LISTENER_DEATHS + i, (double)in->deaths[i]);
	if (!row)
		return;
	row->values[LISTENER_IS_UP] = in->up;
	row->values[LISTENER_START] = in->since_ns ? wall_s(m, in->since_ns) : NAN;
	copy_outlook(m, row, &in->bound);
	listener = (struct metrics_listener_row *)row;
	listener->bound = in->bound;
	if (in->proc.comm && *in->proc.comm)
		fill_who(&listener->who, &in->proc);
}

/* Who it was is known for ten minutes; then what is kept here is. */
static void see_death(void *arg, const struct overview_death *in)
{
	struct metrics *m = arg;
	double when_s = wall_s(m, in->ts_ns);
	struct metrics_death_row *death;
	struct metrics_row *row;
	struct metrics_key key;

	make_key(&key, "", &in->local);
	key.word = in->kind;
	row = get_row(m, TABLE_DEATHS, &key, when_s, in->ts_ns);
	if (!row)
		return;
	row->values[DEATH_TIME] = when_s;
	death = (struct metrics_death_row *)row;
	if (in->proc.id.tgid)
		fill_who(&death->who, &in->proc);
}

struct overview_sink metrics_look_begin(struct metrics *m, uint64_t now_ns)
{
	m->now_ns = now_ns;
	for (int i = 0; i < NR_METRICS_TABLES; i++)
		metrics_rows_begin(&m->tables[i]);
	return (struct overview_sink){
		.process = see_process,
		.leg = see_leg,
		.gateway = see_gateway,
		.listener = see_listener,
		.death = see_death,
		.arg = m,
	};
}

void metrics_look_end(struct metrics *m)
{
	for (int i = 0; i < NR_METRICS_TABLES; i++)
		metrics_rows_end(&m->tables[i], m->now_ns);
	metrics_expire_incidents(&m->incidents, m->now_ns);
}
