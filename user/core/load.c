/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* load.c - see load.h. */
#include "core/load.h"

#include <math.h>
#include <string.h>

#define MEMORY_S     300.0
#define MIN_LEARNT_S 30
#define BUSIEST_S    30
#define MIN_USUAL    0.5

static uint32_t *slot(struct load *l, uint64_t second)
{
	return &l->ring[second % LOAD_SECONDS];
}

/* While little is known it is a plain mean. */
static void learn(struct load *l, double requests)
{
	if (++l->finished <= LOAD_SECONDS)
		return;
	l->usual += (requests - l->usual) / fmin((double)(l->finished - LOAD_SECONDS), MEMORY_S);
}

/* A second is over; what leaves the ring is past. */
static void finish_second(struct load *l)
{
	double sum = 0;

	for (int i = 0; i < LOAD_SECONDS; i++)
		sum += l->ring[i];
	if (sum / LOAD_SECONDS >= l->busiest || l->second - l->busiest_second > BUSIEST_S) {
		l->busiest = sum / LOAD_SECONDS;
		l->busiest_second = l->second;
	}
	l->second++;
	learn(l, *slot(l, l->second));
	*slot(l, l->second) = 0;
}

/* Silence of any length: the ring is empty, and the average has forgotten as much of the past. */
static void skip(struct load *l, uint64_t second)
{
	uint64_t gap = second - l->second;

	l->usual *= exp(-(double)gap / MEMORY_S);
	l->finished = add_u64(l->finished, gap);
	l->busiest = 0;
	l->second = second;
}

void load_add(struct load *l, uint64_t now_ns, uint64_t requests)
{
	uint64_t second = now_ns / NSEC_PER_SEC;

	if (!l->second)
		l->second = second;
	for (int i = 0; i < 2 * BUSIEST_S && l->second < second; i++)
		finish_second(l);
	if (l->second < second)
		skip(l, second);
	*slot(l, l->second) = add_u32(*slot(l, l->second), requests);
}

double load_to_usual(const struct load *l, uint64_t now_ns)
{
	struct load now = *l;

	load_add(&now, now_ns, 0);
	if (now.finished < LOAD_SECONDS + MIN_LEARNT_S || now.usual < MIN_USUAL)
		return 0;
	return now.busiest / now.usual;
}
