/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_lockdown.c - what is refused after start, what is not, on which architecture, and what becomes
 * of capabilities. Each case gives itself up in a child, and tells by its exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "scratch.h"
#include "source/capabilities.h"
#include "source/lockdown.h"
#include "source/privilege.h"
#include "source/procfs.h"
#include "source/syscall_filter.h"

/* Status of a child that runs `body`, which returns 0 or the line that failed. */
static int in_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		syscall(SYS_exit_group, body()); /* _exit() of a sanitizer calls more than that */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__ % 250 + 1;                                                 \
	} while (0)

#define REFUSED(call) (errno = 0, (call) == -1 && errno == EPERM)

static int lock(bool with_output, int dir_fd)
{
	/* The bits of lockdown.c: broker, output, socket, statistics. */
	struct syscall_facts facts = {.when = with_output ? 2 : 0,
				      .fds = {[SYSCALL_FD_OUTPUT_DIR] = dir_fd}};

	return syscall_filter_install(lockdown_rules(), &facts, SYSCALL_FILTER_REFUSE);
}

static uint32_t nr_refused(int wanted)
{
	uint32_t count, of_wanted = 0;
	int nr;

	while ((nr = syscall_filter_take_refused(&count)) >= 0)
		of_wanted += nr == wanted ? count : 0;
	return of_wanted;
}

static int tries_what_is_forbidden(void)
{
	union bpf_attr attr;
	char *argv[] = {"true", NULL};

	memset(&attr, 0, sizeof(attr));
	MUST(!lock(false, -1));
	MUST(REFUSED(execve("/bin/true", argv, argv)));
	MUST(REFUSED(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)));
	MUST(REFUSED(socket(AF_INET, SOCK_STREAM, 0)));
	MUST(REFUSED(socket(AF_UNIX, SOCK_STREAM, 0)));
	MUST(REFUSED(ptrace(PTRACE_ATTACH, 1, 0, 0)));
	MUST(REFUSED(kill(getppid(), 0)) || errno == ENOSYS);
	MUST(REFUSED(syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr))));
	MUST(REFUSED(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr))));
	MUST(REFUSED(syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr))));
	MUST(REFUSED(syscall(SYS_bpf, BPF_ENABLE_STATS, &attr, sizeof(attr))));
	MUST(REFUSED(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0)));
	MUST(REFUSED(unshare(CLONE_NEWUSER)));
	MUST(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	     MAP_FAILED);
	MUST(nr_refused(SYS_bpf) == 4);
	MUST(nr_refused(SYS_bpf) == 0);
	return 0;
}

