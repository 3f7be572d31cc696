/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* retention.c - see retention.h. */
#include "core/retention.h"

#include <string.h>

#define THIRDS 3
/* Fewer points make thirds of noise. */
#define MIN_POINTS    9
#define MIN_REQUESTS  60
#define MIN_GROWN_KIB 8192.0
/*
 * What is being filled at random by a factor of e leaves a third of its speed, 70 % of the way up;
 * warming up makes the first third of a leak's life larger, and collectors the steps uneven.
 */
#define DECLINED	0.5
#define DECLINES_STEADY 0.8

static void thin_out(struct retention *r)
{
	for (uint32_t i = 1; 2 * i < r->nr; i++)
		r->points[i] = r->points[2 * i];
	r->nr = (r->nr + 1) / 2;
	r->stride *= 2;
}

void retention_add(struct retention *r, uint64_t requests, uint32_t before_kib, uint32_t anon_kib)
{
	if (!r->nr) {
		r->points[r->nr++] = (struct retention_point){0, before_kib};
		r->stride = 1;
	}
	r->now.requests += requests;
	r->now.anon_kib = anon_kib;
	if (r->now.requests < r->points[r->nr - 1].requests + r->stride)
		return;
	if (r->nr == RETENTION_POINTS)
		thin_out(r);
	r->points[r->nr++] = r->now;
}

/* Memory after that many requests, on the line between the points around it. */
static double memory_at(const struct retention *r, double requests)
{
	const struct retention_point *before = &r->points[0], *after = &r->now;
	double part, span;

	for (uint32_t i = 1; i < r->nr; i++) {
		if ((double)r->points[i].requests >= requests) {
			after = &r->points[i];
			break;
		}
		before = &r->points[i];
	}
	span = (double)after->requests - (double)before->requests;
	part = span > 0 ? (requests - (double)before->requests) / span : 1;
	return before->anon_kib + part * ((double)after->anon_kib - (double)before->anon_kib);
}

void retention_tell(const struct retention *r, struct retention_shape *out)
{
	double third = (double)r->now.requests / THIRDS;
	double at[THIRDS + 1];

	memset(out, 0, sizeof(*out));
	if (r->nr < MIN_POINTS || r->now.requests < MIN_REQUESTS)
		return;
	for (int i = 0; i <= THIRDS; i++)
		at[i] = memory_at(r, third * i);
	/* Where less is there than before something was collected: that is no shape. */
	if (at[THIRDS] - at[0] < MIN_GROWN_KIB || at[1] <= at[0] || at[2] <= at[1] ||
	    at[3] <= at[2])
		return;
	out->known = true;
	out->ratio = (at[3] - at[2]) / (at[1] - at[0]);
	out->declines = out->ratio < DECLINED &&
			at[2] - at[1] < DECLINES_STEADY * (at[1] - at[0]) &&
			at[3] - at[2] < DECLINES_STEADY * (at[2] - at[1]);
}
