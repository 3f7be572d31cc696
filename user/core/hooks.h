/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * hooks.h - what verdicts owe to each hook, in two tables: whose confidence suffers when it is missing,
 * and which rules take its silence for a fact and are therefore not asked without it.
 *
 * Hooks are known here by the name their RECORD_PROBE has. Where they come from is the source's; a
 * unit test holds the two lists together.
 */
#ifndef MEMSWELL_HOOKS_H
#define MEMSWELL_HOOKS_H

#include <stddef.h>
#include <stdint.h>

enum hook {
	HOOK_FORK = 0,
	HOOK_EXEC,
	HOOK_EXIT,
	HOOK_SIGNAL,
	HOOK_TASKS,
	HOOK_OOM,
	HOOK_TCP_STATE,
	HOOK_OWNER_CREATE,
	HOOK_OWNER_RECV,
	HOOK_RESET_SENT,
	HOOK_HTTP_INGRESS,
	HOOK_HTTP_EGRESS,
	HOOK_SOCKETS_AT_START,
	HOOK_RSS_STEP,
	HOOK_VM_EVENTS,
	HOOK_RECLAIM_DIRECT,
	HOOK_RECLAIM_MEMCG,
	HOOK_V8_OOM, /* counts as missing only for a process whose V8 is not watched */
	NR_HOOKS
};

#define HOOK_BIT(hook) (1u << (hook))
#define HOOKS_HTTP     (HOOK_BIT(HOOK_HTTP_INGRESS) | HOOK_BIT(HOOK_HTTP_EGRESS))

/* Without it these are less certain, because ... */
struct hook_row {
	const char *name;
	uint32_t classes; /* bit per enum verdict_class */
	uint32_t causes;  /* bit per enum verdict_cause, whatever the class */
	const char *why;
};

const struct hook_row *hook_row(enum hook hook);

/* A rule that reads "nothing came" as "nothing was". */
struct hook_silence {
	const char *rule;
	uint32_t hooks; /* HOOK_BITs; without any of them the rule does not apply */
	const char *why;
};

const struct hook_silence *hook_silences(size_t *nr);

/* The hooks whose silence the rule of that name reads; 0 none. */
uint32_t hook_silence_of(const char *rule);

#endif
