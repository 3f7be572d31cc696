/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * executables.h - what a process runs: path, runtime, whether its V8 is watched, and what it was
 * told about memory. Each file is opened once, however many processes run it; a V8 in it gets its
 * uprobes on that occasion.
 */
#ifndef MEMSWELL_EXECUTABLES_H
#define MEMSWELL_EXECUTABLES_H

#include <stdint.h>

#include "base/hash_table.h"
#include "model/record.h"
#include "source/elf_symbols.h"

struct bpf_link;
struct bpf_program;
struct uprobe_broker;

/* Files beyond this are read again when they are met again. */
#define EXECUTABLES_MAX 1024
/* A file that needs more than what is left is not watched: v8_probe stays 0 in its records. */
#define EXECUTABLES_MAX_UPROBES 256

struct executables {
	struct hash_table files;
	const struct bpf_program *v8_programs[NR_V8_FATAL_KINDS];
	struct uprobe_broker *broker;
	struct bpf_link *uprobes[EXECUTABLES_MAX_UPROBES];
	uint32_t nr_uprobes;
};

/* The programs that watch V8, by enum v8_fatal_kind; NULL in each: V8 is not watched. */
void executables_init(struct executables *executables,
		      const struct bpf_program *const v8_programs[NR_V8_FATAL_KINDS],
		      struct uprobe_broker *broker);
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

/* Fill out->exe of a running process. 0, or -errno if it runs nothing we may read. */
int executables_describe(struct executables *executables, const struct executables_query *query,
			 struct record *out);

/* By file name, for what is not told by its contents; RUNTIME_UNKNOWN if the name says nothing. */
enum runtime_kind runtime_of_path(const char *path);

#endif
