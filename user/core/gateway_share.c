/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* gateway_share.c - see gateway_share.h. */
#include "core/gateway_share.h"

#include "core/gateway_parts.h"

/*
 * nginx and others take a failed upstream out for 10 s and answer without asking it; nginx for more
 * than 10 seconds of a clock that has no parts of them.
 */
#define BLAME_NS (11 * NSEC_PER_SEC)
/* What has no counterpart waits so long, then until the next batch. */
#define TURN_NS NSEC_PER_SEC
/* Answers in another protocol cannot be told from the gateway's own errors for so long. */
#define BACKEND_NS (60 * NSEC_PER_SEC)
#define BEHIND_NS  (60 * NSEC_PER_SEC)
/*
 * Heads that do not begin a segment are not seen. Among many errors that were passed on, so few of
 * the gateway's own are such misses.
 */
#define MISSED_RATIO 8
#define NR_BAD	     3 /* 502, 503, 504 */
#define BAD(i)	     (FLOW_STATUS_502 + (i))
#define BAD_502	     0
#define BAD_504	     2

#define ERROR(i)      (FLOW_STATUS_5XX + (i))
#define ERROR_OTHER   0
#define ERROR_OF(bad) ((bad) + 1)

/*
 * Parts in proportion to weights, exactly: each takes its part of what is left, so that the parts
 * add up, and none is greater than its weight unless there is more to share than weights.
 */
struct portions {
	uint64_t left;
	uint64_t weights;
};

static uint64_t portion(struct portions *p, uint64_t weight)
{
	uint64_t part = p->weights ? (p->left * weight + p->weights / 2) / p->weights : 0;

	p->left -= part;
	p->weights -= weight;
	return part;
}

/* Weights ------------------------------------------------------------------------------------- */

/* Failures after which a gateway of this kind gives that status. */
static uint64_t weight_matching(const struct gateway *g, const struct upstream *u, int bad)
{
	const uint16_t *status = g->personality->status;
	uint64_t sum = 0;

	for (unsigned int f = 0; f < NR_FLOW_FAILS; f++)
		if (status[personality_leg(f)] == 502 + bad)
			sum += u->now.fail[f];
	if (status[LEG_READ_TIMEOUT] == 502 + bad)
		sum += pending_total(&u->gave_up);
	return min_u64(sum, UINT32_MAX);
}

/* Failures shortly before, for answers without any attempt behind them. */
static uint64_t weight_recent(const struct upstream *u, uint64_t at_ns)
{
	return u->failed_ns && since_ns(at_ns, u->failed_ns) <= BLAME_NS ? u->recent : 0;
}

static uint64_t weight_erred(const struct upstream *u, uint64_t at_ns)
{
	return u->erred_ns && since_ns(at_ns, u->erred_ns) <= BLAME_NS ? u->erred : 0;
}

/* In this order; the last two only when nothing else came in the time it waited. */
enum tier { TIER_MATCHING = 0, TIER_ANY, TIER_RECENT, TIER_BROKEN, TIER_ERRED };

struct share {
	struct gateway *gateway;
	struct flow_mark mark; /* of the answers */
	uint64_t now_ns;
	int bad;
	enum tier tier;
};

static uint64_t weight(const struct upstream *u, const struct share *s)
{
	switch (s->tier) {
	case TIER_MATCHING:
		return weight_matching(s->gateway, u, s->bad);
	case TIER_ANY:
		return gateway_leg_failures(u);
	case TIER_RECENT:
		return weight_recent(u, earliest_ns(s->mark.first_ns, s->now_ns));
	case TIER_BROKEN:
		return pending_total(&u->good);
	default:
		return weight_erred(u, earliest_ns(s->mark.first_ns, s->now_ns));
	}
}

/* Bad answers --------------------------------------------------------------------------------- */

/* A header that broke off began the answer on the leg, but not yet at the client. */
static void unbreak(struct upstream *u, uint64_t n)
{
	u->now.truncated -= min_u64(n, u->now.truncated);
}

