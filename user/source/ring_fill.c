/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* ring_fill.c - see ring_fill.h. */
#include "source/ring_fill.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int ring_fill_init(struct ring_fill *fill, int map_fd, uint64_t size_bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages;

	memset(fill, 0, sizeof(*fill));
	fill->size_bytes = size_bytes;
	pages = mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, map_fd, 0);
	if (pages == MAP_FAILED)
		return -errno;
	fill->consumer = (const uint64_t *)pages;
	fill->producer = (const uint64_t *)(pages + page);
	return 0;
}

void ring_fill_free(struct ring_fill *fill)
{
	if (fill->consumer)
		munmap((void *)fill->consumer, 2 * (size_t)sysconf(_SC_PAGESIZE));
	fill->consumer = NULL;
}

void ring_fill_look(struct ring_fill *fill)
{
	uint64_t consumed, produced;

	if (!fill->consumer)
		return;
	consumed = __atomic_load_n(fill->consumer, __ATOMIC_ACQUIRE);
	produced = __atomic_load_n(fill->producer, __ATOMIC_ACQUIRE);
	fill->used_bytes = produced - consumed;
	if (fill->used_bytes > fill->peak_bytes)
		fill->peak_bytes = fill->used_bytes;
}
