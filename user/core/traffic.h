/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * traffic.h - what a serving process was doing while its memory grew: requests, bodies, requests in
 * flight, CPU, connections to its backends, second by second; and what of that explains the growth.
 *
 * The growth per second is regressed on [time, requests, received bytes, rise of requests in
 * flight] (recursive least squares, forgetting); the partial coefficients name the cause: background
 * leak, retention per request, payload, queueing. Beside it, what no regression shows: one large
 * request just before the jump, CPU per request far above its own past, nothing answered although
 * requests wait, all connections to a backend in use. It describes; verdict.c judges.
 *
 * Who gets growth that two inputs explain equally well, as at a constant request rate:
 * - requests before background. Background gets what grew in seconds without requests, and what a
 *   varying rate shows to be independent of it;
 * - requests in flight before requests, where a reasonable amount of memory for each in flight
 *   explains it (TRAFFIC_FLIGHT_BYTES): a queue that grows at a constant rate;
 * - received bytes before requests, as far as bodies are not small (TRAFFIC_SMALL_BODY_BYTES): of
 *   large bodies it is the size that counts.
 *
 * Records come once per tick and only when something moved: silence means unchanged. A second is
 * told apart from its neighbours only if ticks are no longer than that.
 *
 * Limits: 512 processes; 3 listening addresses and 6 backends each, the one unused for longest
 * leaves. Those that listen but were not yet seen to answer HTTP take half of the room at most. The
 * last minute in seconds, before that only running estimates. Who finds no room is counted in
 * `refused`, and has no story.
 */
#ifndef MEMSWELL_TRAFFIC_H
#define MEMSWELL_TRAFFIC_H

#include "core/retention.h"
#include "core/rls.h"
#include "base/units.h"
#include "core/usual.h"
#include "model/record.h"
#include "model/report.h"

#define TRAFFIC_MAX	  512
#define TRAFFIC_SECONDS	  64
#define TRAFFIC_LISTENERS 3
#define TRAFFIC_BACKENDS  6

#define TRAFFIC_LARGE_BYTES	 MIB /* a request that may explain a jump by itself */
#define TRAFFIC_PAYLOAD_NS	 (5 * NSEC_PER_SEC) /* how long after it */
#define TRAFFIC_STEP_BYTES	 MIB		    /* growth that may be its */
#define TRAFFIC_SMALL_BODY_BYTES (64 * KIB)
#define TRAFFIC_FLIGHT_BYTES	 (256 * KIB)
/* A collector that never rests would keep a core busy, were the machine not busy as well. */
#define TRAFFIC_BUSY_SHARE 0.3

/* What a process did, up to now or to its death. */
struct traffic_story {
	bool known;
	/* growth explained; `has` false where too little was seen (grown < 4 MiB or < 5 s) */
	struct report_explanation explained;
	struct measure bytes_per_request;
	struct retention_shape retention;
	/* payload: growth since the first large request of the last seconds, and how long that is */
	double payload_growth_share; /* of all growth of its life, within 5 s of a large request */
	uint64_t payload_ns;	     /* when that request was first seen; 0 none */
	uint64_t largest_request_bytes;
	/*
	 * memory when it began to serve (first answer, or 5 s after start), as baseline; 0 if nobody
	 * watched then
	 */
	uint64_t baseline_anon_bytes;
	/* garbage collection: CPU per request at >= 4 times its past at an unchanged request rate */
	double cpu_per_request_ratio; /* 0 unknown */
	double request_rate_ratio;    /* requests per second now to then */
	uint64_t thrash_ns;	      /* since when; 0 not */
	uint64_t high_ns; /* since when it has held nearly as much as it ever did; 0 unknown */
	/* stall */
	uint64_t silent_ns; /* requests have waited since then, hardly any was answered; 0 not so */
	uint64_t major_faults_per_s;
	double cpu_share; /* of one core, last 5 s */
	/* queueing */
	uint64_t in_flight;	 /* now */
	uint64_t in_flight_peak; /* last minute */
	double in_flight_usual;	 /* median before the last 10 s */
	uint64_t rate_now;	 /* requests per second, last 5 s */
	double rate_usual;	 /* median before the last 10 s */
	struct report_pool pool;
};

struct traffic_second {
	uint32_t requests;
	uint32_t responses;
	uint32_t in_flight;    /* at its end */
	uint32_t received_kib; /* of request bodies */
	uint32_t bulk_kib;     /* of these, beyond small bodies */
	uint32_t cpu_us;
	uint32_t major_faults;
	uint32_t before_kib; /* anonymous memory at its begin, and at its end */
	uint32_t anon_kib;
	uint16_t rise_ms; /* when memory had first grown by TRAFFIC_STEP_BYTES; 0 it did not */
	bool known;	  /* memory at its begin is */
	bool moved;	  /* anything was told about it */
	bool payload;	  /* within the time of a large request */
};

/* What is compared with its own past. */
enum traffic_quantity {
	QUANTITY_CPU = 0, /* us per answer */
	QUANTITY_IN_FLIGHT,
	QUANTITY_RATE,
	NR_QUANTITIES
};

/* A server address of the process. */
struct traffic_listener {
	struct endpoint endpoint;
	uint64_t used_ns; /* 0: unused */
	uint64_t largest_bytes;
	uint64_t in_flight;
};

