/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * losses.h - everything that was lost, from the kernel's counters and from user space, as
 * RECORD_LOSS by stream and reason. It counts; it does not judge.
 */
#ifndef MEMSWELL_LOSSES_H
#define MEMSWELL_LOSSES_H

#include <stdbool.h>
#include <stdint.h>

#include "source/batch.h"
#include "wire.h"

/* Pairs of stream and reason from user space between two ticks; further ones go to the last. */
#define LOSSES_MAX_PENDING 16

struct loss_pending {
	char stream[32];
	char reason[48];
	uint64_t count;
};

struct losses {
	const struct wire_losses *rows; /* mapped, one per CPU */
	uint32_t nr_cpus;
	struct wire_losses now; /* sum of the rows as last read */
	uint64_t told[NR_WIRE_LOSSES];
	struct loss_pending pending[LOSSES_MAX_PENDING];
	uint32_t nr_pending;
};

/* Map the counters. 0 or -errno. */
int losses_init(struct losses *losses, int map_fd, uint32_t nr_cpus);
void losses_free(struct losses *losses);

void losses_add(struct losses *losses, const char *stream, const char *reason, uint64_t count);

/*
 * Read the kernel's counters. What it lost is read before what it produced, so that later never is
 * less than what was lost and what was got before.
 */
void losses_read(struct losses *losses);

/* One record for everything that was lost up to the last read. Whether there was anything. */
bool losses_collect(struct losses *losses, uint64_t now_ns, struct batch *batch);

#endif
