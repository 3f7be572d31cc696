/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * decode.h - bytes of bpf/wire.h become records of model/record.h. Pure: no kernel, no clock.
 *
 * It trusts nothing it is handed: sizes, enum values and strings are checked or made harmless. It
 * does not choose which samples are worth telling (tasks.h) and does not read flow counters
 * (flow_delta.h).
 */
#ifndef MEMSWELL_DECODE_H
#define MEMSWELL_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "model/record.h"
#include "wire.h"

enum decode_result {
	DECODE_RECORD = 0, /* *out holds a record */
	DECODE_NOTHING,	   /* well-formed, but no fact for the core: an alarm, a plain connection */
	DECODE_BAD,	   /* too short, unknown kind or value: *out untouched */
};

/* All zero but for kind and time. Every record starts here, so equal facts are equal bytes. */
void record_init(struct record *record, enum record_kind kind, uint64_t ts_ns);

/* One ring event or iterator record of `size` bytes; longer than this build knows is fine. */
enum decode_result decode_wire(const void *data, size_t size, uint32_t page_bytes,
			       struct record *out);

/* What an iterator sample tells about the process itself: RECORD_PROC, found. */
void decode_found(const struct wire_task *task, struct record *out);

void decode_proc_id(const struct wire_proc *wire, struct proc_id *out);
void decode_endpoint(const struct wire_endpoint *wire, struct endpoint *out);

/* Capped at INT64_MAX, which every JSON reader can hold. */
uint64_t decode_pages(uint64_t pages, uint32_t page_bytes);

/* As decode_pages, with RECORD_NO_LIMIT for the kernel's several ways to say "none". */
uint64_t decode_limit(uint64_t pages, uint32_t page_bytes);

#endif
