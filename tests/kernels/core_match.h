/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * core_match.h - whether a kernel's type information has what a CO-RE relocation of our object names: a
 * field by its path of names, a type, or a value of an enum. The rules are libbpf's, which keeps its own
 * matcher to itself and needs a kernel to load into.
 */
#ifndef MEMSWELL_TEST_CORE_MATCH_H
#define MEMSWELL_TEST_CORE_MATCH_H

#include <bpf/btf.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

/* `access` is the relocation's string, "0:1:2". */
bool core_match(const struct btf *ours, const struct btf *kernel,
		const struct bpf_core_relo *relocation, const char *access);

/* "struct mm_struct.rss_stat.count", into `out`. */
void core_describe(const struct btf *ours, const struct bpf_core_relo *relocation,
		   const char *access, char *out, size_t out_size);

#endif
