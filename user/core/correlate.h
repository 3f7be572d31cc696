/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * correlate.h - whose death explains the failures of an upstream. Deterministic: the process must
 * have stood behind the address, and have died from 30 s before to 2 s after the first failure (or
 * earlier, if nobody has listened there since). Of those in its container that one OOM kill
 * took together the one that had grown most explains it, whether it served anybody or not.
 */
#ifndef MEMSWELL_CORRELATE_H
#define MEMSWELL_CORRELATE_H

#include "core/death.h"
#include "core/proctab.h"
#include "core/service.h"

#define CORRELATE_VICTIMS   8
#define CORRELATE_RECENT_NS (600 * NSEC_PER_SEC)
/* A dying process fails a little before it is gone. */
#define CORRELATE_EARLY_NS (2 * NSEC_PER_SEC)

struct correlation {
	struct service *services[SERVICE_FOUND_MAX]; /* behind the upstream */
	uint32_t nr_services;
	struct death *death;	/* NULL: none explains it */
	struct death *late;	/* NULL: none. Behind the address, but failures had begun before */
	struct death *newest;	/* NULL: none. Behind the address, up to the last failure */
	uint32_t deaths_behind; /* deaths behind the address around the failures */
	uint32_t deaths_10m;	/* bad ends there in the last ten minutes; those together are one */
};

struct correlate_tables {
	struct proctab *procs;
	struct deaths *deaths;
	struct services *services;
};

/* first_ns, last_ns: the failures so far. */
void correlate(const struct correlate_tables *t, const struct endpoint *upstream, uint64_t first_ns,
	       uint64_t last_ns, struct correlation *out);

/* Others that the same OOM kill took; returns their number. */
uint32_t correlate_victims(const struct correlate_tables *t, const struct death *culprit,
			   const struct death *victims[CORRELATE_VICTIMS]);

/* By executable or, where that is not known, by name. */
bool correlate_same_program(const struct proc *a, const struct proc *b);

#endif
