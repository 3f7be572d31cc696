/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * perf_attach.h - attach programs through perf events: classic tracepoints and uprobes.
 *
 * libbpf would do both, but looks for tracefs in fixed places, where ours may be mounted detached,
 * and makes the event itself, where the event of a uprobe comes from another process.
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
 * To an event that somebody made: see uprobe_broker.h. Takes over `event_fd`, also on failure. 0
 * and *out set, or -errno. Without a cookie: before 5.15 a program cannot read one.
 */
int perf_attach_event(const struct bpf_program *program, int event_fd, struct bpf_link **out);

#endif
