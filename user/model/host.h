/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * host.h - what `memswell check` tells: the host, what memswell may do there, what each hook came to,
 * and the memory it never exceeds. Plain data between those that find out and the view.
 */
#ifndef MEMSWELL_HOST_H
#define MEMSWELL_HOST_H

#include <stdbool.h>

#include "base/memory_row.h"
#include "model/record.h"

#define HOST_PATH_LEN	      128
#define HOST_MAX_CAPABILITIES 16
#define HOST_MAX_RUNTIMES     12
#define HOST_MAX_HOOKS	      32
#define HOST_MAX_LIMITATIONS  16
#define HOST_MAX_MAPS	      24
#define HOST_MAX_MEMORY	      48

enum host_cgroup_mode {
	HOST_CGROUP_NONE = 0,
	HOST_CGROUP_V1,
	HOST_CGROUP_HYBRID,
	HOST_CGROUP_V2,
	NR_HOST_CGROUP_MODES
};

struct host_kernel {
	char release[RECORD_TEXT_LEN];
	char arch[RECORD_TEXT_LEN];
	bool btf;
	char lockdown[32];	 /* none, integrity or confidentiality; "" not told */
	int perf_event_paranoid; /* -1 is a value: HOST_UNKNOWN where not told */
	int unprivileged_bpf_disabled;
	bool psi;
	char tracefs[HOST_PATH_LEN]; /* where it is mounted; "" nowhere */
};

#define HOST_UNKNOWN (-1000)

struct host_cgroups {
	enum host_cgroup_mode mode;
	char v2[HOST_PATH_LEN];	    /* mount point; "" none */
	char memory[HOST_PATH_LEN]; /* of the hierarchy with the memory controller; "" none */
	int memory_version;	    /* 1 or 2; 0: no memory controller is to be seen */
	bool memory_disabled;	    /* by cgroup_disable=memory */
	bool memory_in_children;    /* v2: children of the root have it */
	bool root_is_seen;	    /* what is mounted at `memory` is the root of the hierarchy */
};

struct host_capability {
	const char *name;
	const char *purpose;
	const char *without;
	const char *kernels;
	const char *running; /* what becomes of it after start */
	bool required;
	bool held;
	bool implied; /* not held, but CAP_SYS_ADMIN will do */
};

struct host_runtime {
	const char *name;
	char evidence[HOST_PATH_LEN]; /* the path it was seen by */
	char metadata
		[HOST_PATH_LEN]; /* the directory that names of its containers are read in; "" none */
};

struct host_self {
	bool in_container;
	char container_evidence[HOST_PATH_LEN];
	bool initial_pid_namespace;
	bool initial_cgroup_namespace;
};

struct host_hook {
	char name[32];
	enum probe_state state;
	char variant[RECORD_TEXT_LEN];
	char note[RECORD_TEXT_LEN]; /* what it costs */
	char why[RECORD_TEXT_LEN];  /* it is missing */
	const char *consequence;    /* of it missing */
	const char *fix;
};

/* Something about the host that takes from what memswell can tell. */
struct host_limitation {
	const char *what;
	const char *consequence;
	const char *fix;
};

struct host_map {
	char name[32];
	const char *type;
	uint64_t limit;	       /* entries, or bytes of a ring; 0: see `each` */
	uint64_t bytes;	       /* at its limit, as computed */
	uint64_t kernel_bytes; /* what the kernel says; 0: nothing */
	uint64_t mapped_bytes; /* of it in our address space, and so in our RSS */
	const char *each;      /* "process", "socket": has an entry for each, of each_bytes */
	uint64_t each_bytes;
};

/* A row of the account of user memory. */
struct host_memory {
	const char *layer;
	struct memory_row row;
};

/* What the two sums should stay below by default. */
#define HOST_RSS_BUDGET (16U << 20)
#define HOST_MAP_BUDGET (32U << 20)

struct host {
	const char *version; /* of memswell */
	struct host_kernel kernel;
	uint32_t nr_cpus;
	struct host_cgroups cgroups;
	struct host_self self;
	struct host_capability capabilities[HOST_MAX_CAPABILITIES];
	uint32_t nr_capabilities;
	struct host_runtime runtimes[HOST_MAX_RUNTIMES];
	uint32_t nr_runtimes;
	struct host_limitation limitations[HOST_MAX_LIMITATIONS];
	uint32_t nr_limitations;
	struct host_hook hooks[HOST_MAX_HOOKS];
	uint32_t nr_hooks;
	struct host_map maps[HOST_MAX_MAPS];
	uint32_t nr_maps;
	struct host_memory memory[HOST_MAX_MEMORY];
	uint32_t nr_memory;
	char error[512]; /* why memswell cannot run here; "" it can */
	int exit_code;	 /* that the command ends with */
};

static inline void host_add_memory(struct host *host, const char *layer,
				   const struct memory_row *rows, size_t nr)
{
	for (size_t i = 0; i < nr && host->nr_memory < HOST_MAX_MEMORY; i++)
		host->memory[host->nr_memory++] = (struct host_memory){layer, rows[i]};
}

#endif
