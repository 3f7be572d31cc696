/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* memory.c - what the core's tables take, from their own sizes. All is taken at once by core_new. */
#include "core/state.h"

#define SIZE(member) sizeof(((struct core *)0)->member)
#define ROW(member, limit)                                                                         \
	{                                                                                          \
#member, limit, SIZE(member)                                                       \
	}

static const struct memory_row rows[] = {
	ROW(procs, PROCTAB_SIZE),     ROW(exes, EXETAB_SIZE),	    ROW(containers, CONTAINER_MAX),
	ROW(growths, GROWTH_MAX),     ROW(deaths, DEATH_MAX),	    ROW(services, SERVICE_MAX),
	ROW(traffics, TRAFFIC_MAX),   ROW(lives, LIVES_SERVICES),   ROW(gateways, GATEWAY_MAX),
	ROW(incidents, INCIDENT_MAX), ROW(told_names, EXETAB_SIZE),
};

#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))
_Static_assert(NR_ROWS < CORE_MEMORY_ROWS, "and one for the rest");

size_t core_memory_ceiling(void)
{
	return sizeof(struct core) + sizeof(struct node);
}

size_t core_memory(struct memory_row out[CORE_MEMORY_ROWS])
{
	for (size_t i = 0; i < NR_ROWS; i++)
		out[i] = rows[i];
	out[NR_ROWS] = (struct memory_row){"reports and state", 0,
					   core_memory_ceiling() - memory_rows_sum(rows, NR_ROWS)};
	return NR_ROWS + 1;
}
