/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * traffic.c - see traffic.h. Puts what flows and samples tell into seconds, and seconds that are
 * over into the running estimates. What follows from them is traffic_story.c.
 */
#include <math.h>
#include <string.h>

#include "core/traffic_parts.h"

/* An observation counts half after 140 of them: minutes of seconds, hours of minutes. */
#define KEEP	 0.995
#define MINUTE_S 60.0
/* Of how long the queue was, per second: half a minute later it counts half. */
#define QUEUE_KEEP 0.98
/* A flow may tell of bytes when their growth is over: seconds stay open for that. */
#define OPEN_SECONDS 3
/* Bodies that are only counted when the request ends began to arrive about then. */
#define PAYLOAD_BEFORE_NS (2 * NSEC_PER_SEC)
/* Growth of a large request is one observation, but a never-ending one must not be. */
#define MAX_PAYLOAD_S	30.0
#define PAYLOAD_WORK_NS (30 * NSEC_PER_SEC)
#define UPLOAD_GAP_NS	(5 * NSEC_PER_SEC)
#define UPLOAD_BYTES	(256 * KIB)
#define UP_BEFORE_NS	(5 * NSEC_PER_SEC)
#define UNANSWERED_NS	(5 * NSEC_PER_SEC)
/* Answers per second as part of what is usual, which is that of the time before. */
#define HARDLY_ANY     0.1
#define USUAL_BEFORE_S 10

/* Table ---------------------------------------------------------------------------------------- */

bool traffic_full(const struct traffics *t)
{
	return !t->free_list && t->nr_touched == TRAFFIC_MAX;
}

uint16_t traffic_take(struct traffics *t, const struct proc_id *proc)
{
	uint16_t index = t->free_list;

	if (traffic_full(t))
		return 0;
	if (index)
		t->free_list = t->all[index].next;
	else
		index = ++t->nr_touched;
	memset(&t->all[index], 0, sizeof(t->all[index]));
	t->all[index].proc = *proc;
	t->all[index].used = true;
	t->nr_used++;
	return index;
}

void traffic_put(struct traffics *t, uint16_t index)
{
	if (!index || !t->all[index].used)
		return;
	t->all[index].used = false;
	t->all[index].next = t->free_list;
	t->free_list = index;
	t->nr_used--;
}

/* Seconds -------------------------------------------------------------------------------------- */

static uint64_t second_of(const struct traffic *t, uint64_t ts_ns)
{
	return since_ns(ts_ns, t->phase_ns) / NSEC_PER_SEC;
}

uint64_t traffic_begin_ns(const struct traffic *t, uint64_t second)
{
	return second * NSEC_PER_SEC + t->phase_ns;
}

double traffic_grown_kib(const struct traffic *t, uint64_t second)
{
	const struct traffic_second *s = traffic_at(t, second);

	return (double)s->anon_kib - (double)s->before_kib;
}

static void add_sum(struct traffic_sum *to, const struct traffic_sum *from)
{
	for (int i = 0; i < NR_INPUTS; i++)
		to->x[i] += from->x[i];
	to->y += from->y;
}

static void close_minute(struct traffic *t)
{
	rls_add(&t->minutes, t->minute.x, t->minute.y, KEEP);
	memset(&t->minute, 0, sizeof(t->minute));
}

/* What was silent before an observation is part of it: time in which nothing moved. */
static void observe(struct traffic *t)
{
	bool idle = t->pending.x[INPUT_REQUESTS] <= 0 && t->pending.x[INPUT_RECEIVED] <= 0;

	t->idle_s = KEEP * t->idle_s + (idle ? t->pending.x[INPUT_TIME] : 0);
	t->idle_kib = KEEP * t->idle_kib + (idle ? t->pending.y : 0);
	rls_add(&t->seconds, t->pending.x, t->pending.y, KEEP);
	add_sum(&t->minute, &t->pending);
	memset(&t->pending, 0, sizeof(t->pending));
	if (t->minute.x[INPUT_TIME] >= MINUTE_S)
		close_minute(t);
}

