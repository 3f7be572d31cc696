/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* top_pages.c - what `memswell top` shows in place of the list: all about one row, and help. */
#include <stdarg.h>
#include <stdio.h>

#include "model/text.h"
#include "view/top_parts.h"
#include "view/top_text.h"

struct page {
	struct top_screen *s;
	int y;
	int end;
};

static void page_line(struct page *page, const char *label, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void page_line(struct page *page, const char *label, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (page->y >= page->end)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	top_put_cell(page->s, page->y, 2, 16, label, A_BOLD);
	top_put_cell(page->s, page->y, 18, COLS - 18, text, A_NORMAL);
	page->y++;
}

static void page_bytes(struct page *page, const char *label, uint64_t bytes, const char *more)
{
	char text[32];
	struct text t;

	text_init(&t, text, sizeof(text));
	text_add_bytes(&t, bytes);
	page_line(page, label, "%s%s", text, more);
}

static void detail_memory(struct page *page, const struct overview_process *p)
{
	char left[8], rate[32], more[96] = "";
	struct text t;

	page_bytes(page, "anonymous", p->anon_bytes, "");
	page_bytes(page, "file pages", p->file_bytes, "");
	if (p->ceiling.bytes) {
		snprintf(more, sizeof(more), " (%s), %.0f%% of it used",
			 ceiling_source_name(p->ceiling.source),
			 100.0 * (double)p->ceiling_used_bytes / (double)p->ceiling.bytes);
		page_bytes(page, "next ceiling", p->ceiling.bytes, more);
	} else {
		page_line(page, "next ceiling", "none known");
	}
	if (p->memcg_limit_bytes != RECORD_NO_LIMIT)
		page_bytes(page, "cgroup limit", p->memcg_limit_bytes, "");
	page_bytes(page, "cgroup usage", p->memcg_usage_bytes, "");
	text_init(&t, rate, sizeof(rate));
	text_add_rate(&t, p->slope_bytes_per_s.value);
	top_text_seconds(left, p->exhaustion_s);
	if (p->level == GROWTH_NONE)
		page_line(page, "growth", "none that lasts");
	else
		page_line(page, "growth", "%s, %s, ceiling in %s", growth_level_name(p->level),
			  rate, left);
}

#define SHORT_ID 12 /* as runtimes show ids to people */

/* Only what it has: most processes are in no pod. */
static void detail_workload(struct page *page, const struct workload *w)
{
	if (*w->container_id)
		page_line(page, "container", "%s%s%.*s%s%s",
			  container_runtime_name((enum container_runtime)w->runtime),
			  w->runtime ? " " : "", SHORT_ID, w->container_id,
			  *w->container_name ? ", " : "", w->container_name);
	if (*w->pod_name)
		page_line(page, "pod", "%s in %s, %s", w->pod_name,
			  *w->pod_namespace ? w->pod_namespace : "an unknown namespace",
			  pod_qos_name((enum pod_qos)w->qos));
	else if (*w->pod_uid)
		page_line(page, "pod", "uid %s", w->pod_uid);
	if (*w->systemd_unit)
		page_line(page, "unit", "%s", w->systemd_unit);
}

void top_draw_detail(struct top_screen *s, int y, int height, const struct top_row *row)
{
	struct page page = {.s = s, .y = y, .end = y + height};
	const struct top_process *p = row->main;
	char p50[8], p95[8];

	top_put_line(s, page.y++, A_REVERSE, " %s", row->name);
	page_line(&page, "process", "%s, pid %u, parent %u, runtime %s", p->comm,
		  p->now.proc.id.tgid, p->now.proc.parent_tgid, runtime_name(p->now.proc.runtime));
	if (row->nr_processes > 1)
		page_line(&page, "", "the one of %u that will fail first", row->nr_processes);
	page_line(&page, "executable", "%s", *p->exe_path ? p->exe_path : "unknown");
	page_line(&page, "cgroup", "%s", *p->cgroup_path ? p->cgroup_path : "unknown");
	detail_workload(&page, &p->workload);
	detail_memory(&page, &p->now);
	if (*row->address)
		page_line(&page, "answers on", "%s%s", row->address,
			  p->now.gateway ? ", as a gateway" : "");
	top_text_latency(p50, row->p50_us);
	top_text_latency(p95, row->p95_us);
	page_line(&page, "requests", "%.1f/s, %llu answered, %llu in flight, p50 %s, p95 %s",
		  row->requests_per_s, (unsigned long long)p->now.requests,
		  (unsigned long long)row->in_flight, p50, p95);
	page_line(&page, "failures", "%llu on the way to it in the last %d s",
		  (unsigned long long)row->failures, OVERVIEW_RECENT_S);
	page_line(&page, "last 10 minutes", "%u restarts, %u deaths", row->restarts_10m,
		  p->now.deaths_10m);
}

void top_draw_help(struct top_screen *s, int y, int height, bool replay)
{
	static const char *const lines[][2] = {
		{"tab, v", "services, containers or processes"},
		{"up down j k", "select; PgUp, PgDn, Home, End go farther"},
		{"enter", "all about the selected line, and back"},
		{"s, S", "next order; reverse it"},
		{"/", "filter by name, address, path or pid; escape clears it"},
		{"space", "pause, and go on"},
		{"p", "hide or show gateways and incidents"},
		{"q", "quit"},
		{"! + ?", "growth to its ceiling: within 2 minutes, probable, suspected"},
		{"LEFT", "time to the nearest ceiling at this pace"},
		{"RST", "restarts within ten minutes"},
	};
	struct page page = {.s = s, .y = y, .end = y + height};

	top_put_line(s, page.y++, A_REVERSE, " Help");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		page_line(&page, lines[i][0], "%s", lines[i][1]);
	if (replay)
		page_line(&page, "left right < >", "a tick, a minute back and forth in time");
}
