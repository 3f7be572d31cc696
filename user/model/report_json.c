/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * report_json.c - the envelope of every line and the kinds of report that are not incidents. It
 * turns values into text and keeps lines short; docs/schema describes the result for readers.
 */
#include <string.h>

#include "model/address.h"
#include "model/incident_json.h"
#include "model/report_json.h"
#include "model/report_sections.h"
#include "model/workload_json.h"

#define PPM_PER_PERCENT 1e4
#define NR(table)	(sizeof(table) / sizeof((table)[0]))
#define NS_PER_S	1e9
#define NS_PER_MS	1e6

/* OpenTelemetry severity numbers. */
#define SEVERITY_INFO  9
#define SEVERITY_WARN  13
#define SEVERITY_ERROR 17

static void write_probes(struct line *line, const struct report_start *start)
{
	struct json_writer *w = &line->w;

	jw_open_array(w, "probes");
	for (uint32_t i = 0; i < start->nr_probes; i++) {
		const struct record_probe *probe = &start->probes[i];

		jw_open_object(w, NULL);
		jw_string(w, "name", probe->name);
		jw_string(w, "state", probe_state_name((enum probe_state)probe->state));
		if (*probe->variant)
			jw_string(w, "variant", probe->variant);
		if (*probe->reason && line->trim < TRIM_DETAILS)
			jw_string(w, "reason", probe->reason);
		jw_close_object(w);
	}
	jw_close_array(w);
}

static void write_start(struct line *line, const struct report *report)
{
	const struct record_header *header = report->start.header;
	struct json_writer *w = &line->w;

	jw_open_object(w, "agent");
	line_known_string(line, "version", header->detector_version);
	jw_double(w, "tick_ms", (double)header->tick_ns / NS_PER_MS);
	jw_u64(w, "page_bytes", header->page_bytes);
	jw_u64(w, "cpus", header->nr_cpus);
	line_known_string(line, "kernel", header->kernel);
	line_known_string(line, "boot_id", header->boot_id);
	if (header->clock_error_ns || header->clock_correction_ns) {
		jw_double(w, "clock_error_ms", (double)header->clock_error_ns / NS_PER_MS);
		jw_double(w, "clock_correction_ms",
			  (double)header->clock_correction_ns / NS_PER_MS);
	}
	jw_close_object(w);
	if (line->trim < TRIM_LISTS)
		write_probes(line, &report->start);
}

static void write_losses(struct line *line, const struct report_heartbeat *heartbeat)
{
	struct json_writer *w = &line->w;

	jw_open_array(w, "losses");
	for (uint32_t i = 0; i < heartbeat->nr_losses; i++) {
		jw_open_object(w, NULL);
		jw_string(w, "stream", heartbeat->losses[i].stream);
		jw_string(w, "reason", heartbeat->losses[i].reason);
		jw_u64(w, "count", heartbeat->losses[i].count);
		jw_close_object(w);
	}
	jw_close_array(w);
}

/* Nothing where the run time is neither counted nor estimated. */
static void write_bpf_time(struct json_writer *w, const struct record_self *self)
{
	uint64_t sum_ns = 0;

	if (self->bpf_time == BPF_TIME_NONE)
		return;
	jw_open_object(w, "bpf");
	jw_string(w, "source", bpf_time_name((enum bpf_time)self->bpf_time));
	for (int i = 0; i < NR_BPF_GROUPS; i++)
		sum_ns += self->bpf_ns[i];
	jw_double(w, "run_s", (double)sum_ns / NS_PER_S);
	jw_open_array(w, "groups");
	for (int i = 0; i < NR_BPF_GROUPS; i++) {
		jw_open_object(w, NULL);
		jw_string(w, "name", bpf_group_name((enum bpf_group)i));
		jw_double(w, "run_s", (double)self->bpf_ns[i] / NS_PER_S);
		jw_u64(w, "runs", self->bpf_runs[i]);
		jw_close_object(w);
	}
	jw_close_array(w);
	jw_close_object(w);
}

