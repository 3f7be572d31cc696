/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * gateway.h - who stands between clients and upstreams, and what happened there in this batch.
 *
 * A gateway is a process, with its workers, that is an HTTP server and a client; or a program known
 * to be one (personality.h) that listens and calls upstreams, when its clients speak what cannot be
 * read. Everything is counted per (gateway, upstream). Whom a bad answer of the gateway is put down
 * to is decided in gateway_share.h; whether failures are many, in burst.h.
 *
 * Each gateway may have one pseudo-upstream, `local`, for what it fails at with nobody to blame.
 *
 * Limits: 96 gateways and 192 upstreams. When full, what was idle for longest leaves, half-known
 * gateways (only one of the two roles seen) first; one with an open burst never does. What finds no
 * room is counted in `refused`.
 */
#ifndef MEMSWELL_GATEWAY_H
#define MEMSWELL_GATEWAY_H

#include "core/burst.h"
#include "core/core.h"
#include "core/load.h"
#include "core/personality.h"
#include "core/proctab.h"
#include "core/service.h"

#define GATEWAY_MAX    96
#define UPSTREAM_MAX   192
#define UPSTREAM_HEADS 256

/* The statuses a gateway and an upstream are compared by: other 5xx, 502, 503, 504. */
#define NR_GATEWAY_ERRORS 4

/*
 * Counters of the two sides are not read in one instant: what one side tells waits here, a second
 * at least and a batch, for its counterpart on the other.
 */
struct pending {
	uint32_t fresh;
	uint32_t old;
};

struct upstream {
	struct endpoint endpoint;		    /* as first seen */
	struct endpoint key;			    /* loopback folded */
	struct impact now;			    /* this batch */
	struct pending answered[NR_GATEWAY_ERRORS]; /* by itself, not yet passed on */
	struct pending gave_up;			    /* the gateway, on requests to it */
	struct pending timed_out;		    /* 504s without such a request */
	struct pending good;			    /* its answers that are no 5xx */
	struct flow_mark gave_up_mark;		    /* of the fresh and of the old ones */
	struct flow_mark gave_up_old_mark;
	struct flow_mark answered_mark; /* 502, 503, 504 of its own in this batch */
	uint32_t undecided; /* failures on its legs not yet made good nor told to clients */
	uint64_t undecided_ns;
	uint64_t failed_ns; /* newest failure on its legs; 0 none */
	uint32_t recent;    /* failures in the newest batch that had any */
	uint64_t erred_ns;  /* newest 5xx of its own, also to a health check; 0 none */
	uint32_t erred;	    /* those in the newest batch that had any */
	uint64_t used_ns;
	uint64_t answered_ns; /* newest answer of any status; 0 none */
	struct burst burst;
	struct impact total;	   /* since it is known */
	uint64_t failing_since_ns; /* when the newest run of failures began; 0 none */
	uint64_t failing_until_ns;
	uint16_t incident; /* index, 0 none; incident.c's */
	uint16_t gateway;  /* 0: unused */
	uint16_t next;	   /* hash chain */
	uint16_t sibling;  /* next upstream of the same gateway */
	bool local; /* no upstream: what the gateway failed on its own; endpoint is all zero */
};

/* What it did lately, in sums that fade within half a minute. */
struct gateway_past {
	double client_requests;
	double upstream_answers;
	double clients_left;
	double gave_up; /* on upstreams, without telling clients of a timeout */
};

