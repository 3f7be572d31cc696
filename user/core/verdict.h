/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verdict.h - from facts about a burst of failures to a class, a cause and a confidence.
 *
 * Each rule is a row of a table: it looks at one fact and adds log-odds to a class or to one cause
 * within it. A hypothesis that no rule speaks for is out; `unexplained` always stands with a small
 * head start, and wins whenever nothing else is more likely than not. Scores are part of the
 * output, so a reader can redo the sum. Pure: facts in, verdict out.
 */
#ifndef MEMSWELL_VERDICT_H
#define MEMSWELL_VERDICT_H

#include "core/growth.h"
#include "model/report.h"

struct verdict_facts {
	/* the death that explains the failures, if there is one */
	bool died;
	bool oom_kill;
	bool oom_confirmed;
	bool v8_oom;
	bool v8_runtime;
	bool v8_watched; /* would have been seen giving up */
	bool managed_heap;
	bool aborted_itself;
	bool killed;	   /* by SIGKILL */
	bool signal_known; /* its generation was seen */
	bool signal_from_kernel;
	int32_t exit_code;
	struct growth_story story;
	/* the failures */
	uint64_t failures;  /* on the upstream legs */
	uint64_t on_reused; /* of them, without answer on a connection that had answered before */
	uint64_t refused;
	uint64_t answers; /* of the upstream in the same time */
	/* who listens there */
	bool service_known;
	bool listener_stayed;
	uint32_t deaths_behind; /* of processes behind the address, around the failures */
	/* what we could not see */
	bool exits_unseen;
	bool signals_unseen;
	bool oom_unseen;
	bool http_unseen;
	uint64_t events_lost;
};

void verdict_decide(const struct verdict_facts *facts, struct report_verdict *out);

#endif
