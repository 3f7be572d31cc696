/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * metrics.h - reports and the present as numbers, for whoever scrapes them: docs/metrics.md.
 *
 * Reports are counted as they come; how things stand (model/overview.h) is told in rounds, by whoever
 * can ask the core, at least every ten seconds and before a scrape. Rendering reads only what is kept
 * here. All memory is bounded (metrics_memory_ceiling); what is left out counts under `other`.
 */
#ifndef MEMSWELL_METRICS_H
#define MEMSWELL_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "model/overview.h"
#include "model/report.h"
#include "sink/metrics_text.h"

/* An answer is never longer: about twice what all rows take with names of usual length. */
#define METRICS_ANSWER_MAX (3U << 20)

struct metrics;

/* NULL when out of memory. */
struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);
size_t metrics_memory_ceiling(void);

void metrics_report(struct metrics *m, const struct report *report);
/* The loop went round, at this time of the boot clock. */
void metrics_tick(struct metrics *m, uint64_t now_ns);

/* A round: between begin and end, what core_overview() tells the sink that begin gives. */
struct overview_sink metrics_look_begin(struct metrics *m, uint64_t now_ns);
void metrics_look_end(struct metrics *m);

/* The whole answer; returns its length. */
size_t metrics_render(struct metrics *m, enum metrics_format format, char *data, size_t size);

#endif
