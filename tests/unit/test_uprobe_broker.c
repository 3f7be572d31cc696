/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_uprobe_broker.c - the broker answers, errors included, and ends with whoever started it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "source/procfs.h"
#include "source/elf_symbols.h"
#include "source/uprobe_broker.h"

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

/* Whether it is gone, or a zombie that nobody reaped, within 2 s. */
static bool ends(pid_t pid)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	for (int i = 0; i < 200; i++, nap())
		if (procfs_read_file(path, text, sizeof(text)) <= 0)
			return true;
	return false;
}

static uint64_t entry_of(int exe_fd)
{
	struct elf_facts facts;

	assert_int_equal(elf_inspect(exe_fd, false, &facts), 0);
	return facts.entry_offset;
}

/* As root there is an event (where the kernel has uprobes); without privilege the kernel's answer. */
static void answers_what_the_kernel_says(void **state)
{
	struct uprobe_broker broker;
	int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int fd;

	(void)state;
	assert_int_equal(uprobe_broker_start(&broker), 0);
	fd = uprobe_broker_open(&broker, exe, entry_of(exe));
	assert_true(fd >= 0 || fd == -EACCES || fd == -EPERM || fd == -ENOENT);
	assert_int_equal(fcntl(fd, F_GETFD) == FD_CLOEXEC, fd >= 0);
	/* Far behind the end of the file; and what is no file at all. */
	assert_true(uprobe_broker_open(&broker, exe, 1ULL << 40) < 0);
	assert_true(uprobe_broker_open(&broker, -1, 0) < 0);
	assert_true(broker.fd >= 0);
	/* It still answers. */
	fd = uprobe_broker_open(&broker, exe, entry_of(exe));
	assert_true(fd >= 0 || fd == -EACCES || fd == -EPERM || fd == -ENOENT);
	uprobe_broker_stop(&broker);
	assert_int_equal(uprobe_broker_open(&broker, exe, 0), -EPIPE);
	assert_true(ends(broker.pid));
	close(exe);
}

static void its_death_is_noticed(void **state)
{
	struct uprobe_broker broker;
	int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(uprobe_broker_start(&broker), 0);
	assert_int_equal(kill(broker.pid, SIGKILL), 0);
	assert_true(ends(broker.pid));
	assert_int_equal(uprobe_broker_open(&broker, exe, 0), -EPIPE);
	assert_int_equal(broker.fd, -1);
	close(exe);
}

static void dies_with_its_parent(void **state)
{
	pid_t *broker_pid =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t parent = fork();

	(void)state;
	if (parent == 0) {
		struct uprobe_broker broker;

		*broker_pid = uprobe_broker_start(&broker) ? -1 : broker.pid;
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	assert_true(*broker_pid > 0);
	assert_true(ends(*broker_pid));
	munmap(broker_pid, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_what_the_kernel_says),
		cmocka_unit_test(its_death_is_noticed),
		cmocka_unit_test(dies_with_its_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