static void blame(struct upstream *u, const struct share *s, uint64_t n)
{
	const uint16_t *status = s->gateway->personality->status;
	struct impact *now = &u->now;
	uint64_t connects = 0;

	if (!n)
		return;
	now->client_status[BAD(s->bad)] += n;
	gateway_add_times(now, &s->mark);
	if (!now->last_ns)
		now->last_ns = u->failed_ns;
	if (s->tier == TIER_ANY)
		unbreak(u, since_ns(n, gateway_retryable(u)));
	if (s->tier == TIER_BROKEN)
		now->fail[FLOW_FAIL_FIN_MID] += n;
	if (s->tier != TIER_MATCHING || s->bad != BAD_504)
		return;
	if (status[LEG_CONNECT_TIMEOUT] == 504)
		connects = now->fail[FLOW_FAIL_CONNECT_TIMEOUT];
	pending_add(&u->timed_out, since_ns(n, connects));
}

/* False if no upstream has any weight. */
static bool share_out(struct gateways *t, uint64_t n, const struct share *s)
{
	struct portions portions = {.left = n};
	struct upstream *u;

	gateway_for_each_upstream (u, t, s->gateway)
		portions.weights += weight(u, s);
	if (!portions.weights)
		return false;
	gateway_for_each_upstream (u, t, s->gateway)
		blame(u, s, portion(&portions, weight(u, s)));
	return true;
}

static uint64_t answered_total(struct gateways *t, const struct gateway *g, int error)
{
	struct upstream *u;
	uint64_t sum = 0;

	gateway_for_each_upstream (u, t, g)
		sum += pending_total(&u->answered[error]);
	return sum;
}

/* `n` errors that upstreams answered have reached clients. */
static void pass_on(struct gateways *t, struct gateway *g, int error, uint64_t n)
{
	struct portions portions = {n, answered_total(t, g, error)};
	struct upstream *u;

	pending_add(&g->passed_on[error], n);
	gateway_for_each_upstream (u, t, g) {
		uint64_t part = portion(&portions, pending_total(&u->answered[error]));

		pending_take(&u->answered[error], part);
		if (error == ERROR_OTHER)
			continue;
		u->now.passed_on[error - 1] += part;
		if (g->opaque)
			u->now.inferred += part;
	}
}

/*
 * Take off what upstreams answered, here and from what waits since the last batches; the rest waits
 * for somebody to blame. Of clients that cannot be read it is assumed that they got all of it.
 */
static void split_answers(struct gateways *t, struct gateway *g, int error)
{
	uint64_t passed = answered_total(t, g, error);
	uint64_t answered = g->client_status[ERROR(error)];
	uint64_t waiting = pending_total(&g->unblamed[error]);
	uint64_t late = min_u64(since_ns(passed, answered), waiting);

	pending_take(&g->unblamed[error], late);
	pending_add(&g->unblamed[error], since_ns(answered, passed));
	if (!g->opaque)
		passed = min_u64(answered, passed) + late;
	pass_on(t, g, error, passed);
}

static void share_bad(struct gateways *t, struct gateway *g, int bad, uint64_t now_ns)
{
	struct pending *unblamed = &g->unblamed[ERROR_OF(bad)];
	struct share share = {.gateway = g, .mark = g->unblamed_mark, .now_ns = now_ns, .bad = bad};
	uint64_t n = pending_total(unblamed);

	gateway_add_mark(&share.mark, &g->unblamed_old_mark);
	for (int tier = TIER_MATCHING; n && tier <= TIER_RECENT; tier++) {
		share.tier = tier;
		if (!share_out(t, n, &share))
			continue;
		pending_take(unblamed, n);
		return;
	}
}

/*
 * Failures on the legs of this batch, or just before it for what reached the client meanwhile. An
 * answer that broke off was none that a client missed.
 */
static uint64_t failed_lately(const struct upstream *u, uint64_t now_ns)
{
	uint64_t failed = gateway_retryable(u);

	if (!failed && u->failed_ns && since_ns(now_ns, u->failed_ns) <= NSEC_PER_SEC)
		failed = u->recent;
	return failed;
}

/*
 * How else than by 502, 503 and 504 clients were told: by another error, or by a closed connection.
 * Both have other reasons as well, so each upstream takes no more of them than failed on its legs.
 */
static void share_hidden(struct gateways *t, struct gateway *g, uint64_t now_ns)
{
	struct pending *errors = &g->unblamed[ERROR_OTHER];
	uint64_t closed = g->closed_unanswered;
	struct upstream *u;

	gateway_for_each_upstream (u, t, g) {
		uint64_t room = failed_lately(u, now_ns);
		uint64_t part = min_u64(pending_total(errors), room);

		pending_take(errors, part);
		u->now.client_errors += part;
		part = min_u64(closed, room - part);
		closed -= part;
		u->now.client_closed += part;
	}
	pending_add(&g->turned_away, min_u64(closed, g->closed_unread));
	/* A program of any kind answers errors for reasons of its own. */
	if (!g->personality->known)
		memset(errors, 0, sizeof(*errors));
}

