/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * gateway_share.h - which upstream a gateway's bad answer is put down to.
 *
 * Requests are not followed from leg to leg, so it is decided by sums of a batch:
 *   - what an upstream answered itself is passed on, and not the gateway's;
 *   - the rest belongs to upstreams whose legs failed in the way that makes this gateway give that
 *     status; else to those that failed in another way; else to those that failed within the last
 *     ten seconds, because gateways take them out and answer without asking;
 *   - an error nobody is to blame for is the gateway's own, in its pseudo-upstream;
 *   - where clients cannot be read, what they were told is inferred from the legs.
 * The shares of one answer add up to one. It is not decided here whether failures are many.
 */
#ifndef MEMSWELL_GATEWAY_SHARE_H
#define MEMSWELL_GATEWAY_SHARE_H

#include "core/gateway.h"

/* Complete upstream.now of all upstreams of the gateway, from what the batch brought. */
void gateway_share(struct gateways *t, struct gateway *g, uint64_t now_ns);

#endif
