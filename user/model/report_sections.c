/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * report_sections.c - see report_sections.h. Keys are OpenTelemetry attributes where one exists and
 * ours, with the unit in the name, where none does. It spells values; it judges nothing.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "model/address.h"
#include "model/report_sections.h"
#include "model/workload_json.h"

#define NS_PER_S 1000000000LL

/* int64_t nanoseconds reach from 1677 to 2262, so whatever a recording says is four-digit years. */
void line_time(struct line *line, const char *key, uint64_t boot_ns)
{
	int64_t wall_ns = (int64_t)(boot_ns + (uint64_t)line->report->wall_offset_ns);
	int64_t ns = wall_ns % NS_PER_S;
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	struct tm tm;
	char text[64];
	size_t len;

	if (ns < 0) {
		ns += NS_PER_S;
		seconds--;
	}
	gmtime_r(&seconds, &tm);
	len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + len, sizeof(text) - len, ".%09dZ", (int)ns);
	jw_string(&line->w, key, text);
}

void line_known_time(struct line *line, const char *key, uint64_t boot_ns)
{
	if (boot_ns)
		line_time(line, key, boot_ns);
	else
		jw_null(&line->w, key);
}

void line_boot_ns(struct line *line, const char *key, uint64_t boot_ns)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)boot_ns);
	jw_string(&line->w, key, text);
}

void line_measure(struct line *line, const char *key, struct measure measure)
{
	if (measure.has)
		jw_double(&line->w, key, measure.value);
	else
		jw_null(&line->w, key);
}

void line_known_u64(struct line *line, const char *key, uint64_t value)
{
	if (value)
		jw_u64(&line->w, key, value);
	else
		jw_null(&line->w, key);
}

void line_known_string(struct line *line, const char *key, const char *value)
{
	if (value && *value)
		jw_string(&line->w, key, value);
	else
		jw_null(&line->w, key);
}

static void write_runtime(struct line *line, enum runtime_kind runtime)
{
	if (runtime == RUNTIME_UNKNOWN)
		jw_null(&line->w, "process.runtime.name");
	else
		jw_string(&line->w, "process.runtime.name", runtime_name(runtime));
}

void line_process_fields(struct line *line, const struct report_proc *proc)
{
	struct json_writer *w = &line->w;

	if (proc->header && proc->header != line->report->header)
		line_known_string(line, "host.name", proc->header->host_name);
	jw_u64(w, "process.pid", proc->id.tgid);
	line_known_u64(line, "process.parent_pid", proc->parent_tgid);
	line_known_time(line, "process.creation.time", proc->id.start_ns);
	line_known_string(line, "process.executable.name", proc->comm);
	write_runtime(line, proc->runtime);
	if (line->trim >= TRIM_PATHS)
		return;
	line_known_string(line, "process.executable.path", proc->exe_path);
	line_known_string(line, "process.linux.cgroup", proc->cgroup_path);
}

void line_process_workload(struct line *line, const struct report_proc *proc)
{
	if (line->trim >= TRIM_PATHS)
		return;
	if (*proc->service_name)
		jw_string(&line->w, "service.name", proc->service_name);
	line_workload(line, proc->workload);
}

void line_process(struct line *line, const char *key, const struct report_proc *proc)
{
	if (proc->id.tgid == 0) {
		jw_null(&line->w, key);
		return;
	}
	jw_open_object(&line->w, key);
	line_process_fields(line, proc);
	line_process_workload(line, proc);
	jw_close_object(&line->w);
}

/* Codes above 0 and below SI_KERNEL say which fault the task itself ran into. */
static const char *signal_code_name(int32_t code)
{
	switch (code) {
	case SI_USER:
		return "SI_USER";
	case SI_KERNEL:
		return "SI_KERNEL";
	case SI_QUEUE:
		return "SI_QUEUE";
	case SI_TIMER:
		return "SI_TIMER";
	case SI_TKILL:
		return "SI_TKILL";
	default:
		return code > 0 && code < SI_KERNEL ? "FAULT" : "OTHER";
	}
}

static void write_signal_name(struct line *line, int32_t sig)
{
	const char *word = sigabbrev_np(sig);
	char text[24];

	snprintf(text, sizeof(text), "SIG%s", word ? word : "RT");
	jw_string(&line->w, "signal_name", text);
}

