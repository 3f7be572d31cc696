/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* flow_delta.c - see flow_delta.h. */
#include "source/flow_delta.h"

#include <string.h>

/* Another CPU may be writing: read once, never tear. */
#define READ_SHARED(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)

static void add_counters(struct wire_flow_stats *out, const struct wire_flow_stats *row)
{
	/*
	 * Responses and failures before requests, so that a request answered between two reads is
	 * in flight once too often rather than missing.
	 */
	out->responses += READ_SHARED(row->responses);
	for (int i = 0; i < NR_WIRE_FAILS; i++)
		out->fail[i] += READ_SHARED(row->fail[i]);
	out->requests += READ_SHARED(row->requests);
	for (int i = 0; i < NR_WIRE_STATUSES; i++)
		out->status[i] += READ_SHARED(row->status[i]);
	out->request_bytes += READ_SHARED(row->request_bytes);
	out->response_bytes += READ_SHARED(row->response_bytes);
	out->closed += READ_SHARED(row->closed);
	out->opened += READ_SHARED(row->opened);
	out->latency_sum_ns += READ_SHARED(row->latency_sum_ns);
	for (int i = 0; i < WIRE_LATENCY_BUCKETS; i++)
		out->latency[i] += READ_SHARED(row->latency[i]);
}

static bool later(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) > 0;
}

bool flow_mark_merge(struct wire_mark *into, const struct wire_mark *mark)
{
	struct wire_mark old = *into;

	if (!mark->last_ns)
		return false;
	if (!into->last_ns || later(mark->first_ns, into->last_ns + WIRE_EPISODE_NS)) {
		*into = *mark;
		return true;
	}
	if (later(into->first_ns, mark->last_ns + WIRE_EPISODE_NS))
		return false;
	if (later(into->first_ns, mark->first_ns))
		into->first_ns = mark->first_ns;
	if (later(mark->last_ns, into->last_ns))
		into->last_ns = mark->last_ns;
	return into->first_ns != old.first_ns || into->last_ns != old.last_ns;
}

/*
 * The kernel starts an episode by writing first_ns, then last_ns. Read the other way round, the
 * worst case is a first_ns newer than last_ns, which is visible and means "just began".
 */
static struct wire_mark read_mark(const struct wire_mark *shared)
{
	struct wire_mark mark;

	mark.last_ns = __atomic_load_n(&shared->last_ns, __ATOMIC_ACQUIRE);
	mark.first_ns = READ_SHARED(shared->first_ns);
	if (later(mark.first_ns, mark.last_ns))
		mark.last_ns = mark.first_ns;
	return mark;
}

/*
 * The newest episode over all CPUs. A row may bridge two others, so repeat while it widens; each
 * round takes at least one row in for good, which bounds the rounds.
 */
static struct wire_mark sum_marks(const struct wire_flow_stats *rows, uint32_t nr_cpus, int fail)
{
	struct wire_mark out = {0};
	bool changed = true;

	for (uint32_t round = 0; changed && round <= nr_cpus; round++) {
		changed = false;
		for (uint32_t cpu = 0; cpu < nr_cpus; cpu++) {
			const struct wire_mark *from =
				fail < 0 ? &rows[cpu].ok_mark : &rows[cpu].fail_mark[fail];
			struct wire_mark mark = read_mark(from);

			changed |= flow_mark_merge(&out, &mark);
		}
	}
	return out;
}

/* The reason of the CPU that saw the newest reset. */
static uint32_t newest_rst_reason(const struct wire_flow_stats *rows, uint32_t nr_cpus)
{
	uint64_t newest_ns = 0;
	uint32_t reason = 0;

	for (uint32_t cpu = 0; cpu < nr_cpus; cpu++) {
		uint64_t last_ns = READ_SHARED(rows[cpu].fail_mark[WIRE_FAIL_RST_SENT].last_ns);

		if (last_ns > newest_ns) {
			newest_ns = last_ns;
			reason = READ_SHARED(rows[cpu].rst_reason);
		}
	}
	return reason;
}

