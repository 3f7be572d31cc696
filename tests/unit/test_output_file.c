/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_output_file.c - a file that is appended to: what is refused, how a torn end is repaired, that
 * rotating splits and loses no line, and what happens when that fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/output_file.h"

static char dir[] = "/tmp/memswell-test-XXXXXX";
static char error[512];

static const char *in_dir(const char *name)
{
	static char paths[4][256];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, 256, "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *text)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static const char *get(const char *name)
{
	static char text[1 << 20];
	int fd = open(in_dir(name), O_RDONLY);
	ssize_t len;

	if (fd < 0)
		return NULL;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(len >= 0);
	text[len] = '\0';
	return text;
}

static int empty_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s/*", dir);
	return system(command);
}

static int make_dir(void **state)
{
	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	return empty_dir(state) || rmdir(dir);
}

static int try_open(const char *path, uint64_t max_bytes, uint32_t keep, struct output_file **out,
		    uint64_t *torn)
{
	const struct output_file_options options = {.max_bytes = max_bytes, .keep = keep};

	*error = '\0';
	return output_file_open(path, &options, out, torn, error, sizeof(error));
}

static struct output_file *open_file(uint64_t max_bytes, uint32_t keep)
{
	struct output_file *file = NULL;
	uint64_t torn;

	assert_int_equal(try_open(in_dir("out"), max_bytes, keep, &file, &torn), 0);
	return file;
}

static void write_all(struct output_file *file, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = output_file_write(file, text, len);

		assert_true(n > 0);
		text += n;
		len -= (size_t)n;
	}
}

static void refuse(const char *path, const char *why)
{
	struct output_file *file = NULL;
	uint64_t torn;

	assert_true(try_open(path, 0, 0, &file, &torn) < 0);
	assert_null(file);
	if (!strstr(error, why))
		fail_msg("'%s' does not say '%s'", error, why);
}

static void appends_and_is_made_for_owner_and_group(void **state)
{
	struct output_file *file = open_file(0, 0);
	struct stat st;

	(void)state;
	write_all(file, "{1}\n");
	output_file_free(file);
	file = open_file(0, 0);
	write_all(file, "{2}\n");
	output_file_free(file);
	assert_string_equal(get("out"), "{1}\n{2}\n");
	assert_int_equal(stat(in_dir("out"), &st), 0);
	assert_int_equal(st.st_mode & 07777 & ~0640, 0);
}

static void refuses_what_is_not_ours_alone(void **state)
{
	(void)state;
	put("target", "{1}\n");
	assert_int_equal(symlink("target", in_dir("link")), 0);
	refuse(in_dir("link"), "symbolic link");
	assert_int_equal(symlink("nowhere", in_dir("dangling")), 0);
	refuse(in_dir("dangling"), "symbolic link");
	assert_int_not_equal(access(in_dir("nowhere"), F_OK), 0);
	assert_int_equal(link(in_dir("target"), in_dir("second")), 0);
	refuse(in_dir("target"), "hard links");
	assert_int_equal(unlink(in_dir("second")), 0);
	assert_int_equal(chmod(in_dir("target"), 0660), 0);
	refuse(in_dir("target"), "group or others");
	assert_int_equal(chmod(in_dir("target"), 0640), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(in_dir("target"), 65534, 65534), 0);
		refuse(in_dir("target"), "another user");
		assert_int_equal(chown(in_dir("target"), 0, 0), 0);
	}
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	refuse(in_dir("fifo"), "no regular file");
	refuse("/dev/null", "no regular file");
	refuse(dir, "no regular file");
	refuse("/tmp/", "name of a file");
	refuse("", "name of a file");
	refuse("/tmp/..", "name of a file");
	refuse("/nonexistent/file", "No such file");
	refuse(in_dir("target/file"), "Not a directory");
	assert_string_equal(get("target"), "{1}\n");
}

static void two_writers_do_not_meet(void **state)
{
	struct output_file *file = open_file(0, 0);

	(void)state;
	refuse(in_dir("out"), "another process");
	output_file_free(file);
	output_file_free(open_file(0, 0));
}

static void follows_only_links_of_root_and_its_own(void **state)
{
	struct output_file *file = NULL;
	uint64_t torn;

	(void)state;
	assert_int_equal(mkdir(in_dir("real"), 0755), 0);
	assert_int_equal(mkdir(in_dir("mine"), 0755), 0);
	assert_int_equal(symlink("../real", in_dir("mine/link")), 0);
	assert_int_equal(try_open(in_dir("mine/link/./out"), 0, 0, &file, &torn), 0);
	output_file_free(file);
	assert_int_equal(access(in_dir("real/out"), F_OK), 0);
	assert_int_equal(symlink(dir, in_dir("mine/absolute")), 0);
	assert_int_equal(try_open(in_dir("mine/absolute/real/out"), 0, 0, &file, &torn), 0);
	output_file_free(file);

	if (geteuid() == 0) {
		assert_int_equal(lchown(in_dir("mine/link"), 65534, 65534), 0);
		refuse(in_dir("mine/link/out"), "symbolic link of another user's");
		assert_int_equal(lchown(in_dir("mine/absolute"), 65534, 65534), 0);
		refuse(in_dir("mine/absolute/real/out"), "symbolic link of another user's");
	}
	assert_int_equal(symlink("loop", in_dir("loop")), 0);
	refuse(in_dir("loop/out"), "symbolic link");
}

static void a_torn_end_is_cut_off(void **state)
{
	struct output_file *file = NULL;
	uint64_t torn = 0;

	(void)state;
	put("out", "{1}\n{2");
	assert_int_equal(try_open(in_dir("out"), 0, 0, &file, &torn), 0);
	assert_int_equal(torn, 2);
	write_all(file, "{3}\n");
	output_file_free(file);
	assert_string_equal(get("out"), "{1}\n{3}\n");
	put("out", "{torn from the start");
	assert_int_equal(try_open(in_dir("out"), 0, 0, &file, &torn), 0);
	output_file_free(file);
	assert_string_equal(get("out"), "");
}

static void what_is_no_file_of_ours_is_left_alone(void **state)
{
	char *text = malloc(20001);

	(void)state;
	put("out", "root:x:0:0");
	refuse(in_dir("out"), "left alone");
	assert_string_equal(get("out"), "root:x:0:0");
	memset(text, '{', 20000);
	text[20000] = '\0';
	put("out", text);
	refuse(in_dir("out"), "left alone");
	assert_int_equal(strlen(get("out")), 20000);
	free(text);
}

/* Reads out.N ... out.1, out and checks that lines 0, 1, 2 ... stand there whole. */
static int count_rotated(int keep, int first)
{
	int expected = first;

	for (int i = keep; i >= 0; i--) {
		char name[16];
		const char *text;

		snprintf(name, sizeof(name), i ? "out.%d" : "out", i);
		text = get(name);
		assert_true(!text || strlen(text) <= 1000);
		for (const char *at = text; at && *at; expected++) {
			char *end;

			assert_int_equal(*at, '{');
			assert_int_equal(strtol(at + 1, &end, 10), expected);
			assert_int_equal(strncmp(end, "}\n", 2), 0);
			at = end + 2;
		}
	}
	return expected;
}

/* As the sink does it: a chunk ends in the middle of a line. */
static void write_chunks(struct output_file *file, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = output_file_write(file, text, len < 1000 ? len : 1000);

		assert_true(n > 0);
		text += n;
		len -= (size_t)n;
	}
}