/* Nothing from recordings that are older than these fields. */
static void write_rings(struct json_writer *w, const struct record_self *self)
{
	if (!self->ring_bytes[RING_CRITICAL])
		return;
	jw_open_array(w, "rings");
	for (int i = 0; i < NR_RINGS; i++) {
		jw_open_object(w, NULL);
		jw_string(w, "name", ring_name((enum ring)i));
		jw_u64(w, "size_bytes", self->ring_bytes[i]);
		jw_u64(w, "used_bytes", self->ring_used_bytes[i]);
		jw_u64(w, "peak_bytes", self->ring_peak_bytes[i]);
		jw_close_object(w);
	}
	jw_close_array(w);
}

static void write_shed(struct json_writer *w, const struct report_heartbeat *heartbeat)
{
	jw_open_array(w, "shed");
	for (uint32_t i = 0; i < heartbeat->nr_probes; i++)
		if (heartbeat->probes[i].state == PROBE_SHED)
			jw_string(w, NULL, heartbeat->probes[i].name);
	jw_close_array(w);
}

static void write_kernel_cost(struct line *line, const struct report_heartbeat *heartbeat)
{
	const struct record_self *self = heartbeat->self;
	struct json_writer *w = &line->w;

	if (self->flow_slots) {
		jw_u64(w, "flow_slots", self->flow_slots);
		jw_u64(w, "flow_slots_used", self->flow_slots_used);
	}
	if (self->budget_ppm) {
		jw_double(w, "budget_percent", self->budget_ppm / PPM_PER_PERCENT);
		if (self->cost_ppm)
			jw_double(w, "cost_percent", self->cost_ppm / PPM_PER_PERCENT);
		write_shed(w, heartbeat);
	}
	write_bpf_time(w, self);
	write_rings(w, self);
}

/* Streams that nothing counts are absent, not empty: a recording may be older than its books. */
static void write_streams(struct line *line, const struct report_heartbeat *heartbeat)
{
	struct json_writer *w = &line->w;

	if (!heartbeat->nr_streams)
		return;
	jw_open_array(w, "streams");
	for (uint32_t i = 0; i < heartbeat->nr_streams; i++) {
		const struct record_stream *stream = &heartbeat->streams[i];

		jw_open_object(w, NULL);
		jw_string(w, "stream", stream->stream);
		jw_u64(w, "produced", stream->produced);
		jw_u64(w, "delivered", stream->delivered);
		jw_u64(w, "lost", stream->lost);
		jw_u64(w, "pending", stream->pending);
		jw_close_object(w);
	}
	jw_close_array(w);
}

static void write_heartbeat(struct line *line, const struct report *report)
{
	const struct report_heartbeat *heartbeat = &report->heartbeat;
	struct json_writer *w = &line->w;

	jw_open_object(w, "agent");
	jw_double(w, "uptime_s", (double)heartbeat->uptime_ns / NS_PER_S);
	jw_double(w, "cpu_s", (double)heartbeat->cpu_ns / NS_PER_S);
	line_known_u64(line, "rss_bytes", heartbeat->rss_bytes);
	line_known_u64(line, "map_bytes", heartbeat->map_bytes);
	jw_u64(w, "records", heartbeat->records);
	jw_u64(w, "processes", heartbeat->processes);
	jw_u64(w, "flows", heartbeat->flows);
	jw_u64(w, "open_incidents", heartbeat->open_incidents);
	if (heartbeat->self && line->trim < TRIM_LISTS)
		write_kernel_cost(line, heartbeat);
	jw_close_object(w);
	if (line->trim < TRIM_LISTS) {
		write_losses(line, heartbeat);
		write_streams(line, heartbeat);
	}
}

static void write_served(struct line *line, const struct report_process_exit *exit)
{
	struct json_writer *w = &line->w;

	jw_open_array(w, "served");
	for (uint32_t i = 0; i < line_at_most(exit->nr_served, NR(exit->served)); i++) {
		char address[ADDRESS_TEXT_LEN];

		address_format(exit->served[i].addr, address);
		jw_open_object(w, NULL);
		jw_string(w, "network.local.address", address);
		jw_u64(w, "network.local.port", exit->served[i].port);
		jw_close_object(w);
	}
	jw_close_array(w);
}

static void write_process_exit(struct line *line, const struct report *report)
{
	const struct report_process_exit *exit = &report->process_exit;
	struct json_writer *w = &line->w;

	jw_open_object(w, "process");
	line_process_fields(line, &exit->proc);
	line_process_workload(line, &exit->proc);
	line_exit(line, &exit->death);
	jw_double(w, "lifetime_s", (double)exit->lifetime_ns / NS_PER_S);
	if (exit->nr_served)
		write_served(line, exit);
	jw_close_object(w);
}

