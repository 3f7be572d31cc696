/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_notify.c - what arrives at a service manager's socket, and what does not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/notify.h"

#define SECOND 1000000000ULL

static char dir[] = "/tmp/memswell-notify.XXXXXX";
static char path[sizeof(dir) + 16];
static int manager = -1;

static void set_watchdog(const char *usec, pid_t pid)
{
	char text[32];

	snprintf(text, sizeof(text), "%d", (int)pid);
	setenv("WATCHDOG_USEC", usec, 1);
	setenv("WATCHDOG_PID", text, 1);
}

static void bind_manager(const struct sockaddr_un *address, size_t path_len)
{
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(manager, (const struct sockaddr *)address,
			      offsetof(struct sockaddr_un, sun_path) + path_len),
			 0);
}

static int set_up(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)state;
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/notify", dir);
	strcpy(address.sun_path, path);
	bind_manager(&address, strlen(path) + 1);
	setenv("NOTIFY_SOCKET", path, 1);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(manager);
	unlink(path);
	return rmdir(dir);
}

static void assert_told(const char *expected)
{
	char message[1024];
	ssize_t len = recv(manager, message, sizeof(message) - 1, 0);

	message[len < 0 ? 0 : len] = '\0';
	assert_string_equal(message, expected);
}

static void without_a_manager_nothing_is_said(void **state)
{
	struct notify n;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_open(&n, SECOND), 0);
	assert_false(notify_send(&n, "READY=1\n"));
	assert_false(notify_is_due(&n, UINT64_MAX));
	notify_alive(&n, 1, "well");
	notify_close(&n);
	assert_told("");
}

static void lines_arrive_as_they_are(void **state)
{
	struct notify n;

	(void)state;
	assert_int_equal(notify_open(&n, SECOND), 0);
	assert_true(notify_send(&n, "RELOADING=1\nMONOTONIC_USEC=%d\n", 42));
	assert_told("RELOADING=1\nMONOTONIC_USEC=42\n");
	notify_close(&n);
	assert_false(notify_send(&n, "READY=1\n"));
}

static void names_that_begin_with_an_at_sign_are_abstract(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct notify n;

	(void)state;
	close(manager);
	int len = snprintf(address.sun_path, sizeof(address.sun_path), "@memswell-test-%d",
			   (int)getpid());

	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	address.sun_path[0] = '\0';
	bind_manager(&address, (size_t)len);
	assert_int_equal(notify_open(&n, SECOND), 0);
	assert_true(notify_send(&n, "READY=1\n"));
	assert_told("READY=1\n");
	notify_close(&n);
}

static void addresses_that_are_none_are_an_error_and_no_manager(void **state)
{
	static char long_name[200];
	const struct {
		const char *name;
		int err;
	} rows[] = {
		{"relative", -EAFNOSUPPORT},
		{"vsock:2:1234", -EAFNOSUPPORT},
		{"/", -EAFNOSUPPORT},
		{"@", -EAFNOSUPPORT},
		{long_name, -ENAMETOOLONG},
		{"/nowhere/notify", -ENOENT},
		{"@nobody-is-there", -ECONNREFUSED},
	};

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[0] = '/';
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct notify n;

		setenv("NOTIFY_SOCKET", rows[i].name, 1);
		assert_int_equal(notify_open(&n, SECOND), rows[i].err);
		assert_false(notify_send(&n, "READY=1\n"));
	}
}

static void a_sign_of_life_is_due_three_times_in_the_watchdogs_time(void **state)
{
	struct notify n;

	(void)state;
	set_watchdog("30000000", getpid());
	assert_int_equal(notify_open(&n, SECOND), 0);
	assert_told("");
	assert_true(notify_is_due(&n, 100 * SECOND));
	notify_alive(&n, 100 * SECOND, "well");
	assert_told("WATCHDOG=1\nSTATUS=well\n");
	assert_false(notify_is_due(&n, 110 * SECOND - 1));
	assert_true(notify_is_due(&n, 110 * SECOND));
	notify_close(&n);
}

static void a_watchdog_that_is_faster_than_the_tick_is_told_so(void **state)
{
	struct notify n;

	(void)state;
	set_watchdog("30000000", getpid());
	assert_int_equal(notify_open(&n, 60 * SECOND), 0);
	assert_told("WATCHDOG_USEC=180000000\n");
	notify_alive(&n, SECOND, "well");
	assert_false(notify_is_due(&n, 61 * SECOND - 1));
	assert_true(notify_is_due(&n, 61 * SECOND));
	notify_close(&n);
}

static void a_watchdog_of_another_process_does_not_count(void **state)
{
	struct notify n;

	(void)state;
	set_watchdog("3000000", getpid() + 1);
	assert_int_equal(notify_open(&n, SECOND), 0);
	assert_int_equal(n.interval_ns, 10 * SECOND);
	notify_close(&n);
}

/* The queue of a socket that nobody reads is short. */
static void a_manager_that_does_not_read_is_not_waited_for(void **state)
{
	struct notify n;
	int sent = 0;

	(void)state;
	assert_int_equal(notify_open(&n, SECOND), 0);
	while (sent < 100000 && notify_send(&n, "STATUS=%d\n", sent))
		sent++;
	assert_true(sent > 0 && sent < 100000);
	notify_alive(&n, SECOND, "well");
	assert_true(notify_is_due(&n, SECOND));
	assert_told("STATUS=0\n");
	notify_alive(&n, SECOND, "well");
	assert_false(notify_is_due(&n, SECOND));
	notify_close(&n);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_manager_nothing_is_said),
		TEST(lines_arrive_as_they_are),
		TEST(names_that_begin_with_an_at_sign_are_abstract),
		TEST(addresses_that_are_none_are_an_error_and_no_manager),
		TEST(a_sign_of_life_is_due_three_times_in_the_watchdogs_time),
		TEST(a_watchdog_that_is_faster_than_the_tick_is_told_so),
		TEST(a_watchdog_of_another_process_does_not_count),
		TEST(a_manager_that_does_not_read_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