/*
 * How much longer the queue of requests got than it lately was. Its length itself would not do: a
 * managed heap does not shrink with it.
 */
static double queue_rise(struct traffic *t, uint64_t second)
{
	double in_flight = traffic_at(t, second)->in_flight;
	double rise;

	if (second == t->first_second + 1)
		t->queue_high = traffic_at(t, t->first_second)->in_flight;
	rise = fmax(in_flight - t->queue_high, 0);
	t->queue_high = fmax(in_flight, QUEUE_KEEP * t->queue_high);
	return rise;
}

/*
 * A large request and its growth are one observation: they come seconds apart, in any order. A
 * second says nothing where memory was not known before.
 */
static void sum_second(struct traffic *t, uint64_t second)
{
	const struct traffic_second *s = traffic_at(t, second);
	struct traffic_sum sum = {
		.x = {[INPUT_TIME] = 1,
		      [INPUT_REQUESTS] = s->requests,
		      [INPUT_RECEIVED] = s->bulk_kib,
		      [INPUT_IN_FLIGHT] = queue_rise(t, second)},
		.y = traffic_grown_kib(t, second),
	};

	if (!s->known)
		return;
	retention_add(&t->retention, s->requests, s->before_kib, s->anon_kib);
	if (t->pending_payload && (!s->payload || t->pending.x[INPUT_TIME] >= MAX_PAYLOAD_S))
		observe(t);
	add_sum(&t->pending, &sum);
	t->pending_payload = s->payload;
	if (s->moved && !s->payload)
		observe(t);
}

static void sum_up_to(struct traffic *t, uint64_t second)
{
	for (; t->summed < second; t->summed++)
		sum_second(t, t->summed + 1);
}

void traffic_settle(struct traffic *t)
{
	if (!t->first_ns)
		return;
	sum_up_to(t, t->second);
	if (t->pending.x[INPUT_TIME] > 0)
		observe(t);
	if (t->minute.x[INPUT_TIME] > 0)
		close_minute(t);
}

bool traffic_quantity_of(const struct traffic_second *s, enum traffic_quantity quantity,
			 uint64_t *out)
{
	switch (quantity) {
	case QUANTITY_CPU:
		if (!s->responses || !s->cpu_us)
			return false;
		*out = s->cpu_us / s->responses;
		return true;
	case QUANTITY_IN_FLIGHT:
		*out = s->in_flight;
		return true;
	case QUANTITY_RATE:
	default:
		*out = s->requests;
		return true;
	}
}

/* Its second leaves the ring. */
static void retire(struct traffic *t, const struct traffic_second *s)
{
	uint64_t value;

	for (int i = 0; i < NR_QUANTITIES; i++)
		if (traffic_quantity_of(s, (enum traffic_quantity)i, &value))
			usual_add(&t->usual[i], value, 1);
	if (s->payload) {
		t->payload_grown_kib += (double)s->anon_kib - (double)s->before_kib;
		t->payload_bulk_kib += s->bulk_kib;
	}
}

/* A large body is parsed for as long as it takes: until something is answered it is at work. */
static bool payload_lasts(const struct traffic *t, uint64_t ts_ns)
{
	if (!t->payload_until_ns)
		return false;
	if (t->payload_unanswered && since_ns(ts_ns, t->payload_until_ns) < PAYLOAD_WORK_NS)
		return true;
	return ts_ns <= t->payload_until_ns;
}

static void open_second(struct traffic *t)
{
	struct traffic_second *s;

	if (t->second + 1 - t->first_second >= TRAFFIC_SECONDS)
		retire(t, traffic_slot(t, t->second + 1));
	t->second++;
	s = traffic_slot(t, t->second);
	memset(s, 0, sizeof(*s));
	s->known = t->has_anon;
	s->anon_kib = s->before_kib = traffic_u32(t->anon_bytes / KIB);
	s->in_flight = traffic_u32(traffic_in_flight(t));
	s->payload = payload_lasts(t, traffic_begin_ns(t, t->second));
	sum_up_to(t, max_u64(since_ns(t->second, OPEN_SECONDS), t->summed));
}

