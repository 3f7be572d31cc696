/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * syscall_filter.h - a table of allowed system calls becomes a seccomp filter. Which calls those are
 * is decided by whoever has the table: lockdown.c, uprobe_broker.c.
 */
#ifndef MEMSWELL_SYSCALL_FILTER_H
#define MEMSWELL_SYSCALL_FILTER_H

#include <stdint.h>

#define SYSCALL_RULE_ARGS 4

/* Descriptors that are known only at run time. */
enum syscall_fd {
	SYSCALL_FD_NONE = 0,
	SYSCALL_FD_BROKER,
	SYSCALL_FD_FILES,
	SYSCALL_FD_OUTPUT_DIR,
	SYSCALL_FD_METRICS_DIR,
	NR_SYSCALL_FDS
};

/* Argument number `index` must be `value` in the bits of `mask`; mask 0: ends the list. */
struct syscall_arg {
	uint8_t index;
	uint8_t fd; /* enum syscall_fd: its number is the value */
	uint32_t mask;
	uint32_t value;
};

/* Of arguments that are int the upper half is anything. */
#define ARG_MASKED(i, m, v)                                                                        \
	{                                                                                          \
		.index = (i), .mask = (uint32_t)(m), .value = (uint32_t)(v)                        \
	}
#define ARG_EQ(i, v) ARG_MASKED(i, UINT32_MAX, v)
#define ARG_FD(i, which)                                                                           \
	{                                                                                          \
		.index = (i), .fd = (which), .mask = UINT32_MAX                                    \
	}

/* Rules of one call are alternatives; one whose arguments do not fit is refused. */
struct syscall_rule {
	const char *name; /* NULL ends the table; calls that an architecture lacks are left out */
	uint32_t when;	  /* bits that must be set in the facts' */
	struct syscall_arg args[SYSCALL_RULE_ARGS];
};

struct syscall_facts {
	uint32_t when;
	int fds[NR_SYSCALL_FDS];
};

enum syscall_filter_mode {
	SYSCALL_FILTER_REFUSE, /* EPERM, counted: see syscall_filter_take_refused */
	SYSCALL_FILTER_LOG,    /* allowed, told in the kernel's log */
	SYSCALL_FILTER_KILL,
};

/* From here on, for good; `facts` may be NULL. 0 or -errno. */
int syscall_filter_install(const struct syscall_rule *rules, const struct syscall_facts *facts,
			   enum syscall_filter_mode mode);

/* The rules alone, into a filter of libseccomp's (any architecture). 0 or -errno. */
int syscall_filter_add(void *filter, const struct syscall_rule *rules,
		       const struct syscall_facts *facts);

/*
 * One call that was refused since it was last asked for: its number, and how often in *count; -1 when
 * there is none (any more).
 */
int syscall_filter_take_refused(uint32_t *count);

/* Its name in `out`; "syscall_N" if it has none. */
void syscall_filter_name(int nr, char *out, uint32_t out_size);

#endif
