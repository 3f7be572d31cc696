/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* losses_rig.h - the kernel's counters of a machine with three CPUs, and where losses are collected. */
#ifndef MEMSWELL_TESTS_LOSSES_RIG_H
#define MEMSWELL_TESTS_LOSSES_RIG_H

#include "source/losses.h"

#define NR_CPUS 3

struct losses_rig {
	struct wire_losses rows[NR_CPUS];
	struct losses losses;
	struct batch batch;
};

/* Of one that is all zero. */
static void losses_rig_init(struct losses_rig *rig)
{
	rig->losses.rows = rig->rows;
	rig->losses.nr_cpus = NR_CPUS;
}

#endif
