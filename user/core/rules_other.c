/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * rules_other.c - what it was when it was not memory: another end, an orderly restart, the
 * application's own answer, too much work, the way there, the gateway itself. And nothing of all
 * that, which always stands.
 */
#include "core/rules.h"

#include <math.h>

#define HIGH_LOAD 1.5
/* Whoever has more room than this neither stalls nor collects all the time. */
#define NEAR_LIMIT 0.6
/* Restarts seldom take longer; what refuses on does not come back. */
#define LONG_NS	 (60 * NSEC_PER_SEC)
#define BRIEF_NS (20 * NSEC_PER_SEC)
/* A death may be told a batch later than the failures it caused. */
#define TOLD_LATE_NS (2 * NSEC_PER_SEC)

static bool mostly(uint64_t part, uint64_t whole, double share, double *value)
{
	*value = rules_share(part, whole);
	return part && *value >= share;
}

/* Another end ---------------------------------------------------------------------------------- */

static bool death_without_memory_evidence(const struct verdict_facts *f, double *value)
{
	*value = f->exit_code;
	return f->died && !rules_memory_evidence(f);
}

static bool sender_known(const struct verdict_facts *f, double *value)
{
	*value = f->exit_code;
	return f->died && !rules_memory_evidence(f) && f->signal_known && !f->signal_from_kernel &&
	       !f->aborted_itself;
}

static bool sigkill_of_unknown_origin(const struct verdict_facts *f, double *value)
{
	*value = f->exit_code;
	return f->died && f->killed && !f->oom_kill && (!f->signal_known || f->signal_from_kernel);
}

/* ... and the OOM killer may have been at work where we could not see it. */
static bool oom_killer_unseen(const struct verdict_facts *f, double *value)
{
	*value = (double)f->events_lost;
	return sigkill_of_unknown_origin(f, value) &&
	       (rules_unseen(f, HOOK_BIT(HOOK_OOM)) || f->events_lost);
}

static bool v8_abort_unwatched(const struct verdict_facts *f, double *value)
{
	*value = f->exit_code;
	return f->died && f->v8_runtime && !f->v8_watched && f->aborted_itself && !f->story.grew;
}

/* Memory that was refused shows nowhere else. */
static bool refusals_unseen(const struct verdict_facts *f, double *value)
{
	*value = f->exit_code;
	/* A V8 that is watched would have said so. */
	return f->died && f->exit_code && !f->killed && !f->asked && f->story.grew &&
	       !f->v8_watched && !rules_memory_evidence(f) &&
	       rules_unseen(f, HOOK_BIT(HOOK_VM_EVENTS));
}

static bool waiting_unseen(const struct verdict_facts *f, double *value)
{
	*value = fmax(f->limit_used, rules_share(f->peak_anon_bytes, rules_memory_ceiling(f)));
	return f->died && (f->asked || f->killed) && !rules_memory_evidence(f) &&
	       *value >= NEAR_LIMIT && rules_unseen(f, HOOKS_HTTP);
}

static bool replaced_in_order(const struct verdict_facts *f, double *value)
{
	*value = (double)f->outage_ns / (double)NSEC_PER_MSEC;
	return rules_replaced_in_order(f);
}

static bool replaced_before_it_ended(const struct verdict_facts *f, double *value)
{
	*value = f->replaced_before;
	return rules_replaced_in_order(f) && f->replaced_before;
}

/* Asked to end because it hung: a watcher's restart, not a deploy. */
static bool hung_when_asked(const struct verdict_facts *f, double *value)
{
	*value = rules_silent_s(f);
	return f->died && *value >= 5;
}

/* Keep-alive ----------------------------------------------------------------------------------- */

static bool only_reused_connections(const struct verdict_facts *f, double *value)
{
	return mostly(f->on_reused, f->failures, RULES_NEARLY_ALL, value) && !f->died;
}

static bool listener_and_owners_stayed(const struct verdict_facts *f, double *value)
{
	*value = f->deaths_behind;
	return f->service_known && f->listener_stayed && !f->deaths_behind;
}

static bool others_succeed(const struct verdict_facts *f, double *value)
{
	*value = rules_share(f->answers, f->failures);
	return *value >= 1;
}

