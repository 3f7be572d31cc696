/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * load.h - how many requests per second a gateway takes, compared with what is usual for it.
 *
 * A mean of five seconds against a slow average of all before them; the busiest such mean of the
 * last half minute counts, since what a surge breaks shows seconds later, when requests time out.
 * What the gateway answers at once by itself is no load and must not be added: clients that repeat
 * refused requests make thousands of those. O(1) memory and time.
 */
#ifndef MEMSWELL_LOAD_H
#define MEMSWELL_LOAD_H

#include "base/units.h"

#define LOAD_SECONDS 5

struct load {
	uint32_t ring[LOAD_SECONDS]; /* requests per second, the newest one unfinished */
	uint64_t second;	     /* of the newest slot */
	double usual;
	uint64_t finished; /* seconds that left the ring, the first ones empty */
	double busiest;
	uint64_t busiest_second;
};

void load_add(struct load *l, uint64_t now_ns, uint64_t requests);

/* Busiest to usual; 0: unknown, within the first half minute or with next to no traffic. */
double load_to_usual(const struct load *l, uint64_t now_ns);

#endif