static void write_signal(struct line *line, const struct report_death *death)
{
	struct json_writer *w = &line->w;

	jw_i64(w, "signal", death->signal);
	write_signal_name(line, death->signal);
	if (!death->has_signal_code) {
		jw_null(w, "signal_code");
		return;
	}
	jw_string(w, "signal_code", signal_code_name(death->signal_code));
	jw_i64(w, "signal_code_number", death->signal_code);
	line_known_u64(line, "sender_pid", death->sender_tgid);
	line_known_string(line, "sender_name", death->sender_comm);
}

void line_exit(struct line *line, const struct report_death *death)
{
	struct json_writer *w = &line->w;

	jw_open_object(w, "exit");
	line_known_time(line, "process.exit.time", death->ts_ns);
	jw_i64(w, "process.exit.code", death->exit_code);
	if (death->signal)
		write_signal(line, death);
	jw_bool(w, "oom_kill", death->oom_kill);
	jw_bool(w, "memcg_oom", death->memcg_oom);
	jw_bool(w, "v8_oom", death->v8_oom);
	jw_bool(w, "abort_ignored", death->abort_ignored);
	line_known_u64(line, "peak_rss_bytes", death->peak_rss_bytes);
	line_measure(line, "anon_bytes", death->anon_bytes);
	jw_close_object(w);
}

static void write_window(struct line *line, const struct report_impact *impact)
{
	struct json_writer *w = &line->w;
	uint64_t start = impact->first_failure_ns;
	uint64_t end = impact->last_failure_ns;

	jw_open_object(w, "window");
	line_known_time(line, "start", start);
	line_known_time(line, "end", end);
	if (start && end >= start)
		jw_double(w, "duration_s", (double)(end - start) / (double)NS_PER_S);
	else
		jw_null(w, "duration_s");
	jw_close_object(w);
}

static void write_failures(struct line *line, const struct report_impact *impact)
{
	struct json_writer *w = &line->w;

	jw_open_object(w, "client_responses");
	for (int i = 0; i < NR_FLOW_STATUSES; i++)
		jw_u64(w, flow_status_name((enum flow_status)i), impact->client_status[i]);
	jw_close_object(w);
	jw_open_object(w, "upstream_failures");
	for (int i = 0; i < NR_FLOW_FAILS; i++)
		jw_u64(w, flow_fail_name((enum flow_fail)i), impact->upstream_fail[i]);
	jw_u64(w, "no_live", impact->no_live);
	jw_close_object(w);
}

static void write_proxy(struct line *line, const struct report_gateway *gateway)
{
	struct json_writer *w = &line->w;

	if (gateway->proc.id.tgid == 0) {
		jw_null(w, "proxy");
		return;
	}
	jw_open_object(w, "proxy");
	line_process_fields(line, &gateway->proc);
	line_process_workload(line, &gateway->proc);
	line_known_string(line, "personality", gateway->personality);
	jw_u64(w, "workers", gateway->nr_workers);
	jw_close_object(w);
}

void line_impact(struct line *line, const struct line_impact *what)
{
	const struct report_impact *impact = what->impact;
	struct json_writer *w = &line->w;
	char address[ADDRESS_TEXT_LEN];

	address_format(what->upstream->addr, address);
	jw_open_object(w, "impact");
	write_proxy(line, what->gateway);
	jw_string(w, "network.peer.address", address);
	jw_u64(w, "network.peer.port", what->upstream->port);
	write_window(line, impact);
	jw_u64(w, "client_requests", impact->client_requests);
	jw_u64(w, "upstream_requests", impact->upstream_requests);
	jw_u64(w, "upstream_responses", impact->upstream_responses);
	write_failures(line, impact);
	jw_u64(w, "closed_without_response", impact->client_closed);
	jw_u64(w, "truncated", impact->truncated);
	jw_u64(w, "app_answered", impact->app_answered);
	jw_string(w, "status_source", impact->inferred ? "inferred" : "observed");
	jw_u64(w, "clients_closed", impact->client_closed);
	jw_u64(w, "masked_by_retry", impact->masked_by_retry);
	jw_double(w, "failure_ratio", impact->failure_ratio);
	jw_close_object(w);
}
