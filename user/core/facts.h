/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * facts.h - what the tables say about an incident, in the form verdict.c asks for it: the death or,
 * where nobody died, the process that serves; who ended it and who took its place; the failures;
 * what could not be seen. It gathers, and decides nothing.
 */
#ifndef MEMSWELL_FACTS_H
#define MEMSWELL_FACTS_H

#include "core/correlate.h"
#include "core/verdict.h"

struct core;
struct incident;
struct proc;

/* `incident` has its culprit and what is known of its service. */
void facts_gather(struct core *core, const struct incident *incident, const struct correlation *c,
		  struct verdict_facts *out);

/* Only what a death itself, and who took its place, tell: before there is an incident. */
void facts_of_end(struct core *core, const struct correlation *c, const struct death *d,
		  struct verdict_facts *out);

/*
 * What shows only while it lasts: a stall is over once somebody kills it, a pool is free again once
 * clients gave up. Puts the account of the process back where the earlier one told more; true: it
 * did, and what is told is of the process that was the culprit then. An end changes nothing that
 * somebody put to the same process for its trouble; then it is told with its end.
 */
bool facts_keep_worst(const struct verdict_facts *before, bool same_process,
		      struct verdict_facts *now);

/*
 * The process that matters most of those alive behind the upstream: who thrashes or answers nobody
 * before who only stands beside, of equals the biggest; NULL if none.
 */
struct proc *facts_owner(struct core *core, const struct correlation *c);

/*
 * The account of a living process in place of its death: story, traffic, ceilings, lives; exit_ns
 * stays 0.
 */
void facts_account(struct core *core, struct proc *p, struct death *out);

/* Who ended it: by its signal, and by where that one stands in the process tree. */
enum sender_kind facts_sender(struct core *core, const struct death *d,
			      const struct proc_id *successor);

/* The one that started both, or ended it and is its ancestor; NULL if none is known. */
const struct proc *facts_supervisor(struct core *core, const struct death *d,
				    const struct proc_id *successor);

struct successor {
	struct proc_id proc; /* tgid 0: none */
	bool before;	     /* it began before the other one ended */
};

/* The same program in its place: behind the same address or, with the same parent, beside it. */
void facts_successor(struct core *core, const struct correlation *c, const struct death *d,
		     struct successor *out);

#endif