static void write_oom_kill(struct line *line, const struct report *report)
{
	const struct report_oom_kill *kill = &report->oom_kill;
	const struct record_oom *oom = &kill->oom;
	struct json_writer *w = &line->w;

	line_process(line, "process", &kill->victim);
	line_process(line, "trigger", &kill->trigger);
	jw_open_object(w, "oom");
	jw_bool(w, "confirmed", kill->confirmed);
	jw_bool(w, "memcg_oom", oom->memcg.id != 0);
	if (oom->memcg.id != 0) {
		if (line->trim < TRIM_PATHS)
			line_known_string(line, "limit_cgroup", kill->limit_cgroup_path);
		line_known_u64(line, "limit_bytes", oom->limit_bytes);
		line_known_u64(line, "usage_bytes", oom->usage_bytes);
		jw_u64(w, "cgroup_version", oom->memcg.hierarchy == 0 ? 2 : 1);
	}
	jw_u64(w, "anon_bytes", oom->anon_bytes);
	jw_u64(w, "file_bytes", oom->file_bytes);
	jw_u64(w, "shmem_bytes", oom->shmem_bytes);
	jw_i64(w, "oom_score_adj", oom->oom_score_adj);
	jw_close_object(w);
}

static void write_listener(struct line *line, const struct report *report)
{
	const struct report_listener *listener = &report->listener;
	struct json_writer *w = &line->w;
	char address[ADDRESS_TEXT_LEN];

	address_format(listener->local.addr, address);
	line_process(line, "process", &listener->owner);
	jw_open_object(w, "listener");
	jw_string(w, "state", listener_state_name(listener->state));
	jw_string(w, "network.local.address", address);
	jw_u64(w, "network.local.port", listener->local.port);
	jw_u64(w, "network_namespace_inode", listener->local.netns);
	if (listener->state == LISTENER_UP)
		line_measure(line, "outage_ms", listener->outage_ms);
	jw_close_object(w);
}

static void write_growth(struct line *line, const struct report *report)
{
	const struct report_growth *growth = &report->growth;
	struct json_writer *w = &line->w;

	line_process(line, "process", &growth->proc);
	jw_open_object(w, "growth");
	jw_string(w, "level", growth_level_name(growth->level));
	jw_u64(w, "floor_bytes", growth->floor_bytes);
	jw_double(w, "floor_slope_bytes_per_s", growth->slope_bytes_per_s);
	jw_double(w, "floor_slope_p10_bytes_per_s", growth->slope_p10);
	jw_double(w, "floor_slope_p90_bytes_per_s", growth->slope_p90);
	jw_double(w, "mk_z", growth->mk_z);
	jw_double(w, "window_s", growth->window_s);
	line_known_u64(line, "ceiling_bytes", growth->ceiling_bytes);
	line_known_string(line, "ceiling_source", ceiling_source_name(growth->ceiling_source));
	line_measure(line, "exhaustion_s", growth->exhaustion_s);
	line_measure(line, "exhaustion_p10_s", growth->exhaustion_p10_s);
	line_measure(line, "exhaustion_p90_s", growth->exhaustion_p90_s);
	jw_close_object(w);
}

static void write_burst(struct line *line, const struct report *report)
{
	const struct report_burst *burst = &report->burst;
	struct line_impact impact = {&burst->gateway, &burst->upstream, &burst->impact};
	struct json_writer *w = &line->w;

	jw_open_object(w, "burst");
	jw_string(w, "id", burst->id);
	line_known_string(line, "incident_id", burst->incident_id);
	jw_string(w, "record", burst->open ? "open" : "close");
	jw_double(w, "base_rate_per_s", burst->base_rate_per_s);
	jw_double(w, "log10_p", burst->log10_p);
	jw_close_object(w);
	line_impact(line, &impact);
}

static void write_incident(struct line *line, const struct report *report)
{
	incident_json(line, &report->incident);
}

