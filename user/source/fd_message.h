/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fd_message.h - messages of fixed size with a descriptor beside them, over a SOCK_SEQPACKET pair: how
 * memswell talks to the processes that hold what it gave up.
 */
#ifndef MEMSWELL_FD_MESSAGE_H
#define MEMSWELL_FD_MESSAGE_H

#include <stddef.h>
#include <sys/types.h>

/* passed_fd -1: none. As sendmsg(2) has it; `flags` are its. */
ssize_t fd_message_send(int fd, const void *data, size_t size, int passed_fd, int flags);

/* 0 with `data` and *passed_fd (-1: none came) set, -EPIPE at the end, -EPROTO: of another size, or -errno. */
int fd_message_receive(int fd, void *data, size_t size, int *passed_fd);

/*
 * A child with one end of a pair. It gets that end and the pid of its parent, and does not return. 0 with
 * the other end in *fd, where an answer that takes longer than some seconds does not come; or -errno.
 */
typedef void (*fd_message_child)(int fd, pid_t parent, void *arg);
int fd_message_fork(fd_message_child child, void *arg, int *fd, pid_t *pid);

/* Close our end, upon which the child ends, and wait for that, but not for long. */
void fd_message_stop(int fd, pid_t pid);

#endif
