/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * batch.h - records between two ticks, in order of time.
 *
 * A struct record is as large as its largest kind; at start there may be three for each of ten
 * thousand processes. So records are stored without the bytes that are 0 and unpacked on the way out.
 */
#ifndef MEMSWELL_BATCH_H
#define MEMSWELL_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "source/source.h"

/*
 * When one more does not fit, all are handed on, if there is somebody to take them (batch_hand_on): a burst
 * only splits into parts. Otherwise it is dropped and counted, and the source reports it as a loss.
 */
#define BATCH_MAX_BYTES	  (1U << 20)
#define BATCH_MAX_ENTRIES (1U << 15)

struct batch {
	uint8_t *data; /* records, packed, each behind its struct head */
	uint32_t used;
	uint32_t size;
	uint32_t *entries; /* where they begin */
	uint32_t nr;
	uint32_t capacity;
	uint64_t last_ns; /* newest time there ever was; 0 none */
	record_fn to;	  /* who takes what there is no room for; NULL nobody */
	void *arg;
	uint64_t offered; /* since the last batch_take_counts */
	uint64_t dropped;
};

/* The record must have begun with record_init. */
void batch_add(struct batch *batch, const struct record *record);

/* How many records came since the last call, and how many of them were dropped. */
void batch_take_counts(struct batch *batch, uint64_t *offered, uint64_t *dropped);

/*
 * From now on a full batch is emitted to `to`; NULL: no longer. What is in the rings at that moment comes
 * later and may be older, as at the end of a batch.
 */
void batch_hand_on(struct batch *batch, record_fn to, void *arg);

/* Hand all records to `fn`, oldest first, equal times in the order they came; then forget them. */
void batch_emit(struct batch *batch, record_fn fn, void *arg);

void batch_free(struct batch *batch);

/* Bytes a batch never exceeds, those for sorting it included. */
size_t batch_memory_ceiling(void);

#endif
