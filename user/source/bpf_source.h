/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * bpf_source.h - the live source: loads and attaches the programs, drains rings, iterators and
 * flow counters, adds the facts from /proc, and hands out decoded records.
 */
#ifndef MEMSWELL_BPF_SOURCE_H
#define MEMSWELL_BPF_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/host.h"
#include "source/lockdown.h"
#include "source/scope.h"
#include "source/source.h"

enum vm_events {
	VM_EVENTS_AUTO = 0,
	VM_EVENTS_FENTRY,
	VM_EVENTS_LOCK,
	VM_EVENTS_SYSCALL,
	VM_EVENTS_OFF,
	NR_VM_EVENTS
};

struct bpf_source_options {
	uint64_t tick_ns; /* 100 ms to 60 s */
	enum vm_events vm_events;
	bool strict;	     /* a missing hook is an error */
	uint32_t budget_ppm; /* of one core; over it hooks are shed; 0: no budget */
	/* BPF run time is counted in one tick of so many; 0: never, or as often as a budget needs */
	uint32_t stats_every;
	int stop_fd;	       /* readable when the run should end (a signalfd); -1: never */
	int wake_fd;	       /* readable when next() should return SOURCE_WOKEN; -1: never */
	const char *host_root; /* where the host's root directory is; NULL: / */
	const char *version;   /* of the detector, for the header */
	const char *host_name; /* for the header; NULL: what the kernel calls this machine */
	struct scope_roots scope;
	struct host *host; /* NULL, or gets hooks, maps and memory, also when the source fails */
};

/*
 * Load and attach. 0 and *out set, or -errno and *out untouched with the reason in `error` (one
 * line): -EPERM missing privilege, -ENOTSUP the kernel lacks an essential hook, -EUNATCH a hook is
 * missing and strict was asked, else a failure of the system.
 */
int bpf_source_new(const struct bpf_source_options *options, struct source **out, char *error,
		   size_t error_size);

/* Reports made and written since the last call: goes into the books of the next tick. */
void bpf_source_count_output(struct source *source, uint64_t made, uint64_t written);
/* Adds to the RECORD_LOSS of the next tick and, for "output" and other streams, to their books. */
void bpf_source_add_loss(struct source *source, const char *stream, const char *reason,
			 uint64_t count);

/*
 * Give up what is not needed any more: see lockdown.h; the descriptors of our children are filled in. 0, or
 * -errno with a line in `error`.
 */
int bpf_source_lock_down(const struct source *source, const struct lockdown *wanted, char *error,
			 size_t error_size);

/* The state of every hook; valid until the source is freed. */
const struct record_probe *bpf_source_probes(const struct source *source, uint32_t *nr);

#endif
