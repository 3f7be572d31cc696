/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* lockdown.c - see lockdown.h. */
#include "source/lockdown.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "source/capabilities.h"
#include "source/privilege.h"
#include "source/syscall_filter.h"

#define WITH_BROKER (1U << 0)
#define WITH_OUTPUT (1U << 1)
#define WITH_SOCKET (1U << 2)
#define WITH_STATS  (1U << 3)
#define WITH_SERVER (1U << 4)
#define WITH_PATH   (1U << 5)
#define WITH_FILES  (1U << 6)

/* O_TMPFILE holds O_DIRECTORY, which is harmless; its own bit is what makes a file. */
#define O_WRITES (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

/*
 * Nothing makes a process, a socket, a program or a map, nothing traces or signals another process,
 * no memory becomes executable. A path cannot be looked at by a filter: that files are opened for
 * writing only in the output's directory is as near as it gets.
 */
static const struct syscall_rule rules[] = {
	/* the loop */
	{.name = "epoll_wait"},
	{.name = "epoll_pwait"},
	{.name = "poll"},
	{.name = "ppoll"},
	{.name = "read"},
	{.name = "write"},
	{.name = "writev"}, /* the C library's last words before it aborts */
	{.name = "restart_syscall"},
	{.name = "rt_sigreturn"},
	{.name = "exit_group"},
	{.name = "exit"},
	/* iterators, counters, flow slots */
	{.name = "bpf", .args = {ARG_EQ(0, BPF_ITER_CREATE)}},
	{.name = "bpf", .args = {ARG_EQ(0, BPF_MAP_LOOKUP_ELEM)}},
	{.name = "bpf", .args = {ARG_EQ(0, BPF_MAP_UPDATE_ELEM)}},
	{.name = "bpf", .args = {ARG_EQ(0, BPF_MAP_DELETE_ELEM)}},
	{.name = "bpf", .args = {ARG_EQ(0, BPF_MAP_GET_NEXT_KEY)}},
	{.name = "bpf", .args = {ARG_EQ(0, BPF_MAP_LOOKUP_BATCH)}},
	{.name = "bpf", .args = {ARG_EQ(0, BPF_OBJ_GET_INFO_BY_FD)}},
	{.name = "bpf", .when = WITH_STATS, .args = {ARG_EQ(0, BPF_ENABLE_STATS)}},
	/* a V8 executable appears: the broker makes the event, we put the program on it */
	{.name = "sendmsg", .when = WITH_BROKER, .args = {ARG_FD(0, SYSCALL_FD_BROKER)}},
	{.name = "recvmsg", .when = WITH_BROKER, .args = {ARG_FD(0, SYSCALL_FD_BROKER)}},
	{.name = "wait4", .when = WITH_BROKER},
	{.name = "bpf", .when = WITH_BROKER, .args = {ARG_EQ(0, BPF_LINK_CREATE)}},
	/* without links (before 5.15) the program is put on the event itself */
	{.name = "ioctl", .when = WITH_BROKER, .args = {ARG_EQ(1, PERF_EVENT_IOC_SET_BPF)}},
	{.name = "ioctl", .args = {ARG_EQ(1, PERF_EVENT_IOC_ENABLE)}},
	{.name = "ioctl", .args = {ARG_EQ(1, PERF_EVENT_IOC_DISABLE)}},
	/* a container appears: another process opens what its runtime wrote about it */
	{.name = "sendmsg", .when = WITH_FILES, .args = {ARG_FD(0, SYSCALL_FD_FILES)}},
	{.name = "recvmsg", .when = WITH_FILES, .args = {ARG_FD(0, SYSCALL_FD_FILES)}},
	{.name = "wait4", .when = WITH_FILES},
	/* /proc, executables, names of cgroups: to read */
	{.name = "openat", .args = {ARG_MASKED(2, O_WRITES, O_RDONLY)}},
	{.name = "open", .args = {ARG_MASKED(1, O_WRITES, O_RDONLY)}},
	{.name = "open_by_handle_at", .args = {ARG_MASKED(2, O_WRITES, O_RDONLY)}},
	{.name = "close"},
	{.name = "pread64"},
	{.name = "lseek"},
	{.name = "fcntl"},
	{.name = "fstat"},
	{.name = "stat"},
	{.name = "newfstatat"},
	{.name = "statx"},
	{.name = "readlink"},
	{.name = "readlinkat"},
	/* the heap */
	{.name = "brk"},
	{.name = "mmap", .args = {ARG_MASKED(2, PROT_EXEC, 0)}},
	{.name = "mprotect", .args = {ARG_MASKED(2, PROT_EXEC, 0)}},
	{.name = "mremap"},
	{.name = "munmap"},
	{.name = "madvise"},
	/* time, our own cost, facts of the machine */
	{.name = "clock_gettime"},
	{.name = "clock_nanosleep"},
	{.name = "gettimeofday"},
	{.name = "getrusage"},
	{.name = "getrandom"},
	{.name = "geteuid"},
	{.name = "getpid"},
	{.name = "gettid"},
	{.name = "uname"},
	{.name = "sysinfo"},
	{.name = "sched_getaffinity"},
	{.name = "futex"},
	{.name = "rt_sigprocmask"},
	/* reports */
	{.name = "sendto", .when = WITH_SOCKET},
	{.name = "ftruncate"}, /* of what is open for writing: a torn line is cut off */
	{.name = "openat",
	 .when = WITH_OUTPUT,
	 .args = {ARG_FD(0, SYSCALL_FD_OUTPUT_DIR),
		  ARG_MASKED(2, O_NOFOLLOW | O_TRUNC, O_NOFOLLOW)}},
	{.name = "renameat",
	 .when = WITH_OUTPUT,
	 .args = {ARG_FD(0, SYSCALL_FD_OUTPUT_DIR), ARG_FD(2, SYSCALL_FD_OUTPUT_DIR)}},
	{.name = "renameat2",
	 .when = WITH_OUTPUT,
	 .args = {ARG_FD(0, SYSCALL_FD_OUTPUT_DIR), ARG_FD(2, SYSCALL_FD_OUTPUT_DIR)}},
	{.name = "flock", .when = WITH_OUTPUT},
	/* metrics: take connections, answer on them, let go of them; none is made */
	{.name = "accept4", .when = WITH_SERVER},
	{.name = "epoll_ctl", .when = WITH_SERVER},
	{.name = "recvfrom", .when = WITH_SERVER},
	{.name = "sendto", .when = WITH_SERVER},
	{.name = "sendmsg", .when = WITH_SERVER},
	{.name = "setsockopt", .when = WITH_SERVER, .args = {ARG_EQ(1, IPPROTO_TCP)}},
	{.name = "shutdown", .when = WITH_SERVER},
	{.name = "unlinkat", .when = WITH_PATH, .args = {ARG_FD(0, SYSCALL_FD_METRICS_DIR)}},
	{.name = NULL},
};

