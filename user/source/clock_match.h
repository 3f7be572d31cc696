/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * clock_match.h - how far the clocks of two nodes are apart, from what both of them saw.
 *
 * An answer, or a reset in its place, is one event with two observers: the server that sends it and
 * the client that gets it, a network's delay later. Flows do not tell each of them, but the first and
 * the last of every episode; where traffic pauses or breaks off both sides tell the same ones. Of all
 * differences between such events of one address, those that are no accident are equal.
 *
 * Pure; it knows records, not files. Limit: 256 addresses and kinds per node, 64 edges of each: what
 * comes later is not used.
 */
#ifndef MEMSWELL_CLOCK_MATCH_H
#define MEMSWELL_CLOCK_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/record.h"

#define CLOCK_SERIES 256
#define CLOCK_EDGES  64

enum clock_event { CLOCK_ANSWER = 0, CLOCK_RESET, NR_CLOCK_EVENTS };

/* Episodes of one kind of event at one address, as one of its two sides saw them. */
struct clock_series {
	uint8_t addr[16];
	uint16_t port;
	uint8_t event; /* enum clock_event */
	bool sent;     /* seen by the server */
	uint8_t nr;
	bool open;
	struct flow_mark episode; /* the open one */
	struct flow_mark edges[CLOCK_EDGES];
};

struct clock_events {
	struct clock_series series[CLOCK_SERIES];
	uint32_t nr;
};

/* Take what a flow says; its times are used as they are. Other records are passed over. */
void clock_events_add(struct clock_events *events, const struct record *record);
/* Nothing follows. */
void clock_events_end(struct clock_events *events);

struct clock_offset {
	int64_t offset_ns; /* to be added to the second one's times to have the first one's */
	uint64_t error_ns; /* it is no further off than this, delays of the network included */
	uint32_t nr;	   /* events that agree; 0: nothing can be told */
};

void clock_match(const struct clock_events *first, const struct clock_events *second,
		 struct clock_offset *out);

#endif
