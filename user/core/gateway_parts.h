/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * gateway_parts.h - what the files of the gateway table share among themselves: gateway.c (who),
 * gateway_flow.c (what was seen), gateway_share.c (who is to blame), gateway_infer.c (what could not
 * be seen). Nobody else includes it.
 */
#ifndef MEMSWELL_GATEWAY_PARTS_H
#define MEMSWELL_GATEWAY_PARTS_H

#include <string.h>

#include "core/gateway.h"

/* gateway.c ------------------------------------------------------------------------------------ */

/* The gateway a process works for, remembered in the process; NULL if it has none (yet). */
struct gateway *gateway_known(struct gateways *t, const struct proc *p);
/* The same, made if need be; NULL without room. */
struct gateway *gateway_get(struct gateways *t, struct proctab *procs, struct proc *p);
/* Its upstream with that address, likewise. */
struct upstream *gateway_upstream(struct gateways *t, const struct gateway *g,
				  const struct endpoint *e);

/* gateway_infer.c ------------------------------------------------------------------------------ */

/* A request that was given up, and a client that was told of a timeout, are one. */
void gateway_match_timeouts(struct upstream *u);
/* A turn has passed: what was given up without a word to a client. */
void gateway_settle_given_up(struct gateway *g, struct upstream *u, uint64_t now_ns);
/* What clients that cannot be read were told because of this upstream. */
void gateway_infer_answers(struct gateways *t, struct gateway *g, struct upstream *u);
/* Add the batch to its past, and what that says about its clients. */
void gateway_remember(struct gateways *t, struct gateway *g);
void gateway_fade(struct gateway_past *past, uint64_t elapsed_ns);
bool gateway_is_opaque(const struct gateway *g);

/* Pending -------------------------------------------------------------------------------------- */

static inline uint64_t pending_total(const struct pending *p)
{
	return (uint64_t)p->old + p->fresh;
}

static inline void pending_add(struct pending *p, uint64_t n)
{
	p->fresh = add_u32(p->fresh, n);
}

static inline void pending_take(struct pending *p, uint64_t n)
{
	uint32_t old = (uint32_t)min_u64(n, p->old);

	p->old -= old;
	p->fresh -= (uint32_t)min_u64(n - old, p->fresh);
}

/* A turn has passed: returns what found no counterpart within it. */
static inline uint64_t pending_turn(struct pending *p)
{
	uint32_t expired = p->old;

	p->old = p->fresh;
	p->fresh = 0;
	return expired;
}

static inline void gateway_add_mark(struct flow_mark *to, const struct flow_mark *mark)
{
	to->first_ns = earliest_ns(to->first_ns, mark->first_ns);
	to->last_ns = max_u64(to->last_ns, mark->last_ns);
}

/* Like pending_turn() for the times of what waits. */
static inline struct flow_mark gateway_turn_mark(struct flow_mark *fresh, struct flow_mark *old)
{
	struct flow_mark expired = *old;

	*old = *fresh;
	memset(fresh, 0, sizeof(*fresh));
	return expired;
}

static inline void gateway_add_times(struct impact *now, const struct flow_mark *mark)
{
	now->first_ns = earliest_ns(now->first_ns, mark->first_ns);
	now->last_ns = max_u64(now->last_ns, mark->last_ns);
}

static inline uint64_t gateway_leg_failures(const struct upstream *u)
{
	uint64_t sum = 0;

	for (unsigned int f = 0; f < NR_FLOW_FAILS; f++)
		if (burst_is_leg_fail(f))
			sum += u->now.fail[f];
	return min_u64(sum, UINT32_MAX);
}

/* Without those whose answer had begun: what another attempt can make good. */
static inline uint64_t gateway_retryable(const struct upstream *u)
{
	return since_ns(gateway_leg_failures(u), u->now.truncated);
}

#endif
