/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * personality.h - what a gateway program tells its clients when a leg to an upstream fails.
 *
 * With default settings, by the name of the program. Used where clients speak TLS or HTTP/2, so
 * that their statuses cannot be seen and must be inferred from the legs; and to tell which of
 * several failures a status that was seen belongs to. It counts nothing.
 *
 * An answer that had begun is never in the table: whatever the gateway, its client has the status
 * already and gets the rest cut off.
 */
#ifndef MEMSWELL_PERSONALITY_H
#define MEMSWELL_PERSONALITY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/record.h"

/* How a leg fails before an answer began. */
enum leg_failure {
	LEG_NONE = 0,
	LEG_REFUSED,
	LEG_UNREACHABLE,     /* no route, no host, or no local port to connect from */
	LEG_RESET,	     /* RST or FIN instead of an answer */
	LEG_RESET_REUSED,    /* likewise, on a connection that had answered before */
	LEG_CONNECT_TIMEOUT, /* also: the accept queue was full */
	LEG_READ_TIMEOUT,
	LEG_NO_LIVE, /* no connect at all: all upstreams are taken out */
	NR_LEG_FAILURES
};

/* Instead of a status: the client's connection is closed without an answer. */
#define PERSONALITY_CLOSES 0

struct personality {
	const char *name;
	const char *comms[4]; /* names of its executable, NULL after the last */
	uint16_t status[NR_LEG_FAILURES];
	uint8_t connects; /* refused ones until it gives up on a request */
	bool known; /* a gateway and nothing else: an error that nobody behind it made is its own */
};

/* By the name of a process; never NULL: a program nobody knows is "generic". */
const struct personality *personality_of(const char *comm);

/* What a failure of a flow in the client role is to a leg; LEG_NONE where it is no failure of one. */
enum leg_failure personality_leg(enum flow_fail fail);

#endif
