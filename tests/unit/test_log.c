/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_log.c - a message is one line that cannot drive a terminal, of its level. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

static int saved_stderr;
static int pipe_fds[2];

static int catch_stderr(void **state)
{
	(void)state;
	if (pipe(pipe_fds) || fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK))
		return -1;
	saved_stderr = dup(STDERR_FILENO);
	dup2(pipe_fds[1], STDERR_FILENO);
	return 0;
}

static int release_stderr(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	log_set_level(LOG_LEVEL_INFO);
	unsetenv("JOURNAL_STREAM");
	log_find_journal();
	return 0;
}

static const char *caught(void)
{
	static char text[8192];
	ssize_t n = read(pipe_fds[0], text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void one_call_is_one_line(void **state)
{
	(void)state;
	log_error("cannot open %s: %d", "x", 7);
	assert_string_equal(caught(), "memswell: error: cannot open x: 7\n");
	log_warn("w");
	assert_string_equal(caught(), "memswell: warn: w\n");
}

static void arguments_cannot_drive_a_terminal(void **state)
{
	(void)state;
	log_error("%s", "a\nmemswell: error: fake\x1B[2J\x7F");
	assert_string_equal(caught(),
			    "memswell: error: a\\x0amemswell: error: fake\\x1b[2J\\x7f\n");
	log_error("%s", "\xC2\x9B"
			"2J \xFF \xC3\xA9");
	assert_string_equal(caught(), "memswell: error: \\xc2\\x9b2J \\xff \xC3\xA9\n");
}

static void levels_filter(void **state)
{
	(void)state;
	log_debug("hidden");
	assert_string_equal(caught(), "");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("shown");
	assert_string_equal(caught(), "memswell: debug: shown\n");
	log_set_level(LOG_LEVEL_ERROR);
	log_info("hidden");
	log_warn("hidden");
	assert_string_equal(caught(), "");
}

static void levels_parse(void **state)
{
	enum log_level level = LOG_LEVEL_WARN;

	(void)state;
	assert_int_equal(log_level_parse("debug", &level), 0);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse("loud", &level), -EINVAL);
	assert_int_equal(log_level_parse("", &level), -EINVAL);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
}

static void the_journal_is_told_levels(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_find_journal();
	log_set_level(LOG_LEVEL_DEBUG);
	log_error("e");
	log_warn("w");
	log_info("i");
	log_debug("d\n<0>forged");
	assert_string_equal(caught(),
			    "<3>memswell: error: e\n<4>memswell: warn: w\n"
			    "<6>memswell: info: i\n<7>memswell: debug: d\\x0a<0>forged\n");
}

static void an_inherited_journal_is_none(void **state)
{
	(void)state;
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_find_journal();
	log_error("e");
	assert_string_equal(caught(), "memswell: error: e\n");
	setenv("JOURNAL_STREAM", "", 1);
	log_find_journal();
	log_error("e");
	assert_string_equal(caught(), "memswell: error: e\n");
}

static void a_huge_message_is_cut(void **state)
{
	char huge[4000];
	size_t len;

	(void)state;
	memset(huge, '\x01', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	log_error("%s", huge);
	len = strlen(caught());
	assert_true(len > 4000 && len < 4200);
}

static void errno_survives(void **state)
{
	(void)state;
	errno = ENOSPC;
	log_error("x");
	assert_int_equal(errno, ENOSPC);
	caught();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, catch_stderr, release_stderr)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_call_is_one_line),
		TEST(arguments_cannot_drive_a_terminal),
		TEST(levels_filter),
		TEST(levels_parse),
		TEST(a_huge_message_is_cut),
		TEST(errno_survives),
		TEST(the_journal_is_told_levels),
		TEST(an_inherited_journal_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