static void write_sample(struct line *line, const struct report *report)
{
	const struct record_task *task = &report->sample.task;
	struct json_writer *w = &line->w;

	line_process(line, "process", &report->sample.proc);
	jw_open_object(w, "sample");
	jw_u64(w, "anon_bytes", task->anon_bytes);
	jw_u64(w, "file_bytes", task->file_bytes);
	jw_u64(w, "shmem_bytes", task->shmem_bytes);
	jw_u64(w, "swap_bytes", task->swap_bytes);
	jw_u64(w, "total_vm_bytes", task->total_vm_bytes);
	jw_u64(w, "data_vm_bytes", task->data_vm_bytes);
	jw_u64(w, "brk_bytes", task->brk_bytes);
	jw_u64(w, "limit_usage_bytes", task->memcg_usage_bytes);
	line_known_u64(line, "limit_bytes", task->memcg_limit_bytes);
	jw_double(w, "cpu_s", (double)task->cpu_ns / NS_PER_S);
	jw_u64(w, "major_faults", task->major_faults);
	jw_close_object(w);
}

static void write_gap_services(struct line *line, const struct report_gap *gap)
{
	uint32_t nr = line_at_most(gap->nr_services, NR(gap->services));
	struct json_writer *w = &line->w;

	jw_open_array(w, "services");
	for (uint32_t i = 0; i < nr; i++) {
		const struct report_gap_service *service = &gap->services[i];
		char address[ADDRESS_TEXT_LEN];

		address_format(service->local.addr, address);
		jw_open_object(w, NULL);
		line_process(line, "process", &service->proc);
		jw_string(w, "network.local.address", address);
		jw_u64(w, "network.local.port", service->local.port);
		jw_u64(w, "network_namespace_inode", service->local.netns);
		line_process(line, "successor", &service->successor);
		jw_close_object(w);
	}
	jw_close_array(w);
}

/* How long: on the boot clock where both ends are of this boot, else as the wall clocks have it. */
static struct measure gap_seconds(const struct report *report)
{
	const struct record_gap *gap = &report->gap.gap;
	double to_wall_ns = (double)(int64_t)(report->ts_ns + (uint64_t)report->wall_offset_ns);

	if (gap->from_ns && gap->from_ns <= report->ts_ns)
		return (struct measure){(double)(report->ts_ns - gap->from_ns) / NS_PER_S, true};
	if (gap->from_wall_ns > 0 && to_wall_ns >= (double)gap->from_wall_ns)
		return (struct measure){(to_wall_ns - (double)gap->from_wall_ns) / NS_PER_S, true};
	return (struct measure){0, false};
}

/* The wall clock as it was then: of another boot there is no other. */
static uint64_t gap_from(const struct report *report)
{
	const struct record_gap *gap = &report->gap.gap;

	return gap->from_wall_ns ? (uint64_t)gap->from_wall_ns - (uint64_t)report->wall_offset_ns
				 : 0;
}

static void write_gap(struct line *line, const struct report *report)
{
	const struct record_gap *gap = &report->gap.gap;
	struct json_writer *w = &line->w;

	jw_open_object(w, "gap");
	jw_string(w, "cause", gap_cause_name((enum gap_cause)gap->cause));
	line_known_time(line, "from", gap_from(report));
	line_time(line, "to", report->ts_ns);
	line_measure(line, "duration_s", gap_seconds(report));
	jw_double(w, "suspended_s", (double)gap->suspended_ns / NS_PER_S);
	if (gap->cause < GAP_SUSPENDED) {
		jw_open_object(w, "earlier_run");
		line_known_u64(line, "process.pid", gap->earlier_pid);
		jw_u64(w, "lines", gap->earlier_lines);
		jw_u64(w, "served", gap->nr_served);
		jw_u64(w, "gone", gap->nr_gone);
		jw_u64(w, "open_incidents", gap->nr_incidents);
		jw_close_object(w);
	}
	jw_close_object(w);
	if (gap->cause >= GAP_SUSPENDED || line->trim >= TRIM_LISTS)
		return;
	write_gap_services(line, &report->gap);
	jw_open_array(w, "open_incidents");
	for (uint32_t i = 0; i < line_at_most(report->gap.nr_incidents, NR(report->gap.incidents));
	     i++)
		jw_string(w, NULL, report->gap.incidents[i]);
	jw_close_array(w);
}

