/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * missed_runs.h - runs that the kernel skipped because the same program was already running on that
 * CPU (an interrupt inside it). Only tracing programs are guarded so, since 6.1; what such a run would
 * have counted is lost, so it is told as a loss.
 */
#ifndef MEMSWELL_MISSED_RUNS_H
#define MEMSWELL_MISSED_RUNS_H

#include <stdint.h>

#include "source/losses.h"

struct bpf_object;

#define MISSED_RUNS_MAX_PROGRAMS 64

struct missed_runs {
	uint64_t told[MISSED_RUNS_MAX_PROGRAMS]; /* by place in the object */
};

/* Add what was skipped since the last call, stream "program", reason its name. */
void missed_runs_collect(struct missed_runs *missed, const struct bpf_object *object,
			 struct losses *losses);

#endif
