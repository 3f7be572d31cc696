/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* task_filter.c - see task_filter.h. */
#include "source/task_filter.h"

#define MEMORY_STEP_BYTES (64U << 10)
#define USAGE_STEP_BYTES  (1U << 20)
#define VM_STEP_KIB	  (1U << 10)
#define CPU_STEP_US	  1000U
#define NS_PER_US	  1000U

static uint32_t low(uint64_t value)
{
	return (uint32_t)value;
}

/* By at least `step`, or by one in a hundred. */
static bool moved(uint32_t last, uint64_t value, uint64_t step)
{
	uint32_t now = low(value);
	uint32_t change = now > last ? now - last : last - now;

	return change && (change >= step || change >= last / 100);
}

static uint32_t vm_failures(const struct wire_vm_counters *vm)
{
	uint64_t sum = 0;

	for (int call = 0; call < NR_WIRE_VM_CALLS; call++)
		sum += vm->failures[call];
	return low(sum);
}

static uint32_t kib(uint64_t bytes)
{
	return low(bytes >> 10);
}

static uint32_t cpu_us(const struct wire_task *task)
{
	return low(task->cpu_ns / NS_PER_US);
}

bool task_moved(const struct task_told *told, const struct wire_task *now, bool serves,
		uint32_t page_bytes)
{
	uint64_t step = MEMORY_STEP_BYTES / page_bytes;

	if (moved(told->anon_pages, now->anon_pages, step) ||
	    moved(told->file_pages, now->file_pages, step) ||
	    moved(told->shmem_pages, now->shmem_pages, step))
		return true;
	if (told->brk_bytes != low(now->brk_bytes) ||
	    told->limit_pages != low(now->memcg.limit_pages))
		return true;
	/* Usage matters on the way to a limit; else one busy cgroup wakes all its processes. */
	if (now->memcg.limit_pages != WIRE_NO_LIMIT &&
	    moved(told->usage_pages, now->memcg.usage_pages, USAGE_STEP_BYTES / page_bytes))
		return true;
	return serves && cpu_us(now) - told->cpu_us >= CPU_STEP_US;
}

bool task_vm_moved(const struct task_told *told, const struct wire_vm_counters *now)
{
	return kib(now->mapped_bytes) - told->mapped_kib >= VM_STEP_KIB ||
	       kib(now->unmapped_bytes) - told->unmapped_kib >= VM_STEP_KIB ||
	       vm_failures(now) != told->vm_failures;
}

void task_told_set(struct task_told *told, const struct wire_task *now)
{
	told->anon_pages = low(now->anon_pages);
	told->file_pages = low(now->file_pages);
	told->shmem_pages = low(now->shmem_pages);
	told->brk_bytes = low(now->brk_bytes);
	told->limit_pages = low(now->memcg.limit_pages);
	told->usage_pages = low(now->memcg.usage_pages);
	told->cpu_us = cpu_us(now);
}

void task_told_set_vm(struct task_told *told, const struct wire_vm_counters *now)
{
	told->mapped_kib = kib(now->mapped_bytes);
	told->unmapped_kib = kib(now->unmapped_bytes);
	told->vm_failures = vm_failures(now);
}
