/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* losses.c - see losses.h. */
#include "source/losses.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "source/decode.h"

static const struct {
	const char *stream;
	const char *reason;
} names[] = {
	[WIRE_LOSS_RING_FORK] = {"fork", "ring_full"},
	[WIRE_LOSS_RING_EXEC] = {"exec", "ring_full"},
	[WIRE_LOSS_RING_EXIT] = {"exit", "ring_full"},
	[WIRE_LOSS_RING_SIGNAL] = {"signal", "ring_full"},
	[WIRE_LOSS_RING_OOM] = {"oom", "ring_full"},
	[WIRE_LOSS_RING_LISTENER] = {"listener", "ring_full"},
	[WIRE_LOSS_RING_V8_OOM] = {"v8_oom", "ring_full"},
	[WIRE_LOSS_RING_RSS] = {"rss", "ring_full"},
	[WIRE_LOSS_RING_VM] = {"vm", "ring_full"},
	[WIRE_LOSS_RING_ALARM] = {"alarm", "ring_full"},
	[WIRE_LOSS_FLOW_TABLE] = {"flow_table", "full"},
	[WIRE_LOSS_SOCKET_STORAGE] = {"socket_storage", "no_memory"},
	[WIRE_LOSS_TASK_STORAGE] = {"task_storage", "no_memory_or_busy"},
	[WIRE_LOSS_RECLAIM_TABLE] = {"reclaim_table", "full"},
	[WIRE_LOSS_BACKEND_TABLE] = {"backend_table", "full"},
};
_Static_assert(sizeof(names) / sizeof(names[0]) == NR_WIRE_LOSSES, "a name for every loss");

static size_t mapped_bytes(const struct losses *losses)
{
	return losses->nr_cpus * sizeof(*losses->rows);
}

int losses_init(struct losses *losses, int map_fd, uint32_t nr_cpus)
{
	void *rows;

	memset(losses, 0, sizeof(*losses));
	losses->nr_cpus = nr_cpus;
	rows = mmap(NULL, mapped_bytes(losses), PROT_READ, MAP_SHARED, map_fd, 0);
	if (rows == MAP_FAILED)
		return -errno;
	losses->rows = rows;
	return 0;
}

void losses_free(struct losses *losses)
{
	if (losses->rows)
		munmap((void *)losses->rows, mapped_bytes(losses));
	losses->rows = NULL;
}

void losses_add(struct losses *losses, const char *stream, const char *reason, uint64_t count)
{
	struct loss_pending *pending = losses->pending;
	uint32_t i;

	if (!count)
		return;
	for (i = 0; i < losses->nr_pending; i++)
		if (!strcmp(pending[i].stream, stream) && !strcmp(pending[i].reason, reason))
			break;
	if (i == LOSSES_MAX_PENDING) {
		i--;
	} else if (i == losses->nr_pending) {
		losses->nr_pending++;
		snprintf(pending[i].stream, sizeof(pending[i].stream), "%s", stream);
		snprintf(pending[i].reason, sizeof(pending[i].reason), "%s", reason);
		pending[i].count = 0;
	}
	pending[i].count += count;
}

static void emit(const char *stream, const char *reason, uint64_t count, uint64_t now_ns,
		 struct batch *batch)
{
	struct record record;

	record_init(&record, RECORD_LOSS, now_ns);
	snprintf(record.loss.stream, sizeof(record.loss.stream), "%s", stream);
	snprintf(record.loss.reason, sizeof(record.loss.reason), "%s", reason);
	record.loss.count = count;
	batch_add(batch, &record);
}

static uint64_t sum_up(const struct losses *losses, size_t offset)
{
	uint64_t total = 0;

	for (uint32_t cpu = 0; cpu < losses->nr_cpus; cpu++)
		total += __atomic_load_n(
			(const uint64_t *)((const char *)&losses->rows[cpu] + offset),
			__ATOMIC_ACQUIRE);
	return total;
}

void losses_read(struct losses *losses)
{
	if (!losses->rows)
		return;
	for (size_t i = 0; i < NR_WIRE_LOSSES; i++)
		losses->now.count[i] =
			sum_up(losses, offsetof(struct wire_losses, count) + i * sizeof(uint64_t));
	for (size_t i = 0; i < NR_WIRE_RING_KINDS; i++)
		losses->now.produced[i] = sum_up(losses, offsetof(struct wire_losses, produced) +
								 i * sizeof(uint64_t));
}

bool losses_collect(struct losses *losses, uint64_t now_ns, struct batch *batch)
{
	bool any = losses->nr_pending > 0;

	for (int i = 0; i < NR_WIRE_LOSSES; i++) {
		uint64_t lost = losses->now.count[i] - losses->told[i];

		if (!lost)
			continue;
		emit(names[i].stream, names[i].reason, lost, now_ns, batch);
		losses->told[i] = losses->now.count[i];
		any = true;
	}
	for (uint32_t i = 0; i < losses->nr_pending; i++)
		emit(losses->pending[i].stream, losses->pending[i].reason, losses->pending[i].count,
		     now_ns, batch);
	losses->nr_pending = 0;
	return any;
}
