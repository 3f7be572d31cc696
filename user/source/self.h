/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* self.h - what memswell itself costs and where it runs: RECORD_SELF, facts of the header. */
#ifndef MEMSWELL_SELF_H
#define MEMSWELL_SELF_H

#include <stddef.h>
#include <stdint.h>

#include "model/record.h"

struct bpf_object;

uint64_t self_boot_ns(void);

/* How long the machine has slept since it booted: CLOCK_BOOTTIME - CLOCK_MONOTONIC. */
uint64_t self_suspended_ns(void);

/* CLOCK_REALTIME - CLOCK_BOOTTIME */
int64_t self_wall_offset_ns(void);

/* CPU time used so far, by the agent itself. */
uint64_t self_cpu_ns(void);

/* Fill CPU, RSS and maps of out->self. */
void self_cost(const struct bpf_object *object, struct record *out);

/*
 * Of the program and its libraries all that can be resident, of stack and heap what is. Small tables are
 * on that heap and so counted twice, large ones are mappings of their own.
 */
size_t self_program_bytes(void);

/* Fill out->header but for tick, CPUs and version. What cannot be read stays empty. */
void self_header(struct record *out);

#endif