struct gateway {
	struct proc_id root; /* tgid 0: unused */
	char comm[RECORD_COMM_LEN];
	const struct personality *personality;
	uint64_t used_ns;
	uint32_t client_status[NR_FLOW_STATUSES]; /* this batch */
	uint32_t client_requests;
	uint64_t total_status[NR_FLOW_STATUSES]; /* since it is known, likewise */
	uint64_t total_requests;
	struct flow_mark bad;	    /* 502, 503 and 504 to clients in this batch */
	uint64_t ok_ns;		    /* newest good answer to a client, and where that */
	uint64_t ok_first_ns;	    /* episode began */
	uint32_t closed_unanswered; /* clients, in this batch */
	uint32_t closed_unread;	    /* of them, before the gateway had read what they sent */
	uint32_t clients_left;	    /* before they had their answer, in this batch */
	struct pending unblamed[NR_GATEWAY_ERRORS]; /* own errors, no upstream to blame yet */
	struct pending turned_away;		    /* closed unread, and no leg failed */
	bool turning_away;			    /* also in the turn before */
	struct flow_mark turned_away_mark;	    /* of the fresh and of the old ones */
	struct flow_mark turned_away_old_mark;
	struct pending good;			     /* answers to clients that are no 5xx */
	struct pending passed_on[NR_GATEWAY_ERRORS]; /* errors of upstreams in the same time */
	struct flow_mark unblamed_mark;		     /* of the fresh and of the old ones */
	struct flow_mark unblamed_old_mark;
	uint64_t turned_ns; /* when fresh pendings last became old */
	uint64_t rolled_ns;
	struct gateway_past past;
	struct load load;
	uint64_t listeners_ns; /* when its listeners were last looked for */
	uint64_t backends_ns;  /* when it last asked an upstream in another protocol */
	uint64_t behind_ns;    /* when it last failed another gateway as its upstream */
	uint32_t nr_workers;   /* processes seen, alive */
	uint16_t generation;   /* so that a reused entry is not taken for the old one */
	uint16_t upstreams;    /* list */
	uint16_t filters;      /* bit per filter: serves the port it asks for */
	bool serves;
	bool calls;
	bool listens; /* looked for where it calls */
	bool opaque;  /* its clients' requests cannot be read */
	bool active;  /* in this batch */
	bool waiting; /* something is pending */
};

struct gateways {
	struct gateway all[GATEWAY_MAX + 1]; /* 0 unused */
	struct upstream upstreams[UPSTREAM_MAX + 1];
	uint16_t heads[UPSTREAM_HEADS];
	uint64_t refused;
};

/* What a flow is seen with. */
struct gateway_view {
	struct proctab *procs;
	struct services *services;
	const struct core_options *options; /* which listening ports were asked for */
	uint64_t since_ns; /* when flows were last read: failures cannot be older */
};

/*
 * The process a worker belongs to: the farthest ancestor of the same name that it follows without
 * having made a listener of its own.
 */
struct proc *gateway_root(struct proctab *procs, struct proc *p);

/* Count a flow of `p`. */
void gateway_flow(struct gateways *t, const struct gateway_view *view, struct proc *p,
		  const struct record_flow *flow, uint64_t ts_ns);

/* A worker is gone. */
void gateway_worker_exit(struct gateways *t, const struct proc *p);

/* Is it a gateway, and one that was asked for? */
bool gateway_watched(const struct gateway *g, const struct core_options *options);
/* Or may it be one, whose clients cannot be read: it listens, and is no program known to us? */
bool gateway_suspected(const struct gateway *g, const struct core_options *options);

/* End of a batch of that node: share out client failures and move everything into the bursts. */
void gateway_tick(struct gateways *t, uint16_t node, uint64_t now_ns);

/* Its pseudo-upstream, made when there is none; NULL without room. */
struct upstream *gateway_local(struct gateways *t, struct gateway *g);

/* Its upstreams, one after the other: the first for NULL, NULL after the last. */
struct upstream *gateway_next_upstream(struct gateways *t, const struct gateway *g,
				       const struct upstream *previous);

#define gateway_for_each_upstream(u, t, g)                                                         \
	for (u = gateway_next_upstream(t, g, NULL); u; u = gateway_next_upstream(t, g, u))

/*
 * The gateway that answers on a service, NULL if who answers there asks nobody else: in a chain the
 * next one, whose own bursts tell what it failed at.
 */
struct gateway *gateway_of_service(struct gateways *t, struct proctab *procs,
				   const struct service *s);

/* Requests per second lately to what is usual; 0 unknown. */
double gateway_load_ratio(const struct gateway *g, uint64_t now_ns);

/* "nginx", "haproxy", ...: see personality.h; "generic" for programs not known there. */
const char *gateway_personality(const struct gateway *g);

#endif
