/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * privilege.h - may this process do what the live source does? Asks before trying, because the
 * kernel's EPERM does not say what was missing.
 */
#ifndef MEMSWELL_PRIVILEGE_H
#define MEMSWELL_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0, or -EPERM with the missing capabilities named in `error`. */
int privilege_check(char *error, size_t error_size);

/* The same for a given set: names of what is missing, separated by ", ". Returns their number. */
unsigned int privilege_missing(uint64_t capabilities, char *out, size_t out_size);

/* Lockdown "confidentiality": bpf_probe_read_kernel is refused. */
bool privilege_is_confidential(void);

#endif