struct traffic_backend {
	struct endpoint endpoint;
	uint8_t role;	  /* enum flow_role */
	uint64_t used_ns; /* 0: unused */
	uint64_t open;
	uint64_t in_flight;
	uint64_t open_peak;
	uint64_t flat_open; /* what `open` has been since flat_ns or longer */
	uint64_t flat_ns;   /* since when `open` is unchanged and all are busy; 0 not so */
	uint64_t busy_ns;   /* when all were last busy */
	bool busy;	    /* at its newest record */
	double latency_us;  /* usual (slow average), and now (fast) */
	double latency_now_us;
};

/* Growth and what may explain it, over some seconds. */
struct traffic_sum {
	double x[RLS_INPUTS];
	double y;
};

struct traffic {
	struct proc_id proc;
	bool used;
	bool served;   /* HTTP was seen */
	bool older;    /* it ran before anybody watched: set by who takes it */
	bool has_anon; /* memory, CPU time and faults were told */
	bool has_usage;
	uint16_t next; /* free list */
	uint64_t first_ns;
	uint64_t last_ns;
	uint64_t ended_ns; /* it died: nothing moves after that; 0 alive */
	uint64_t phase_ns; /* where in a second its seconds begin: between ticks */
	uint64_t second;   /* number of the newest slot; slot is number % TRAFFIC_SECONDS */
	uint64_t first_second;
	uint64_t summed; /* number of the newest second that is in the estimates */
	struct traffic_second ring[TRAFFIC_SECONDS];
	struct traffic_listener listeners[TRAFFIC_LISTENERS];
	struct traffic_backend backends[TRAFFIC_BACKENDS];
	/* absolute, as last told */
	uint64_t anon_bytes;
	uint64_t cpu_ns;
	uint64_t major_faults;
	uint64_t baseline_anon_bytes;
	uint64_t peak_anon_bytes;
	uint64_t largest_request_bytes;
	/* waiting */
	uint64_t
		waiting_ns; /* requests have waited since then, and hardly any was answered; 0 no */
	uint64_t waiting_answers; /* the few since then ... */
	double waiting_usual;	  /* ... and how many it used to give per second */
	uint64_t unanswered_ns;	  /* when one was last seen to wait or to fail */
	/* large requests */
	uint64_t upload_ns; /* since when bodies have been arriving that may be one; 0 none */
	uint64_t upload_last_ns;
	uint64_t payload_until_ns; /* growth before that goes with the newest one */
	bool payload_unanswered;   /* nothing was answered since the newest large request */
	double payload_grown_kib;  /* in seconds no longer in the ring */
	double payload_bulk_kib;
	/* estimates: seconds, and minutes for what grows too slowly for them */
	struct traffic_sum pending;
	double idle_s; /* observations without requests: their time and growth, discounted alike */
	double idle_kib;
	bool pending_payload;
	double queue_high; /* most requests in flight lately */
	struct traffic_sum minute;
	struct retention retention;
	struct rls seconds;
	struct rls minutes;
	/* what has left the ring */
	struct usual usual[NR_QUANTITIES];
	uint64_t high_ns;   /* memory is in the top tenth of what it grew, since then; 0 not so */
	uint64_t thrash_ns; /* CPU per request was far above its past, from then ... */
	uint64_t thrash_seen_ns; /* ... to then */
	struct report_pool pool; /* newest one seen saturated */
	uint64_t pool_seen_ns;
};

struct traffics {
	struct traffic all[TRAFFIC_MAX + 1]; /* 0 unused */
	uint16_t free_list;
	uint16_t nr_touched;
	uint16_t nr_used;
	uint64_t refused;
};

bool traffic_full(const struct traffics *t);
/* Index of a fresh history, 0 if full (then counted once per process by the caller). */
uint16_t traffic_take(struct traffics *t, const struct proc_id *proc);
void traffic_put(struct traffics *t, uint16_t index);

/* A flow of the process, in any role. */
void traffic_flow(struct traffic *t, uint64_t ts_ns, const struct record_flow *flow);
/* Memory, and CPU time and major faults where known (0: not told), all absolute. */
void traffic_usage(struct traffic *t, uint64_t ts_ns, uint64_t anon_bytes, uint64_t cpu_ns,
		   uint64_t major_faults);
/*
 * It died. Flows read later tell what came before: their counts still count, while their gauges,
 * of sockets closed by its end, do not.
 */
void traffic_end(struct traffic *t, uint64_t ts_ns);

/* How badly one of several that serve is off; what the others do is no part of it. */
enum traffic_trouble {
	TRAFFIC_FINE = 0,
	TRAFFIC_SILENT,	  /* requests have waited for seconds, and hardly any was answered */
	TRAFFIC_COMPUTES, /* so, and it computes all the time */
	TRAFFIC_THRASHES, /* CPU per request far above its own past, and memory at its highest */
};

enum traffic_trouble traffic_trouble(const struct traffic *t, uint64_t now_ns);

/* The account up to now_ns, or to its end if that was earlier. */
void traffic_conclude(const struct traffic *t, uint64_t now_ns, struct traffic_story *out);

#endif