static bool owner_unknown(const struct verdict_facts *f, double *value)
{
	*value = 0;
	return !f->service_known;
}

static bool not_a_race(const struct verdict_facts *f, double *value)
{
	*value = (double)f->refused;
	return f->refused || f->deaths_behind || (f->service_known && !f->listener_stayed);
}

static bool exits_unseen(const struct verdict_facts *f, double *value)
{
	*value = (double)f->events_lost;
	return rules_unseen(f, HOOK_BIT(HOOK_EXIT)) || f->events_lost;
}

/* The application's answer --------------------------------------------------------------------- */

static bool answered_so_itself(const struct verdict_facts *f, double *value)
{
	uint64_t own = max_u64(f->failures, f->client_502 + f->client_503 + f->client_504);

	return !f->local && mostly(f->app_answered, add_u64(f->app_answered, own), 0.75, value);
}

static bool upstream_lives(const struct verdict_facts *f, double *value)
{
	*value = (double)f->answers;
	return !f->died && (f->owner_alive || f->answers);
}

/* Too much work -------------------------------------------------------------------------------- */

static bool accept_queue_full(const struct verdict_facts *f, double *value)
{
	*value = (double)f->accept_full;
	return f->accept_full && !f->died;
}

/* Much work is answered late, but it is: who takes no connection and answers nobody hangs. */
static bool answers_nobody(const struct verdict_facts *f, double *value)
{
	*value = rules_silent_s(f);
	return f->accept_full && !f->died && !f->traffic.pool.saturated && *value >= RULES_SILENT_S;
}

/* Nothing at all is answered while a pool is full; else that is something else than much work. */
static bool late_with_many_in_flight(const struct verdict_facts *f, double *value)
{
	*value = (double)f->traffic.in_flight_peak;
	return rules_queueing(f) && !f->died && f->owner_alive && f->answers &&
	       (!f->traffic.silent_ns || f->traffic.pool.saturated);
}

static bool load_high(const struct verdict_facts *f, double *value)
{
	*value = f->load_ratio;
	return *value >= HIGH_LOAD;
}

static bool pool_in_use(const struct verdict_facts *f, double *value)
{
	*value = f->traffic.pool.connections;
	return f->traffic.pool.saturated;
}

static bool stands_at_its_limit(const struct verdict_facts *f, double *value)
{
	*value = f->limit_used;
	return rules_stalled(f) || rules_thrashing(f);
}

static bool listener_went(const struct verdict_facts *f, double *value)
{
	*value = (double)f->refused;
	return f->service_known && !f->listener_stayed;
}

/* The way there -------------------------------------------------------------------------------- */

/* A container takes its address with it when it dies. */
static bool address_unreachable(const struct verdict_facts *f, double *value)
{
	return mostly(f->unreachable, f->failures, RULES_MOSTLY, value) && !f->died;
}

static bool connects_lost_elsewhere(const struct verdict_facts *f, double *value)
{
	return mostly(f->timed_out, f->failures, RULES_MOSTLY, value) && !f->same_host &&
	       !f->service_known;
}

static bool connects_lost_at_open_door(const struct verdict_facts *f, double *value)
{
	return mostly(f->timed_out, f->failures, RULES_MOSTLY, value) && f->service_known &&
	       f->listener_stayed && !f->accept_full;
}

static bool service_works_for_others(const struct verdict_facts *f, double *value)
{
	*value = (double)f->traffic.rate_now;
	return f->traffic.rate_now && !f->traffic.silent_ns;
}

static bool never_answered(const struct verdict_facts *f, double *value)
{
	*value = (double)f->answers;
	return !f->ever_answered && !f->answers;
}

static bool refused_from_the_first(const struct verdict_facts *f, double *value)
{
	return mostly(f->refused + f->unreachable, f->failures, RULES_NEARLY_ALL, value) &&
	       !f->ever_answered && !f->service_known && !f->died && !f->deaths_behind;
}

/* Somebody listens there, though not where the gateway asks: another family, another address. */
static bool refused_beside_a_listener(const struct verdict_facts *f, double *value)
{
	return mostly(f->refused, f->failures, RULES_NEARLY_ALL, value) && !f->ever_answered &&
	       f->failing_ns >= TOLD_LATE_NS && f->service_known && f->listener_stayed &&
	       !f->listener_came && !f->died && !f->deaths_behind;
}

