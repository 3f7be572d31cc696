/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * uprobe_broker.h - a process of its own that can do one thing: make the perf event of a uprobe.
 *
 * V8 executables appear at any time, and a uprobe on them takes CAP_SYS_ADMIN on most kernels: more
 * than everything else memswell does together. So whoever parses foreign bytes does not hold it.
 * The broker does: forked before anything is loaded, it takes a file descriptor and an offset, hands
 * back an event's descriptor, and knows nothing else. It has no map, no file, no other descriptor,
 * its own seccomp filter, and dies with its parent. A child of it without any capability closes
 * descriptors, which takes the kernel long, so that neither waits for it.
 */
#ifndef MEMSWELL_UPROBE_BROKER_H
#define MEMSWELL_UPROBE_BROKER_H

#include <stdint.h>
#include <sys/types.h>

struct uprobe_broker {
	int fd; /* -1: there is none (any more) */
	pid_t pid;
};

/* Fork it. 0 or -errno. */
int uprobe_broker_start(struct uprobe_broker *broker);

/*
 * An event at `offset` of the executable open as `exe_fd`, for all processes that run it, now and
 * later: its descriptor, or -errno; -EPIPE when the broker is gone. The first request decides which
 * capability the broker keeps: the least that this kernel takes.
 *
 * The kernel takes a tenth of a second to close such an event, so see uprobe_broker_hold.
 */
int uprobe_broker_open(struct uprobe_broker *broker, int exe_fd, uint64_t offset);

/*
 * Whoever closes an event, or the link that holds it, last waits for the kernel. Between these two
 * the caller closes its own and is not the last: that happens elsewhere, after the second. 0 or
 * -errno; -EPIPE when the broker is gone.
 */
int uprobe_broker_hold(struct uprobe_broker *broker, int fd);
int uprobe_broker_drop(struct uprobe_broker *broker);

void uprobe_broker_stop(struct uprobe_broker *broker);

#endif
