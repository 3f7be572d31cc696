/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * gateway.h - who stands between clients and upstreams, and how often each upstream failed it.
 *
 * A gateway is a process, with its workers, that is an HTTP server and a client. Failures are
 * counted per (gateway, upstream): on the upstream legs as the kernel saw them; on the client legs
 * as the 502, 503 and 504 the gateway answered, shared out to the upstreams that caused them. What
 * an upstream answered itself is not a failure of the gateway and is taken off first.
 *
 * Limits: 96 gateways and 192 upstreams. When full, what was idle for longest leaves, half-known
 * gateways (only one of the two roles seen) first; one with an open burst never does. What finds no
 * room is counted in `refused`.
 */
#ifndef MEMSWELL_GATEWAY_H
#define MEMSWELL_GATEWAY_H

#include "core/burst.h"
#include "core/core.h"
#include "core/proctab.h"

#define GATEWAY_MAX    96
#define UPSTREAM_MAX   192
#define UPSTREAM_HEADS 256

struct upstream {
	struct endpoint endpoint; /* as first seen */
	struct endpoint key;	  /* loopback folded */
	struct tally now;	  /* this batch, without the client legs */
	uint32_t answered[4];	  /* 5xx, 502, 503, 504 of its own in this batch */
	uint32_t abandoned;
	uint32_t undecided; /* failures on its legs not yet made good nor told to clients */
	uint64_t undecided_ns;
	uint64_t failed_ns; /* newest failure on its legs; 0 none */
	uint32_t recent;    /* failures in the newest batch that had any */
	uint64_t used_ns;
	struct burst burst;
	uint16_t incident; /* index, 0 none; incident.c's */
	uint16_t gateway;  /* 0: unused */
	uint16_t next;	   /* hash chain */
	uint16_t sibling;  /* next upstream of the same gateway */
};

struct gateway {
	struct proc_id root; /* tgid 0: unused */
	char comm[RECORD_COMM_LEN];
	uint64_t used_ns;
	uint32_t client_status[NR_FLOW_STATUSES]; /* this batch */
	uint32_t client_requests;
	uint64_t first_bad_ns; /* first and last bad answer to a client in this batch */
	uint64_t last_bad_ns;
	uint32_t closed_unanswered;  /* clients, in this batch */
	uint32_t answered_before[4]; /* by upstreams, not yet passed on to a client */
	uint32_t unshared[3];	     /* bad answers nobody could be blamed for yet */
	uint64_t unshared_ns;
	uint32_t nr_workers; /* processes seen, alive */
	uint16_t generation; /* so that a reused entry is not taken for the old one */
	uint16_t upstreams;  /* list */
	bool serves;
	bool calls;
	uint16_t filters; /* bit per filter: serves the port it asks for */
	bool active;	  /* in this batch */
};

struct gateways {
	struct gateway all[GATEWAY_MAX + 1]; /* 0 unused */
	struct upstream upstreams[UPSTREAM_MAX + 1];
	uint16_t heads[UPSTREAM_HEADS];
	uint64_t refused;
};

/*
 * The process a worker belongs to: the farthest ancestor of the same name that it follows without
 * having made a listener of its own.
 */
struct proc *gateway_root(struct proctab *procs, struct proc *p);

/*
 * Count a flow of `p`. Failures cannot be older than `since`, when flows were last read.
 * `options` says which listening ports were asked for.
 */
void gateway_flow(struct gateways *t, struct proctab *procs, struct proc *p,
		  const struct record_flow *flow, uint64_t ts_ns, uint64_t since,
		  const struct core_options *options);

/* A worker is gone. */
void gateway_worker_exit(struct gateways *t, const struct proc *p);

/* Is it a gateway, and one that was asked for? */
bool gateway_watched(const struct gateway *g, const struct core_options *options);

/* End of a batch: share out client failures and move everything into the bursts. */
void gateway_tick(struct gateways *t, uint64_t now_ns);

/* "nginx", "haproxy", "envoy", "generic": for the reader, nothing is decided by it. */
const char *gateway_personality(const struct gateway *g);

#endif
