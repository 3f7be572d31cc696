/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_json_lines.c - whole lines reach slow, full and vanished readers, or are counted. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/output_file.h"
#include "scratch.h"
#include "sink/json_lines.h"

/* Why lines were dropped, as told last. */
static const char *reason;

static const struct record_header header = {.host_name = "host-a"};

static void write_report(struct sink *sink, uint64_t seq)
{
	struct report report = {.kind = REPORT_HEARTBEAT, .seq = seq, .header = &header};

	sink->ops->write(sink, &report);
}

/* Read what is there; count the lines and check that their numbers only grow. */
struct reader {
	char rest[16384];
	size_t len;
	uint64_t lines;
	uint64_t last_seq;
};

static void take_line(struct reader *reader, const char *line)
{
	const char *at = strstr(line, "\"seq\":");
	uint64_t seq;

	assert_int_equal(line[0], '{');
	assert_int_equal(line[strlen(line) - 1], '}');
	assert_non_null(at);
	seq = strtoull(at + 6, NULL, 10);
	assert_true(reader->lines == 0 || seq > reader->last_seq);
	reader->last_seq = seq;
	reader->lines++;
}

static void take_bytes(struct reader *reader, const char *bytes, size_t len)
{
	char *end;

	assert_true(reader->len + len < sizeof(reader->rest));
	memcpy(reader->rest + reader->len, bytes, len);
	reader->len += len;
	while ((end = memchr(reader->rest, '\n', reader->len))) {
		size_t line_len = (size_t)(end - reader->rest) + 1;

		*end = '\0';
		take_line(reader, reader->rest);
		memmove(reader->rest, reader->rest + line_len, reader->len - line_len);
		reader->len -= line_len;
	}
}

static void read_available(struct reader *reader, int fd)
{
	char bytes[4096];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0 ||
	       (n < 0 && errno == ENOTSOCK && (n = read(fd, bytes, sizeof(bytes))) > 0))
		take_bytes(reader, bytes, (size_t)n);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void make_pipe(int fds[2])
{
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
}

static void lines_arrive_at_flush(void **state)
{
	struct reader reader = {0};
	struct sink *sink;
	int fds[2];

	(void)state;
	make_pipe(fds);
	sink = json_lines_new(fds[1], false);
	write_report(sink, 1);
	write_report(sink, 2);
	sink->ops->flush(sink, false);
	read_available(&reader, fds[0]);
	assert_int_equal(reader.lines, 2);
	assert_int_equal(sink->ops->take_dropped(sink, &reason), 0);
	assert_int_equal(sink->ops->error(sink), 0);
	sink->ops->free(sink);
	assert_int_equal(read(fds[0], &reader, 1), 0); /* the sink closed its end */
	close(fds[0]);
}

/* More than pipe and buffer hold: every line arrives whole or is counted, and nothing blocks. */
static void slow_reader(int fds[2])
{
	const uint64_t nr = 6000;
	struct reader reader = {0};
	struct sink *sink = json_lines_new(fds[1], false);
	int flags = fcntl(fds[1], F_GETFL);
	int64_t start_ms = now_ms();
	uint64_t dropped;

	for (uint64_t seq = 0; seq < nr; seq++) {
		write_report(sink, seq);
		sink->ops->flush(sink, false);
	}
	assert_true(now_ms() - start_ms < 5000);
	assert_int_equal(fcntl(fds[1], F_GETFL), flags);
	dropped = sink->ops->take_dropped(sink, &reason);
	assert_true(dropped > 0);
	assert_int_equal(sink->ops->take_dropped(sink, &reason), 0);
	for (int i = 0; i < 1000; i++) {
		read_available(&reader, fds[0]);
		sink->ops->flush(sink, false);
	}
	assert_int_equal(reader.len, 0);
	assert_int_equal(reader.lines + dropped, nr);
	write_report(sink, nr);
	sink->ops->flush(sink, false);
	read_available(&reader, fds[0]);
	assert_int_equal(reader.last_seq, nr);
	sink->ops->free(sink);
	close(fds[0]);
}

static void a_slow_pipe_loses_whole_lines_and_counts_them(void **state)
{
	int fds[2];

	(void)state;
	make_pipe(fds);
	slow_reader(fds);
}

static void a_slow_socket_likewise(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	slow_reader(fds);
}

