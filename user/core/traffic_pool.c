/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * traffic_pool.c - connections of a process to its backends: whether all it may open are in use
 * while its own requests pile up. How many it may open shows in that it opens no more.
 */
#include <string.h>

#include "core/traffic_parts.h"

#define MIN_CONNECTIONS 2
#define SATURATED_NS	(5 * NSEC_PER_SEC)
/* A single turn may end just when the counters are read, and the next not have begun. */
#define BUSY_GAP_NS (1500 * NSEC_PER_MSEC)
#define BUSY_SHARE  0.9
/* A connection of eight may come or go without the pool being another one. */
#define FLAT_PART 8

/* Own requests, to connections: fewer do not wait for a connection. */
#define QUEUE_RATIO	 2
#define LONG_QUEUE	 4
#define QUEUE_OF_USUAL	 2.0
#define QUEUE_RISE	 1.2
#define QUEUE_RISE_S	 10
#define QUEUE_RISE_LEAST 5

#define SLOW_AVERAGE 0.05
#define FAST_AVERAGE 0.3

static struct traffic_backend *get_backend(struct traffic *t, const struct record_flow *flow)
{
	struct traffic_backend *oldest = &t->backends[0];

	for (int i = 0; i < TRAFFIC_BACKENDS; i++) {
		struct traffic_backend *b = &t->backends[i];

		if (b->used_ns && b->role == flow->role &&
		    endpoint_equal(&b->endpoint, &flow->endpoint))
			return b;
		if (b->used_ns < oldest->used_ns)
			oldest = b;
	}
	memset(oldest, 0, sizeof(*oldest));
	oldest->endpoint = flow->endpoint;
	oldest->role = flow->role;
	return oldest;
}

/* What a pool is usually like is learnt while it has connections left. */
static void take_latency(struct traffic_backend *b, const struct record_flow *flow)
{
	double us;

	if (!flow->responses)
		return;
	us = (double)flow->latency_sum_ns / (double)flow->responses / 1000;
	if (b->latency_us <= 0)
		b->latency_us = b->latency_now_us = us;
	b->latency_now_us += FAST_AVERAGE * (us - b->latency_now_us);
	if (!b->flat_ns)
		b->latency_us += SLOW_AVERAGE * (us - b->latency_us);
}

/*
 * How many connections are in use: those that wait now or, where turns are much shorter than the
 * time between two readings, as many as the time spent waiting takes.
 */
static double busy_connections(const struct traffic_backend *b, uint64_t ts_ns,
			       const struct record_flow *flow)
{
	double now = (double)b->in_flight, mean = 0;

	if (b->used_ns && ts_ns > b->used_ns)
		mean = (double)flow->latency_sum_ns / (double)(ts_ns - b->used_ns);
	if (mean > (double)b->open)
		mean = (double)b->open;
	return mean > now ? mean : now;
}

static bool is_flat(struct traffic_backend *b)
{
	uint64_t tolerance = b->flat_open / FLAT_PART;

	if (b->open < MIN_CONNECTIONS || b->open < b->open_peak - b->open_peak / FLAT_PART)
		return false;
	if (since_ns(b->open, b->flat_open) <= tolerance &&
	    since_ns(b->flat_open, b->open) <= tolerance)
		return true;
	b->flat_open = b->open;
	return false;
}

void traffic_backend_flow(struct traffic *t, uint64_t ts_ns, const struct record_flow *flow)
{
	struct traffic_backend *b = get_backend(t, flow);
	bool flat;

	b->open = since_ns(add_u64(b->open, flow->opened), flow->closed);
	b->in_flight = flow->in_flight;
	/* Connections older than our watch show only when they are used. */
	b->open = max_u64(b->open, b->in_flight);
	b->open_peak = max_u64(b->open_peak, b->open);
	flat = is_flat(b);
	b->busy = busy_connections(b, ts_ns, flow) >= BUSY_SHARE * (double)b->open;
	if (b->busy)
		b->busy_ns = ts_ns;
	if (!flat || since_ns(ts_ns, b->busy_ns) > BUSY_GAP_NS)
		b->flat_ns = 0;
	else if (!b->flat_ns && b->busy)
		b->flat_ns = max_u64(ts_ns, 1);
	take_latency(b, flow);
	b->used_ns = max_u64(ts_ns, 1);
}

/* Silence means that nothing was returned, not that it is over. */
static bool is_exhausted(const struct traffic_backend *b, uint64_t now_ns)
{
	return b->flat_ns && (b->busy || since_ns(now_ns, b->busy_ns) <= BUSY_GAP_NS) &&
	       since_ns(now_ns, b->flat_ns) >= SATURATED_NS;
}

static double latency_ratio(const struct traffic_backend *b, uint64_t now_ns)
{
	double now_us = b->latency_now_us;
	double silent_us = (double)since_ns(now_ns, b->used_ns) / 1000;

	if (b->latency_us <= 0)
		return 0;
	if (b->in_flight && silent_us > now_us)
		now_us = silent_us;
	return now_us / b->latency_us;
}

/* More requests than connections could serve, and more than there used to be. */
static bool is_queueing(const struct traffic *t, uint64_t open)
{
	uint64_t now = traffic_in_flight(t);
	double usual = traffic_usually(t, QUANTITY_IN_FLIGHT, QUEUE_RISE_S);
	uint64_t before;

	if (now / QUEUE_RATIO < open)
		return false;
	if (usual < 0)
		return now / LONG_QUEUE >= open;
	if ((double)now >= QUEUE_OF_USUAL * usual)
		return true;
	before = traffic_at(t, t->second - QUEUE_RISE_S)->in_flight;
	return (double)now >= QUEUE_RISE * (double)before && now - before >= QUEUE_RISE_LEAST;
}

/* It was saturated already and its queue has not gone: how long it is no longer matters. */
static bool is_same_queue(const struct traffic *t, const struct traffic_backend *b)
{
	return t->pool.saturated && endpoint_equal(&t->pool.backend, &b->endpoint) &&
	       t->pool.since_ns == b->flat_ns && traffic_in_flight(t) / QUEUE_RATIO >= b->open;
}

void traffic_watch_pools(struct traffic *t, uint64_t now_ns)
{
	const struct traffic_backend *longest = NULL;

	for (int i = 0; i < TRAFFIC_BACKENDS; i++) {
		const struct traffic_backend *b = &t->backends[i];

		if (!is_exhausted(b, now_ns) || (longest && longest->flat_ns <= b->flat_ns))
			continue;
		if (is_same_queue(t, b) || is_queueing(t, b->open))
			longest = b;
	}
	if (!longest)
		return;
	t->pool_seen_ns = now_ns;
	t->pool = (struct report_pool){
		.saturated = true,
		.backend = longest->endpoint,
		.connections = traffic_u32(longest->open),
		.latency_ratio = latency_ratio(longest, now_ns),
		.since_ns = longest->flat_ns,
	};
}
