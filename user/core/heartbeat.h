/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * heartbeat.h - what was lost since start, by stream and reason, the books of the streams, and what
 * the agent costs.
 *
 * Limits: 48 different reasons; what does not fit is added to the last row, {"other", "other"}.
 * REPORT_MAX_STREAMS streams; further ones are left out.
 */
#ifndef MEMSWELL_HEARTBEAT_H
#define MEMSWELL_HEARTBEAT_H

#include "base/units.h"
#include "model/report.h"

#define HEARTBEAT_NS	 (10 * NSEC_PER_SEC)
#define HEARTBEAT_LOSSES 48

struct loss_row {
	char stream[sizeof(((struct record_loss *)0)->stream)];
	char reason[sizeof(((struct record_loss *)0)->reason)];
	uint64_t count;
};

struct heartbeat {
	uint64_t first_ns; /* first record */
	uint64_t next_ns;
	uint64_t records;
	uint64_t flows; /* flows that moved in the current batch, and in the newest full one */
	uint64_t batch_flows;
	struct record_self self;
	struct loss_row rows[HEARTBEAT_LOSSES];	     /* sorted by stream, reason */
	struct report_loss losses[HEARTBEAT_LOSSES]; /* the same, as reports want them */
	uint32_t nr_losses;
	struct record_stream streams[REPORT_MAX_STREAMS]; /* in the order they came */
	uint32_t nr_streams;
};

void heartbeat_loss(struct heartbeat *h, const struct record_loss *loss);

/* The books of one stream, instead of older ones. */
void heartbeat_stream(struct heartbeat *h, const struct record_stream *stream);

/* The stream of records ends: if it has books, one more is due, to show them closed. */
void heartbeat_close(struct heartbeat *h);

/* Set, not add, the count of one of the core's own tables. */
void heartbeat_set_loss(struct heartbeat *h, const char *stream, const char *reason,
			uint64_t count);

/* Events the verdicts may miss: all losses but those of our own output. */
uint64_t heartbeat_events_lost(const struct heartbeat *h);

/* Is one due? Then `out` is filled, except for what other tables know. */
bool heartbeat_due(struct heartbeat *h, uint64_t now_ns, struct report_heartbeat *out);

#endif
