/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_record_file.c - the tap: whole lines, errors that stay, nothing through a link. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "model/record_json.h"
#include "sink/record_file.h"
#include "scratch.h"

static char error[512];

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
	char line[RECORD_LINE_MAX], why[RECORD_ERROR_MAX];
	FILE *file = fopen(scratch_file, "r");
	uint32_t lines = 0;
	struct record r;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		size_t len = strlen(line);

		assert_int_equal(line[len - 1], '\n');
		assert_int_equal(record_json_decode(line, len - 1, &r, why), 0);
		assert_int_equal(r.exec.proc.tgid, ++lines);
	}
	fclose(file);
	return lines;
}

static void holds_whole_lines_at_any_moment(void **state)
{
	struct record_file *file = NULL;

	(void)state;
	assert_int_equal(record_file_open(scratch_file, &file, error, sizeof(error)), 0);
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

/* The file system's limit, as far as it can be had without one: the process's. */
static void limit_files(rlim_t bytes)
{
	const struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void ends_whole_at_its_first_error(void **state)
{
	struct record_file *file = NULL;

	(void)state;
	assert_int_equal(record_file_open(scratch_file, &file, error, sizeof(error)), 0);
	limit_files(10001);
	for (uint32_t i = 1; i <= 2000; i++) {
		struct record r = exec_record(i);

		record_file_write(file, &r);
		if (i % 10 == 0)
			record_file_flush(file);
	}
	limit_files(RLIM_INFINITY);
	assert_int_equal(record_file_error(file), EFBIG);
	/* Room again, but a recording with a hole is none. */
	record_file_write(file, &(struct record){.kind = RECORD_STOP});
	record_file_flush(file);
	record_file_free(file);
	assert_in_range(count_lines(), 50, 1900);
}

static void is_emptied_when_it_is_made_again(void **state)
{
	struct record_file *file = NULL;

	(void)state;
	assert_int_equal(record_file_open(scratch_file, &file, error, sizeof(error)), 0);
	record_file_free(file);
	assert_int_equal(count_lines(), 0);
}

static void refuses_links_and_missing_directories(void **state)
{
	struct record_file *file = NULL;
	char link[80];

	(void)state;
	snprintf(link, sizeof(link), "%s/link", scratch_dir);
	assert_int_equal(symlink(scratch_file, link), 0);
	assert_int_equal(record_file_open(link, &file, error, sizeof(error)), -EPERM);
	unlink(link);
	assert_int_equal(record_file_open("/nonexistent/recording", &file, error, sizeof(error)),
			 -ENOENT);
	assert_null(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_whole_lines_at_any_moment),
		cmocka_unit_test(ends_whole_at_its_first_error),
		cmocka_unit_test(is_emptied_when_it_is_made_again),
		cmocka_unit_test(refuses_links_and_missing_directories),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
