/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * proctab.h - which processes exist or recently did, keyed by (tgid, start time).
 *
 * Only what every process needs is here; what few need (growth, death, gateway) lives in its own
 * pool and is referred to by index, 0 meaning none. Dead processes stay for ten minutes as long as
 * there is room, because the failures they explain come after them.
 *
 * Limit: 16384. When full the process dead for longest leaves first; if all live, a new one is not
 * taken and counted in `refused`.
 */
#ifndef MEMSWELL_PROCTAB_H
#define MEMSWELL_PROCTAB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"
#include "model/record.h"

#define PROCTAB_SIZE	     16384
#define PROCTAB_HEADS	     8192
#define PROCTAB_KEEP_DEAD_NS (600 * NSEC_PER_SEC)

/* Of RECORD_COMM_LEN: 15 bytes with room for four that are no UTF-8; a name with more of them is cut. */
#define PROC_COMM_LEN 24

struct proc {
	struct proc_id id;
	struct proc_id parent;
	uint64_t exit_ns; /* 0: alive as far as we know */
	uint64_t anon_bytes;
	uint64_t peak_anon_bytes;
	uint64_t memcg_usage_bytes;
	uint64_t memcg_limit_bytes;
	uint64_t requests; /* answered as server */
	uint32_t exit_status;
	uint32_t exit_peak_kib;
	uint16_t next;	/* hash chain */
	uint16_t older; /* list of the dead by time of death */
	uint16_t newer;
	uint16_t container; /* index into struct containers, and so on */
	uint16_t exe;
	uint16_t told_name; /* of its service, as it was told; in core.told_names */
	uint16_t growth;
	uint16_t death;
	uint16_t gateway;
	uint16_t gateway_generation;
	uint16_t traffic;
	uint8_t runtime;	  /* enum runtime_kind */
	uint8_t oom_exit;	  /* enum oom_exit */
	uint8_t told_name_source; /* enum name_source */
	uint16_t runtime_version;
	uint32_t map_failures;		 /* refused mmap, mremap and brk calls, as last told */
	uint64_t heap_limit_bytes;	 /* told by flag or environment; 0 none */
	uint64_t supervisor_limit_bytes; /* told likewise */
	uint64_t map_failed_ns;		 /* newest refused mmap or brk; 0 none */
	uint64_t file_bytes;		 /* resident */
	uint16_t service;		 /* it is known to serve, see outlook.h */
	bool v8_probe;
	bool exit_seen; /* its own exit record, not only a later life of its pid */
	bool growth_refused;
	bool traffic_refused;
	bool created_listener; /* seen to, not inherited */
	bool held_listener;
	bool served_http;
	char comm[PROC_COMM_LEN];
};

/* Called before an entry leaves: give back what it refers to. */
typedef void (*proctab_release_fn)(void *arg, struct proc *p);

struct proctab {
	struct proc procs[PROCTAB_SIZE + 1]; /* 0 unused */
	uint16_t heads[PROCTAB_HEADS];
	uint16_t free_list;
	uint16_t nr_touched; /* entries above were never used */
	uint16_t oldest_dead;
	uint16_t newest_dead;
	uint32_t nr_alive;
	uint64_t refused;
	proctab_release_fn release;
	void *arg;
};

/* `t` is zeroed memory. */
void proctab_init(struct proctab *t, proctab_release_fn release, void *arg);

/* NULL if unknown. Start time 0 finds the newest process with that tgid. */
struct proc *proctab_find(struct proctab *t, const struct proc_id *id);

/* Find or insert. NULL for tgid 0 and when the table is full of living processes. */
struct proc *proctab_get(struct proctab *t, const struct proc_id *id);

/* Is `who` the parent of `of`, or its parent's, and so on for that many generations? */
bool proctab_is_ancestor(struct proctab *t, const struct proc_id *who, const struct proc_id *of,
			 int generations);

/* The process ended; it stays findable. Does nothing the second time. */
void proctab_exit(struct proctab *t, struct proc *p, uint64_t ts_ns);

/* Forget what died more than PROCTAB_KEEP_DEAD_NS ago; a bounded number per call. */
void proctab_expire(struct proctab *t, uint64_t now_ns);

#endif
