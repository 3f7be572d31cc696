/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* uprobe_broker.c - see uprobe_broker.h. Both ends of the socket, the child's below. */
#include "source/uprobe_broker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source/capabilities.h"
#include "source/fd_message.h"
#include "source/privilege.h"
#include "source/syscall_filter.h"

#define UPROBE_TYPE_PATH "/sys/bus/event_source/devices/uprobe/type"

/* What goes over the socket, each way with a descriptor beside it. */
struct message {
	int64_t value; /* there: offset, or CLOSE; back: 0 or -errno */
};

/*
 * No offset in a file. With a descriptor: hold it; without: close what is held, nobody else has it any
 * more. There is no answer.
 */
#define CLOSE (-1)

static ssize_t send_message(int fd, int64_t value, int passed_fd, int flags)
{
	struct message message = {.value = value};

	return fd_message_send(fd, &message, sizeof(message), passed_fd, flags);
}

static int receive_message(int fd, int64_t *value, int *passed_fd)
{
	struct message message;
	int err = fd_message_receive(fd, &message, sizeof(message), passed_fd);

	if (!err)
		*value = message.value;
	return err;
}

/* ---- the broker's child ---- */

#define CLOSER_SOCKET 0

static const struct syscall_rule closer_rules[] = {
	{.name = "recvmsg", .args = {ARG_EQ(0, CLOSER_SOCKET)}},
	{.name = "close"},
	{.name = "restart_syscall"},
	{.name = "exit_group"},
	{.name = "exit"},
	{.name = NULL},
};

static void __attribute__((noreturn)) become_closer(int fd)
{
	int held_fd = -1, passed_fd;
	int64_t value;

	if (dup2(fd, CLOSER_SOCKET) < 0 || close_range(CLOSER_SOCKET + 1, ~0U, 0) ||
	    capabilities_keep(0, 0) || prctl(PR_SET_NAME, "memswell-close") ||
	    syscall_filter_install(closer_rules, NULL, SYSCALL_FILTER_KILL))
		_exit(1);
	while (!receive_message(CLOSER_SOCKET, &value, &passed_fd)) {
		if (held_fd >= 0)
			close(held_fd);
		held_fd = passed_fd;
	}
	_exit(0);
}

/* ---- the broker ---- */

/* Its parent's socket is descriptor 0, that of its child 1: there is no other. */
#define BROKER_SOCKET	    0
#define BROKER_CLOSE_SOCKET 1

/*
 * All it may ever do. Any other call kills it: it has nothing to save, and its parent sees the end
 * of the socket and says so.
 */
static const struct syscall_rule broker_rules[] = {
	{.name = "recvmsg", .args = {ARG_EQ(0, BROKER_SOCKET)}},
	{.name = "sendmsg", .args = {ARG_EQ(0, BROKER_SOCKET)}},
	{.name = "sendmsg", .args = {ARG_EQ(0, BROKER_CLOSE_SOCKET)}},
	/* attr, pid, cpu, group, flags */
	{.name = "perf_event_open",
	 .args = {ARG_EQ(1, -1), ARG_EQ(2, 0), ARG_EQ(3, -1), ARG_EQ(4, PERF_FLAG_FD_CLOEXEC)}},
	{.name = "close"},
	{.name = "restart_syscall"},
	{.name = "exit_group"},
	{.name = "exit"},
	{.name = NULL},
};

/* `type` may be the reason why there is none. */
static int open_event(int type, int exe_fd, uint64_t offset)
{
	char path[32];
	struct perf_event_attr attr = {
		.type = (uint32_t)type,
		.size = sizeof(attr),
		.uprobe_path = (uint64_t)(uintptr_t)path,
		.probe_offset = offset,
	};
	long fd;

	if (type < 0 || exe_fd < 0)
		return type < 0 ? type : -EBADF;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", exe_fd);
	/* A program on it sees all CPUs; cpu 0 only gives the descriptor a home. */
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : (int)fd;
}

