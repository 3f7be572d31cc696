/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * elf_symbols.h - what an executable file tells about its runtime: does it contain V8 (and where is
 * its fatal out-of-memory function, which Node.js is it), was it written in Go. Reads; attaches
 * nothing (perf_attach.h).
 *
 * The file may be anybody's, so nothing in it decides how much memory or time is taken: all is read
 * through one small buffer, only as far as needed, and never more than a fixed number of bytes. That is
 * why this is no work for libelf, which allocates what headers claim.
 */
#ifndef MEMSWELL_ELF_SYMBOLS_H
#define MEMSWELL_ELF_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#define ELF_MAX_V8_FATAL 6

/* Which argument of the function is its location text. */
enum v8_fatal_kind { V8_FATAL_FIRST_ARG = 0, V8_FATAL_SECOND_ARG, NR_V8_FATAL_KINDS };

struct v8_fatal {
	uint64_t offset; /* in the file */
	enum v8_fatal_kind kind;
};

struct elf_facts {
	struct v8_fatal v8_fatal[ELF_MAX_V8_FATAL];
	uint32_t nr_v8_fatal;
	uint64_t entry_offset; /* of the entry point in the file, 0 if none */
	uint16_t node_major;   /* 0: no V8, or it is not told */
	bool is_go;
};

/*
 * 0 and *out set, or -errno and *out untouched: -ENOEXEC if `fd` is no 64-bit ELF file of this
 * machine's byte order. `want_v8` false saves reading symbols.
 */
int elf_inspect(int fd, bool want_v8, struct elf_facts *out);

#endif