static void rotating_splits_and_loses_no_line(void **state)
{
	struct output_file *file = open_file(1000, 90);
	char lines[4096];
	size_t used = 0;
	int i = 0;

	(void)state;
	for (; i < 5000; i++) {
		if (i % 100 == 50) { /* chunks of a file's size */
			lines[used] = '\0';
			write_chunks(file, used ? lines : "");
			used = 0;
			for (int first = i; i < first + 300; i++)
				used += (size_t)snprintf(lines + used, sizeof(lines) - used,
							 "{%d}\n", i);
			write_chunks(file, lines);
			used = 0;
		}
		used += (size_t)snprintf(lines + used, sizeof(lines) - used, "{%d}\n", i);
		/* Some lines at a time, and now and then more than one file holds. */
		if (used > (size_t)(i % 100 ? 50 : 2500)) {
			write_chunks(file, lines);
			used = 0;
		}
	}
	lines[used] = '\0';
	write_all(file, used ? lines : "");
	output_file_free(file);
	assert_int_equal(count_rotated(90, 0), i);
}

static void the_oldest_go(void **state)
{
	struct output_file *file = open_file(1000, 2);
	char line[32];

	(void)state;
	for (int i = 10000; i < 12000; i++) {
		snprintf(line, sizeof(line), "{%d}\n", i);
		write_all(file, line);
	}
	output_file_free(file);
	assert_null(get("out.3"));
	assert_int_equal(count_rotated(2, (int)strtol(get("out.2") + 1, NULL, 10)), 12000);
}

