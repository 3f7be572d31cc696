/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * gap.h - times in which memswell did not watch: between two runs, while the machine slept, while it
 * did not get to run. One gap is collected record by record and reported on the tick; incidents ask
 * how much of their window lies in gaps.
 *
 * Limits: 8 gaps are remembered, the oldest is forgotten first; a report names 16 services and 8
 * incidents, the counts in it are of all.
 */
#ifndef MEMSWELL_GAP_H
#define MEMSWELL_GAP_H

#include "base/units.h"
#include "model/report.h"

#define GAP_MAX 8

struct gaps {
	struct gap_span {
		uint64_t from_ns;
		uint64_t to_ns;
	} past[GAP_MAX];
	uint32_t nr_past; /* ever; the next one goes to nr_past % GAP_MAX */
	bool is_open;	  /* to be reported on the next tick */
	uint64_t ts_ns;
	uint16_t node;
	struct record_gap gap;
	struct record_gap_service services[REPORT_MAX_GAP_SERVICES];
	uint32_t nr_services;
	struct record_gap_incident incidents[REPORT_MAX_GAP_INCIDENTS];
	uint32_t nr_incidents;
};

/* A gap that ends at `ts_ns`. Services and incidents that follow belong to it. */
void gap_begin(struct gaps *t, uint64_t ts_ns, const struct record_gap *gap);
void gap_add_service(struct gaps *t, const struct record_gap_service *service);
void gap_add_incident(struct gaps *t, const struct record_gap_incident *incident);

/* How much of the time from `from_ns` on was not watched. */
uint64_t gap_unwatched_ns(const struct gaps *t, uint64_t from_ns);

#endif
