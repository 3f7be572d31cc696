/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* burst.c - see burst.h. */
#include "core/burst.h"

#include <math.h>
#include <string.h>

#include "base/units.h"

#define MIN_FAILURES 5
#define MAX_LOG10_P  (-6.0)
#define MIN_RATIO    0.01
#define FLOOR_PER_S  0.02
/* Memory of the base rate, in seconds. */
#define RATE_MEMORY_S 600.0

static const uint32_t windows_s[] = {1, 5, 30};

double burst_log10_tail(uint64_t n, double mu)
{
	double term = 1, sum = 1;
	double k = (double)n;
	int sign; /* lgamma() would leave it in a global */

	if (k <= mu)
		return 0;
	/* P(X = n) times 1 + mu/(n+1) + mu^2/((n+1)(n+2)) + ..., which falls since n > mu. */
	for (int i = 0; i < 1000 && term > 1e-12 * sum; i++) {
		k += 1;
		term *= mu / k;
		sum += term;
	}
	return (-mu + (double)n * log(mu) - lgamma_r((double)n + 1, &sign) + log(sum)) / log(10);
}

double burst_base_rate(const struct burst *b)
{
	return fmax(b->rate_per_s, FLOOR_PER_S);
}

static void add_array(uint64_t *to, const uint64_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = add_u64(to[i], from[i]);
}

/* The earlier of two recoveries that came after the last failure; 0 none. */
static uint64_t recovery(uint64_t a_ns, uint64_t b_ns, uint64_t last_ns)
{
	return earliest_ns(a_ns > last_ns ? a_ns : 0, b_ns > last_ns ? b_ns : 0);
}

static void add_times(struct impact *to, const struct impact *from)
{
	to->first_ns = earliest_ns(to->first_ns, from->first_ns);
	to->last_ns = max_u64(to->last_ns, from->last_ns);
	to->first_reset_ns = earliest_ns(to->first_reset_ns, from->first_reset_ns);
	to->first_refused_ns = earliest_ns(to->first_refused_ns, from->first_refused_ns);
	to->ok_ns = max_u64(to->ok_ns, from->ok_ns);
	to->ok_first_ns = max_u64(to->ok_first_ns, from->ok_first_ns);
	to->recovered_ns = recovery(to->recovered_ns, from->recovered_ns, to->last_ns);
	to->recovered_ns = recovery(to->recovered_ns, from->ok_first_ns, to->last_ns);
}

void impact_add(struct impact *to, const struct impact *from)
{
	add_array(to->client_status, from->client_status, NR_FLOW_STATUSES);
	add_array(to->fail, from->fail, NR_FLOW_FAILS);
	add_array(to->passed_on, from->passed_on, 3);
	to->upstream_requests = add_u64(to->upstream_requests, from->upstream_requests);
	to->upstream_responses = add_u64(to->upstream_responses, from->upstream_responses);
	to->client_requests = add_u64(to->client_requests, from->client_requests);
	to->client_errors = add_u64(to->client_errors, from->client_errors);
	to->client_closed = add_u64(to->client_closed, from->client_closed);
	to->inferred = add_u64(to->inferred, from->inferred);
	to->truncated = add_u64(to->truncated, from->truncated);
	to->app_answered = add_u64(to->app_answered, from->app_answered);
	to->accept_full = add_u64(to->accept_full, from->accept_full);
	to->abandoned = add_u64(to->abandoned, from->abandoned);
	to->lost = add_u64(to->lost, from->lost);
	to->lost_told = add_u64(to->lost_told, from->lost_told);
	add_times(to, from);
}

uint64_t impact_upstream_failures(const struct impact *i)
{
	uint64_t sum = i->abandoned;

	for (unsigned int f = 0; f < NR_FLOW_FAILS; f++)
		if (burst_is_leg_fail(f))
			sum = add_u64(sum, i->fail[f]);
	return sum;
}

uint64_t impact_client_failures(const struct impact *i)
{
	return i->client_status[FLOW_STATUS_502] + i->client_status[FLOW_STATUS_503] +
	       i->client_status[FLOW_STATUS_504];
}

uint64_t impact_clients_told(const struct impact *i)
{
	return impact_client_failures(i) + i->client_errors + i->client_closed;
}

static uint64_t passed_on(const struct impact *i)
{
	return i->passed_on[0] + i->passed_on[1] + i->passed_on[2];
}

uint64_t impact_clients_hurt(const struct impact *i)
{
	return impact_clients_told(i) + i->truncated + passed_on(i);
}

