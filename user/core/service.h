/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * service.h - who is behind an address: listeners, their holders, the processes that answer on
 * them, and when the address was without a listener.
 *
 * Several processes may stand behind one address: SO_REUSEPORT, workers that inherit the listener,
 * connections passed on. All of them are members; the newest ones are kept.
 *
 * Limit: 1024 addresses, 8 listening sockets and 12 members each. When full the address unused for
 * longest that has no listener leaves; if all have one, a new address is counted in `refused`.
 */
#ifndef MEMSWELL_SERVICE_H
#define MEMSWELL_SERVICE_H

#include "base/units.h"
#include "model/record.h"
#include "model/vocabulary.h"

#define SERVICE_MAX	 1024
#define SERVICE_HEADS	 1024
#define SERVICE_SOCKS	 8
#define SERVICE_MEMBERS	 12
#define SERVICE_RESTARTS 8

struct service_sock {
	uint64_t id;
	struct proc_id owner;
};

struct service_member {
	struct proc_id proc;
	uint64_t seen_ns : 63;
	uint64_t owner : 1; /* held the listener */
};

struct service {
	struct endpoint local;
	uint64_t seen_ns;
	uint64_t first_ns; /* first seen */
	uint64_t up_ns;	   /* when the address last got its first listener; 0 not seen */
	uint64_t down_ns;  /* when it last lost its last listener; 0 not seen */
	uint64_t restart_ns[SERVICE_RESTARTS]; /* ups after a down, ring */
	struct proc_id newest_owner;	       /* of the newest listener */
	/* since it is known, so that they can be counted on; of a wildcard with its addresses */
	uint64_t requests; /* answered */
	uint64_t restarts;
	uint32_t deaths[NR_DEATH_KINDS];
	uint64_t died_ns[NR_DEATH_KINDS]; /* the newest of them, and who it was */
	struct proc_id died[NR_DEATH_KINDS];
	struct service_sock socks[SERVICE_SOCKS];
	struct service_member members[SERVICE_MEMBERS];
	uint16_t next;
	uint8_t nr_socks;
	uint8_t nr_members;
	uint8_t restart_head;
	bool up;
	bool uncertain; /* more listeners than SERVICE_SOCKS: up is no longer known exactly */
};

struct services {
	struct service all[SERVICE_MAX + 1]; /* 0 unused */
	uint16_t heads[SERVICE_HEADS];
	uint16_t nr;
	uint64_t refused;
};

/* Find or insert; NULL when there is no room. */
struct service *service_get(struct services *t, const struct endpoint *local, uint64_t ts_ns);

/*
 * Take a listener record. Returns the service (NULL without room); *outage_ns is how long the
 * address had been without listener if this brought it back, else 0.
 */
struct service *service_listener(struct services *t, uint64_t ts_ns,
				 const struct record_listener *listener, uint64_t *outage_ns);

/* This process answers on the address. */
void service_serve(struct service *s, const struct proc_id *proc, uint64_t ts_ns, bool owner);

/*
 * Who listens for an address that answered: itself, the wildcard of its namespace and port, or, where
 * neither was seen, itself again.
 */
const struct service *service_bound(const struct services *t, const struct service *s);

/* It answered requests. */
void service_count_requests(struct services *t, struct service *s, uint64_t n);

struct service_death {
	struct proc_id proc;
	uint64_t ts_ns;
	enum death_kind kind;
};

/* A process ended: counts once at each address it stood behind, and at the wildcard for these. */
void service_count_death(struct services *t, const struct service_death *death);

/* The addresses at which a process answered, wildcards aside; their number, at most `max`. */
uint32_t service_answered_at(const struct services *t, const struct proc_id *proc,
			     struct endpoint *out, uint32_t max);

/* Ups after a down within the ten minutes before now. */
uint32_t service_restarts(const struct service *s, uint64_t now_ns);

/*
 * ::1 as 127.0.0.1, everything else as it is: "localhost" means both, gateways try both, and one
 * listener on any address takes both, so they are one upstream.
 */
struct endpoint service_fold_loopback(const struct endpoint *e);

/*
 * How well a listener explains a connection to an address. The client's namespace stands in the
 * upstream endpoint. Another namespace is a guess that an exact address supports and a wildcard
 * hardly does; loopback never crosses. On another node an exact address says less, for private ones
 * repeat on every node, and a wildcard nothing: somebody listens on that port everywhere.
 */
enum service_match {
	MATCH_NONE = 0,
	MATCH_NODE_WILDCARD,  /* other node, any address: only beside an exact one */
	MATCH_CROSS_WILDCARD, /* other namespace, any address */
	MATCH_NODE_EXACT,     /* other node */
	MATCH_CROSS_EXACT,
	MATCH_WILDCARD, /* same namespace, or one of the two is unknown */
	MATCH_EXACT,
	NR_SERVICE_MATCHES
};

enum service_match service_match(const struct endpoint *local, const struct endpoint *upstream);

#define SERVICE_FOUND_MAX 8

/*
 * The services behind an upstream, best matches only: all of the same namespace, else all of the
 * one other namespace that matches. Candidates in several other namespaces are nobody: which one
 * it was cannot be told; unless the address moved, for then all but the newest were gone before the
 * next one came. Returns their number.
 */
uint32_t service_find(struct services *t, const struct endpoint *upstream,
		      struct service *found[SERVICE_FOUND_MAX]);

#endif
