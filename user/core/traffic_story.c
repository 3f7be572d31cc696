/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * traffic_story.c - what the seconds and estimates of a process say at one time: which traffic its
 * growth went with, and how its CPU, its waiting and its load compare with its own past.
 */
#include <math.h>
#include <string.h>

#include "core/traffic_parts.h"

#define RECENT_S 5
#define CPU_S	 3
/* "Before" for what may change within seconds. */
#define LATELY_S 10
/* The newest third of a life is not its past, of a long one the newest seconds. */
#define PAST_PART     3
#define MAX_PRESENT_S 20
#define MIN_AGE_S     9

#define MIN_GROWN_KIB 4096.0
#define MIN_SPAN_S    5.0
#define MIN_SHARE     0.05 /* a coefficient that explains less is no number to act on */
/* Below what the sources tell, see task_filter.h. */
#define NOISE_KIB 64.0
/*
 * Memory and flows of a tick are read some hundred milliseconds apart, which varies: an observation
 * has so much of a second's growth too much or too little. A rate that hardly varies cannot show,
 * then, what does not depend on it.
 */
#define READ_JITTER 0.3
/*
 * Reasonable coefficients, as standard deviation of the prior: all growth may come from requests; a
 * background is believed when requests do not explain it; a received byte becomes a few.
 */
#define BACKGROUND_SPREAD 0.15
#define BACKGROUND_PROVEN 2.0 /* times its spread: then as much of it as shows */
/* Or this part of the usual growth, in seconds without requests, so many of them. */
#define IDLE_PART	     0.5
#define MIN_IDLE_S	     5.0
#define AMPLIFICATION_SPREAD 8.0

#define THRASH_RATIO	4.0
#define THRASH_RATE	0.3 /* may differ so much */
#define THRASH_HIGH_NS	(3 * NSEC_PER_SEC)
#define THRASH_SHARE	0.25 /* of a core, or it is not spent on anything */
#define THRASH_BUSY	0.5
#define THRASH_GAP_NS	(10 * NSEC_PER_SEC)
#define HIGH_PART	0.9
#define HIGH_GROWN_PART 0.25

#define PAYLOAD_STEP_KIB ((double)(TRAFFIC_STEP_BYTES / KIB))
#define POOL_MEMORY_NS	 (15 * NSEC_PER_SEC)
#define UNANSWERED_NS	 (5 * NSEC_PER_SEC)
/* "Nearly as much" as it ever held. */
#define NEARLY_ALL     0.8
#define STILL_MUCH     0.6
#define LONG_SILENT_NS (5 * NSEC_PER_SEC)
/* Two ticks: a request may always wait at the time of reading. */
#define SILENT_NS (2 * NSEC_PER_SEC)

/* Now and then ------------------------------------------------------------------------------------ */

static uint64_t age_s(const struct traffic *t)
{
	return t->second - t->first_second;
}

/* The newest second that is complete: one whose tick has not come tells nothing yet. */
static uint64_t newest_complete(const struct traffic *t)
{
	const struct traffic_second *s = traffic_at(t, t->second);
	bool told = s->requests || s->responses || s->cpu_us;

	return told || t->second == t->first_second ? t->second : t->second - 1;
}

/* How many of the newest seconds there are, at most `nr`. */
static uint32_t nr_newest(const struct traffic *t, uint32_t nr)
{
	return (uint32_t)min_u64(newest_complete(t) + 1 - traffic_oldest(t), nr);
}

void traffic_recently(const struct traffic *t, struct traffic_recent *out)
{
	uint64_t last = newest_complete(t);

	memset(out, 0, sizeof(*out));
	out->nr = nr_newest(t, RECENT_S);
	for (uint32_t i = 0; i < out->nr; i++) {
		const struct traffic_second *s = traffic_at(t, last - i);

		out->requests += s->requests;
		out->responses += s->responses;
		out->cpu_us += s->cpu_us;
		out->major_faults += s->major_faults;
	}
}

double traffic_usually(const struct traffic *t, enum traffic_quantity quantity, uint64_t skip)
{
	struct usual usual = t->usual[quantity];
	uint64_t value;

	for (uint64_t i = traffic_oldest(t); i + skip <= t->second; i++)
		if (traffic_quantity_of(traffic_at(t, i), quantity, &value))
			usual_add(&usual, value, 1);
	return usual_median(&usual);
}

static double share_of_core(const struct traffic_recent *recent)
{
	return (double)recent->cpu_us / 1e6 / recent->nr;
}

