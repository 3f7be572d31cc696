/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_self.c - what memswell tells about itself and the machine it runs on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "source/self.h"

static uint64_t meminfo_total_bytes(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long long kib = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "MemTotal: %llu kB", &kib), 1);
	fclose(file);
	return kib * 1024;
}

static void the_header_describes_the_machine(void **state)
{
	struct record record;

	(void)state;
	memset(&record, 0, sizeof(record));
	self_header(&record);
	assert_int_equal(record.header.version, RECORD_FORMAT_VERSION);
	assert_int_equal(record.header.page_bytes, getpagesize());
	assert_int_equal(record.header.memory_bytes, meminfo_total_bytes());
	assert_int_not_equal(record.header.kernel[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_header_describes_the_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