void flow_sum(const struct wire_flow_stats *rows, uint32_t nr_cpus, struct wire_flow_stats *out)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t cpu = 0; cpu < nr_cpus; cpu++) {
		uint64_t max = READ_SHARED(rows[cpu].max_request_bytes);

		add_counters(out, &rows[cpu]);
		if (max > out->max_request_bytes)
			out->max_request_bytes = max;
	}
	for (int i = 0; i < NR_WIRE_FAILS; i++)
		if (out->fail[i])
			out->fail_mark[i] = sum_marks(rows, nr_cpus, i);
	out->ok_mark = sum_marks(rows, nr_cpus, -1);
	out->rst_reason = newest_rst_reason(rows, nr_cpus);
}

uint64_t flow_in_flight(const struct wire_flow_stats *total)
{
	uint64_t done = total->responses + total->fail[WIRE_FAIL_RST_BEFORE] +
			total->fail[WIRE_FAIL_FIN_BEFORE] + total->fail[WIRE_FAIL_ABANDONED];

	/* A request whose end was never seen must not stay in flight beyond its socket. */
	if (total->closed >= total->opened || done >= total->requests)
		return 0;
	return total->requests - done;
}

void flow_told_set(struct flow_told *told, const struct wire_flow_stats *now)
{
	told->request_bytes = now->request_bytes;
	told->response_bytes = now->response_bytes;
	told->latency_sum_ns = now->latency_sum_ns;
	told->requests = (uint32_t)now->requests;
	told->responses = (uint32_t)now->responses;
	told->opened = (uint32_t)now->opened;
	told->closed = (uint32_t)now->closed;
	told->in_flight = (uint32_t)flow_in_flight(now);
	for (int i = 0; i < NR_WIRE_STATUSES; i++)
		told->status[i] = (uint32_t)now->status[i];
	for (int i = 0; i < NR_WIRE_FAILS; i++)
		told->fail[i] = (uint32_t)now->fail[i];
	memcpy(told->latency, now->latency, sizeof(told->latency));
}

static uint64_t grown(uint64_t last, uint64_t now)
{
	return now > last ? now - last : 0;
}

static uint32_t counted(uint32_t last, uint64_t now)
{
	uint32_t count = (uint32_t)now - last;

	return count > INT32_MAX ? 0 : count;
}

static bool subtract_outcomes(const struct flow_told *last, const struct wire_flow_stats *now,
			      struct record_flow *flow)
{
	uint64_t any = 0;

	for (int i = 0; i < NR_WIRE_STATUSES; i++)
		any |= flow->status[i] = counted(last->status[i], now->status[i]);
	for (int i = 0; i < NR_WIRE_FAILS; i++) {
		any |= flow->fail[i] = counted(last->fail[i], now->fail[i]);
		if (!flow->fail[i])
			continue;
		flow->fail_mark[i].first_ns = now->fail_mark[i].first_ns;
		flow->fail_mark[i].last_ns = now->fail_mark[i].last_ns;
	}
	for (int i = 0; i < WIRE_LATENCY_BUCKETS; i++)
		any |= flow->latency[i] = counted(last->latency[i], now->latency[i]);
	if (flow->fail[WIRE_FAIL_RST_SENT])
		flow->rst_reason = now->rst_reason;
	return any != 0;
}

bool flow_delta(const struct flow_told *last, const struct wire_flow_stats *now, struct record *out)
{
	struct record_flow *flow = &out->flow;
	bool any = subtract_outcomes(last, now, flow);

	flow->requests = counted(last->requests, now->requests);
	flow->responses = counted(last->responses, now->responses);
	flow->request_bytes = grown(last->request_bytes, now->request_bytes);
	flow->response_bytes = grown(last->response_bytes, now->response_bytes);
	flow->opened = counted(last->opened, now->opened);
	flow->closed = counted(last->closed, now->closed);
	flow->latency_sum_ns = grown(last->latency_sum_ns, now->latency_sum_ns);
	flow->max_request_bytes = now->max_request_bytes;
	flow->in_flight = flow_in_flight(now);
	flow->ok_mark.first_ns = now->ok_mark.first_ns;
	flow->ok_mark.last_ns = now->ok_mark.last_ns;
	return any || flow->requests || flow->responses || flow->request_bytes ||
	       flow->response_bytes || flow->opened || flow->closed ||
	       (uint32_t)flow->in_flight != last->in_flight;
}