static void close_second(struct traffic *t)
{
	uint64_t end_ns = traffic_begin_ns(t, t->second + 1);

	if (!traffic_at(t, t->second)->moved)
		return;
	traffic_watch_thrash(t, end_ns);
	traffic_watch_pools(t, end_ns);
}

/* The ring holds nothing but silence, so it may be turned by whole rounds. */
static void skip_silence(struct traffic *t, uint64_t second)
{
	uint64_t rounds = since_ns(second, t->second + TRAFFIC_SECONDS) / TRAFFIC_SECONDS;
	uint64_t skipped = rounds * TRAFFIC_SECONDS;

	t->second += skipped;
	t->summed += skipped;
	t->queue_high = (double)traffic_in_flight(t);
	if (t->has_anon)
		t->pending.x[INPUT_TIME] += (double)skipped;
	usual_add(&t->usual[QUANTITY_IN_FLIGHT], traffic_in_flight(t), skipped);
	usual_add(&t->usual[QUANTITY_RATE], 0, skipped);
}

static void begin(struct traffic *t, uint64_t ts_ns)
{
	t->first_ns = max_u64(ts_ns, 1);
	/* Samples and flows of a tick come shortly after one another: not across a boundary. */
	t->phase_ns = (ts_ns % NSEC_PER_SEC + NSEC_PER_SEC / 2) % NSEC_PER_SEC;
	t->second = t->first_second = t->summed = second_of(t, ts_ns);
}

void traffic_advance(struct traffic *t, uint64_t ts_ns)
{
	uint64_t second;

	if (!t->first_ns)
		begin(t, ts_ns);
	t->last_ns = max_u64(t->last_ns, ts_ns);
	second = second_of(t, ts_ns);
	if (second <= t->second)
		return;
	close_second(t);
	for (int i = 0; i < 2 * TRAFFIC_SECONDS && t->second < second; i++)
		open_second(t);
	if (t->second + TRAFFIC_SECONDS < second)
		skip_silence(t, second);
	while (t->second < second)
		open_second(t);
}

/* Memory and CPU ------------------------------------------------------------------------------- */

static void set_anon(struct traffic *t, uint64_t ts_ns, uint64_t anon_bytes)
{
	struct traffic_second *s = traffic_slot(t, t->second);
	uint64_t ms = since_ns(ts_ns, traffic_begin_ns(t, t->second)) / NSEC_PER_MSEC;

	s->anon_kib = traffic_u32(anon_bytes / KIB);
	if (!t->has_anon)
		s->before_kib = s->anon_kib;
	if (!s->rise_ms && anon_bytes / KIB >= s->before_kib + TRAFFIC_STEP_BYTES / KIB)
		s->rise_ms = (uint16_t)min_u64(max_u64(ms, 1), 999);
	t->has_anon = true;
	t->anon_bytes = anon_bytes;
	t->peak_anon_bytes = max_u64(t->peak_anon_bytes, anon_bytes);
}

void traffic_usage(struct traffic *t, uint64_t ts_ns, uint64_t anon_bytes, uint64_t cpu_ns,
		   uint64_t major_faults)
{
	struct traffic_second *s;

	if (t->ended_ns)
		return;
	traffic_advance(t, ts_ns);
	s = traffic_slot(t, t->second);
	s->moved = true;
	set_anon(t, ts_ns, anon_bytes);
	if (!t->baseline_anon_bytes && since_ns(ts_ns, t->proc.start_ns) >= UP_BEFORE_NS)
		t->baseline_anon_bytes = anon_bytes;
	if (!cpu_ns)
		return;
	if (t->has_usage) {
		s->cpu_us = add_u32(s->cpu_us, since_ns(cpu_ns, t->cpu_ns) / 1000);
		s->major_faults = add_u32(s->major_faults, since_ns(major_faults, t->major_faults));
	}
	t->has_usage = true;
	/* It may dip while threads end; what comes back after that was not used just now. */
	t->cpu_ns = max_u64(t->cpu_ns, cpu_ns);
	t->major_faults = major_faults;
}

