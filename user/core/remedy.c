/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* remedy.c - see remedy.h. */
#include "core/remedy.h"

#include "base/units.h"

#define LIMIT_STEP_BYTES  (16 * MIB)
#define PEAK_SHARE	  0.7
#define BESIDE_HEAP_BYTES (100 * MIB)
#define HEAP_SHARE	  0.75
#define RESTART_SHARE	  0.8
#define RECYCLE_SHARE	  0.7
#define BODIES_SHARE	  0.75
#define MIN_BODY_BYTES	  (16 * KIB)
#define MIN_HEAP_MIB	  16
#define MAX_SANE_BYTES	  (1ULL << 50)
#define MAX_POOL	  10000
#define SLOWER_BACKEND	  1.2

uint64_t remedy_limit_bytes(uint64_t peak_bytes, uint64_t heap_bytes)
{
	uint64_t bytes = u64_of((double)peak_bytes / PEAK_SHARE);

	if (!peak_bytes || peak_bytes > MAX_SANE_BYTES || heap_bytes > MAX_SANE_BYTES)
		return 0;
	if (heap_bytes)
		bytes = max_u64(bytes, heap_bytes + BESIDE_HEAP_BYTES);
	return (bytes + LIMIT_STEP_BYTES - 1) / LIMIT_STEP_BYTES * LIMIT_STEP_BYTES;
}

uint64_t remedy_heap_mib(uint64_t limit_bytes)
{
	uint64_t mib = u64_of((double)limit_bytes * HEAP_SHARE) / MIB;

	return mib >= MIN_HEAP_MIB && limit_bytes <= MAX_SANE_BYTES ? mib : 0;
}

uint64_t remedy_restart_mib(uint64_t ceiling_bytes)
{
	return ceiling_bytes <= MAX_SANE_BYTES ? u64_of((double)ceiling_bytes * RESTART_SHARE) / MIB
					       : 0;
}

bool remedy_poll_in_time(double slope_bytes_per_s, uint64_t ceiling_bytes)
{
	return slope_bytes_per_s * REMEDY_PM2_POLL_S < (1 - RESTART_SHARE) * (double)ceiling_bytes;
}

double remedy_seconds_left(double slope_bytes_per_s, uint64_t ceiling_bytes, uint64_t used_bytes)
{
	if (!(slope_bytes_per_s > 0))
		return 0;
	return (double)since_ns(ceiling_bytes, used_bytes) / slope_bytes_per_s;
}

/* One significant digit less: 1234 is 1200. */
static uint64_t round_down(uint64_t n)
{
	uint64_t unit = 1;

	while (n / unit >= 100)
		unit *= 10;
	return n / unit * unit;
}

uint64_t remedy_max_requests(uint64_t ceiling_bytes, uint64_t baseline_bytes,
			     double bytes_per_request)
{
	double room = (double)ceiling_bytes * RECYCLE_SHARE - (double)baseline_bytes;

	if (!(bytes_per_request >= 1) || !(room > bytes_per_request) || !baseline_bytes)
		return 0;
	return round_down(u64_of(room / bytes_per_request));
}

static double body_room(const struct remedy_body *in)
{
	if (!in->baseline_bytes || in->ceiling_bytes > MAX_SANE_BYTES)
		return 0;
	return (double)since_ns(in->ceiling_bytes, in->baseline_bytes);
}

uint64_t remedy_bodies_at_once(const struct remedy_body *in)
{
	double taken = in->amplification * (double)in->largest_bytes;

	if (!(taken > 0))
		return 0;
	return max_u64(in->in_flight_peak, add_u64(u64_of(body_room(in) / taken), 1));
}

uint64_t remedy_body_bytes(const struct remedy_body *in)
{
	uint64_t at_once = remedy_bodies_at_once(in);
	uint64_t bytes;

	if (!at_once)
		return 0;
	bytes = u64_of(body_room(in) * BODIES_SHARE / in->amplification / (double)at_once);
	if (bytes >= MIB)
		return bytes / MIB * MIB;
	return bytes >= MIN_BODY_BYTES ? bytes / MIN_BODY_BYTES * MIN_BODY_BYTES : 0;
}

uint32_t remedy_pool_size(double usual_in_flight, double latency_ratio, uint32_t connections)
{
	uint64_t needed;

	if (!(latency_ratio >= SLOWER_BACKEND) || !(usual_in_flight >= 1))
		return 0;
	needed = u64_of(usual_in_flight * latency_ratio + 0.999);
	return needed > connections && needed <= MAX_POOL ? (uint32_t)needed : 0;
}
