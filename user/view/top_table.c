/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* top_table.c - see top_table.h: keeping what the core tells. Rows are made in top_rows.c. */
#include "view/top_table.h"

#include <stdio.h>
#include <string.h>

/* Per tick: half of what a histogram says is from the last three. */
#define LATENCY_FADE  0.8
#define LATENCY_LEAST 0.05 /* answers left: less says nothing */

static void copy_text(char *dst, size_t size, const char *src)
{
	snprintf(dst, size, "%s", src ? src : "");
}

static struct top_process *find(struct top_table *t, const struct proc_id *id)
{
	for (uint32_t i = 0; i < TOP_PROCESSES_MAX; i++)
		if (t->processes[i].used && proc_id_equal(&t->processes[i].now.proc.id, id))
			return &t->processes[i];
	return NULL;
}

static struct top_process *find_or_take(struct top_table *t, const struct proc_id *id)
{
	struct top_process *p = find(t, id);

	for (uint32_t i = 0; !p && i < TOP_PROCESSES_MAX; i++) {
		if (t->processes[i].used)
			continue;
		p = &t->processes[i];
		memset(p, 0, sizeof(*p));
		p->used = true;
	}
	return p;
}

void top_table_record(struct top_table *t, const struct record *record)
{
	const struct record_flow *flow = &record->flow;
	struct top_process *p;

	if (record->kind == RECORD_HEADER)
		copy_text(t->host_name, sizeof(t->host_name), record->header.host_name);
	if (record->kind != RECORD_FLOW || flow->role != FLOW_SERVER || !flow->responses)
		return;
	p = find(t, &flow->proc);
	for (int i = 0; p && i < RECORD_LATENCY_BUCKETS; i++)
		p->latency[i] += flow->latency[i];
}

/* Reports ----------------------------------------------------------------------------------------- */

static struct top_incident *find_incident(struct top_table *t, const char *id)
{
	for (uint32_t i = 0; i < t->nr_incidents; i++)
		if (!strcmp(t->incidents[i].id, id))
			return &t->incidents[i];
	return NULL;
}

static void drop_incident(struct top_table *t, struct top_incident *incident)
{
	uint32_t i = (uint32_t)(incident - t->incidents);

	t->nr_incidents--;
	memmove(incident, incident + 1, (t->nr_incidents - i) * sizeof(*incident));
}

static void take_incident(struct top_table *t, const struct report *report)
{
	const struct report_incident *in = &report->incident;
	struct top_incident *incident = find_incident(t, in->id);

	if (in->record == INCIDENT_CLOSE) {
		if (incident)
			drop_incident(t, incident);
		return;
	}
	if (!incident) {
		if (t->nr_incidents == TOP_INCIDENTS_MAX)
			return; /* the core has no more open ones */
		incident = &t->incidents[t->nr_incidents++];
		memset(incident, 0, sizeof(*incident));
		copy_text(incident->id, sizeof(incident->id), in->id);
		incident->opened_ns = report->ts_ns;
	}
	incident->severity_number = in->severity_number;
	incident->class = in->verdict.class;
	incident->cause = in->verdict.cause;
	incident->confidence = in->verdict.confidence;
	copy_text(incident->summary, sizeof(incident->summary), in->summary);
}

static void take_heartbeat(struct top_table *t, const struct report_heartbeat *in)
{
	t->events_lost = 0;
	for (uint32_t i = 0; i < in->nr_losses; i++)
		t->events_lost += in->losses[i].count;
}

void top_table_report(struct top_table *t, const struct report *report)
{
	t->wall_offset_ns = report->wall_offset_ns;
	if (report->kind == REPORT_INCIDENT)
		take_incident(t, report);
	else if (report->kind == REPORT_HEARTBEAT)
		take_heartbeat(t, &report->heartbeat);
}

/* Ticks ------------------------------------------------------------------------------------------- */

void top_table_begin(struct top_table *t, uint64_t now_ns)
{
	t->now_ns = now_ns;
	t->hidden = 0;
	t->nr_legs = 0;
	for (uint32_t i = 0; i < TOP_PROCESSES_MAX; i++)
		t->processes[i].seen = false;
}

static void remember(struct top_process *p, uint64_t anon_bytes)
{
	if (p->nr_history == TOP_HISTORY) {
		memmove(p->history_kib, p->history_kib + 1,
			(TOP_HISTORY - 1) * sizeof(p->history_kib[0]));
		p->nr_history--;
	}
	p->history_kib[p->nr_history++] = (uint32_t)(anon_bytes / 1024);
}

void top_table_process(struct top_table *t, const struct overview_process *process)
{
	struct top_process *p = find_or_take(t, &process->proc.id);

	if (!p) {
		t->hidden++;
		return;
	}
	copy_text(p->comm, sizeof(p->comm), process->proc.comm);
	copy_text(p->exe_path, sizeof(p->exe_path), process->proc.exe_path);
	copy_text(p->cgroup_path, sizeof(p->cgroup_path), process->proc.cgroup_path);
	p->workload = *process->proc.workload;
	p->now = *process;
	p->now.proc.comm = p->comm;
	p->now.proc.exe_path = p->exe_path;
	p->now.proc.cgroup_path = p->cgroup_path;
	p->now.proc.workload = &p->workload;
	p->seen = true;
	remember(p, process->anon_bytes);
}

void top_table_leg(struct top_table *t, const struct overview_leg *leg)
{
	struct top_leg *to = &t->legs[t->nr_legs];

	if (t->nr_legs == TOP_LEGS_MAX) {
		t->hidden++;
		return;
	}
	t->nr_legs++;
	to->now = *leg;
	copy_text(to->comm, sizeof(to->comm), leg->gateway.proc.comm);
	to->now.gateway.proc.comm = to->comm;
}

static void fade(struct top_process *p)
{
	for (int i = 0; i < RECORD_LATENCY_BUCKETS; i++) {
		p->latency[i] *= LATENCY_FADE;
		if (p->latency[i] < LATENCY_LEAST)
			p->latency[i] = 0;
	}
}

void top_table_end(struct top_table *t)
{
	for (uint32_t i = 0; i < TOP_PROCESSES_MAX; i++) {
		t->processes[i].used &= t->processes[i].seen;
		fade(&t->processes[i]);
	}
}