/* It may be what should listen there. */
static bool died_unheard(const struct verdict_facts *f, double *value)
{
	*value = f->died_unheard;
	return f->died_unheard && !f->ever_answered;
}

static bool watched_too_briefly(const struct verdict_facts *f, double *value)
{
	*value = (double)f->watched_ns / (double)NSEC_PER_SEC;
	return f->watched_ns < BRIEF_NS;
}

static bool refused_for_long(const struct verdict_facts *f, double *value)
{
	*value = (double)f->failing_ns / (double)NSEC_PER_SEC;
	return f->failing_ns >= LONG_NS;
}

/* The gateway itself --------------------------------------------------------------------------- */

static bool no_local_port(const struct verdict_facts *f, double *value)
{
	*value = (double)f->no_port;
	return f->no_port && 2 * f->no_port >= f->failures;
}

/*
 * What a proxy says when it runs out of connections or files is 500. Without an attempt behind them
 * 502 to 504 have more reasons: a rate limit, a maintenance page, no route from this host.
 */
static bool errors_without_trying(const struct verdict_facts *f, double *value)
{
	uint64_t told = f->client_502 + f->client_503 + f->client_504;

	*value = (double)f->client_errors;
	return f->local && f->known_gateway && f->client_errors > told;
}

static bool statuses_without_trying(const struct verdict_facts *f, double *value)
{
	uint64_t told = f->client_502 + f->client_503 + f->client_504;

	*value = (double)told;
	return f->local && f->known_gateway && told && told >= f->client_errors;
}

static bool always(const struct verdict_facts *f, double *value)
{
	(void)f;
	*value = 1;
	return true;
}

#define DOWN	 CLASS(VERDICT_UPSTREAM_DOWN_NONMEMORY)
#define DEPLOY	 CLASS(VERDICT_DEPLOY_RESTART)
#define RACE	 CLASS(VERDICT_KEEPALIVE_RACE)
#define APP	 CLASS(VERDICT_APP_ERROR_STATUS)
#define OVERLOAD CLASS(VERDICT_BACKEND_OVERLOAD)
#define NETWORK	 CLASS(VERDICT_NETWORK)
#define CONFIG	 CLASS(VERDICT_CONFIG)
#define LOCAL	 CLASS(VERDICT_PROXY_LOCAL_EXHAUSTION)

