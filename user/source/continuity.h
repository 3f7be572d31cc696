/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * continuity.h - was anybody watching? A filter on the live stream that puts RECORD_GAP before the
 * first tick, if an earlier run left a state file, and before a tick that came much too late. It also
 * writes that state for the next run. Everything else passes as it is.
 *
 * Limits: 256 pairs of process and address served, 16 open incidents; more are not remembered.
 */
#ifndef MEMSWELL_CONTINUITY_H
#define MEMSWELL_CONTINUITY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/report.h"
#include "source/source.h"
#include "source/state_file.h"

struct continuity {
	struct state_file *file; /* NULL: nothing is remembered, gaps of this run are still told */
	enum state_found found;
	struct run_state earlier;
	struct run_state now;
	struct reconciled { /* of earlier.served */
		bool is_alive;
		struct proc_id successor;
	} reconciled[RUN_STATE_SERVED];
	bool (*is_alive)(const struct proc_id *proc);
	bool is_settled; /* the gap before this run was told, if there was one */
	uint64_t interval_ns;
	uint64_t suspended_ns; /* as of the last tick */
};

/* `path` NULL: without a state file. 0, or -errno of state_file_open and `c` without one. */
int continuity_open(struct continuity *c, const char *path);
void continuity_close(struct continuity *c);

/* Pass a record on to `fn`, after what belongs before it. */
void continuity_take(struct continuity *c, const struct record *record, record_fn fn, void *arg);

/* A report goes out: the next run shall know how far we came and which incidents were open. */
void continuity_report(struct continuity *c, const struct report *report);

#endif