/* Garbage collection ----------------------------------------------------------------------------- */

static uint64_t present_s(const struct traffic *t)
{
	return min_u64(age_s(t) / PAST_PART, MAX_PRESENT_S);
}

/* The median of the last seconds: one long pause is not a phase. */
static double cpu_lately(const struct traffic *t)
{
	uint64_t last = newest_complete(t);
	uint32_t nr = nr_newest(t, CPU_S);
	struct usual usual = {0};

	for (uint32_t i = 0; i < nr; i++) {
		const struct traffic_second *s = traffic_at(t, last - i);

		usual_add(&usual, s->cpu_us / max_u64(s->responses, 1), 1);
	}
	return usual_median(&usual);
}

/* CPU per answer of the last seconds, to the median of the time before; 0 unknown. */
static double cpu_ratio(const struct traffic *t)
{
	double usual;

	if (age_s(t) < MIN_AGE_S || !t->has_usage)
		return 0;
	usual = traffic_usually(t, QUANTITY_CPU, present_s(t));
	return usual > 0 ? cpu_lately(t) / usual : 0;
}

static double rate_ratio(const struct traffic *t, const struct traffic_recent *recent)
{
	double usual = traffic_usually(t, QUANTITY_RATE, present_s(t));

	return usual > 0 ? (double)recent->requests / recent->nr / usual : 0;
}

/*
 * The same load as before. A process that spends its time on garbage answers less; then the load
 * has not fallen as long as requests wait for it and it computes.
 */
static bool load_is_unchanged(const struct traffic *t, const struct traffic_recent *recent)
{
	double ratio = rate_ratio(t, recent);

	if (ratio > 1 + THRASH_RATE)
		return false;
	return ratio >= 1 - THRASH_RATE ||
	       (traffic_in_flight(t) && share_of_core(recent) >= THRASH_BUSY);
}

static bool memory_is_high(const struct traffic *t)
{
	double base = (double)t->baseline_anon_bytes;
	double grown = (double)t->peak_anon_bytes - base;

	return t->baseline_anon_bytes && grown >= 2 * MIN_GROWN_KIB * KIB &&
	       grown >= HIGH_GROWN_PART * base && (double)t->anon_bytes >= base + HIGH_PART * grown;
}

static bool is_thrashing(const struct traffic *t)
{
	struct traffic_recent recent;

	traffic_recently(t, &recent);
	return share_of_core(&recent) >= THRASH_SHARE && cpu_ratio(t) >= THRASH_RATIO &&
	       load_is_unchanged(t, &recent);
}

/* It comes in bouts, the last one seconds before the end. */
void traffic_watch_thrash(struct traffic *t, uint64_t now_ns)
{
	if (!memory_is_high(t)) {
		t->high_ns = 0;
		return;
	}
	if (!t->high_ns)
		t->high_ns = now_ns;
	if (since_ns(now_ns, t->high_ns) < THRASH_HIGH_NS || !is_thrashing(t))
		return;
	if (since_ns(now_ns, t->thrash_seen_ns) > THRASH_GAP_NS)
		t->thrash_ns = 0;
	t->thrash_ns = earliest_ns(t->thrash_ns, now_ns);
	t->thrash_seen_ns = now_ns;
}

static uint64_t thrashing_since(const struct traffic *t, uint64_t now_ns)
{
	return since_ns(now_ns, t->thrash_seen_ns) <= THRASH_GAP_NS ? t->thrash_ns : 0;
}

/* Explanation ------------------------------------------------------------------------------------ */

static struct measure measured(double value)
{
	return (struct measure){value, true};
}

/* Seconds tell more; minutes remain for what is too slow for them. */
static const struct rls *telling(const struct traffic *t)
{
	if (t->seconds.y >= MIN_GROWN_KIB && t->seconds.x[INPUT_TIME] >= MIN_SPAN_S)
		return &t->seconds;
	if (t->minutes.y >= MIN_GROWN_KIB && t->minutes.x[INPUT_TIME] >= MIN_SPAN_S)
		return &t->minutes;
	return NULL;
}

/*
 * It grew on when nobody asked for anything: collectors may bend both, so this is no matter of noise.
 */
static bool grows_when_idle(const struct traffic *t, double per_s)
{
	return t->idle_s >= MIN_IDLE_S && t->idle_kib >= IDLE_PART * per_s * t->idle_s;
}