const struct syscall_rule *lockdown_rules(void)
{
	return rules;
}

static uint64_t kept_capabilities(const struct lockdown *lockdown, bool for_bpf)
{
	const bool kept[NR_PRIVILEGE_RUNNING] = {
		[PRIVILEGE_KEPT] = true,
		[PRIVILEGE_KEPT_FOR_BPF] = for_bpf,
		[PRIVILEGE_KEPT_FOR_STATS] = lockdown->bpf_stats,
	};
	uint64_t mask = 0;
	uint32_t nr;
	const struct privilege *table = privilege_table(&nr);

	for (uint32_t i = 0; i < nr; i++)
		if (kept[table[i].running])
			mask |= 1ULL << table[i].capability;
	return mask;
}

static bool is_refused(int map_fd)
{
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);

	return map_fd < 0 || bpf_obj_get_info_by_fd(map_fd, &info, &size) == -EPERM;
}

/*
 * Before Linux 5.19 unprivileged_bpf_disabled closes every command of bpf() to whoever lacks CAP_BPF,
 * whatever descriptors it has. So put the capability out of effect, ask with a map of our own, and
 * only then give it up or take it back.
 */
static int drop_capabilities(const struct lockdown *lockdown)
{
	uint64_t without = kept_capabilities(lockdown, false);
	uint64_t with = kept_capabilities(lockdown, true), held = 0;
	int map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "may_we", 4, 4, 1, NULL);
	int err;

	if (!privilege_held(&held) && !(held >> CAP_BPF & 1))
		with |= 1ULL << CAP_SYS_ADMIN; /* it came in the place of CAP_BPF */
	err = capabilities_keep(with, without);
	if (!err)
		err = is_refused(map_fd) ? capabilities_keep(with, with)
					 : capabilities_keep(without, without);
	if (map_fd >= 0)
		close(map_fd);
	return err;
}

static int install_filter(const struct lockdown *lockdown)
{
	struct syscall_facts facts = {
		.when = (lockdown->broker_fd >= 0 ? WITH_BROKER : 0) |
			(lockdown->output_dir_fd >= 0 ? WITH_OUTPUT : 0) |
			(lockdown->writes_socket ? WITH_SOCKET : 0) |
			(lockdown->bpf_stats ? WITH_STATS : 0) |
			(lockdown->serves ? WITH_SERVER : 0) |
			(lockdown->metrics_dir_fd >= 0 ? WITH_PATH : 0) |
			(lockdown->files_fd >= 0 ? WITH_FILES : 0),
		.fds = {[SYSCALL_FD_BROKER] = lockdown->broker_fd,
			[SYSCALL_FD_FILES] = lockdown->files_fd,
			[SYSCALL_FD_OUTPUT_DIR] = lockdown->output_dir_fd,
			[SYSCALL_FD_METRICS_DIR] = lockdown->metrics_dir_fd},
	};

	if (lockdown->sandbox == SANDBOX_OFF)
		return 0;
	return syscall_filter_install(rules, &facts,
				      lockdown->sandbox == SANDBOX_LOG ? SYSCALL_FILTER_LOG
								       : SYSCALL_FILTER_REFUSE);
}

int lockdown_apply(const struct lockdown *lockdown, char *error, size_t error_size)
{
	const char *what = "capabilities";
	int err = drop_capabilities(lockdown);

	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		what = "new privileges";
		err = -errno;
	}
	if (!err) {
		what = "system calls";
		err = install_filter(lockdown);
	}
	if (err)
		snprintf(error, error_size, "cannot give up %s: %s", what, strerror(-err));
	return err;
}
