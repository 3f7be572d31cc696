/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * accounts.h - the books of every stream of events, as RECORD_STREAM:
 *
 *	produced = delivered + lost + pending
 *
 * Produced and delivered are counted in different places, lost where it is lost (losses.h tells the
 * reasons). What is left is pending: written to a ring after it was last read, or waiting in a
 * buffer. It can only be small, never negative, and is 0 when the hooks are gone and the rings read.
 *
 *	stream            produced                 delivered               lost
 *	fork ... alarm    kernel, before reserve   decoded                 ring_full, bad_record
 *	samples           handed out by iterator   with a place in a table process_table_full
 *	records           offered to the batch     in a batch              batch_full
 *	output            report lines made        written                 by the sink
 */
#ifndef MEMSWELL_ACCOUNTS_H
#define MEMSWELL_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "source/batch.h"
#include "source/losses.h"
#include "wire.h"

/* Without a loss the books are shown this often; with one at once. */
#define ACCOUNTS_EVERY_NS 10000000000ULL

enum account {
	/* 0 to NR_WIRE_RING_KINDS - 1: what comes through a ring, WIRE_FORK first */
	ACCOUNT_SAMPLES = NR_WIRE_RING_KINDS,
	ACCOUNT_RECORDS,
	ACCOUNT_OUTPUT,
	NR_ACCOUNTS
};

struct accounts {
	struct stream_counts {
		uint64_t produced; /* of ring streams as last read from the kernel */
		uint64_t delivered;
		uint64_t lost; /* of ring streams without what the kernel lost */
	} all[NR_ACCOUNTS];
	uint64_t told_ns; /* 0: never */
};

/* The account of a kind of ring event; NR_ACCOUNTS if it is none. */
enum account account_of_kind(uint32_t wire_kind);

/* The account of a stream by its name, likewise. */
enum account account_named(const char *stream);

void accounts_produce(struct accounts *accounts, enum account account, uint64_t count);
void accounts_deliver(struct accounts *accounts, enum account account, uint64_t count);
/* Lost in user space: also told as a loss of that stream. */
void accounts_lose(struct accounts *accounts, enum account account, const char *reason,
		   uint64_t count, struct losses *losses);

/* Events in the rings, by the kernel's counters as `losses` last read them. */
uint64_t accounts_in_rings(const struct accounts *accounts, const struct losses *losses);

/* After losses_collect, whose `told_any` says whether something was lost. */
void accounts_collect(struct accounts *accounts, const struct losses *losses, bool told_any,
		      uint64_t now_ns, struct batch *batch);

#endif
