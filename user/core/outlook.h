/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * outlook.h - what lies ahead of a process: which service it is part of, what became of the earlier
 * lives of that service, and the ceilings that follow from its limits and from them. It brings the
 * tables together for lives.c and ceiling.c, which know none.
 */
#ifndef MEMSWELL_OUTLOOK_H
#define MEMSWELL_OUTLOOK_H

#include "core/ceiling.h"
#include "core/growth.h"
#include "core/lives.h"
#include "core/proctab.h"
#include "core/service.h"

struct core;

/*
 * The address a process answers on: one it listens on, else one it answered on, of several the
 * lowest port; of a worker that has none the one of the nearest ancestor that runs the same program.
 * NULL: it serves nobody.
 */
const struct endpoint *outlook_service(struct core *core, struct proc *p);
/* The same, whole, without remembering the answer: looking must not change what is decided later. */
const struct service *outlook_peek_service(struct core *core, struct proc *p);

/* The earlier lives of its service, told for the one that began and got as big as `p`. */
void outlook_lives(struct core *core, struct proc *p, uint64_t now_ns, struct lives_story *out);

/* `lives` of its service; anon_bytes: its memory now, or at its end. */
void outlook_ceilings(const struct core *core, const struct proc *p, uint64_t anon_bytes,
		      const struct lives_story *lives, struct ceilings *out);

/*
 * How many times faster its cgroup grew in the last minute than the process did; 1 where it is alone
 * there, or far from the limit.
 */
double outlook_cgroup_pace(struct core *core, const struct proc *p);

/* What its growth is judged by. */
struct outlook {
	struct lives_story lives;
	struct ceilings ceilings;
	struct growth_now growth; /* points to these ceilings */
};

/* `service`: what it answers on, NULL if it serves nobody. */
void outlook_tell(struct core *core, struct proc *p, const struct endpoint *service,
		  struct outlook *out);

#endif
