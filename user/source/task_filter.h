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
/* One for each process, so in the low 32 bits of everything: only differences are asked for. */
struct task_told {
	uint32_t anon_pages;
	uint32_t file_pages;
	uint32_t shmem_pages;
	uint32_t brk_bytes;
	uint32_t limit_pages;
	uint32_t usage_pages;
	uint32_t cpu_us;
	uint32_t mapped_kib;
	uint32_t unmapped_kib;
	uint32_t vm_failures;
};

/* `serves`: the process has listeners or flows, so its CPU use is of interest too. */
bool task_moved(const struct task_told *told, const struct wire_task *now, bool serves,
		uint32_t page_bytes);

bool task_vm_moved(const struct task_told *told, const struct wire_vm_counters *now);

void task_told_set(struct task_told *told, const struct wire_task *now);
void task_told_set_vm(struct task_told *told, const struct wire_vm_counters *now);

#endif
