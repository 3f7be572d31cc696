/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * reach.h - which instructions of a BPF program can run on a kernel: constants are followed as the verifier
 * does, and the result of an existence check is one. What is not followed can be anything, so code that is
 * said to be dead is; code that is said to be reached need not be.
 */
#ifndef MEMSWELL_TEST_REACH_H
#define MEMSWELL_TEST_REACH_H

#include "object.h"

/* Sets section->reached[] for the program that begins there, and for what it calls; of no other. */
void reach_program(struct object *object, const struct program *program);

/* Relocations that have a value, 0 or 1, also where the kernel lacks what they name. */
bool reach_is_existence_check(enum bpf_core_relo_kind kind);

#endif
