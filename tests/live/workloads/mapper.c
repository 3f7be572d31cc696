/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * mapper.c - a known sequence of mmap, munmap, mremap and brk, some of which must fail, then 256 MiB
 * of page faults as fast as they come. It waits a second before and two after, for memswell to
 * know it and to tell.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define MIB	    (1UL << 20)
#define GROW_BYTES  (256 * MIB)
#define LIMIT_BYTES (1024 * MIB)

static char *map(size_t bytes, int prot, int flags)
{
	return mmap(NULL, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static void blocks(void)
{
	for (size_t i = 0; i < 600; i++) {
		size_t bytes = (i % 7 + 1) * 300000;
		char *block = map(bytes, PROT_READ | PROT_WRITE, 0);

		if (i % 3)
			munmap(block, bytes);
	}
}

static void resizes(void)
{
	char *block = map(MIB, PROT_READ | PROT_WRITE, 0);

	for (size_t i = 1; i <= 50; i++)
		block = mremap(block, i * MIB, (i + 1) * MIB, MREMAP_MAYMOVE);
	mremap(block, 51 * MIB, 3 * MIB, MREMAP_MAYMOVE);
	for (int i = 0; i < 20; i++)
		(void)!sbrk(MIB);
	for (int i = 0; i < 7; i++)
		(void)!sbrk(-(long)MIB);
}

/* Reserved first and used later, as managed heaps do. */
static void reservations(void)
{
	char *area = map(40 * MIB, PROT_NONE, MAP_NORESERVE);

	mmap(area, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	mprotect(area, MIB, PROT_READ);
}

static void failures(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = LIMIT_BYTES;
	setrlimit(RLIMIT_AS, &limit);
	for (int i = 0; i < 13; i++)
		map(2 * LIMIT_BYTES, PROT_READ | PROT_WRITE, 0);
	(void)!sbrk(2 * LIMIT_BYTES);
}

static void faults(void)
{
	volatile char *area = map(GROW_BYTES, PROT_READ | PROT_WRITE, 0);

	if (area == MAP_FAILED)
		exit(1);
	for (size_t at = 0; at < GROW_BYTES; at += 4096)
		area[at] = 1;
}

int main(void)
{
	sleep(1);
	blocks();
	resizes();
	reservations();
	failures();
	faults();
	sleep(2);
	return 0;
}
