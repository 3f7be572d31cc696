/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * probes.h - the table of hooks: what each is called, which programs can serve it in order of
 * preference, and what is lost without it. Adding a hook is adding a row.
 *
 * It decides from the running kernel's BTF what can be tried; trying is the loader's business.
 */
#ifndef MEMSWELL_PROBES_H
#define MEMSWELL_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/bpf_source.h"

struct btf;

#define PROBE_MAX_PROGRAMS   4
#define PROBE_MAX_CANDIDATES 5

/* Whether a program wants local storage, or stands in where a kernel has none (Linux 5.10). */
enum probe_storage { PROBE_ANY_STORAGE = 0, PROBE_WITH_STORAGE, PROBE_WITHOUT_STORAGE };

/* All programs of a candidate are needed; where one is missing the candidate is. */
struct probe_candidate {
	const char *variant;
	const char *programs[PROBE_MAX_PROGRAMS];
	/* Arguments the tracepoint must have; 0 and 0: any. */
	uint8_t min_args, max_args;
	enum probe_storage storage;
	enum vm_events vm_events; /* only for this --vm-events (and auto); AUTO: always */
	const char *cost;	  /* said of an attached hook that is not free, or NULL */
};

struct probe_hook {
	const char *name;
	bool essential; /* without it memswell does not start */
	bool traffic;	/* attached last, when sockets older than us have got their owners */
	uint8_t group;	/* enum bpf_group */
	/*
	 * Its turn, from 1, to be given up for --budget: what verdicts miss least goes first. 0: never,
	 * for without it deaths or failures are not seen, or it costs next to nothing.
	 */
	uint8_t shed_turn;
	struct probe_candidate candidates[PROBE_MAX_CANDIDATES]; /* best first */
	const char *consequence;				 /* of not having it */
	const char *fix; /* what an operator can do, or NULL */
};

/* The hooks in the order in which they are attached. */
const struct probe_hook *probes_table(uint32_t *nr);

/*
 * Whether the kernel that `btf` describes has what a program of section `section` attaches to, with
 * arguments that suit the candidate. 0, or -ENOENT with `reason` filled.
 */
int probe_check(const struct btf *btf, const struct probe_candidate *candidate, const char *section,
		char *reason, size_t reason_size);

/* Whether programs of all our kinds can use local storage: has_storage() of bpf/compat.bpf.h. */
bool probe_has_storage(const struct btf *btf);

/* Whether the first argument of a tracepoint is a pointer; false also if there is none. */
bool probe_first_arg_is_pointer(const struct btf *btf, const char *tracepoint);

#endif
