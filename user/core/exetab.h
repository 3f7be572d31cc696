/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * exetab.h - paths of executables, each kept once for all processes that run it; and so other texts
 * that many processes share.
 *
 * Limit: 512 different paths at a time; beyond, a path is not kept ("" in the output) and counted
 * in `refused`.
 */
#ifndef MEMSWELL_EXETAB_H
#define MEMSWELL_EXETAB_H

#include <stdint.h>

#define EXETAB_SIZE	512
#define EXETAB_HEADS	256
#define EXETAB_PATH_LEN 256

struct exe {
	char path[EXETAB_PATH_LEN];
	uint64_t hash;
	uint32_t refs;
	uint16_t next;
};

struct exetab {
	struct exe exes[EXETAB_SIZE + 1]; /* 0: unknown, path "" */
	uint16_t heads[EXETAB_HEADS];
	uint16_t free_list;
	uint16_t nr_touched;
	uint64_t refused;
};

/* Index of the path with one more reference; 0 if it is empty or there is no room. */
uint16_t exetab_take(struct exetab *t, const char *path, uint32_t path_size);
void exetab_put(struct exetab *t, uint16_t index);

#endif