void traffic_end(struct traffic *t, uint64_t ts_ns)
{
	if (t->ended_ns)
		return;
	traffic_advance(t, ts_ns);
	t->ended_ns = max_u64(t->last_ns, 1);
}

/* Requests ------------------------------------------------------------------------------------- */

uint64_t traffic_in_flight(const struct traffic *t)
{
	uint64_t sum = 0;

	for (int i = 0; i < TRAFFIC_LISTENERS; i++)
		sum = add_u64(sum, t->listeners[i].in_flight);
	return sum;
}

static struct traffic_listener *get_listener(struct traffic *t, const struct endpoint *endpoint)
{
	struct traffic_listener *oldest = &t->listeners[0];

	for (int i = 0; i < TRAFFIC_LISTENERS; i++) {
		struct traffic_listener *l = &t->listeners[i];

		if (l->used_ns && endpoint_equal(&l->endpoint, endpoint))
			return l;
		if (l->used_ns < oldest->used_ns)
			oldest = l;
	}
	memset(oldest, 0, sizeof(*oldest));
	oldest->endpoint = *endpoint;
	return oldest;
}

/*
 * Large requests: growth from shortly before they are told until TRAFFIC_PAYLOAD_NS later. One that is
 * told at its end may have been at work since nothing else was answered.
 */
static void mark_payload(struct traffic *t, uint64_t ts_ns)
{
	uint64_t from_ns = since_ns(ts_ns, PAYLOAD_BEFORE_NS);
	uint64_t from;

	if (t->upload_ns)
		from_ns = min_u64(from_ns, t->upload_ns);
	if (t->waiting_ns && since_ns(ts_ns, t->waiting_ns) < PAYLOAD_WORK_NS)
		from_ns = min_u64(from_ns, t->waiting_ns);
	from = max_u64(second_of(t, from_ns), traffic_oldest(t));
	for (uint64_t i = from; i <= t->second; i++)
		traffic_slot(t, i)->payload = true;
	t->payload_until_ns = max_u64(t->payload_until_ns, add_u64(ts_ns, TRAFFIC_PAYLOAD_NS));
	t->payload_unanswered = traffic_in_flight(t) > 0;
}

/*
 * Is one of these requests large? The largest is told when it ends; before that, bytes that come
 * with too few requests to be many small ones.
 */
static bool has_large_request(struct traffic *t, const struct traffic_listener *l,
			      const struct record_flow *flow, uint64_t bulk)
{
	uint64_t senders = max_u64(add_u64(flow->requests, flow->in_flight), 1);

	if (flow->max_request_bytes > l->largest_bytes &&
	    flow->max_request_bytes >= TRAFFIC_LARGE_BYTES)
		return true;
	if (bulk < TRAFFIC_LARGE_BYTES)
		return false;
	if (bulk / senders >= TRAFFIC_LARGE_BYTES)
		t->largest_request_bytes = max_u64(t->largest_request_bytes, bulk / senders);
	return bulk / senders >= UPLOAD_BYTES || l->largest_bytes >= TRAFFIC_LARGE_BYTES;
}

