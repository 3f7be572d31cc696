/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * overview.h - how things stand at one moment: what the core knows of each process worth watching,
 * and of each way from a gateway to an upstream. For views that show the present; reports tell what
 * happened.
 *
 * Values, not text, and nothing decided for the view's sake. Strings point into the core, valid
 * during the callback only.
 */
#ifndef MEMSWELL_OVERVIEW_H
#define MEMSWELL_OVERVIEW_H

#include "model/report.h"

struct overview_process {
	struct report_proc proc;
	struct endpoint service; /* what it answers on; port 0: it serves nobody */
	struct endpoint bound;	 /* the listener that takes it, the same or a wildcard; see below */
	bool gateway;
	uint64_t anon_bytes;
	uint64_t file_bytes;
	uint64_t memcg_usage_bytes;
	uint64_t memcg_limit_bytes;    /* effective; RECORD_NO_LIMIT if none */
	struct report_ceiling ceiling; /* the one with the least room; CEILING_NONE: none known */
	uint64_t ceiling_used_bytes;   /* of it, by this process and what shares it */
	uint64_t grown_bytes;	       /* in the last minute; 0 where no history is kept */
	enum growth_level level;
	struct measure slope_bytes_per_s; /* of the trend; only at a level above none */
	struct measure exhaustion_s;	  /* likewise */
	struct measure requests_per_s;	  /* of the last seconds */
	uint64_t requests;		  /* answered in its life */
	uint64_t reclaim_ns; /* spent in its memory cgroup, by anybody, since it is known */
	uint64_t in_flight;
	uint64_t failures;     /* on the legs to its service, within OVERVIEW_RECENT_S */
	uint32_t deaths_10m;   /* of its service */
	uint32_t restarts_10m; /* its address came back so often */
};

#define OVERVIEW_RECENT_S 32
#define OVERVIEW_DEATH_NS 900000000000ULL

struct overview_leg {
	struct report_gateway gateway;
	struct endpoint upstream;  /* port 0: what the gateway failed at by itself */
	uint64_t used_ns;	   /* newest request to it */
	uint64_t failing_since_ns; /* when the newest run of failures began; 0: there was none */
	uint64_t failed_ns;	   /* newest one */
	bool burst_open;
	struct report_impact recent; /* within OVERVIEW_RECENT_S */
	struct report_impact total; /* since the core knows the way; it may forget and begin anew */
};

/* What a gateway told its clients, since the core knows it. */
struct overview_gateway {
	struct report_gateway gateway;
	uint64_t used_ns;
	uint64_t client_requests;
	uint64_t client_status[NR_FLOW_STATUSES];
};

/*
 * An address that somebody listens on or answered on. One listener on 0.0.0.0 answers on several: they
 * are told besides it, each with it as `bound`. Counters are since the core knows the address.
 */
struct overview_listener {
	struct endpoint local;
	struct endpoint bound;
	bool up;
	uint64_t seen_ns;	 /* newest sign of it, however faint */
	uint64_t since_ns;	 /* when the present or last listener began; 0 unknown */
	struct report_proc proc; /* who answers there, or did last; tgid 0: nobody known */
	uint64_t requests;
	uint64_t restarts;
	uint64_t deaths[NR_DEATH_KINDS];
};

/* The newest death of a kind at an address, and who it was; for some minutes. */
struct overview_death {
	struct endpoint local;
	enum death_kind kind;
	uint64_t ts_ns;
	struct report_proc proc; /* tgid 0: forgotten meanwhile */
};

struct overview_sink {
	void (*process)(void *arg, const struct overview_process *process);
	void (*leg)(void *arg, const struct overview_leg *leg);
	/* NULL: not asked for */
	void (*gateway)(void *arg, const struct overview_gateway *gateway);
	void (*listener)(void *arg, const struct overview_listener *listener);
	void (*death)(void *arg, const struct overview_death *death); /* with its listener */
	void *arg;
};

#endif