/* What is over -------------------------------------------------------------------------------- */

/*
 * An answer after a failure may be the retry's. Where none came and clients were told so, no retry
 * helped. A batch may end between a failure and its retry, so the next ones decide as well.
 */
static void count_lost(struct gateways *t, struct gateway *g)
{
	uint64_t ok_ns = 0;
	struct upstream *u;

	gateway_for_each_upstream (u, t, g)
		ok_ns = max_u64(ok_ns, u->now.ok_ns);
	gateway_for_each_upstream (u, t, g) {
		uint64_t told = impact_clients_told(&u->now);

		u->undecided = add_u32(u->undecided, gateway_retryable(u));
		u->undecided_ns = max_u64(u->undecided_ns, u->now.last_ns);
		if (ok_ns > u->undecided_ns) {
			u->undecided = 0;
		} else if (told) {
			u->now.lost = u->undecided;
			u->now.lost_told = told;
			u->undecided = 0;
		}
	}
}

/* May an error be the gateway's own, so far as can be known? */
static bool is_its_own(const struct gateway *g, int error, uint64_t now_ns)
{
	bool known = g->personality->known;

	if (!g->calls || (error == ERROR_OTHER && !known))
		return false;
	if (g->backends_ns && since_ns(now_ns, g->backends_ns) < BACKEND_NS)
		return false;
	/* Of an application its own gateway tells as much, and knows that it is one. */
	if (!known && g->behind_ns && since_ns(now_ns, g->behind_ns) < BEHIND_NS)
		return false;
	return true;
}

static void keep_own(struct gateways *t, struct gateway *g, int error, uint64_t n)
{
	struct upstream *local = gateway_local(t, g);

	if (!local)
		return;
	if (error == ERROR_OTHER)
		local->now.client_errors += n;
	else
		local->now.client_status[ERROR(error)] += n;
	gateway_add_times(&local->now, &g->unblamed_old_mark);
}

/*
 * A header that ends with a FIN: the leg shows a status, and no failure, for the end of an answer is
 * not known there. But then just so many good answers of upstreams are missing at the clients.
 */
static bool headers_broke(struct gateways *t, const struct gateway *g, uint64_t n)
{
	uint64_t answered = 0, missing;
	struct upstream *u;

	gateway_for_each_upstream (u, t, g)
		answered += pending_total(&u->good);
	missing = since_ns(answered, pending_total(&g->good));
	return missing >= n && missing <= n + n / 4 + 2;
}

/*
 * Nobody failed it, and still it answers an error: maybe an upstream broke off in its header; maybe
 * because of what one answered to a health check; else of its own accord.
 */
static void settle_unblamed(struct gateways *t, struct gateway *g, int error, uint64_t now_ns)
{
	struct share share = {
		.gateway = g, .mark = g->unblamed_old_mark, .now_ns = now_ns, .bad = error - 1};
	uint64_t n = pending_turn(&g->unblamed[error]);
	uint64_t passed_on = pending_turn(&g->passed_on[error]);

	if (!n || n * MISSED_RATIO < passed_on || !is_its_own(g, error, now_ns))
		return;
	if (share.bad == BAD_502 && headers_broke(t, g, n)) {
		share.tier = TIER_BROKEN;
		share_out(t, n, &share);
		return;
	}
	share.tier = TIER_ERRED;
	if (error == ERROR_OTHER || !share_out(t, n, &share))
		keep_own(t, g, error, n);
}

/*
 * Accepted and closed at once, as a gateway does that has no connection left for a client. A worker
 * that ends closes some so as well, but only in one moment.
 */
static void settle_turned_away(struct gateways *t, struct gateway *g, uint64_t now_ns)
{
	struct flow_mark mark = gateway_turn_mark(&g->turned_away_mark, &g->turned_away_old_mark);
	uint64_t n = pending_turn(&g->turned_away);
	bool lasts = n && (g->turning_away || pending_total(&g->turned_away));
	struct upstream *local;

	g->turning_away = n != 0;
	local = lasts && is_its_own(g, ERROR_OTHER, now_ns) ? gateway_local(t, g) : NULL;
	if (!local)
		return;
	local->now.client_closed += n;
	gateway_add_times(&local->now, &mark);
}

