/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * verdict.h - from facts about a burst of failures to a class, a cause and a confidence.
 *
 * Two questions, one after the other: which class, and, where a class has causes, which cause. Each
 * rule (core/rules.h) looks at one fact and adds log-odds to classes or to causes. What no rule
 * founds is out; `unexplained` always stands with a small head start, and wins whenever nothing else
 * is more likely than not. Among causes unknown_growth stands like that, and wins likewise: then the
 * confidence is that of the class, and the causes that were close are alternatives. Scores are part
 * of the output, so a reader can redo the sum. Pure: facts in, verdict out.
 */
#ifndef MEMSWELL_VERDICT_H
#define MEMSWELL_VERDICT_H

#include "core/ceiling.h"
#include "core/growth.h"
#include "core/hooks.h"
#include "core/lives.h"
#include "core/traffic.h"
#include "model/report.h"

/* Who sent the signal that ended a process. */
enum sender_kind {
	SENDER_UNKNOWN = 0,
	SENDER_ITSELF,
	SENDER_KERNEL,
	SENDER_PARENT, /* or another ancestor that started it: a supervisor, an arbiter */
	SENDER_OTHER,  /* an operator's shell, a deploy script, a kubelet's probe ... */
	SENDER_INIT,   /* pid 1 and other service managers by their place in the tree */
};

struct verdict_facts {
	uint64_t at_ns; /* what the facts about the process are of: its end, or the newest batch */
	/* the death that explains the failures, if there is one */
	bool died;
	bool oom_kill;
	bool oom_confirmed;
	bool v8_oom;
	bool v8_runtime;
	bool v8_watched; /* would have been seen giving up */
	bool managed_heap;
	bool aborted_itself;
	bool killed;	   /* by SIGKILL */
	bool asked;	   /* to end or to start again, by somebody else, shortly before it did */
	bool signal_known; /* its generation was seen */
	bool signal_from_kernel;
	int32_t signal; /* that ended it or asked it to end; 0 none */
	int32_t exit_code;
	enum sender_kind sender; /* of that signal */
	bool heap_full_exit;	 /* the exit its runtime was told to make when its heap is full */
	bool map_failed;	 /* mmap or brk were refused shortly before it ended by itself */
	bool listener_inherited; /* its listener lives on in another process */
	bool replaced;		 /* the same program listens there again ... */
	bool replaced_before;	 /* ... and did so before the old one was gone */
	uint64_t outage_ns;	 /* nobody listened; 0 not so or not over */
	uint64_t lifetime_ns;
	uint64_t peak_anon_bytes; /* of this life */
	uint64_t peak_rss_bytes;  /* likewise, with files: what supervisors look at */
	bool served;		  /* it answered requests in this life */
	/* OOM kill: who was behind the limit */
	bool oom_shared_limit; /* the limit is not its own cgroup's: of a parent, or the machine */
	double oom_share;      /* its part of the memory below that limit, 0..1 */
	bool oom_other_grew;   /* another process below that limit grew more */
	double oom_anon_share; /* of the limit that was hit, anonymous memory below it; 0 unknown */
	/* memory before the end or, where nobody died, up to now; of the main owner of the service */
	struct growth_story story;
	struct traffic_story traffic;
	struct lives_story lives;
	struct ceilings ceilings;
	bool owner_alive;	     /* somebody serves there, and story and traffic are his */
	uint64_t limit_events_per_s; /* reclaim at the cgroup's limit */
	double heap_used;	     /* anonymous memory / heap limit it was told; 0 none */
	double limit_used;	     /* usage / limit of the cgroup, 0..1; 0 no limit */
	/* the failures */
	bool local;	    /* of the gateway itself: no upstream was tried */
	bool known_gateway; /* a program whose own answers are known: nginx, haproxy, ... */
	uint64_t client_502, client_503, client_504, client_errors;
	uint64_t app_answered; /* 502, 503, 504 of the upstream's own */
	uint64_t truncated;
	uint64_t timed_out; /* connects without answer */
	uint64_t unreachable;
	uint64_t no_port;     /* the gateway had no local port left */
	uint64_t accept_full; /* connects that met a full accept queue of the service */
	uint64_t abandoned;   /* of the failures: requests the gateway gave up waiting for */
	uint64_t silent_ns;   /* longest time without any answer while it did */
	bool ever_answered;   /* the upstream did within the last ten minutes */
	bool listener_came;   /* the address got its listener only after the first failure */
	uint64_t watched_ns;  /* from the start of the stream to the first failure */
	uint64_t failing_ns;  /* from the first failure to now */
	bool same_host;	      /* its address belongs to a service or namespace of this host */
	double load_ratio;    /* requests per second at the gateway, now to usual; 0 unknown */
	uint64_t failures;    /* on the upstream legs, or waiting there in vain */
	uint64_t on_reused;   /* of them, without answer on a connection that had answered before */
	uint64_t refused;
	uint64_t answers; /* of the upstream in the same time */
	/* who listens there */
	bool service_known;
	bool listener_stayed;
	uint32_t deaths_behind; /* of processes behind the address, around the failures */
	uint32_t died_unheard; /* lives of one program on its host, of memory, before it listened */
	/* what we could not see */
	uint32_t unseen; /* HOOK_BIT of each hook that is missing, see core/hooks.h */
	uint64_t events_lost;
	bool other_node;	 /* the service is on another one than the gateway */
	uint64_t clock_error_ns; /* of the two clocks, then */
	uint64_t unwatched_ns;	 /* of the window, because of gaps */
};

void verdict_decide(const struct verdict_facts *facts, struct report_verdict *out);

#endif
