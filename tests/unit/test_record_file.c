/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_record_file.c - the tap: whole lines, errors that stay, nothing through a link. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "model/record_json.h"
#include "sink/record_file.h"
#include "scratch.h"

static struct record exec_record(uint32_t tgid)
{
	struct record r = {.kind = RECORD_EXEC, .ts_ns = 1000 + tgid};

	r.exec.proc.tgid = tgid;
	snprintf(r.exec.comm, sizeof(r.exec.comm), "worker");
	return r;
}

/* Lines of the file so far; each must end with a newline and decode. */
static uint32_t count_lines(void)
{
	char line[RECORD_LINE_MAX], error[RECORD_ERROR_MAX];
	FILE *file = fopen(scratch_file, "r");
	uint32_t lines = 0;
	struct record r;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		size_t len = strlen(line);

		assert_int_equal(line[len - 1], '\n');
		assert_int_equal(record_json_decode(line, len - 1, &r, error), 0);
		assert_int_equal(r.exec.proc.tgid, ++lines);
	}
	fclose(file);
	return lines;
}

static void holds_whole_lines_at_any_moment(void **state)
{
	struct record_file *file = NULL;

	(void)state;
	assert_int_equal(record_file_open(scratch_file, &file), 0);
	for (uint32_t i = 1; i <= 20000; i++) {
		struct record r = exec_record(i);

		record_file_write(file, &r);
		if (i % 1000 == 0)
			assert_true(count_lines() <= i);
	}
	record_file_flush(file);
	assert_int_equal(count_lines(), 20000);
	assert_int_equal(record_file_error(file), 0);
	record_file_free(file);
}

static void keeps_its_first_error(void **state)
{
	struct record_file *file = NULL;
	struct record r = exec_record(1);

	(void)state;
	assert_int_equal(record_file_open("/dev/full", &file), 0);
	record_file_write(file, &r);
	assert_int_equal(record_file_error(file), 0);
	record_file_flush(file);
	assert_int_equal(record_file_error(file), ENOSPC);
	record_file_write(file, &r);
	record_file_flush(file);
	assert_int_equal(record_file_error(file), ENOSPC);
	record_file_free(file);
}

static void refuses_links_and_missing_directories(void **state)
{
	struct record_file *file = NULL;
	char link[80];

	(void)state;
	snprintf(link, sizeof(link), "%s/link", scratch_dir);
	assert_int_equal(symlink(scratch_file, link), 0);
	assert_int_equal(record_file_open(link, &file), -ELOOP);
	unlink(link);
	assert_int_equal(record_file_open("/nonexistent/recording", &file), -ENOENT);
	assert_null(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_whole_lines_at_any_moment),
		cmocka_unit_test(keeps_its_first_error),
		cmocka_unit_test(refuses_links_and_missing_directories),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
