/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * syscost.c - what three everyday operations of a process cost right now, in nanoseconds each: a
 * page fault, an mmap+munmap pair, and getppid() as a system call that nobody is interested in.
 * Prints "FAULT MMAP GETPPID" (the fastest of several rounds each, which other load disturbs least).
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 8
#define FAULT_BYTES (16UL << 20)
#define NR_MMAPS 4000
#define NR_CALLS 100000
#define PAGE_BYTES 4096UL

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void *map(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static double fault_ns(void)
{
	volatile char *area = map(FAULT_BYTES);
	double begin;
	double spent;

	if (area == MAP_FAILED)
		return 0;
	madvise((void *)area, FAULT_BYTES, MADV_NOHUGEPAGE);
	begin = now_ns();
	for (size_t at = 0; at < FAULT_BYTES; at += PAGE_BYTES)
		area[at] = 1;
	spent = now_ns() - begin;
	munmap((void *)area, FAULT_BYTES);
	return spent / (double)(FAULT_BYTES / PAGE_BYTES);
}

static double mmap_ns(void)
{
	double begin = now_ns();

	for (int i = 0; i < NR_MMAPS; i++) {
		void *area = map(PAGE_BYTES);

		if (area != MAP_FAILED)
			munmap(area, PAGE_BYTES);
	}
	return (now_ns() - begin) / NR_MMAPS;
}

static double getppid_ns(void)
{
	double begin = now_ns();

	for (int i = 0; i < NR_CALLS; i++)
		syscall(SYS_getppid);
	return (now_ns() - begin) / NR_CALLS;
}

static double fastest(double (*measure)(void))
{
	double best = measure();

	for (int i = 1; i < ROUNDS; i++) {
		double spent = measure();

		if (spent < best)
			best = spent;
	}
	return best;
}

int main(void)
{
	printf("%.2f %.2f %.2f\n", fastest(fault_ns), fastest(mmap_ns), fastest(getppid_ns));
	return 0;
}
