/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* top_panes.c - below the list of `memswell top`: ways from gateways to upstreams, open incidents. */
#include <stdio.h>
#include <stdlib.h>

#include "model/text.h"
#include "view/top_parts.h"
#include "view/top_text.h"

static const char *endpoint_text(const struct endpoint *e, char *buffer, size_t size)
{
	struct text t;

	text_init(&t, buffer, size);
	if (e->port)
		text_add_endpoint(&t, e);
	else
		text_add(&t, "(itself)");
	return buffer;
}

static uint64_t leg_failures(const struct report_impact *i)
{
	uint64_t sum = 0;

	for (int f = 0; f < NR_FLOW_FAILS; f++)
		if (f != FLOW_FAIL_RST_REUSED && f != FLOW_FAIL_FIN_REUSED &&
		    f != FLOW_FAIL_STATUS && f != FLOW_FAIL_ABANDONED)
			sum += i->upstream_fail[f];
	return sum;
}

static void draw_leg(struct top_screen *s, int y, const struct top_leg *leg)
{
	const struct report_impact *i = &leg->now.recent;
	char rate[8], address[TOP_ADDRESS_LEN], who[64];
	uint64_t failures = leg_failures(i);

	top_text_number(rate, (double)i->upstream_requests / OVERVIEW_RECENT_S);
	snprintf(who, sizeof(who), "%s %u", leg->comm, leg->now.gateway.proc.id.tgid);
	top_put_cell(s, y, 1, 16, who, A_NORMAL);
	top_put_cell(s, y, 18, 22, endpoint_text(&leg->now.upstream, address, sizeof(address)),
		     A_NORMAL);
	top_put_aligned(s, y, 41, 5, true, rate, A_NORMAL);
	snprintf(who, sizeof(who), "/s %s fail %llu  502/3/4 %llu/%llu/%llu",
		 leg->now.burst_open ? "BURST" : "     ", (unsigned long long)failures,
		 (unsigned long long)i->client_status[FLOW_STATUS_502],
		 (unsigned long long)i->client_status[FLOW_STATUS_503],
		 (unsigned long long)i->client_status[FLOW_STATUS_504]);
	top_put_cell(s, y, 46, COLS - 46, who,
		     top_attribute(s, leg->now.burst_open ? TOP_BAD
				      : failures	  ? TOP_WARN
							  : TOP_PLAIN));
}

struct leg_place {
	const struct top_leg *leg;
};

/* Bursts first, then the busiest. */
static int compare_legs(const void *left, const void *right)
{
	const struct top_leg *a = ((const struct leg_place *)left)->leg;
	const struct top_leg *b = ((const struct leg_place *)right)->leg;

	if (a->now.burst_open != b->now.burst_open)
		return a->now.burst_open ? -1 : 1;
	if (a->now.recent.upstream_requests != b->now.recent.upstream_requests)
		return a->now.recent.upstream_requests > b->now.recent.upstream_requests ? -1 : 1;
	return a < b ? -1 : a > b;
}

void top_draw_gateways(struct top_screen *s, int y, int height, const struct top_table *t)
{
	struct leg_place order[TOP_LEGS_MAX];

	for (uint32_t i = 0; i < t->nr_legs; i++)
		order[i].leg = &t->legs[i];
	qsort(order, t->nr_legs, sizeof(order[0]), compare_legs);
	top_put_line(s, y, A_BOLD, "Gateways: %u ways, the last %d s", t->nr_legs,
		     OVERVIEW_RECENT_S);
	for (int i = 0; i + 1 < height && (uint32_t)i < t->nr_legs; i++)
		draw_leg(s, y + 1 + i, order[i].leg);
}

static void draw_incident(struct top_screen *s, int y, const struct top_table *t,
			  const struct top_incident *i)
{
	const char *cause = verdict_cause_name(i->cause);
	struct measure age = {0, true};
	char text[512], since[8];

	if (t->now_ns > i->opened_ns)
		age.value = (double)(t->now_ns - i->opened_ns) / 1e9;
	top_text_seconds(since, age);
	snprintf(text, sizeof(text), "%5s  %s%s%s %.2f  %s", since, verdict_class_name(i->class),
		 *cause ? "/" : "", cause, i->confidence, i->summary);
	top_put_cell(s, y, 0, COLS, text, top_attribute(s, TOP_BAD));
}

void top_draw_incidents(struct top_screen *s, int y, int height, const struct top_table *t)
{
	top_put_line(s, y, A_BOLD, "Open incidents: %u", t->nr_incidents);
	for (int i = 0; i + 1 < height && (uint32_t)i < t->nr_incidents; i++)
		draw_incident(s, y + 1 + i, t, &t->incidents[t->nr_incidents - 1 - (uint32_t)i]);
}
