/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* perf_attach.c - see perf_attach.h. */
#include "source/perf_attach.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_event(struct perf_event_attr *attr)
{
	/* The program sees the event on every CPU; cpu 0 only gives the descriptor a home. */
	long fd = syscall(SYS_perf_event_open, attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

int perf_attach_event(const struct bpf_program *program, int event_fd, struct bpf_link **out)
{
	struct bpf_link *link = bpf_program__attach_perf_event(program, event_fd);
	int err;

	if (!link) {
		err = -errno;
		close(event_fd);
		return err;
	}
	*out = link;
	return 0;
}

static int read_number(int dir_fd, const char *path)
{
	char text[32] = "", *end;
	int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t len;
	long number;

	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return -EIO;
	number = strtol(text, &end, 10);
	return end > text && number >= 0 && number <= INT_MAX ? (int)number : -EIO;
}

int perf_attach_tracepoint(const struct bpf_program *program, int tracefs_fd, const char *name,
			   struct bpf_link **out)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
	};
	char path[256];
	int id, fd;

	snprintf(path, sizeof(path), "events/%s/id", name);
	id = read_number(tracefs_fd, path);
	if (id < 0)
		return id;
	attr.config = (uint64_t)id;
	fd = open_event(&attr);
	return fd < 0 ? fd : perf_attach_event(program, fd, out);
}
