/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * loader.h - brings the programs into the kernel: chooses candidates, loads, attaches, and can say
 * of each hook what became of it. It reads no data.
 */
#ifndef MEMSWELL_LOADER_H
#define MEMSWELL_LOADER_H

#include <stddef.h>
#include <stdint.h>

#include "model/host.h"
#include "source/probes.h"
#include "source/uprobe_broker.h"

struct bpf_link;
struct bpf_program;
struct memswell_bpf;

#define LOADER_MAX_HOOKS 32

struct loader_hook {
	const struct probe_hook *hook;
	struct record_probe probe;
	struct bpf_link *links[PROBE_MAX_PROGRAMS];
	int chosen;		      /* index of the attached candidate, -1: none */
	uint32_t refused;	      /* bit per candidate that cannot be used */
	char reason[RECORD_TEXT_LEN]; /* why the best of those was refused */
	const char *fix;	      /* of that reason, where it is not the hook's */
};

struct loader {
	struct memswell_bpf *skeleton;
	struct loader_hook hooks[LOADER_MAX_HOOKS];
	uint32_t nr_hooks;
	uint32_t nr_cpus; /* possible CPUs: rows per flow slot */
	uint32_t nr_flow_slots;
	bool has_storage;	     /* else tables stand in for it: bpf/storage.bpf.h */
	bool tried_uprobe;	     /* and it can be had */
	int cgroup_fd;		     /* cgroup2 root, or -errno */
	int tracefs_fd;		     /* or -errno */
	struct uprobe_broker broker; /* of the hook v8_oom; none where that is not attached */
};

/*
 * Choose and load. 0, or -errno with a line in `error`; loader_free either way. Nothing runs before
 * loader_attach, so maps can be filled in between.
 */
int loader_load(struct loader *loader, enum vm_events vm_events, char *error, size_t error_size);

/*
 * Attach what was loaded, first all but the hooks on traffic, then those. -ENOTSUP with a line in
 * `error` if an essential hook is missing.
 */
int loader_attach(struct loader *loader, bool traffic, char *error, size_t error_size);

/* Give back what the run does not need: programs not chosen, descriptors, free heap. */
void loader_trim(struct loader *loader);

/* The hooks, with what is lost and what helps, and the maps, into *out; also after a failure. */
void loader_describe(const struct loader *loader, struct host *out);
/* Detach for good the hook whose turn it is to be shed, and say why. NULL: none is left. */
struct loader_hook *loader_shed(struct loader *loader, const char *reason);
/* Take every hook away; maps and their contents stay. */
void loader_detach(struct loader *loader);

void loader_free(struct loader *loader);

/* NULL if the hook is unknown or not attached. */
struct bpf_link *loader_link(const struct loader *loader, const char *hook);
struct bpf_program *loader_program(const struct loader *loader, const char *name);
struct loader_hook *loader_find(struct loader *loader, const char *hook);

#endif
