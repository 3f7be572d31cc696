/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_task_filter.c - sleeping processes are not told again; those that move are. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "source/task_filter.h"

#define PAGE 4096

static struct wire_task task;
static struct task_told told;

static int a_process_told_of(void **state)
{
	(void)state;
	memset(&task, 0, sizeof(task));
	memset(&told, 0, sizeof(told));
	task.anon_pages = 100000;
	task.file_pages = 5000;
	task.memcg.usage_pages = 200000;
	task.memcg.limit_pages = 300000;
	task.cpu_ns = 1000000000;
	task_told_set(&told, &task);
	task_told_set_vm(&told, &task.vm);
	return 0;
}

static void a_sleeping_process_is_not_told(void **state)
{
	(void)state;
	assert_false(task_moved(&told, &task, true, PAGE));
	task.cpu_ns += 500000000;
	task.swap_pages = 1;
	assert_false(task_moved(&told, &task, false, PAGE));
}

static void cpu_counts_only_for_who_serves(void **state)
{
	(void)state;
	task.cpu_ns += 1000000;
	assert_true(task_moved(&told, &task, true, PAGE));
	assert_false(task_moved(&told, &task, false, PAGE));
}

static void a_step_of_memory_up_or_down_is_told(void **state)
{
	(void)state;
	task.anon_pages += 15;
	assert_false(task_moved(&told, &task, false, PAGE));
	task.anon_pages += 1;
	assert_true(task_moved(&told, &task, false, PAGE));
	task.anon_pages -= 32;
	assert_true(task_moved(&told, &task, false, PAGE));
}

static void one_in_a_hundred_of_little_is_told(void **state)
{
	(void)state;
	told.shmem_pages = 200;
	task.shmem_pages = 201;
	assert_false(task_moved(&told, &task, false, PAGE));
	task.shmem_pages = 202;
	assert_true(task_moved(&told, &task, false, PAGE));
}

static void usage_counts_only_below_a_limit(void **state)
{
	(void)state;
	task.memcg.usage_pages += 256;
	assert_true(task_moved(&told, &task, false, PAGE));
	task.memcg.limit_pages = WIRE_NO_LIMIT;
	told.limit_pages = (uint32_t)WIRE_NO_LIMIT;
	assert_false(task_moved(&told, &task, false, PAGE));
}

static void a_changed_limit_or_break_is_told(void **state)
{
	(void)state;
	task.memcg.limit_pages--;
	assert_true(task_moved(&told, &task, false, PAGE));
	task.memcg.limit_pages++;
	task.brk_bytes += 1;
	assert_true(task_moved(&told, &task, false, PAGE));
}

static void mappings_are_told_by_the_megabyte_or_when_one_fails(void **state)
{
	(void)state;
	task.vm.mapped_bytes = (1 << 20) - 1;
	task.vm.calls[WIRE_VM_MMAP] = 1000;
	assert_false(task_vm_moved(&told, &task.vm));
	task.vm.mapped_bytes++;
	assert_true(task_vm_moved(&told, &task.vm));
	task_told_set_vm(&told, &task.vm);
	assert_false(task_vm_moved(&told, &task.vm));
	task.vm.failures[WIRE_VM_BRK]++;
	assert_true(task_vm_moved(&told, &task.vm));
}

static void counters_beyond_32_bits_are_told_alike(void **state)
{
	(void)state;
	task.cpu_ns = (1ULL << 32) * 1000 - 1000;
	task.anon_pages = 1ULL << 33;
	task.vm.mapped_bytes = (1ULL << 42) - 1024;
	task_told_set(&told, &task);
	task_told_set_vm(&told, &task.vm);
	assert_false(task_moved(&told, &task, true, PAGE));
	task.cpu_ns += 1000000;
	assert_true(task_moved(&told, &task, true, PAGE));
	task.vm.mapped_bytes += 1 << 20;
	assert_true(task_vm_moved(&told, &task.vm));
}

#define TEST(name) cmocka_unit_test_setup(name, a_process_told_of)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_sleeping_process_is_not_told),
		TEST(cpu_counts_only_for_who_serves),
		TEST(a_step_of_memory_up_or_down_is_told),
		TEST(one_in_a_hundred_of_little_is_told),
		TEST(usage_counts_only_below_a_limit),
		TEST(a_changed_limit_or_break_is_told),
		TEST(mappings_are_told_by_the_megabyte_or_when_one_fails),
		TEST(counters_beyond_32_bits_are_told_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