/* Bytes per unit of each input. A background that shows in spite of its prior is a real one. */
static bool solve(const struct traffic *t, const struct rls *r, double out[NR_INPUTS])
{
	double noise = fmax(NOISE_KIB, READ_JITTER * r->y / r->n);
	double per_s = r->y / r->x[INPUT_TIME];
	double spread[NR_INPUTS] = {
		[INPUT_TIME] = BACKGROUND_SPREAD * per_s,
		[INPUT_REQUESTS] = r->x[INPUT_REQUESTS] > 0 ? r->y / r->x[INPUT_REQUESTS] : 0,
		[INPUT_RECEIVED] = AMPLIFICATION_SPREAD,
		[INPUT_IN_FLIGHT] = (double)(TRAFFIC_FLIGHT_BYTES / KIB),
	};

	if (!rls_solve(r, spread, noise, out))
		return false;
	if (out[INPUT_TIME] < BACKGROUND_PROVEN * spread[INPUT_TIME] && !grows_when_idle(t, per_s))
		return true;
	spread[INPUT_TIME] = per_s;
	return rls_solve(r, spread, noise, out);
}

static void explain(const struct traffic *t, struct traffic_story *out)
{
	const struct rls *r = telling(t);
	double kib[NR_INPUTS], part[NR_INPUTS];
	double total = 0;

	if (!r || !solve(t, r, kib))
		return;
	for (int i = 0; i < NR_INPUTS; i++) {
		part[i] = fmax(kib[i] * r->x[i], 0);
		total += part[i];
	}
	total = fmax(total, r->y);
	out->explained.background = measured(part[INPUT_TIME] / total);
	out->explained.requests = measured(part[INPUT_REQUESTS] / total);
	out->explained.received = measured(part[INPUT_RECEIVED] / total);
	out->explained.in_flight = measured(part[INPUT_IN_FLIGHT] / total);
	if (out->explained.requests.value >= MIN_SHARE)
		out->bytes_per_request = measured(kib[INPUT_REQUESTS] * KIB);
	if (out->explained.received.value >= MIN_SHARE)
		out->explained.amplification = measured(kib[INPUT_RECEIVED]);
}

/* Payload ---------------------------------------------------------------------------------------- */

/* When anything of the newest large request arrived or grew for the first time. */
static uint64_t payload_began_ns(const struct traffic *t)
{
	uint64_t began_ns = 0;

	for (uint64_t i = t->second; i >= traffic_oldest(t) && traffic_at(t, i)->payload; i--) {
		const struct traffic_second *s = traffic_at(t, i);

		if (s->rise_ms || s->bulk_kib >= PAYLOAD_STEP_KIB)
			began_ns = traffic_begin_ns(t, i) + s->rise_ms * NSEC_PER_MSEC;
		if (!i)
			break;
	}
	return began_ns ? max_u64(began_ns, t->first_ns) : 0;
}

static void tell_payload(const struct traffic *t, double grown_kib, struct traffic_story *out)
{
	double payload_kib = t->payload_grown_kib, bulk_kib = t->payload_bulk_kib;

	out->largest_request_bytes = t->largest_request_bytes;
	if (t->largest_request_bytes)
		out->explained.largest_request_bytes = measured((double)t->largest_request_bytes);
	for (uint64_t i = traffic_oldest(t); i <= t->second; i++) {
		if (!traffic_at(t, i)->payload)
			continue;
		payload_kib += traffic_grown_kib(t, i);
		bulk_kib += traffic_at(t, i)->bulk_kib;
	}
	if (grown_kib < MIN_GROWN_KIB || payload_kib <= 0)
		return;
	out->payload_growth_share = fmin(payload_kib / grown_kib, 1);
	out->payload_ns = payload_began_ns(t);
	if (bulk_kib >= PAYLOAD_STEP_KIB)
		out->explained.amplification = measured(payload_kib / bulk_kib);
}

/* Story ------------------------------------------------------------------------------------------ */

static uint64_t silent_since(const struct traffic *t, uint64_t now_ns)
{
	bool waits = traffic_in_flight(t) || since_ns(now_ns, t->unanswered_ns) <= UNANSWERED_NS;

	if (!t->waiting_ns || !waits || since_ns(now_ns, t->waiting_ns) < SILENT_NS)
		return 0;
	return t->waiting_ns;
}

/*
 * Since it first held nearly as much, and has not lost much of it since: collectors give some back.
 * The whole time that is remembered may be too short to tell: then since it began to be watched.
 */