/* Raw, so that what is read is what was written. Nobody reads for a while, as after Ctrl-S. */
static void a_paused_terminal_likewise(void **state)
{
	struct termios raw = {0};
	int fds[2];

	(void)state;
	cfmakeraw(&raw);
	assert_int_equal(openpty(&fds[0], &fds[1], NULL, &raw, NULL), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	slow_reader(fds);
}

static void a_reader_that_left_is_an_error_for_good(void **state)
{
	struct sink *sink;
	int fds[2];

	(void)state;
	make_pipe(fds);
	sink = json_lines_new(fds[1], false);
	close(fds[0]);
	write_report(sink, 1);
	write_report(sink, 2);
	sink->ops->flush(sink, false);
	assert_int_equal(sink->ops->error(sink), EPIPE);
	assert_int_equal(sink->ops->take_dropped(sink, &reason), 2);
	write_report(sink, 3);
	sink->ops->flush(sink, true);
	assert_int_equal(sink->ops->error(sink), EPIPE);
	assert_int_equal(sink->ops->take_dropped(sink, &reason), 1);
	sink->ops->free(sink);
}

static void the_last_flush_waits_two_seconds_at_most(void **state)
{
	struct sink *sink;
	int64_t start_ms, took_ms;
	uint64_t dropped;
	int fds[2];

	(void)state;
	make_pipe(fds);
	sink = json_lines_new(fds[1], false);
	for (uint64_t seq = 0; seq < 1000; seq++)
		write_report(sink, seq);
	start_ms = now_ms();
	sink->ops->flush(sink, true);
	took_ms = now_ms() - start_ms;
	assert_true(took_ms >= 1900 && took_ms < 4000);
	dropped = sink->ops->take_dropped(sink, &reason);
	assert_true(dropped > 0 && dropped < 1000);
	sink->ops->free(sink);
	close(fds[0]);
}

/* A child reads with pauses and exits with the number of lines, in hundreds. */
static pid_t start_reader(int fds[2])
{
	pid_t pid = fork();
	char bytes[1000];
	unsigned int lines = 0;
	ssize_t n;

	if (pid)
		return pid;
	close(fds[1]);
	while ((n = read(fds[0], bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			lines += bytes[i] == '\n';
		usleep(100);
	}
	_exit((int)(lines / 100));
}

static void lossless_waits_for_the_reader(void **state)
{
	struct sink *sink;
	int fds[2];
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = start_reader(fds);
	assert_true(pid > 0);
	close(fds[0]);
	sink = json_lines_new(fds[1], true);
	for (uint64_t seq = 0; seq < 4000; seq++)
		write_report(sink, seq);
	sink->ops->flush(sink, true);
	assert_int_equal(sink->ops->take_dropped(sink, &reason), 0);
	sink->ops->free(sink);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 40);
}

static void a_full_device_is_an_error(void **state)
{
	struct sink *sink = json_lines_new(open("/dev/full", O_WRONLY | O_CLOEXEC), false);

	(void)state;
	write_report(sink, 1);
	sink->ops->flush(sink, false);
	assert_int_equal(sink->ops->error(sink), ENOSPC);
	sink->ops->free(sink);
}

/* The disk's limit, as far as it can be had without one: the process's. */
static void limit_files(rlim_t bytes)
{
	const struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void read_file(struct reader *reader)
{
	int fd = open(scratch_file, O_RDONLY);

	assert_true(fd >= 0);
	read_available(reader, fd);
	close(fd);
}

/* 5000 reports while 10000 bytes fit; then there is room again. */
static void survive_a_full_disk(struct sink *sink)
{
	struct reader reader = {0};
	uint64_t dropped;

	limit_files(10000);
	for (uint64_t seq = 0; seq < 5000; seq++) {
		write_report(sink, seq);
		if (seq % 100 == 0)
			sink->ops->flush(sink, false);
	}
	assert_int_equal(sink->ops->error(sink), 0);
	dropped = sink->ops->take_dropped(sink, &reason);
	assert_in_range(dropped, 1, 4999);
	assert_string_equal(reason, "write_error");
	limit_files(RLIM_INFINITY);
	sink->ops->flush(sink, false); /* it waits longer than that */
	assert_true(poll(NULL, 0, 2100) == 0);
	sink->ops->flush(sink, false);
	write_report(sink, 5000);
	sink->ops->flush(sink, true);
	assert_int_equal(sink->ops->take_dropped(sink, &reason), 0);
	sink->ops->free(sink);
	read_file(&reader);
	assert_int_equal(reader.len, 0); /* no torn line */
	assert_int_equal(reader.last_seq, 5000);
	assert_int_equal(reader.lines + dropped, 5001);
	unlink(scratch_file);
}

static struct output_file *open_output(void)
{
	const struct output_file_options options = {0};
	struct output_file *file;
	char error[256];
	uint64_t torn;

	assert_int_equal(
		output_file_open(scratch_file, &options, &file, &torn, error, sizeof(error)), 0);
	return file;
}

static void a_full_disk_drops_and_comes_back(void **state)
{
	(void)state;
	survive_a_full_disk(json_lines_new_file(open_output(), false));
	/* A file that the shell opened likewise. */
	survive_a_full_disk(json_lines_new(
		open(scratch_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), false));
}

static void at_the_end_a_full_disk_leaves_whole_lines(void **state)
{
	struct sink *sink = json_lines_new_file(open_output(), false);
	struct reader reader = {0};

	(void)state;
	limit_files(10000);
	for (uint64_t seq = 0; seq < 100; seq++)
		write_report(sink, seq);
	sink->ops->flush(sink, true);
	sink->ops->free(sink);
	limit_files(RLIM_INFINITY);
	read_file(&reader);
	assert_int_equal(reader.len, 0);
	assert_in_range(reader.lines, 1, 99);
	unlink(scratch_file);
}

static void lossless_takes_a_full_disk_for_an_error(void **state)
{
	struct sink *sink = json_lines_new_file(open_output(), true);

	(void)state;
	limit_files(100);
	write_report(sink, 1);
	sink->ops->flush(sink, true);
	limit_files(RLIM_INFINITY);
	assert_int_equal(sink->ops->error(sink), EFBIG);
	sink->ops->free(sink);
}

static int set_up(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return scratch_make(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_arrive_at_flush),
		cmocka_unit_test(a_slow_pipe_loses_whole_lines_and_counts_them),
		cmocka_unit_test(a_slow_socket_likewise),
		cmocka_unit_test(a_paused_terminal_likewise),
		cmocka_unit_test(a_reader_that_left_is_an_error_for_good),
		cmocka_unit_test(the_last_flush_waits_two_seconds_at_most),
		cmocka_unit_test(lossless_waits_for_the_reader),
		cmocka_unit_test(a_full_device_is_an_error),
		cmocka_unit_test(a_full_disk_drops_and_comes_back),
		cmocka_unit_test(at_the_end_a_full_disk_leaves_whole_lines),
		cmocka_unit_test(lossless_takes_a_full_disk_for_an_error),
	};

	return cmocka_run_group_tests(tests, set_up, scratch_remove);
}
