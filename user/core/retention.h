/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * retention.h - does a request late in a life keep as much memory as an early one?
 *
 * A leak keeps as much with each request until its end. What fills - a cache, a pool, a table of
 * everything that exists - keeps less and less, whatever the rate of requests does meanwhile; so the
 * question is asked per request, not per second. Memory is noted at certain numbers of requests,
 * twice as far apart whenever the room is full: a life of any length is some dozen points. Pure; it
 * does not know what requests are, nor whether they are the reason.
 */
#ifndef MEMSWELL_RETENTION_H
#define MEMSWELL_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#define RETENTION_POINTS 24

struct retention_point {
	uint64_t requests; /* so far */
	uint32_t anon_kib;
};

/* Zeroed memory is an empty one. */
struct retention {
	struct retention_point points[RETENTION_POINTS];
	struct retention_point now;
	uint32_t nr;
	uint64_t stride; /* requests from one point to the next, at least */
};

/* Some time went by, with so many requests; memory before and after it. */
void retention_add(struct retention *r, uint64_t requests, uint32_t before_kib, uint32_t anon_kib);

struct retention_shape {
	bool known;    /* enough requests and enough growth */
	bool declines; /* clearly, and from the first third of the requests to the last */
	double ratio;  /* growth in the last third to that in the first */
};

void retention_tell(const struct retention *r, struct retention_shape *out);

#endif
