/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* gap.c - see gap.h. */
#include "core/gap.h"

void gap_begin(struct gaps *t, uint64_t ts_ns, const struct record_gap *gap)
{
	t->past[t->nr_past++ % GAP_MAX] = (struct gap_span){min_u64(gap->from_ns, ts_ns), ts_ns};
	t->is_open = true;
	t->ts_ns = ts_ns;
	t->gap = *gap;
	if (t->gap.cause >= NR_GAP_CAUSES)
		t->gap.cause = GAP_UNKNOWN;
	t->nr_services = 0;
	t->nr_incidents = 0;
}

void gap_add_service(struct gaps *t, const struct record_gap_service *service)
{
	struct record_gap_service *to = &t->services[t->nr_services];

	if (!t->is_open || t->nr_services == REPORT_MAX_GAP_SERVICES)
		return;
	*to = *service;
	to->comm[sizeof(to->comm) - 1] = '\0';
	t->nr_services++;
}

void gap_add_incident(struct gaps *t, const struct record_gap_incident *incident)
{
	struct record_gap_incident *to = &t->incidents[t->nr_incidents];

	if (!t->is_open || t->nr_incidents == REPORT_MAX_GAP_INCIDENTS)
		return;
	*to = *incident;
	to->id[sizeof(to->id) - 1] = '\0';
	t->nr_incidents++;
}

uint64_t gap_unwatched_ns(const struct gaps *t, uint64_t from_ns)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < GAP_MAX && i < t->nr_past; i++)
		sum = add_u64(sum,
			      since_ns(t->past[i].to_ns, max_u64(t->past[i].from_ns, from_ns)));
	return sum;
}