uint64_t impact_no_live(const struct impact *i)
{
	/* A timeout is the gateway giving up, so what it abandoned is an attempt as well. */
	uint64_t attempts =
		impact_upstream_failures(i) - i->abandoned + i->fail[FLOW_FAIL_ABANDONED];

	return since_ns(impact_client_failures(i), attempts);
}

/* Good answers clients got; where they could not be seen, what the upstream gave. */
static uint64_t good_answers(const struct impact *i)
{
	uint64_t good = 0;

	for (int s = FLOW_STATUS_2XX; s <= FLOW_STATUS_4XX; s++)
		good += i->client_status[s];
	return i->inferred ? max_u64(good, i->upstream_responses) : good;
}

/*
 * An attempt that failed was masked if another one brought the answer. Without following requests
 * from leg to leg that shows only in sums: the clients' failures are not masked, nor is a first
 * attempt whose retry failed as well.
 */
uint64_t impact_masked(const struct impact *i)
{
	uint64_t unhelped = impact_clients_told(i) + i->truncated + since_ns(i->lost, i->lost_told);

	return min_u64(good_answers(i), since_ns(impact_upstream_failures(i), unhelped));
}

double impact_failure_ratio(const struct impact *i)
{
	uint64_t ends = i->client_closed + passed_on(i);

	for (int s = 0; s < NR_FLOW_STATUSES; s++)
		ends += i->client_status[s];
	if (i->inferred)
		ends = max_u64(ends, impact_clients_told(i) + i->upstream_responses);
	return ends ? fmin((double)impact_clients_hurt(i) / (double)ends, 1) : 0;
}

/*
 * One failure shows on both legs, and maybe not in the same interval: so never their sum. But what
 * the upstream answered itself failed on no leg, and is not among what the gateway made.
 */
static uint64_t failures(const struct impact *i)
{
	return max_u64(impact_upstream_failures(i), impact_clients_told(i)) + i->app_answered;
}

static uint64_t attempts(const struct burst *b, const struct impact *i)
{
	uint64_t legs = impact_upstream_failures(i);
	uint64_t upstream = i->upstream_requests + i->fail[FLOW_FAIL_REFUSED] +
			    i->fail[FLOW_FAIL_CONNECT_TIMEOUT] + i->fail[FLOW_FAIL_UNREACHABLE] +
			    i->fail[FLOW_FAIL_NO_PORT];

	upstream += since_ns(impact_clients_told(i), legs);
	return b->local ? max_u64(upstream, i->client_requests) : upstream;
}

static struct burst_second *slot(struct burst *b, uint64_t second)
{
	return &b->ring[second % BURST_SECONDS];
}

/* Both structs as the numbers they are made of. */
union flat {
	struct impact impact;
	uint64_t numbers[IMPACT_COUNTS + IMPACT_TIMES];
};

static struct impact read_second(struct burst *b, uint64_t number)
{
	const struct burst_second *second = slot(b, number);
	union flat out;

	for (size_t i = 0; i < IMPACT_COUNTS; i++)
		out.numbers[i] = second->counts[i];
	memcpy(out.numbers + IMPACT_COUNTS, second->times, sizeof(second->times));
	return out.impact;
}

static void add_to_second(struct burst *b, uint64_t number, const struct impact *interval)
{
	struct burst_second *second = slot(b, number);
	union flat sum = {.impact = read_second(b, number)};

	impact_add(&sum.impact, interval);
	for (size_t i = 0; i < IMPACT_COUNTS; i++)
		second->counts[i] = (uint32_t)min_u64(sum.numbers[i], UINT32_MAX);
	memcpy(second->times, sum.numbers + IMPACT_COUNTS, sizeof(second->times));
}

/* The newest `seconds` slots together. */
static void sum_window(struct burst *b, uint64_t seconds, struct impact *out)
{
	memset(out, 0, sizeof(*out));
	for (uint64_t i = 0; i < seconds && i <= b->second; i++) {
		struct impact second = read_second(b, b->second - i);

		impact_add(out, &second);
	}
}

/* Seconds leave the ring into the base rate; those of a burst are not base. */
static void advance(struct burst *b, uint64_t second)
{
	uint64_t gap = second > b->second ? second - b->second : 0;

	for (uint64_t i = 1; i <= min_u64(gap, BURST_SECONDS); i++) {
		struct impact old = read_second(b, b->second + i);

		if (!b->open)
			b->rate_per_s += ((double)failures(&old) - b->rate_per_s) / RATE_MEMORY_S;
		memset(slot(b, b->second + i), 0, sizeof(struct burst_second));
	}
	if (gap > BURST_SECONDS && !b->open)
		b->rate_per_s *= exp(-(double)(gap - BURST_SECONDS) / RATE_MEMORY_S);
	b->second += gap;
}

