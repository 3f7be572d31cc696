/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * take.h - how records enter the tables: one function per kind, named by the table in core.c, and
 * what those share.
 */
#ifndef MEMSWELL_TAKE_H
#define MEMSWELL_TAKE_H

#include "core/state.h"

/* take_process.c ------------------------------------------------------------------------------- */

void take_proc(struct core *core, const struct record *r);
void take_exec(struct core *core, const struct record *r);
void take_exe(struct core *core, const struct record *r);
void take_task(struct core *core, const struct record *r);
void take_rss(struct core *core, const struct record *r);
void take_vm(struct core *core, const struct record *r);
void take_cgroup(struct core *core, const struct record *r);
void take_container(struct core *core, const struct record *r);
void take_reclaim(struct core *core, const struct record *r);

void process_set_comm(struct proc *p, const char comm[RECORD_COMM_LEN]);
/* Its anonymous memory is now this much; the container's sum follows. */
void process_set_anon(struct core *core, struct proc *p, uint64_t bytes);
/* Put what is known of its memory into its history, if it is big enough to have one. */
void process_sample(struct core *core, struct proc *p, uint64_t ts_ns);
void process_drop_growth(struct core *core, struct proc *p);
/*
 * The traffic of a process, begun now if it serves HTTP or may: who only listens so far is followed
 * too, or the growth before its first request would be unknown, but half of the room is for those
 * that answer. NULL where there is none and no room.
 */
struct traffic *process_traffic(struct core *core, struct proc *p, bool serves);
void process_drop_traffic(struct core *core, struct proc *p);
/* proctab's callback: the entry is about to be forgotten. */
void process_release(void *core, struct proc *p);

/* take_death.c --------------------------------------------------------------------------------- */

void take_signal(struct core *core, const struct record *r);
void take_oom(struct core *core, const struct record *r);
void take_v8_oom(struct core *core, const struct record *r);
void take_exit(struct core *core, const struct record *r);

/* The death of a process that has an entry, or gets one now. */
struct death *death_get(struct core *core, struct proc *p);
/* It has exited: complete its death with what the process table knows. Once. */
void death_conclude(struct core *core, struct proc *p, struct death *d);
/* Report in the order of their records; what waits for its SIGKILL or its exit stays. */
void deaths_report(struct core *core);

/* take_gap.c ----------------------------------------------------------------------------------- */

void take_gap(struct core *core, const struct record *r);
void take_gap_service(struct core *core, const struct record *r);
void take_gap_incident(struct core *core, const struct record *r);

/* Report the gap that was taken in, if there is one. */
void gap_report(struct core *core);

/* take_socket.c -------------------------------------------------------------------------------- */

void take_listener(struct core *core, const struct record *r);
void take_flow(struct core *core, const struct record *r);

#endif