static void take_bodies(struct traffic *t, struct traffic_listener *l, uint64_t ts_ns,
			const struct record_flow *flow)
{
	struct traffic_second *s = traffic_slot(t, t->second);
	uint64_t small = flow->requests > UINT64_MAX / TRAFFIC_SMALL_BODY_BYTES
				 ? UINT64_MAX
				 : flow->requests * TRAFFIC_SMALL_BODY_BYTES;
	uint64_t bulk = since_ns(flow->request_bytes, small);

	s->received_kib = add_u32(s->received_kib, flow->request_bytes / KIB);
	s->bulk_kib = add_u32(s->bulk_kib, bulk / KIB);
	if (since_ns(ts_ns, t->upload_last_ns) > UPLOAD_GAP_NS)
		t->upload_ns = 0;
	if (bulk >= UPLOAD_BYTES) {
		t->upload_ns = earliest_ns(t->upload_ns, ts_ns);
		t->upload_last_ns = ts_ns;
	}
	if (has_large_request(t, l, flow, bulk))
		mark_payload(t, ts_ns);
	l->largest_bytes = max_u64(l->largest_bytes, flow->max_request_bytes);
	t->largest_request_bytes = max_u64(t->largest_request_bytes, l->largest_bytes);
}

/* A process that stands still at its limit may still let one through now and then. */
static bool hardly_answers(struct traffic *t, uint64_t ts_ns, uint64_t responses)
{
	double waited_s = (double)since_ns(ts_ns, t->waiting_ns) / (double)NSEC_PER_SEC;

	if (!t->waiting_ns || !traffic_in_flight(t))
		return false;
	if (!t->waiting_answers)
		t->waiting_usual = traffic_usually(t, QUANTITY_RATE, USUAL_BEFORE_S);
	t->waiting_answers = add_u64(t->waiting_answers, responses);
	return (double)t->waiting_answers < HARDLY_ANY * t->waiting_usual * waited_s;
}

static void wait_since(struct traffic *t, uint64_t ts_ns)
{
	t->waiting_ns = ts_ns;
	t->waiting_answers = 0;
}

/*
 * Since when nobody, or hardly anybody, gets an answer. A request that is given up before the
 * process read it is only told when that happens, so there may be nothing in flight and still no
 * answer.
 */
static void take_waiting(struct traffic *t, uint64_t ts_ns, const struct record_flow *flow)
{
	bool waits = traffic_in_flight(t) > 0;

	if (flow->responses) {
		t->payload_unanswered = false;
		if (!hardly_answers(t, ts_ns, flow->responses))
			wait_since(t, waits ? ts_ns : 0);
		t->unanswered_ns = ts_ns;
		return;
	}
	if (!waits && !flow->requests)
		return;
	if (!t->waiting_ns || (!waits && since_ns(ts_ns, t->unanswered_ns) > UNANSWERED_NS))
		wait_since(t, ts_ns);
	t->unanswered_ns = ts_ns;
}

/*
 * What came while it died was answered by nobody and kept by nobody: after the end only bodies
 * count, which may be what killed it.
 */
static void take_server_flow(struct traffic *t, uint64_t ts_ns, const struct record_flow *flow)
{
	struct traffic_second *s = traffic_slot(t, t->second);
	struct traffic_listener *l = get_listener(t, &flow->endpoint);

	l->used_ns = max_u64(ts_ns, 1);
	if (!t->ended_ns || !t->served) {
		s->requests = add_u32(s->requests, flow->requests);
		s->responses = add_u32(s->responses, flow->responses);
	}
	t->served |= flow->requests || flow->responses;
	if (flow->responses && !t->baseline_anon_bytes && t->has_anon)
		t->baseline_anon_bytes = s->before_kib * KIB;
	if (!t->ended_ns) {
		l->in_flight = flow->in_flight;
		s->in_flight = traffic_u32(traffic_in_flight(t));
		take_waiting(t, ts_ns, flow);
	}
	take_bodies(t, l, ts_ns, flow);
}

void traffic_flow(struct traffic *t, uint64_t ts_ns, const struct record_flow *flow)
{
	if (t->ended_ns)
		ts_ns = min_u64(ts_ns, t->ended_ns);
	traffic_advance(t, ts_ns);
	traffic_slot(t, t->second)->moved = true;
	if (flow->role == FLOW_SERVER)
		take_server_flow(t, ts_ns, flow);
	else if (!t->ended_ns)
		traffic_backend_flow(t, ts_ns, flow);
}
