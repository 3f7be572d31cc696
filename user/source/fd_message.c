/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* fd_message.c - see fd_message.h. */
#include "source/fd_message.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_TIMEOUT_S 5
/* Milliseconds to wait for its end. */
#define REAP_TRIES 200

ssize_t fd_message_send(int fd, const void *data, size_t size, int passed_fd, int flags)
{
	struct iovec iov = {.iov_base = (void *)data, .iov_len = size};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (passed_fd >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		*CMSG_FIRSTHDR(&msg) = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
							.cmsg_type = SCM_RIGHTS,
							.cmsg_len = CMSG_LEN(sizeof(int))};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), &passed_fd, sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL | flags);
}

int fd_message_receive(int fd, void *data, size_t size, int *passed_fd)
{
	struct iovec iov = {.iov_base = data, .iov_len = size};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *cmsg;
	ssize_t len;

	do {
		len = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	} while (len < 0 && errno == EINTR);
	if (len <= 0)
		return len ? -errno : -EPIPE;
	*passed_fd = -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(passed_fd, CMSG_DATA(cmsg), sizeof(int));
	return (size_t)len == size ? 0 : -EPROTO;
}

int fd_message_fork(fd_message_child child, void *arg, int *fd, pid_t *pid)
{
	const struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};
	pid_t parent = getpid(), forked;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	forked = fork();
	if (forked == 0) {
		child(fds[1], parent, arg);
		_exit(1);
	}
	close(fds[1]);
	if (forked < 0) {
		int err = -errno;

		close(fds[0]);
		return err;
	}
	*fd = fds[0];
	*pid = forked;
	return 0;
}

void fd_message_stop(int fd, pid_t pid)
{
	close(fd);
	/* One that is held up dies with us, unreaped. */
	for (int i = 0; i < REAP_TRIES && waitpid(pid, NULL, WNOHANG) == 0; i++)
		usleep(1000);
}