static void settle(struct gateways *t, struct gateway *g, uint64_t now_ns)
{
	struct upstream *u;

	gateway_for_each_upstream (u, t, g) {
		gateway_settle_given_up(g, u, now_ns);
		for (int error = 0; error < NR_GATEWAY_ERRORS; error++)
			pending_turn(&u->answered[error]);
	}
	for (int error = 0; error < NR_GATEWAY_ERRORS; error++)
		settle_unblamed(t, g, error, now_ns);
	settle_turned_away(t, g, now_ns);
	gateway_for_each_upstream (u, t, g)
		pending_turn(&u->good);
	pending_turn(&g->good);
	gateway_turn_mark(&g->unblamed_mark, &g->unblamed_old_mark);
	g->turned_ns = now_ns;
}

static bool upstream_waits(const struct upstream *u)
{
	uint64_t waiting = pending_total(&u->gave_up) + pending_total(&u->timed_out);

	for (int error = 0; error < NR_GATEWAY_ERRORS; error++)
		waiting += pending_total(&u->answered[error]);
	return waiting != 0;
}

static bool is_blameless(const struct gateway *g)
{
	uint64_t unblamed = 0;

	for (int error = 0; error < NR_GATEWAY_ERRORS; error++)
		unblamed += pending_total(&g->unblamed[error]);
	return unblamed == 0;
}

static bool upstreams_wait(struct gateways *t, const struct gateway *g)
{
	struct upstream *u;

	gateway_for_each_upstream (u, t, g)
		if (upstream_waits(u))
			return true;
	return false;
}

/* For answers that come without an attempt behind them. */
static void remember_failures(struct upstream *u, uint64_t now_ns)
{
	uint64_t failed = gateway_leg_failures(u) + u->now.fail[FLOW_FAIL_ABANDONED];

	if (!failed)
		return;
	u->failed_ns = now_ns;
	u->recent = (uint32_t)min_u64(failed, UINT32_MAX);
}

static void begin(struct gateways *t, struct gateway *g, uint64_t now_ns)
{
	struct flow_mark own = g->bad;
	struct upstream *u;

	gateway_fade(&g->past, since_ns(now_ns, g->rolled_ns));
	g->rolled_ns = now_ns;
	gateway_for_each_upstream (u, t, g) {
		pending_add(&u->gave_up, u->now.fail[FLOW_FAIL_ABANDONED]);
		u->now.truncated = u->now.fail[FLOW_FAIL_RST_MID] + u->now.fail[FLOW_FAIL_FIN_MID];
	}
	for (int status = FLOW_STATUS_2XX; status <= FLOW_STATUS_4XX; status++)
		pending_add(&g->good, g->client_status[status]);
	/* Other 5xx have no times of their own. */
	if (!own.first_ns && g->client_status[FLOW_STATUS_5XX])
		own = (struct flow_mark){now_ns, now_ns};
	gateway_add_mark(&g->unblamed_mark, &own);
}

static void finish(struct gateways *t, struct gateway *g, uint64_t now_ns)
{
	struct upstream *u;

	gateway_for_each_upstream (u, t, g)
		remember_failures(u, now_ns);
	if (is_blameless(g)) {
		memset(&g->unblamed_mark, 0, sizeof(g->unblamed_mark));
		memset(&g->unblamed_old_mark, 0, sizeof(g->unblamed_old_mark));
	}
	g->waiting = !is_blameless(g) || pending_total(&g->turned_away) || upstreams_wait(t, g);
	g->opaque = gateway_is_opaque(g);
}

void gateway_share(struct gateways *t, struct gateway *g, uint64_t now_ns)
{
	struct upstream *u;

	begin(t, g, now_ns);
	for (int error = 0; error < NR_GATEWAY_ERRORS; error++)
		split_answers(t, g, error);
	for (int bad = 0; bad < NR_BAD; bad++)
		share_bad(t, g, bad, now_ns);
	share_hidden(t, g, now_ns);
	gateway_remember(t, g);
	gateway_for_each_upstream (u, t, g) {
		gateway_match_timeouts(u);
		if (g->opaque)
			gateway_infer_answers(t, g, u);
	}
	count_lost(t, g);
	if (since_ns(now_ns, g->turned_ns) >= TURN_NS)
		settle(t, g, now_ns);
	finish(t, g, now_ns);
}
