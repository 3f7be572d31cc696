/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pipeline_metrics.h - the part of a live pipeline that serves metrics: it tells the sink what the core
 * tells, and the server when to work. Only pipeline.c includes it.
 */
#ifndef MEMSWELL_PIPELINE_METRICS_H
#define MEMSWELL_PIPELINE_METRICS_H

#include "options.h"

struct pipeline_metrics;

/*
 * Listens from here on. `hup_fd` (-1: none) is watched too, so that one descriptor wakes the loop for both.
 * 0, or -errno with one line in `error`.
 */
int pipeline_metrics_new(const struct options *options, struct core *core, int hup_fd,
			 struct pipeline_metrics **out, char *error, size_t error_size);
void pipeline_metrics_free(struct pipeline_metrics *p);

int pipeline_metrics_fd(const struct pipeline_metrics *p);
int pipeline_metrics_dir_fd(const struct pipeline_metrics *p);

void pipeline_metrics_report(struct pipeline_metrics *p, const struct report *report);
/* The core took in a tick. */
void pipeline_metrics_tick(struct pipeline_metrics *p, uint64_t now_ns);
/* The loop came by: after a batch, or because somebody asks. */
void pipeline_metrics_turn(struct pipeline_metrics *p, bool after_batch);

size_t pipeline_metrics_memory_ceiling(void);

#endif
