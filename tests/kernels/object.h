/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * object.h - a BPF object file as far as check_types needs it: the instructions of each section, what each
 * relocates and whether the kernel in question has that, and what it calls.
 */
#ifndef MEMSWELL_TEST_OBJECT_H
#define MEMSWELL_TEST_OBJECT_H

#include <bpf/btf.h>
#include <libelf.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_SECTIONS 128
#define MAX_PROGRAMS 128
#define NR_REGS	     11

/* What is known of a register. UNSEEN is the bottom: no path came here yet. */
enum known { UNSEEN = 0, CONSTANT, ANYTHING };

struct reg {
	uint8_t known;
	int64_t value;
};

struct regs {
	struct reg reg[NR_REGS];
};

struct section {
	const char *name;
	const struct bpf_insn *insns;
	uint32_t nr_insns;
	const struct bpf_core_relo **relocations; /* by instruction, NULL: none */
	int8_t *present;			  /* by instruction: 1 the kernel has it, 0 not */
	int32_t *callees;			  /* by instruction: one in .text, -1: none */
	struct regs *before;			  /* by instruction: what can be in the registers */
	bool *reached;
};

struct program {
	const char *name;
	size_t section;
	uint32_t first;
	bool suits;
	char reason[200];
};

struct object {
	Elf *elf;
	struct btf *types;
	struct btf_ext *ext;
	struct btf *kernel;
	struct section sections[MAX_SECTIONS]; /* by ELF index */
	size_t nr_sections, text;
	struct program programs[MAX_PROGRAMS];
	size_t nr_programs;
	uint32_t nr_helpers; /* of the kernel */
};

/* Reads `path` and compares it with object->kernel, which is set. Ends the process on an error. */
void object_open(struct object *object, const char *path);

/* The string of a relocation: its path of indices. */
const char *object_access(const struct object *object, const struct bpf_core_relo *relocation);

/* Name and reason to stderr, exit status 2. */
_Noreturn void die(const char *what, const char *why);

#endif