void burst_add(struct burst *b, uint64_t now_ns, const struct impact *interval)
{
	advance(b, now_ns / NSEC_PER_SEC);
	add_to_second(b, b->second, interval);
	if (b->open)
		impact_add(&b->sum, interval);
}

static bool window_opens(struct burst *b, uint32_t window_s)
{
	struct impact sum;
	uint64_t n;

	/* One slot more than the window, because the newest one has only begun. */
	sum_window(b, window_s + 1, &sum);
	n = failures(&sum);
	if (n < MIN_FAILURES || (double)n < MIN_RATIO * (double)attempts(b, &sum))
		return false;
	b->log10_p = burst_log10_tail(n, burst_base_rate(b) * (window_s + 1));
	return b->log10_p < MAX_LOG10_P;
}

/*
 * A burst ends with 10 quiet seconds, so it also begins after 10 quiet seconds: the failures
 * before the window that gave it away belong to it, unless they are older than it may be.
 */
static void sum_from_first_failure(struct burst *b, uint64_t from_ns, struct impact *out)
{
	uint64_t most = min_u64(BURST_SECONDS, since_ns(b->second, from_ns / NSEC_PER_SEC) + 1);
	uint64_t length = 0;

	for (uint64_t i = 0; i < most && i <= b->second; i++) {
		struct impact second = read_second(b, b->second - i);

		if (failures(&second))
			length = i + 1;
		else if (i >= length + BURST_QUIET_S)
			break;
	}
	sum_window(b, length, out);
}

void burst_recent(struct burst *b, uint64_t now_ns, struct impact *out)
{
	advance(b, now_ns / NSEC_PER_SEC);
	sum_window(b, BURST_SECONDS, out);
}

void burst_current(struct burst *b, uint64_t now_ns, struct impact *out)
{
	advance(b, now_ns / NSEC_PER_SEC);
	sum_from_first_failure(b, 0, out);
}

void burst_around(struct burst *b, uint64_t now_ns, uint64_t at_ns, uint64_t *before,
		  uint64_t *after)
{
	uint64_t at = at_ns / NSEC_PER_SEC;
	struct impact sum;
	uint64_t seconds;

	*before = *after = 0;
	advance(b, now_ns / NSEC_PER_SEC);
	if (at > b->second)
		return;
	seconds = min_u64(b->second - at + 1, BURST_SECONDS);
	sum_window(b, seconds, &sum);
	*after = impact_upstream_failures(&sum);
	sum_window(b, min_u64(2 * seconds, BURST_SECONDS), &sum);
	*before = impact_upstream_failures(&sum) - *after;
}

static void open_at(struct burst *b, uint64_t now_ns, uint64_t from_ns)
{
	b->open = true;
	b->opened_ns = now_ns;
	sum_from_first_failure(b, from_ns, &b->sum);
}

void burst_open(struct burst *b, uint64_t now_ns, uint64_t from_ns)
{
	open_at(b, now_ns, from_ns);
	b->log10_p = burst_log10_tail(failures(&b->sum), burst_base_rate(b) * BURST_SECONDS);
}

static bool is_quiet(struct burst *b, uint64_t now_ns)
{
	struct impact sum;

	if (since_ns(now_ns, max_u64(b->sum.last_ns, b->opened_ns)) <
		    BURST_QUIET_S * NSEC_PER_SEC &&
	    burst_base_rate(b) <= FLOOR_PER_S)
		return false;
	if (since_ns(now_ns, b->opened_ns) < BURST_QUIET_S * NSEC_PER_SEC)
		return false;
	sum_window(b, BURST_QUIET_S, &sum);
	return (double)failures(&sum) < 2 * burst_base_rate(b) * BURST_QUIET_S;
}

enum burst_change burst_decide(struct burst *b, uint64_t now_ns)
{
	advance(b, now_ns / NSEC_PER_SEC);
	if (b->open) {
		if (!is_quiet(b, now_ns))
			return BURST_SAME;
		b->open = false;
		memset(b->ring, 0, sizeof(b->ring));
		return BURST_CLOSED;
	}
	for (uint32_t i = 0; i < sizeof(windows_s) / sizeof(windows_s[0]); i++) {
		if (!window_opens(b, windows_s[i]))
			continue;
		open_at(b, now_ns, 0);
		return BURST_OPENED;
	}
	return BURST_SAME;
}
