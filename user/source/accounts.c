/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* accounts.c - see accounts.h. */
#include "source/accounts.h"

#include <stdio.h>
#include <string.h>

#include "source/decode.h"

static const char *const names[NR_ACCOUNTS] = {
	[WIRE_FORK - WIRE_FORK] = "fork",     [WIRE_EXEC - WIRE_FORK] = "exec",
	[WIRE_EXIT - WIRE_FORK] = "exit",     [WIRE_SIGNAL - WIRE_FORK] = "signal",
	[WIRE_OOM - WIRE_FORK] = "oom",	      [WIRE_LISTENER - WIRE_FORK] = "listener",
	[WIRE_V8_OOM - WIRE_FORK] = "v8_oom", [WIRE_RSS - WIRE_FORK] = "rss",
	[WIRE_VM - WIRE_FORK] = "vm",	      [WIRE_ALARM - WIRE_FORK] = "alarm",
	[ACCOUNT_SAMPLES] = "samples",	      [ACCOUNT_RECORDS] = "records",
	[ACCOUNT_OUTPUT] = "output",
};

static bool is_ring(int account)
{
	return account < NR_WIRE_RING_KINDS;
}

enum account account_of_kind(uint32_t wire_kind)
{
	if (wire_kind < WIRE_FORK || wire_kind > WIRE_ALARM)
		return NR_ACCOUNTS;
	return (enum account)(wire_kind - WIRE_FORK);
}

enum account account_named(const char *stream)
{
	int i = 0;

	while (i < NR_ACCOUNTS && strcmp(names[i], stream) != 0)
		i++;
	return (enum account)i;
}

void accounts_produce(struct accounts *accounts, enum account account, uint64_t count)
{
	accounts->all[account].produced += count;
}

void accounts_deliver(struct accounts *accounts, enum account account, uint64_t count)
{
	accounts->all[account].delivered += count;
}

void accounts_lose(struct accounts *accounts, enum account account, const char *reason,
		   uint64_t count, struct losses *losses)
{
	accounts->all[account].lost += count;
	losses_add(losses, names[account], reason, count);
}

static void read_account(const struct accounts *accounts, const struct losses *losses, int account,
			 struct record_stream *out)
{
	const struct stream_counts *counts = &accounts->all[account];

	snprintf(out->stream, sizeof(out->stream), "%s", names[account]);
	out->produced = is_ring(account) ? losses->now.produced[account] : counts->produced;
	out->delivered = counts->delivered;
	out->lost = counts->lost;
	if (is_ring(account))
		out->lost += losses->now.count[WIRE_LOSS_RING_FORK + account];
	out->pending = out->produced - out->delivered - out->lost;
}

uint64_t accounts_in_rings(const struct accounts *accounts, const struct losses *losses)
{
	struct record_stream stream;
	uint64_t sum = 0;

	for (int i = 0; i < NR_WIRE_RING_KINDS; i++) {
		read_account(accounts, losses, i, &stream);
		sum += stream.pending;
	}
	return sum;
}

void accounts_collect(struct accounts *accounts, const struct losses *losses, bool told_any,
		      uint64_t now_ns, struct batch *batch)
{
	struct record record;

	if (!told_any && accounts->told_ns && now_ns - accounts->told_ns < ACCOUNTS_EVERY_NS)
		return;
	accounts->told_ns = now_ns;
	for (int i = 0; i < NR_ACCOUNTS; i++) {
		record_init(&record, RECORD_STREAM, now_ns);
		read_account(accounts, losses, i, &record.stream);
		if (record.stream.produced)
			batch_add(batch, &record);
	}
}
