/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * gateway_infer.c - what a gateway did that no counter shows: whether it or its client gave up on a
 * request, whether its clients can be read at all, and what they were told if not.
 */
#include <math.h>

#include "core/gateway_parts.h"

/* Memory of gateway_past. */
#define PAST_S 30.0
/* An upstream that was asked and has answered nothing for so long hangs, whoever gives up first. */
#define SILENT_NS (10 * NSEC_PER_SEC)
/*
 * Clients are seen when there are at least a tenth as many requests of theirs as answers of
 * upstreams: a port that redirects to HTTPS and a monitor's probes are there as well.
 */
#define OPAQUE_RATIO	   10
#define OPAQUE_MIN_ANSWERS 5
/* Clients left too rarely to explain that requests were given up. */
#define LEFT_RATIO 4

/* Timeouts ------------------------------------------------------------------------------------ */

void gateway_match_timeouts(struct upstream *u)
{
	uint64_t n = min_u64(pending_total(&u->gave_up), pending_total(&u->timed_out));

	pending_take(&u->gave_up, n);
	pending_take(&u->timed_out, n);
	u->now.abandoned += n;
}

/*
 * Given up without a word to a client. Mostly it was the client who left. A gateway that is known to
 * give up for nothing but timeouts, and whose clients stay, has tried another upstream. Where
 * clients cannot be read, only an upstream that answers nobody is known to hang.
 */
static bool gave_up_itself(const struct gateway *g, const struct upstream *u, uint64_t now_ns)
{
	if (!g->personality->known)
		return false;
	if (g->opaque)
		return u->answered_ns && since_ns(now_ns, u->answered_ns) >= SILENT_NS;
	return g->past.client_requests > 0 && g->past.clients_left * LEFT_RATIO < g->past.gave_up;
}

static void infer(struct gateway *g, struct upstream *u, enum leg_failure leg, uint64_t n)
{
	uint16_t status = g->personality->status[leg];

	u->now.inferred += n;
	if (status == PERSONALITY_CLOSES)
		u->now.client_closed += n;
	else
		u->now.client_status[FLOW_STATUS_502 + (status - 502)] += n;
}

void gateway_settle_given_up(struct gateway *g, struct upstream *u, uint64_t now_ns)
{
	struct flow_mark mark = gateway_turn_mark(&u->gave_up_mark, &u->gave_up_old_mark);
	uint64_t n = pending_turn(&u->gave_up);

	pending_turn(&u->timed_out);
	g->past.gave_up += (double)n;
	if (!n || !gave_up_itself(g, u, now_ns))
		return;
	u->now.abandoned += n;
	gateway_add_times(&u->now, &mark);
	if (g->opaque)
		infer(g, u, LEG_READ_TIMEOUT, n);
}

/* Clients that cannot be read ----------------------------------------------------------------- */

static bool answered_elsewhere(struct gateways *t, const struct gateway *g,
			       const struct upstream *failed)
{
	struct upstream *u;

	gateway_for_each_upstream (u, t, g)
		if (u != failed && u->now.ok_ns > failed->now.last_ns)
			return true;
	return false;
}

/* A connection that had answered before breaks in another way; it is counted in both. */
static void infer_reset(struct gateway *g, struct upstream *u, enum flow_fail all,
			enum flow_fail reused)
{
	uint64_t part = min_u64(u->now.fail[reused], u->now.fail[all]);

	infer(g, u, LEG_RESET, u->now.fail[all] - part);
	infer(g, u, LEG_RESET_REUSED, part);
}

/*
 * What clients were told, at most: of failures after which another upstream answered nothing is
 * said, since most gateways try the next one.
 */
void gateway_infer_answers(struct gateways *t, struct gateway *g, struct upstream *u)
{
	const uint64_t *fail = u->now.fail;
	uint8_t connects = g->personality->connects;

	if (!gateway_retryable(u) || impact_clients_told(&u->now) || answered_elsewhere(t, g, u))
		return;
	infer(g, u, LEG_REFUSED, (fail[FLOW_FAIL_REFUSED] + connects - 1) / connects);
	infer(g, u, LEG_CONNECT_TIMEOUT, fail[FLOW_FAIL_CONNECT_TIMEOUT]);
	infer(g, u, LEG_UNREACHABLE, fail[FLOW_FAIL_UNREACHABLE] + fail[FLOW_FAIL_NO_PORT]);
	infer_reset(g, u, FLOW_FAIL_RST_BEFORE, FLOW_FAIL_RST_REUSED);
	infer_reset(g, u, FLOW_FAIL_FIN_BEFORE, FLOW_FAIL_FIN_REUSED);
}

void gateway_remember(struct gateways *t, struct gateway *g)
{
	struct upstream *u;

	g->past.client_requests += g->client_requests;
	g->past.clients_left += (double)g->clients_left + g->closed_unanswered;
	gateway_for_each_upstream (u, t, g)
		g->past.upstream_answers += (double)u->now.upstream_responses;
}

void gateway_fade(struct gateway_past *past, uint64_t elapsed_ns)
{
	double factor = exp(-(double)elapsed_ns / NSEC_PER_SEC / PAST_S);

	past->client_requests *= factor;
	past->upstream_answers *= factor;
	past->clients_left *= factor;
	past->gave_up *= factor;
}

bool gateway_is_opaque(const struct gateway *g)
{
	return g->personality->known && g->serves &&
	       g->past.upstream_answers >= OPAQUE_MIN_ANSWERS &&
	       g->past.client_requests * OPAQUE_RATIO < g->past.upstream_answers;
}