static const struct report_shape {
	const char *schema;
	const char *event_name; /* static, as OpenTelemetry asks: no value in it */
	uint32_t severity;	/* 0: the report carries its own */
	void (*write)(struct line *line, const struct report *report);
} shapes[] = {
	[REPORT_START] = {"memswell.start", "memswell.agent.start", SEVERITY_INFO, write_start},
	[REPORT_HEARTBEAT] = {"memswell.heartbeat", "memswell.agent.heartbeat", SEVERITY_INFO,
			      write_heartbeat},
	[REPORT_PROCESS_EXIT] = {"memswell.process_exit", "memswell.process.exit", SEVERITY_INFO,
				 write_process_exit},
	[REPORT_OOM_KILL] = {"memswell.oom_kill", "memswell.process.oom_kill", SEVERITY_ERROR,
			     write_oom_kill},
	[REPORT_LISTENER] = {"memswell.listener", "memswell.listener.change", SEVERITY_INFO,
			     write_listener},
	[REPORT_GROWTH] = {"memswell.growth", "memswell.process.growth", 0, write_growth},
	[REPORT_BURST] = {"memswell.burst", "memswell.gateway.burst", SEVERITY_WARN, write_burst},
	[REPORT_INCIDENT] = {"memswell.incident", "memswell.gateway.incident", 0, write_incident},
	[REPORT_SAMPLE] = {"memswell.sample", "memswell.process.sample", SEVERITY_INFO,
			   write_sample},
	[REPORT_GAP] = {"memswell.gap", "memswell.agent.gap", SEVERITY_WARN, write_gap},
};
_Static_assert(NR(shapes) == NR_REPORT_KINDS, "a shape for every kind");

/* One look is no alarm: a suspicion is news, what lasts is worth a look, what is about to end an error. */
static uint32_t growth_severity(enum growth_level level)
{
	switch (level) {
	case GROWTH_PROBABLE:
		return SEVERITY_WARN;
	case GROWTH_IMMINENT:
		return SEVERITY_ERROR;
	default:
		return SEVERITY_INFO;
	}
}

static uint32_t severity(const struct report *report)
{
	if (report->kind == REPORT_INCIDENT)
		return report->incident.severity_number;
	if (report->kind == REPORT_GROWTH)
		return growth_severity(report->growth.level);
	return shapes[report->kind].severity;
}

static void write_resource(struct line *line, const struct report *report)
{
	const struct record_header *header = report->header;
	struct json_writer *w = &line->w;

	jw_open_object(w, "resource");
	line_known_string(line, "host.name", header->host_name);
	line_known_string(line, "host.id", header->host_id);
	line_known_string(line, "host.arch", header->arch);
	if (report->kind == REPORT_INCIDENT) {
		const struct report_incident *incident = &report->incident;

		line_known_string(line, "service.name", incident->service_name);
		if (incident->has_culprit && line->trim < TRIM_PATHS)
			line_known_string(line, "process.linux.cgroup",
					  incident->culprit.cgroup_path);
		if (incident->has_culprit && line->trim < TRIM_NAMES)
			line_workload(line, incident->culprit.workload);
	}
	jw_close_object(w);
}

static void write_line(struct line *line)
{
	const struct report *report = line->report;
	const struct report_shape *shape = &shapes[report->kind];
	struct json_writer *w = &line->w;

	jw_open_object(w, NULL);
	jw_string(w, "schema", shape->schema);
	jw_string(w, "schema_version", REPORT_SCHEMA_VERSION);
	jw_u64(w, "seq", report->seq);
	jw_string(w, "event_name", shape->event_name);
	line_time(line, "timestamp", report->ts_ns);
	line_boot_ns(line, "boot_ns", report->ts_ns);
	jw_u64(w, "severity_number", severity(report));
	write_resource(line, report);
	shape->write(line, report);
	if (line->trim > TRIM_NOTHING)
		jw_bool(w, "truncated", true);
	jw_close_object(w);
}

size_t report_json(const struct report *report, char *text)
{
	struct line line = {.report = report};

	if ((unsigned int)report->kind >= NR_REPORT_KINDS)
		return 0;
	for (int trim = TRIM_NOTHING; trim < NR_TRIMS; trim++) {
		line.trim = (enum trim)trim;
		jw_init(&line.w, text, REPORT_LINE_MAX);
		line.w.max_text = trim < TRIM_NAMES ? 0 : LINE_NAME_MAX;
		write_line(&line);
		if (!line.w.overflow)
			break;
	}
	memcpy(text + line.w.len, "\n", 2);
	return line.w.len + 1;
}
