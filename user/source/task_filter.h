/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * task_filter.h - which of the samples of all processes are worth a record: those that moved. Pure.
 * A host has thousands of processes and most of them sleep.
 */
#ifndef MEMSWELL_TASK_FILTER_H
#define MEMSWELL_TASK_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

/* What was last told of a process. */
struct task_told {
	uint64_t anon_pages;
	uint64_t file_pages;
	uint64_t shmem_pages;
	uint64_t brk_bytes;
	uint64_t limit_pages;
	uint64_t usage_pages;
	uint64_t cpu_ns;
	uint64_t mapped_bytes;
	uint64_t unmapped_bytes;
	uint64_t vm_failures;
};

/* `serves`: the process has listeners or flows, so its CPU use is of interest too. */
bool task_moved(const struct task_told *told, const struct wire_task *now, bool serves,
		uint32_t page_bytes);

bool task_vm_moved(const struct task_told *told, const struct wire_vm_counters *now);

void task_told_set(struct task_told *told, const struct wire_task *now);
void task_told_set_vm(struct task_told *told, const struct wire_vm_counters *now);

#endif
