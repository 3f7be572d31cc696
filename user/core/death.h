/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * death.h - how a process ended, joined from the facts that come apart: OOM mark, signals, V8's
 * last words, exit status. It tells what happened, not what it means (verdict.h).
 *
 * Limit: 512, the oldest leaves first. Only what could matter to an incident is kept: the caller
 * asks for an entry for processes that are marked by the OOM killer, gave up in V8, serve, or are
 * big and get a fatal signal.
 */
#ifndef MEMSWELL_DEATH_H
#define MEMSWELL_DEATH_H

#include "core/ceiling.h"
#include "core/growth.h"
#include "core/lives.h"
#include "core/traffic.h"
#include "model/report.h"

#define DEATH_MAX     512
#define DEATH_SIGNALS 4

/* A signal long before an exit did not cause it. */
#define DEATH_SIGNAL_NS (30 * NSEC_PER_SEC)

struct death_signal {
	uint64_t ts_ns;
	struct proc_id sender;
	int32_t sig;
	int32_t code;
	bool ignored;
	char sender_comm[RECORD_COMM_LEN];
};

struct death {
	struct proc_id proc; /* tgid 0: unused */
	struct record_oom oom;
	uint64_t oom_ns; /* 0: not marked */
	uint64_t v8_ns;	 /* newest time its V8, or that of a worker thread, gave up */
	uint64_t v8_anon_bytes;
	/* In time order: the first kind within DEATH_SIGNAL_NS, and the newest ones. */
	struct death_signal signals[DEATH_SIGNALS];
	uint8_t nr_signals;
	uint64_t exit_ns; /* 0: not yet */
	uint32_t status;  /* wait(2) */
	uint64_t peak_rss_bytes;
	uint64_t anon_bytes; /* 0 unknown */
	struct growth_story story;
	struct traffic_story traffic;
	struct ceilings ceilings;
	struct lives_story lives; /* before this one */
	double oom_share;	  /* its part of the memory below the limit that was hit, 0..1 */
	bool oom_shared_limit;	  /* that limit is not its own cgroup's */
	bool oom_other_grew;	  /* another process below that limit grew more */
	uint64_t map_failed_ns;	  /* newest refused mmap or brk before the end */
	uint64_t peak_anon_bytes;
	bool heap_full_exit; /* the exit its runtime was told to make when its heap is full */
	bool oom_reported;
	bool exit_reported;
	bool explained; /* an incident names it as its cause */
};

struct deaths {
	struct death all[DEATH_MAX + 1]; /* 0 unused */
	uint16_t newest;		 /* a ring: the next one replaces the oldest */
	uint64_t lost;			 /* replaced before they were reported */
};

/* Index of a fresh entry. */
uint16_t death_take(struct deaths *t, const struct proc_id *proc);

void death_add_signal(struct death *d, uint64_t ts_ns, const struct record_signal *signal);

/*
 * The signal that ended it or, for one that ended by itself (exit, or a signal to itself after its
 * handler ran), the first that somebody else asked it with; NULL if none.
 */
const struct death_signal *death_signal_of(const struct death *d);

/* Was it the OOM killer? Also a SIGKILL by a user ends a process that is marked. */
bool death_is_oom_kill(const struct death *d);
/*
 * V8's own limit: it gave up, and the process ended by itself soon after. One that only loses a
 * worker thread may live on, and die of something else later.
 */
bool death_is_v8_oom(const struct death *d);
/* It was refused memory, and ended by itself and in failure at once: Go, Python, bad_alloc. */
bool death_is_map_failure(const struct death *d);
/*
 * The OOM killer, a full heap, or memory that was refused: memory ended it, whatever else is to be
 * said.
 */
bool death_by_memory(const struct death *d);
/* Somebody else asked it to end or to start again, by a signal that programs handle for that. */
bool death_was_asked(const struct death *d);
/* The SIGKILL of the OOM killer was seen. */
bool death_oom_confirmed(const struct death *d);
/* SIGABRT to itself that had no effect: the first process of a PID namespace calling abort(). */
bool death_abort_ignored(const struct death *d);
/* SIGABRT to itself, with effect or without. */
bool death_aborted_itself(const struct death *d);

/* The same in one word; for one that ended. */
enum death_kind death_kind_of(const struct death *d);

void death_decode(const struct death *d, struct report_death *out);

#endif
