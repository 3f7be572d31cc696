/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * executables.h - what a process runs: path, runtime, whether its V8 is watched, and what it was
 * told about memory. Each file is opened once, however many processes run it; a V8 in it gets its
 * uprobes on that occasion, and loses them when nobody has run it for a while.
 */
#ifndef MEMSWELL_EXECUTABLES_H
#define MEMSWELL_EXECUTABLES_H

#include <stdint.h>

#include "base/hash_table.h"
#include "model/record.h"
#include "source/elf_symbols.h"

struct bpf_link;
struct bpf_program;
struct losses;
struct uprobe_broker;

/* Files beyond this are read again when they are met again. */
#define EXECUTABLES_MAX 1024
/*
 * Files with a V8 that are run at the same time. Each has up to ELF_MAX_V8_FATAL uprobes of two
 * descriptors, and every image layer is a file of its own. Of one that is run beyond this v8_probe is
 * 0, and it is counted as a loss, once.
 */
#define EXECUTABLES_MAX_WATCHED 40
/*
 * So long uprobes stay on a file that nobody runs, unless another needs the place: a service that
 * crashes in a loop comes back with the same file, and is watched from its first instruction on.
 */
#define EXECUTABLES_GRACE_NS (60 * 1000000000ULL)

/* A replaced file may get the old one's inode number, but not its size and time as well. */
struct file_key {
	uint64_t dev;
	uint64_t ino;
	uint64_t size;
	uint64_t mtime_ns;
};

struct watched_file {
	struct file_key key;
	struct bpf_link *uprobes[ELF_MAX_V8_FATAL];
	uint32_t nr_uprobes; /* 0: a free place */
	uint32_t used_run;   /* the last one in which somebody ran it */
	uint64_t used_ns;
};

struct executables {
	struct hash_table files;
	const struct bpf_program *v8_programs[NR_V8_FATAL_KINDS];
	struct uprobe_broker *broker;
	struct losses *losses;
	struct watched_file watched[EXECUTABLES_MAX_WATCHED];
	uint32_t run; /* counts executables_sweep */
	uint64_t now_ns;
};

/* The programs that watch V8, by enum v8_fatal_kind; NULL in each: V8 is not watched. */
void executables_init(struct executables *executables,
		      const struct bpf_program *const v8_programs[NR_V8_FATAL_KINDS],
		      struct uprobe_broker *broker, struct losses *losses);
void executables_free(struct executables *executables);
size_t executables_memory_ceiling(void);

struct executables_query {
	struct proc_id proc;
	struct proc_id parent;
	uint64_t memory_bytes;	      /* that it may use; 0 unknown */
	uint64_t flag_bytes_at_start; /* of executables_heap_flag */
};

/*
 * The heap limit on the command line of a process that has just begun to run what is called `name`;
 * 0 if it has none, or is none of those that may write a title over it.
 */
uint64_t executables_heap_flag(const struct proc_id *proc, const char *name);

/*
 * Fill out->exe of a running process. -errno if it runs nothing we may read, else the place of its
 * file among those that are watched, 0 if it is none: as long as it runs, executables_used is told
 * of a place between any two sweeps.
 */
int executables_describe(struct executables *executables, const struct executables_query *query,
			 struct record *out);

void executables_used(struct executables *executables, int place);

/* All processes were looked at: a file that none of them has run for long may lose its uprobes. */
void executables_sweep(struct executables *executables, uint64_t now_ns);

/* By file name, for what is not told by its contents; RUNTIME_UNKNOWN if the name says nothing. */
enum runtime_kind runtime_of_path(const char *path);

#endif