static const struct verdict_rule rows[] = {
	{"death_without_memory_evidence", DOWN, 0, 7, true, death_without_memory_evidence,
	 "who serves is gone, and nothing says that memory took it"},
	{"sender_known", DOWN, 0, 1, false, sender_known, "and who did is known"},
	{"sigkill_of_unknown_origin", DOWN, 0, -4, false, sigkill_of_unknown_origin,
	 "only the OOM killer and users send it, and no user was seen"},
	{"oom_killer_unseen", DOWN, 0, -4, false, oom_killer_unseen,
	 "the mark that would tell could not be seen"},
	{"v8_abort_unwatched", DOWN, 0, -5, false, v8_abort_unwatched,
	 "V8's last words could not be seen"},
	{"refusals_unseen", DOWN, 0, -6, false, refusals_unseen,
	 "memory may have been refused to what grew, unseen"},
	{"waiting_unseen", DOWN | DEPLOY, 0, -8, false, waiting_unseen,
	 "near a limit it may have stood still, and whether it answered could not be seen"},
	{"replaced_in_order", DOWN, 0, -5, false, replaced_in_order,
	 "asked to end, it ended, and its successor was there: nothing broke"},
	{"replaced_in_order", DEPLOY, 0, 9, true, replaced_in_order,
	 "asked to end, it ended, and its successor was there"},
	{"replaced_before_it_ended", DEPLOY, 0, 1, false, replaced_before_it_ended,
	 "only a planned restart begins with the successor"},
	{"hung_when_asked", DEPLOY, 0, -6, false, hung_when_asked,
	 "nobody deploys over requests that have hung for seconds; watchers do"},
	{"hung_when_asked", DOWN, 0, 3, false, hung_when_asked,
	 "it had failed already when it was ended"},
	{"answered_so_itself", DOWN | DEPLOY, 0, -5, false, answered_so_itself,
	 "nearly all failures were answers of a living process"},
	{"only_reused_connections", RACE, 0, 3, true, only_reused_connections,
	 "a race needs an idle connection; crashes hit fresh ones as well"},
	{"listener_and_owners_stayed", RACE, 0, 2.5, false, listener_and_owners_stayed,
	 "nobody died and the door stayed open"},
	{"others_succeed", RACE, 0, 1.5, false, others_succeed,
	 "one connection fails while others are served"},
	{"owner_unknown", RACE, 0, -2, false, owner_unknown, "a death there would not be seen"},
	{"not_a_race", RACE, 0, -10, false, not_a_race, "a race refuses nobody and kills nobody"},
	{"exits_unseen", RACE | CONFIG, 0, -4, false, exits_unseen, "a death may have been missed"},
	{"answered_so_itself", APP, 0, 6, true, answered_so_itself,
	 "three of four failures were answers of the upstream's own"},
	{"upstream_lives", APP, 0, 1.5, false, upstream_lives, "who answered is still there"},
	{"accept_queue_full", OVERLOAD, 0, 6, true, accept_queue_full,
	 "the kernel turned connections away since the service did not take them"},
	{"answers_nobody", OVERLOAD, 0, -6, false, answers_nobody,
	 "much work is answered late, but it is answered; this hangs"},
	{"late_with_many_in_flight", OVERLOAD, 0, 4.5, true, late_with_many_in_flight,
	 "it answers, but later than clients wait, with far more in flight than usual"},
	{"load_high", OVERLOAD, 0, 1.5, false, load_high, "more requests than before the burst"},
	{"pool_in_use", OVERLOAD, 0, 1.5, false, pool_in_use,
	 "all connections to one of its backends were in use"},
	{"stands_at_its_limit", OVERLOAD, 0, -6, false, stands_at_its_limit,
	 "it was slow for want of memory"},
	{"listener_went", OVERLOAD, 0, -5, false, listener_went,
	 "overload does not close the listener"},
	{"address_unreachable", NETWORK, 0, 6, true, address_unreachable,
	 "a router or the own kernel said that there is no way, and no death explains it"},
	{"connects_lost_elsewhere", NETWORK, 0, 5, true, connects_lost_elsewhere,
	 "connects to another host without any answer; its overload would look the same"},
	{"connects_lost_at_open_door", NETWORK, 0, 3.5, true, connects_lost_at_open_door,
	 "its listener is up and not full, so the connects never came"},
	{"service_works_for_others", NETWORK, 0, 1, false, service_works_for_others,
	 "who reaches it is served"},
	{"never_answered", NETWORK, 0, -2.5, false, never_answered,
	 "what never worked is set up wrong rather than broken"},
	{"refused_from_the_first", CONFIG, 0, 6, true, refused_from_the_first,
	 "no answer, no listener and no death was ever seen there"},
	{"refused_beside_a_listener", CONFIG, 0, 5, true, refused_beside_a_listener,
	 "somebody listens on that port, but not where the gateway asks"},
	{"died_unheard", CONFIG, 0, -6, false, died_unheard,
	 "a program died of memory again and again before it listened: it may be who should"},
	{"watched_too_briefly", CONFIG, 0, -2.5, false, watched_too_briefly,
	 "it may have died before anybody watched"},
	{"refused_for_long", CONFIG, 0, 1, false, refused_for_long, "restarts end within a minute"},
	{"no_local_port", LOCAL, 0, 7, true, no_local_port,
	 "the kernel had no local port left to connect from"},
	{"errors_without_trying", LOCAL, 0, 4, true, errors_without_trying,
	 "the gateway made errors of its own and asked no upstream"},
	{"statuses_without_trying", LOCAL, 0, 1.5, true, statuses_without_trying,
	 "it asked no upstream; a rate limit, a maintenance page and a missing route look the "
	 "same"},
	{"head_start", CLASS(VERDICT_UNEXPLAINED), 0, 2, true, always,
	 "a class has to be more likely than not"},
};

struct verdict_rules rules_other(void)
{
	return (struct verdict_rules){rows, sizeof(rows) / sizeof(rows[0])};
}
