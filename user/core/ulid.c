/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* ulid.c - see ulid.h. */
#include "core/ulid.h"

#include "base/units.h"

void ulid_seed_add(struct ulid_seed *seed, const void *data, size_t size)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++) {
		seed->high = hash_u64(seed->high ^ bytes[i]) + 1;
		seed->low = hash_u64(seed->low + seed->high + bytes[i]);
	}
}

void ulid_format(const struct ulid_seed *seed, uint64_t wall_ms, char out[ULID_LEN])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t high = seed->high, low = seed->low;

	/* 48 bits of time in 10 digits, 80 bits of seed in 16: 40 from each half. */
	wall_ms &= (1ULL << 48) - 1;
	for (int i = 9; i >= 0; i--, wall_ms >>= 5)
		out[i] = digits[wall_ms & 31];
	for (int i = 17; i >= 10; i--, high >>= 5)
		out[i] = digits[high & 31];
	for (int i = 25; i >= 18; i--, low >>= 5)
		out[i] = digits[low & 31];
	out[26] = '\0';
}