/* With the least capability that does, which is then the only one; with none where none does. */
static int open_first(int type, int exe_fd, uint64_t offset)
{
	static const uint8_t candidates[] = {CAP_PERFMON, CAP_SYS_ADMIN};
	int fd = -EACCES;

	for (size_t i = 0; i < sizeof(candidates) && fd < 0; i++) {
		uint64_t keep = 0;

		/* What is not tried yet stays permitted, but not in effect. */
		for (size_t later = i; later < sizeof(candidates); later++)
			keep |= 1ULL << candidates[later];
		if (capabilities_keep(keep, 1ULL << candidates[i]))
			continue;
		fd = open_event(type, exe_fd, offset);
		if (fd >= 0)
			capabilities_keep(1ULL << candidates[i], 1ULL << candidates[i]);
	}
	if (fd < 0)
		capabilities_keep(0, 0);
	return fd;
}

static int read_uprobe_type(void)
{
	char text[32] = "";
	int fd = open(UPROBE_TYPE_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	return len > 0 ? (int)strtol(text, NULL, 10) : -EIO;
}

static void answer(int opened_fd)
{
	if (send_message(BROKER_SOCKET, opened_fd < 0 ? opened_fd : 0, opened_fd, 0) < 0)
		_exit(1);
	if (opened_fd >= 0)
		close(opened_fd);
}

static void __attribute__((noreturn)) serve(void)
{
	int type = read_uprobe_type();
	bool is_first = true;
	int64_t offset;
	int exe_fd, opened_fd;

	while (!receive_message(BROKER_SOCKET, &offset, &exe_fd)) {
		if (offset == CLOSE) {
			/* What finds no room in its queue is closed by who sent it. */
			send_message(BROKER_CLOSE_SOCKET, CLOSE, exe_fd, MSG_DONTWAIT);
			if (exe_fd >= 0)
				close(exe_fd);
			continue;
		}
		if (is_first)
			opened_fd = open_first(type, exe_fd, (uint64_t)offset);
		else
			opened_fd = open_event(type, exe_fd, (uint64_t)offset);
		if (is_first && syscall_filter_install(broker_rules, NULL, SYSCALL_FILTER_KILL))
			_exit(1);
		is_first = false;
		answer(opened_fd);
		if (exe_fd >= 0)
			close(exe_fd);
	}
	_exit(0);
}

/* It ends at the end of the socket, having closed what it was given. */
static int start_closer(void)
{
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	/* The lowest free descriptor is BROKER_CLOSE_SOCKET. */
	pid = fork();
	if (pid == 0)
		become_closer(fds[1]);
	close(fds[1]);
	return pid < 0 ? -errno : 0;
}

static void __attribute__((noreturn)) become_broker(int fd, pid_t parent, void *arg)
{
	uint64_t keep = privilege_broker_mask();

	(void)arg;
	if (dup2(fd, BROKER_SOCKET) < 0 || close_range(BROKER_SOCKET + 1, ~0U, 0) ||
	    start_closer() || capabilities_keep(keep, keep) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL))
		_exit(1);
	if (getppid() != parent) /* which died before it was asked to tell */
		_exit(1);
	prctl(PR_SET_NAME, "memswell-uprobe");
	serve();
}

/* ---- its parent ---- */

int uprobe_broker_start(struct uprobe_broker *broker)
{
	broker->fd = -1;
	return fd_message_fork(become_broker, NULL, &broker->fd, &broker->pid);
}

int uprobe_broker_open(struct uprobe_broker *broker, int exe_fd, uint64_t offset)
{
	int64_t err = 0;
	int fd = -1;

	if (broker->fd < 0)
		return -EPIPE;
	if (send_message(broker->fd, (int64_t)offset, exe_fd, 0) < 0 ||
	    receive_message(broker->fd, &err, &fd)) {
		uprobe_broker_stop(broker);
		return -EPIPE;
	}
	if (err)
		return (int)err;
	return fd < 0 ? -EPROTO : fd;
}

int uprobe_broker_hold(struct uprobe_broker *broker, int fd)
{
	if (broker->fd < 0)
		return -EPIPE;
	return send_message(broker->fd, CLOSE, fd, 0) < 0 ? -errno : 0;
}

int uprobe_broker_drop(struct uprobe_broker *broker)
{
	return uprobe_broker_hold(broker, -1);
}

void uprobe_broker_stop(struct uprobe_broker *broker)
{
	if (broker->fd < 0)
		return;
	fd_message_stop(broker->fd, broker->pid);
	broker->fd = -1;
}
