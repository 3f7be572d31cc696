/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * history_flows.c - the traffic of programs over time (history.h): flows of requests are added up to what a program
 * does with one endpoint in one role, and read by the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "view/history_parts.h"

static bool same_flow(const struct history_flow *f, const struct proc_id *program,
		      const struct record_flow *flow)
{
	return f->role == flow->role && proc_id_equal(&f->program, program) &&
	       endpoint_equal(&f->endpoint, &flow->endpoint);
}

static struct history_flow *longest_unused(struct history *h)
{
	struct history_flow *oldest = h->flows[0];

	for (uint32_t i = 1; i < h->nr_flows; i++)
		if (h->flows[i]->last_ns < oldest->last_ns)
			oldest = h->flows[i];
	series_free(&oldest->series);
	h->refused++;
	return oldest;
}

static struct history_flow *flow_of(struct history *h, const struct history_process *p,
				    const struct record_flow *flow)
{
	struct series_shape shape = {NR_FLOW_GAUGES, NR_FLOW_COUNTS, h->tick_ns, h->phase_ns};
	struct proc_id program = history_program(h, p);
	struct history_flow *f;

	for (uint32_t i = 0; i < h->nr_flows; i++)
		if (same_flow(h->flows[i], &program, flow))
			return h->flows[i];
	if (h->nr_flows < HISTORY_MAX_FLOWS) {
		f = malloc(sizeof(*f));
		if (!f)
			return NULL;
		h->flows[h->nr_flows++] = f;
	} else {
		f = longest_unused(h);
	}
	*f = (struct history_flow){
		.program = program, .endpoint = flow->endpoint, .role = flow->role};
	series_init(&f->series, &shape);
	return f;
}

/* In the order of the counts of a flow's series. */
static void list_counts(const struct record_flow *flow, uint64_t counts[NR_FLOW_COUNTS])
{
	counts[FLOW_REQUESTS] = flow->requests;
	counts[FLOW_RESPONSES] = flow->responses;
	memcpy(counts + FLOW_STATUS_COUNTS, flow->status, sizeof(flow->status));
	memcpy(counts + FLOW_FAIL_COUNTS, flow->fail, sizeof(flow->fail));
	for (uint32_t i = 0; i < RECORD_LATENCY_BUCKETS; i++)
		counts[FLOW_LATENCIES + i] = flow->latency[i];
}

void history_take_flow(struct history *h, const struct record *r)
{
	const struct record_flow *flow = &r->flow;
	struct history_process *p = history_process_of(h, &flow->proc);
	struct history_flow *f = p ? flow_of(h, p, flow) : NULL;
	uint64_t ts_ns = history_middle_of_batch(h, r->ts_ns);
	uint64_t counts[NR_FLOW_COUNTS];

	if (!f)
		return;
	p->serves |= flow->role == FLOW_SERVER;
	f->last_ns = r->ts_ns;
	series_set(&f->series, ts_ns, FLOW_IN_FLIGHT, (double)flow->in_flight);
	list_counts(flow, counts);
	series_add_all(&f->series, ts_ns, counts);
}

static bool flow_matches(const struct history_flow *f, const struct flow_query *query)
{
	const struct endpoint *e = query->endpoint;

	if (f->role != query->role)
		return false;
	if (query->program && !proc_id_equal(&f->program, query->program))
		return false;
	return !e || (f->endpoint.port == e->port &&
		      memcmp(f->endpoint.addr, e->addr, sizeof(e->addr)) == 0 &&
		      (!e->netns || f->endpoint.netns == e->netns));
}

int history_read_flows(const struct history *h, const struct flow_query *query,
		       const struct series_window *window, struct series_points *out)
{
	struct series_points sum = {0};

	for (uint32_t i = 0; i < h->nr_flows; i++) {
		struct series_points points;
		int err;

		if (!flow_matches(h->flows[i], query))
			continue;
		err = series_read(&h->flows[i]->series, window, &points);
		if (!err && !sum.at) {
			sum = points;
			continue;
		}
		if (!err) {
			err = series_points_add(&sum, &points);
			series_points_free(&points);
		}
		if (err) {
			series_points_free(&sum);
			return err;
		}
	}
	*out = sum;
	return 0;
}

/* Within a bucket, which spans a factor of two, as if evenly spread. */
double flow_latency_ms(const double *counts, double share)
{
	const double *buckets = counts + FLOW_LATENCIES;
	double total = 0, below = 0, low_us = 0, high_us = 1;

	for (int i = 0; i < RECORD_LATENCY_BUCKETS; i++)
		total += buckets[i];
	if (total <= 0)
		return -1;
	for (int i = 0; i < RECORD_LATENCY_BUCKETS; i++) {
		if (buckets[i] > 0 && below + buckets[i] >= share * total) {
			double within = (share * total - below) / buckets[i];

			return (low_us + (high_us - low_us) * within) / 1000;
		}
		below += buckets[i];
		low_us = high_us;
		high_us *= 2;
	}
	return low_us / 1000;
}
