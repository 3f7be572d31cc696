/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * burst.h - when failures on the way to one upstream are more than chance, and how many they were.
 *
 * Failures per second are compared with their own base rate: a burst opens when at least 5 failures
 * in 1, 5 or 30 s would be a one-in-a-million accident and are at least 1 % of the attempts; it
 * closes after 10 s at less than twice the base rate. A failure is what fails the gateway: a leg
 * that broke, an answer of 502, 503 or 504 whoever made it, a client closed on for it; but one
 * failure shows in several of these and is counted once. Where the cause was seen there is no chance to
 * rule out: then the caller opens the burst. Counts are exact sums of what was added from the first
 * failure of the burst to its end.
 *
 * It knows neither gateways nor causes; memory is one fixed ring.
 */
#ifndef MEMSWELL_BURST_H
#define MEMSWELL_BURST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/record.h"

#define BURST_SECONDS 32
#define BURST_QUIET_S 10

/*
 * What happened in one interval, or in several together: counts, then times, which are 0 where nothing
 * did.
 */
struct impact {
	uint64_t client_status[NR_FLOW_STATUSES]; /* 502..504: the share of this upstream */
	uint64_t fail[NR_FLOW_FAILS];		  /* on the legs to the upstream; see below */
	uint64_t upstream_requests;
	uint64_t upstream_responses;
	uint64_t client_requests;
	uint64_t client_errors; /* other 5xx that the gateway made: the share of this upstream */
	uint64_t client_closed; /* clients closed on without an answer, likewise */
	uint64_t inferred;	/* of these three: not seen, but what the gateway is known to do */
	uint64_t truncated;	/* answers that began and broke off */
	uint64_t app_answered;	/* 502, 503 and 504 that the upstream gave itself */
	uint64_t passed_on[3];	/* of them: seen going on to clients, by status */
	uint64_t accept_full;	/* connects that met a full accept queue of the service */
	uint64_t abandoned;	/* requests the gateway gave up waiting for */
	uint64_t lost;		/* failures on the legs after which no upstream answered */
	uint64_t lost_told;	/* clients who were told so meanwhile */
	uint64_t first_ns;	/* first and last failure of any kind */
	uint64_t last_ns;
	uint64_t first_reset_ns;
	uint64_t first_refused_ns;
	uint64_t ok_ns; /* newest good answer of the upstream, and where that episode began */
	uint64_t ok_first_ns;
	uint64_t recovered_ns; /* first good answer after last_ns; 0 none yet or not known */
};

/*
 * The fails[] that fail a leg: RST_MID and FIN_MID after the answer began, the others before.
 * FIN_MID that only the server saw is joined to the legs of its clients. ABANDONED is none: the
 * gateway gave up, mostly because its client did; where it did by itself, `abandoned` counts it.
 */
#define BURST_LEG_FAILS                                                                            \
	(1U << FLOW_FAIL_REFUSED | 1U << FLOW_FAIL_CONNECT_TIMEOUT | 1U << FLOW_FAIL_RST_BEFORE |  \
	 1U << FLOW_FAIL_FIN_BEFORE | 1U << FLOW_FAIL_RST_MID | 1U << FLOW_FAIL_FIN_MID |          \
	 1U << FLOW_FAIL_UNREACHABLE | 1U << FLOW_FAIL_NO_PORT)

static inline bool burst_is_leg_fail(unsigned int fail)
{
	return BURST_LEG_FAILS >> fail & 1;
}

#define IMPACT_COUNTS (offsetof(struct impact, first_ns) / sizeof(uint64_t))
#define IMPACT_TIMES  (sizeof(struct impact) / sizeof(uint64_t) - IMPACT_COUNTS)

/* The impact of a second, where no count comes near 2^32: there are 32 for each upstream. */
struct burst_second {
	uint64_t times[IMPACT_TIMES];
	uint32_t counts[IMPACT_COUNTS];
};

struct burst {
	struct burst_second ring[BURST_SECONDS];
	uint64_t second;   /* of the newest slot */
	double rate_per_s; /* base rate, without its floor */
	bool local; /* not of one upstream: its failures are measured by all requests of clients */
	bool open;
	uint64_t opened_ns; /* when it was noticed; what it counts from is sum.first_ns */
	double log10_p;	    /* of the window that opened it */
	struct impact sum;  /* of the open burst, kept after the close */
};

enum burst_change { BURST_SAME = 0, BURST_OPENED, BURST_CLOSED };

/* Add an interval that ended at now_ns. */
void burst_add(struct burst *b, uint64_t now_ns, const struct impact *interval);
enum burst_change burst_decide(struct burst *b, uint64_t now_ns);

/* What the ring still holds, whether a burst is open or not. */
void burst_recent(struct burst *b, uint64_t now_ns, struct impact *out);
/* Of that what a burst would begin with that opened now: no 10 quiet seconds are between. */
void burst_current(struct burst *b, uint64_t now_ns, struct impact *out);
/*
 * Failures on the upstream legs since that time, and in as long a time before it; to the second,
 * as far as the ring holds.
 */
void burst_around(struct burst *b, uint64_t now_ns, uint64_t at_ns, uint64_t *before,
		  uint64_t *after);
/*
 * Open it whatever the odds, of failures since that time; there must have been one in the last
 * BURST_QUIET_S.
 */
void burst_open(struct burst *b, uint64_t now_ns, uint64_t from_ns);

/* The sum of two; of times the first or the last. */
void impact_add(struct impact *to, const struct impact *from);

/* Failures on the upstream legs: connects and requests that got no whole answer. */
uint64_t impact_upstream_failures(const struct impact *i);
/* 502, 503 and 504 the gateway made, as far as this upstream is to blame. */
uint64_t impact_client_failures(const struct impact *i);
/* These, other errors of the gateway's own, and connections closed without an answer. */
uint64_t impact_clients_told(const struct impact *i);
/* These, truncated answers, and bad ones of the upstream's own that were passed on. */
uint64_t impact_clients_hurt(const struct impact *i);
/* Clients told of failures that no attempt stands behind: all upstreams were taken out. */
uint64_t impact_no_live(const struct impact *i);
/* Failures on the upstream legs that no client noticed: at least so many can be told. */
uint64_t impact_masked(const struct impact *i);
/* Clients hurt to all that got some end to their request, 0..1. */
double impact_failure_ratio(const struct impact *i);

double burst_base_rate(const struct burst *b);
/* log10 P(X >= n) for a Poisson variable with mean mu > 0; 0 for n <= mu. */
double burst_log10_tail(uint64_t n, double mu);

#endif
