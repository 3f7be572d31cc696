/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * privilege.h - the capabilities memswell uses: what for, when, where, and what is lost without. One
 * table, for the check at start (the kernel's EPERM does not say what was missing), for the drop
 * after it (lockdown.c), for `memswell check` and for docs/security.md. Adding one is adding a row.
 */
#ifndef MEMSWELL_PRIVILEGE_H
#define MEMSWELL_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* While memswell runs, a capability is held ... */
enum privilege_running {
	PRIVILEGE_DROPPED = 0,	/* ... by nobody */
	PRIVILEGE_KEPT,		/* ... if it was there */
	PRIVILEGE_KEPT_FOR_BPF, /* ... where the kernel asks for it in every bpf() */
	PRIVILEGE_KEPT_FOR_STATS, /* ... with --bpf-stats, which turns the kernel's counting on and off */
	NR_PRIVILEGE_RUNNING
};

struct privilege {
	const char *name;
	uint8_t capability;
	bool required;		/* without it memswell does not start */
	bool sys_admin_will_do; /* the kernel takes CAP_SYS_ADMIN for it */
	bool broker;		/* the uprobe broker may keep it: see broker.h */
	enum privilege_running running;
	const char *purpose;
	const char *kernels; /* on which it is asked for */
	const char *without; /* what is lost */
};

const struct privilege *privilege_table(uint32_t *nr);

/* What `running` of a row says, for a person. */
const char *privilege_running_text(enum privilege_running running);

/* What the uprobe broker may keep. */
uint64_t privilege_broker_mask(void);

/* The effective capabilities of this process as a bit mask. 0 or -errno. */
int privilege_held(uint64_t *out);

/* Does a seccomp filter hold for this process, such as a container's? */
bool privilege_has_seccomp(void);

/* Is it in the set? */
bool privilege_has(uint64_t capabilities, uint8_t capability);

/* 0, or -EPERM with the missing capabilities named in `error`. */
int privilege_check(char *error, size_t error_size);

/* The same for a given set: names of what is missing, separated by ", ". Returns their number. */
unsigned int privilege_missing(uint64_t capabilities, char *out, size_t out_size);

/* Lockdown "confidentiality": bpf_probe_read_kernel is refused. */
bool privilege_is_confidential(void);

#endif
