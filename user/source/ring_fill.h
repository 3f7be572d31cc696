/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* ring_fill.h - how full a BPF ring buffer is, from the two positions that the kernel maps. */
#ifndef MEMSWELL_RING_FILL_H
#define MEMSWELL_RING_FILL_H

#include <stdint.h>

struct ring_fill {
	const uint64_t *consumer; /* mapped, a page each; NULL: unknown */
	const uint64_t *producer;
	uint64_t size_bytes;
	uint64_t used_bytes; /* at the last look */
	uint64_t peak_bytes; /* largest of those */
};

/* 0 or -errno. */
int ring_fill_init(struct ring_fill *fill, int map_fd, uint64_t size_bytes);
void ring_fill_free(struct ring_fill *fill);

/* Look; before the ring is drained, that is. */
void ring_fill_look(struct ring_fill *fill);

#endif
