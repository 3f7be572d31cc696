/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ulid.h - identifiers that sort by time like a ULID but are derived, not drawn: the same records
 * give the same ids.
 */
#ifndef MEMSWELL_ULID_H
#define MEMSWELL_ULID_H

#include <stddef.h>
#include <stdint.h>

#define ULID_LEN 27 /* with its NUL */

struct ulid_seed {
	uint64_t high;
	uint64_t low;
};

void ulid_seed_add(struct ulid_seed *seed, const void *data, size_t size);
void ulid_format(const struct ulid_seed *seed, uint64_t wall_ms, char out[ULID_LEN]);

#endif
