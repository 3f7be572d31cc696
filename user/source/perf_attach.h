/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * perf_attach.h - attach programs through perf events: classic tracepoints and uprobes.
 *
 * libbpf would do both, but looks for tracefs in fixed places; ours may be mounted detached.
 */
#ifndef MEMSWELL_PERF_ATTACH_H
#define MEMSWELL_PERF_ATTACH_H

#include <stdint.h>

struct bpf_link;
struct bpf_program;

/* `name` is "category/event" below `tracefs_fd`. 0 and *out set, or -errno. */
int perf_attach_tracepoint(const struct bpf_program *program, int tracefs_fd, const char *name,
			   struct bpf_link **out);

/*
 * For all processes that run the file `path`, now and later; `offset` is into the file. 0 and *out
 * set, or -errno. Without a cookie: before 5.15 a program cannot read one.
 */
int perf_attach_uprobe(const struct bpf_program *program, const char *path, uint64_t offset,
		       struct bpf_link **out);

/*
 * Whether that would be allowed: makes the event, attaches nothing. The event's descriptor, which
 * the kernel takes a tenth of a second to close, or -errno.
 */
int perf_try_uprobe(const char *path, uint64_t offset);

#endif