static int tries_to_write(void)
{
	int fd;

	MUST(!lock(false, -1));
	MUST(REFUSED(open(scratch_file, O_WRONLY)));
	MUST(REFUSED(open(scratch_file, O_RDWR)));
	MUST(REFUSED(open(scratch_file, O_RDONLY | O_CREAT, 0600)));
	MUST(REFUSED(open(scratch_file, O_RDONLY | O_TRUNC)));
	MUST(REFUSED(open(scratch_dir, O_TMPFILE | O_RDWR, 0600)));
	MUST(REFUSED(rename(scratch_file, scratch_file)));
	MUST(REFUSED(unlink(scratch_file)));
	MUST(REFUSED(chmod(scratch_file, 0600)));
	fd = open(scratch_file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	MUST(fd >= 0);
	MUST(!close(fd));
	return 0;
}

static int writes_in_its_directory(void)
{
	int dir = open(scratch_dir, O_RDONLY | O_DIRECTORY), other = dup(dir);

	MUST(dir >= 0 && !lock(true, dir));
	MUST(openat(dir, "file", O_RDWR | O_APPEND | O_NOFOLLOW) >= 0);
	MUST(openat(dir, "file.1", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600) >= 0);
	MUST(!renameat(dir, "file.1", dir, "file.2"));
	MUST(!renameat(dir, "file.2", dir, "file"));
	MUST(REFUSED(openat(dir, "file", O_RDWR)));
	MUST(REFUSED(openat(dir, "file", O_RDWR | O_TRUNC | O_NOFOLLOW)));
	MUST(REFUSED(openat(other, "file", O_RDWR | O_NOFOLLOW)));
	MUST(REFUSED(openat(AT_FDCWD, "/etc/passwd", O_WRONLY | O_NOFOLLOW)));
	MUST(REFUSED(renameat(dir, "file", AT_FDCWD, "/tmp/elsewhere")));
	return 0;
}

/* With metrics: what comes in is taken, nothing is made, and one name can go. */
static int serves_metrics(void)
{
	int dir = open(scratch_dir, O_RDONLY | O_DIRECTORY), other = dup(dir);
	int on = 1, pair[2];
	struct syscall_facts facts = {.when = 16 | 32, .fds = {[SYSCALL_FD_METRICS_DIR] = dir}};

	MUST(dir >= 0 && !socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	MUST(!syscall_filter_install(lockdown_rules(), &facts, SYSCALL_FILTER_REFUSE));
	MUST(send(pair[0], "x", 1, 0) == 1 && recv(pair[1], &on, 1, 0) == 1);
	MUST(!shutdown(pair[0], SHUT_RDWR));
	MUST(accept4(pair[0], NULL, NULL, 0) == -1 && errno != EPERM);
	MUST(REFUSED(setsockopt(pair[0], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on))));
	MUST(REFUSED(socket(AF_INET, SOCK_STREAM, 0)));
	MUST(REFUSED(bind(pair[0], NULL, 0)));
	MUST(REFUSED(listen(pair[0], 1)));
	MUST(REFUSED(connect(pair[0], NULL, 0)));
	MUST(REFUSED(unlinkat(other, "none", 0)));
	MUST(unlinkat(dir, "none", 0) == -1 && errno == ENOENT);
	return 0;
}

static void with_metrics_it_takes_connections_and_makes_none(void **state)
{
	(void)state;
	assert_int_equal(in_child(serves_metrics), 0);
}

static void refuses_all_that_makes_or_reaches_something(void **state)
{
	(void)state;
	assert_int_equal(in_child(tries_what_is_forbidden), 0);
}

static void make_file(void)
{
	int fd = open(scratch_file, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void opens_nothing_for_writing(void **state)
{
	(void)state;
	make_file();
	assert_int_equal(in_child(tries_to_write), 0);
}

static void opens_for_writing_in_the_directory_of_the_output(void **state)
{
	(void)state;
	make_file();
	assert_int_equal(in_child(writes_in_its_directory), 0);
}

static int asks_what_only_a_log_hears(void)
{
	MUST(!syscall_filter_install(lockdown_rules(), NULL, SYSCALL_FILTER_LOG));
	MUST(getppid() > 0);
	MUST(nr_refused(SYS_getppid) == 0);
	return 0;
}

static int dies(void)
{
	MUST(!syscall_filter_install(lockdown_rules(), NULL, SYSCALL_FILTER_KILL));
	getppid();
	return 0;
}

static void modes_differ_in_what_becomes_of_the_caller(void **state)
{
	int status;

	(void)state;
	assert_int_equal(in_child(asks_what_only_a_log_hears), 0);
	status = in_child(dies);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

/* Calls that only x86 has, each with what arm64's C library calls in its place. */
static const char *const only_x86[][2] = {
	{"epoll_wait", "epoll_pwait"}, {"poll", "ppoll"},	   {"open", "openat"},
	{"stat", "newfstatat"},	       {"readlink", "readlinkat"},
};

static const char *counterpart(const char *name)
{
	for (size_t i = 0; i < sizeof(only_x86) / sizeof(only_x86[0]); i++)
		if (!strcmp(only_x86[i][0], name))
			return only_x86[i][1];
	return NULL;
}

static bool has_rule(const char *name)
{
	for (const struct syscall_rule *rule = lockdown_rules(); rule->name; rule++)
		if (!strcmp(rule->name, name))
			return true;
	return false;
}

static void holds_on_arm64(void **state)
{
	const uint32_t arm64 = SCMP_ARCH_AARCH64;
	struct syscall_facts facts = {.when = UINT32_MAX, .fds = {0, 5, 6}};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int out = memfd_create("filter", 0);
	struct stat st;

	(void)state;
	assert_non_null(filter);
	assert_int_equal(seccomp_arch_add(filter, arm64), 0);
	assert_int_equal(seccomp_arch_remove(filter, SCMP_ARCH_NATIVE), 0);
	assert_int_equal(syscall_filter_add(filter, lockdown_rules(), &facts), 0);
	assert_int_equal(seccomp_export_bpf(filter, out), 0);
	assert_int_equal(fstat(out, &st), 0);
	assert_true(st.st_size > 512);
	seccomp_release(filter);
	close(out);
	for (const struct syscall_rule *rule = lockdown_rules(); rule->name; rule++) {
		const char *other = counterpart(rule->name);

		if (seccomp_syscall_resolve_name_arch(arm64, rule->name) >= 0)
			continue;
		if (!other || !has_rule(other))
			fail_msg("arm64 has no %s, and nothing stands in for it", rule->name);
	}
}

static bool status_is(const char *key, uint64_t wanted)
{
	char text[4096];
	ssize_t len = procfs_read_file("/proc/self/status", text, sizeof(text));
	uint64_t mask = ~wanted;

	return len > 0 && !procfs_parse_hex_line(text, (size_t)len, key, &mask) && mask == wanted;
}

static int keeps_two(void)
{
	const uint64_t ptrace_bit = 1ULL << CAP_SYS_PTRACE, search = 1ULL << CAP_DAC_READ_SEARCH;

	/* Half of it out of effect, and what nobody has cannot be kept. */
	MUST(!capabilities_keep(ptrace_bit | search | 1ULL << 63, search));
	MUST(status_is("CapPrm:", ptrace_bit | search));
	MUST(status_is("CapEff:", search));
	MUST(status_is("CapInh:", 0));
	MUST(status_is("CapAmb:", 0));
	MUST(status_is("CapBnd:", 0));
	/* Up again, then down for good. */
	MUST(!capabilities_keep(ptrace_bit, ptrace_bit));
	MUST(status_is("CapEff:", ptrace_bit));
	MUST(!capabilities_keep(search, search));
	MUST(status_is("CapPrm:", 0));
	return 0;
}

static void capabilities_only_ever_go(void **state)
{
	uint64_t held;

	(void)state;
	if (privilege_held(&held) || !(held >> CAP_SETPCAP & 1))
		skip();
	assert_int_equal(in_child(keeps_two), 0);
}

static void every_privilege_is_justified(void **state)
{
	uint64_t seen = 0;
	uint32_t nr;
	const struct privilege *table = privilege_table(&nr);

	(void)state;
	for (uint32_t i = 0; i < nr; i++) {
		const struct privilege *row = &table[i];

		assert_true(!strncmp(row->name, "CAP_", 4));
		assert_true(strlen(row->purpose) && strlen(row->kernels) && strlen(row->without));
		assert_false(seen >> row->capability & 1);
		seen |= 1ULL << row->capability;
		assert_non_null(privilege_running_text(row->running));
	}
	assert_int_equal(privilege_broker_mask(), 1ULL << CAP_PERFMON | 1ULL << CAP_SYS_ADMIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_metrics_it_takes_connections_and_makes_none),
		cmocka_unit_test(refuses_all_that_makes_or_reaches_something),
		cmocka_unit_test(opens_nothing_for_writing),
		cmocka_unit_test(opens_for_writing_in_the_directory_of_the_output),
		cmocka_unit_test(modes_differ_in_what_becomes_of_the_caller),
		cmocka_unit_test(holds_on_arm64),
		cmocka_unit_test(capabilities_only_ever_go),
		cmocka_unit_test(every_privilege_is_justified),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