static void goes_on_where_it_cannot_rotate(void **state)
{
	struct output_file *file = open_file(100, 1);
	char line[64];

	(void)state;
	assert_int_equal(mkdir(in_dir("out.1"), 0755), 0); /* in the way */
	assert_int_equal(mkdir(in_dir("out.1/full"), 0755), 0);
	for (int i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "{%d}\n", i);
		write_all(file, line);
	}
	assert_true(output_file_rotate_error(file) < 0);
	assert_true(strlen(get("out")) > 400);
	assert_int_equal(rmdir(in_dir("out.1/full")), 0);
	assert_int_equal(rmdir(in_dir("out.1")), 0);
	write_all(file, "{100}\n");
	assert_int_equal(output_file_rotate_error(file), 0);
	assert_string_equal(get("out"), "{100}\n");
	output_file_free(file);
}

static void somebody_else_may_rotate(void **state)
{
	struct output_file *file = open_file(0, 0);

	(void)state;
	write_all(file, "{1}\n");
	assert_int_equal(output_file_reopen(file, error, sizeof(error)), 0); /* nothing to do */
	assert_int_equal(rename(in_dir("out"), in_dir("old")), 0);
	write_all(file, "{2}\n{3");
	/* In the middle of a line: it is ended in the old file. */
	assert_int_equal(output_file_reopen(file, error, sizeof(error)), 0);
	write_all(file, "}\n");
	write_all(file, "{4}\n");
	assert_string_equal(get("old"), "{1}\n{2}\n{3}\n");
	assert_string_equal(get("out"), "{4}\n");
	/* What is there instead is looked at like any other. */
	assert_int_equal(rename(in_dir("out"), in_dir("old")), 0);
	assert_int_equal(symlink("elsewhere", in_dir("out")), 0);
	assert_true(output_file_reopen(file, error, sizeof(error)) < 0);
	assert_non_null(strstr(error, "symbolic link"));
	write_all(file, "{5}\n");
	assert_string_equal(get("old"), "{4}\n{5}\n");
	assert_null(get("elsewhere"));
	output_file_free(file);
}

static void a_line_that_does_not_fit_is_ended_later_or_cut(void **state)
{
	struct rlimit limit = {.rlim_cur = 10, .rlim_max = RLIM_INFINITY};
	struct output_file *file = open_file(0, 0);

	(void)state;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(output_file_write(file, "{1}\n{22222}\n", 12), 10);
	assert_int_equal(output_file_write(file, "}\n", 2), -EFBIG);
	assert_int_equal(output_file_write(file, "}\n", 2), -EFBIG);
	limit.rlim_cur = 15;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(output_file_write(file, "}\n", 2), 2);
	assert_int_equal(output_file_write(file, "{33}\n", 5), 3);
	limit.rlim_cur = RLIM_INFINITY;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(output_file_cut(file), 0);
	output_file_free(file);
	assert_string_equal(get("out"), "{1}\n{22222}\n");
}

#define CASE(function) cmocka_unit_test_setup(function, empty_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(appends_and_is_made_for_owner_and_group),
		CASE(refuses_what_is_not_ours_alone),
		CASE(two_writers_do_not_meet),
		CASE(follows_only_links_of_root_and_its_own),
		CASE(a_torn_end_is_cut_off),
		CASE(what_is_no_file_of_ours_is_left_alone),
		CASE(rotating_splits_and_loses_no_line),
		CASE(the_oldest_go),
		CASE(goes_on_where_it_cannot_rotate),
		CASE(somebody_else_may_rotate),
		CASE(a_line_that_does_not_fit_is_ended_later_or_cut),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
