/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * core.h - the pure core: a stream of records in, reports out.
 *
 * No I/O, no clock, no logging, no globals, no randomness: the same records and the same options
 * give the same reports. All memory has fixed limits (core_memory_ceiling); what happens at each
 * limit stands beside its table.
 */
#ifndef MEMSWELL_CORE_H
#define MEMSWELL_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory_row.h"
#include "model/overview.h"
#include "model/record.h"
#include "model/report.h"

#define CORE_MAX_GATEWAY_FILTERS 16

/* Which processes count as gateways. Empty: any process that is both HTTP server and client. */
struct gateway_filter {
	char comm[16]; /* "" any */
	uint16_t port; /* listening port towards clients; 0 any */
};

struct core_options {
	struct gateway_filter gateways[CORE_MAX_GATEWAY_FILTERS];
	uint32_t nr_gateways;
	bool include_samples;
	uint32_t nr_nodes; /* whose records come merged; 0 means 1 */
};

struct core;

/* Called in the order of seq; the report and what it points to die with the call. */
typedef void (*core_emit_fn)(void *arg, const struct report *report);

/* NULL when out of memory. All memory is taken here; core_feed never allocates. */
struct core *core_new(const struct core_options *options, core_emit_fn emit, void *arg);
void core_free(struct core *core);

/* Take one record. Any record is safe: an unknown process, endpoint or kind is not an error. */
void core_feed(struct core *core, const struct record *record);

/*
 * Tell how things stand: every living process that serves or is big enough to have a history, and
 * every watched gateway's upstreams. Looking changes nothing: the reports that follow are the same.
 */
void core_overview(struct core *core, const struct overview_sink *sink);

/* Bytes core_new takes for a stream of one node. */
size_t core_memory_ceiling(void);

#define CORE_MEMORY_ROWS 16

/* The same by table; returns the number of rows. Their sum is the ceiling. */
size_t core_memory(struct memory_row out[CORE_MEMORY_ROWS]);

#endif
