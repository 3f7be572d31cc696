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

/* What does not fit any more is dropped and counted: the source reports it as a loss. */
#define BATCH_MAX_BYTES	  (4U << 20)
#define BATCH_MAX_ENTRIES (1U << 17) /* 32 bytes each, as births and deaths have when packed */

struct batch_entry {
	uint64_t ts_ns;
	uint32_t offset;
	uint16_t size;
	uint16_t kind;
};

struct batch {
	uint8_t *data;
	uint32_t used;
	uint32_t size;
	struct batch_entry *entries;
	uint32_t nr;
	uint32_t capacity;
	uint64_t offered; /* since the last batch_take_counts */
	uint64_t dropped;
};

/* The record must have begun with record_init. */
void batch_add(struct batch *batch, const struct record *record);

/* How many records came since the last call, and how many of them were dropped. */
void batch_take_counts(struct batch *batch, uint64_t *offered, uint64_t *dropped);

/* Newest time in the batch, 0 if it is empty. */
uint64_t batch_last_ns(const struct batch *batch);

/* Hand all records to `fn`, oldest first, equal times in the order they came; then forget them. */
void batch_emit(struct batch *batch, record_fn fn, void *arg);

void batch_free(struct batch *batch);

/* Bytes a batch never exceeds, those for sorting it included. */
size_t batch_memory_ceiling(void);

#endif