static uint64_t high_since(const struct traffic *t)
{
	double peak_kib = (double)t->peak_anon_bytes / KIB;
	uint64_t oldest = traffic_oldest(t), first = t->second + 1, i = first;

	while (i > oldest && (double)traffic_at(t, i - 1)->anon_kib >= STILL_MUCH * peak_kib) {
		i--;
		if ((double)traffic_at(t, i)->anon_kib >= NEARLY_ALL * peak_kib)
			first = i;
	}
	if (first > t->second)
		return 0;
	return first > oldest ? traffic_begin_ns(t, first) : t->first_ns;
}

static uint64_t in_flight_peak(const struct traffic *t)
{
	uint64_t peak = 0;

	for (uint64_t i = traffic_oldest(t); i <= t->second; i++)
		peak = max_u64(peak, traffic_at(t, i)->in_flight);
	return peak;
}

static void tell_load(const struct traffic *t, uint64_t now_ns, struct traffic_story *out)
{
	struct traffic_recent recent;

	traffic_recently(t, &recent);
	out->cpu_per_request_ratio = cpu_ratio(t);
	out->request_rate_ratio = rate_ratio(t, &recent);
	out->thrash_ns = thrashing_since(t, now_ns);
	out->high_ns = high_since(t);
	out->silent_ns = silent_since(t, now_ns);
	out->major_faults_per_s = recent.major_faults / recent.nr;
	out->cpu_share = share_of_core(&recent);
	out->in_flight = traffic_in_flight(t);
	out->in_flight_peak = in_flight_peak(t);
	out->in_flight_usual = fmax(traffic_usually(t, QUANTITY_IN_FLIGHT, LATELY_S), 0);
	out->rate_now = recent.requests / recent.nr;
	out->rate_usual = fmax(traffic_usually(t, QUANTITY_RATE, LATELY_S), 0);
	if (t->pool.saturated && since_ns(now_ns, t->pool_seen_ns) <= POOL_MEMORY_NS)
		out->pool = t->pool;
}

static void tell_measures(const struct traffic *t, uint64_t now_ns, struct traffic_story *out)
{
	struct report_explanation *e = &out->explained;

	e->in_flight_peak = measured((double)out->in_flight_peak);
	if (out->cpu_per_request_ratio > 0)
		e->cpu_per_request_ratio = measured(out->cpu_per_request_ratio);
	if (t->has_usage)
		e->major_faults_per_s = measured((double)out->major_faults_per_s);
	if (out->silent_ns)
		e->stalled_s =
			measured((double)since_ns(now_ns, out->silent_ns) / (double)NSEC_PER_SEC);
}

enum traffic_trouble traffic_trouble(const struct traffic *t, uint64_t now_ns)
{
	uint64_t silent_ns = t->served ? silent_since(t, now_ns) : 0;
	struct traffic_recent recent;

	if (thrashing_since(t, now_ns))
		return TRAFFIC_THRASHES;
	if (!silent_ns || since_ns(now_ns, silent_ns) < LONG_SILENT_NS)
		return TRAFFIC_FINE;
	traffic_recently(t, &recent);
	return share_of_core(&recent) >= TRAFFIC_BUSY_SHARE ? TRAFFIC_COMPUTES : TRAFFIC_SILENT;
}

void traffic_conclude(const struct traffic *t, uint64_t now_ns, struct traffic_story *out)
{
	struct traffic copy = *t;
	double grown_kib;

	memset(out, 0, sizeof(*out));
	out->known = t->served;
	if (!t->served)
		return;
	now_ns = max_u64(now_ns, t->last_ns);
	if (t->ended_ns)
		now_ns = t->ended_ns;
	traffic_advance(&copy, now_ns);
	traffic_watch_thrash(&copy, now_ns);
	traffic_watch_pools(&copy, now_ns);
	traffic_settle(&copy);
	grown_kib = ((double)copy.anon_bytes - (double)copy.baseline_anon_bytes) / KIB;
	out->baseline_anon_bytes = copy.older ? 0 : copy.baseline_anon_bytes;
	if (copy.baseline_anon_bytes && grown_kib >= MIN_GROWN_KIB)
		explain(&copy, out);
	retention_tell(&copy.retention, &out->retention);
	tell_payload(&copy, grown_kib, out);
	tell_load(&copy, now_ns, out);
	tell_measures(&copy, now_ns, out);
}
