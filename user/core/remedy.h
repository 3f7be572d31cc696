/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * remedy.h - the numbers in the advice: limits, thresholds, sizes, computed from what was measured.
 * Each is 0 where too little is known for it; then the advice goes without the number. Pure
 * arithmetic; which advice is given is up to actions.c.
 */
#ifndef MEMSWELL_REMEDY_H
#define MEMSWELL_REMEDY_H

#include <stdbool.h>
#include <stdint.h>

/* How often pm2 looks at the memory of its processes (WORKER_INTERVAL). */
#define REMEDY_PM2_POLL_S 30

/*
 * A limit that leaves room: the peak is 70 % of it, and a whole managed heap (heap_bytes, 0 none)
 * fits with what lies beside it. A multiple of 16 MiB.
 */
uint64_t remedy_limit_bytes(uint64_t peak_bytes, uint64_t heap_bytes);

/* The heap limit for a memory limit, in MiB: 75 % of it; the rest is code, stacks and buffers. */
uint64_t remedy_heap_mib(uint64_t limit_bytes);

/* Where a supervisor should restart it: 80 % of the ceiling, in whole MiB. */
uint64_t remedy_restart_mib(uint64_t ceiling_bytes);

/* Does a leak stay below its ceiling between two looks of pm2, from that threshold on? */
bool remedy_poll_in_time(double slope_bytes_per_s, uint64_t ceiling_bytes);

/* Seconds from `used` to the ceiling. */
double remedy_seconds_left(double slope_bytes_per_s, uint64_t ceiling_bytes, uint64_t used_bytes);

/* Requests a process may serve before it is recycled, to stay below its ceiling. */
uint64_t remedy_max_requests(uint64_t ceiling_bytes, uint64_t baseline_bytes,
			     double bytes_per_request);

struct remedy_body {
	uint64_t ceiling_bytes;
	uint64_t baseline_bytes; /* of the process without such requests */
	double amplification;	 /* memory per byte received */
	uint64_t largest_bytes;	 /* that came */
	uint64_t in_flight_peak; /* 0 unknown */
};

/*
 * How many large bodies were held at once: as many as requests waited, and so many that the largest
 * one fills the room.
 */
uint64_t remedy_bodies_at_once(const struct remedy_body *in);

/* The body of which so many leave a quarter of the room free, rounded down to what people write. */
uint64_t remedy_body_bytes(const struct remedy_body *in);

/*
 * Connections for the load, by Little's law: what is in flight grows with the time each takes. 0 if
 * those there are would do.
 */
uint32_t remedy_pool_size(double usual_in_flight, double latency_ratio, uint32_t connections);

#endif
