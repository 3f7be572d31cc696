/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * actions_memory.c - advice where memory is the cause: keep the service up until it is mended, find
 * what grows, set limits that fit. The numbers come from remedy.c.
 */
#include "core/actions.h"

#include <string.h>

#include "core/remedy.h"
#include "core/rules.h"

typedef unsigned long long ull;

/* A warning that came later helped nobody, so it is not advertised. */
#define WORTH_ALERTING_S 10

/* Facts that several pieces of advice need -------------------------------------------------- */

static uint64_t known(struct measure m)
{
	return m.has ? u64_of(m.value) : 0;
}

static double slope_of(const struct advice *a)
{
	const struct measure *slope = &a->out->memory.floor_slope_bytes_per_s;

	return slope->has && slope->value > 0 ? slope->value : 0;
}

static uint64_t peak_of(const struct advice *a)
{
	const struct report_memory *m = &a->out->memory;
	uint64_t peak = max_u64(known(m->peak_rss_bytes), known(m->peak_anon_bytes));

	return a->out->death.memcg_oom ? max_u64(peak, known(m->limit_usage_bytes)) : peak;
}

/*
 * What the process itself can reach: less than the ceiling where others fill it as well, as workers
 * do that share a cgroup.
 */
static uint64_t own_ceiling(const struct advice *a)
{
	uint64_t ceiling = a->out->memory.ceiling_bytes;
	uint64_t peak = known(a->out->memory.peak_anon_bytes);

	return a->out->death.oom_kill && peak && peak < ceiling / 4 * 3 ? peak : ceiling;
}

/* The heap its runtime may take, as anonymous memory; 0 unknown or not managed. */
static uint64_t heap_of(const struct advice *a)
{
	const struct report_memory *m = &a->out->memory;

	for (uint32_t i = 0; i < m->nr_ceilings; i++)
		if (m->ceilings[i].source == CEILING_HEAP_FLAG ||
		    m->ceilings[i].source == CEILING_HEAP_COMPUTED)
			return m->ceilings[i].bytes;
	return 0;
}

/* Go is told what to keep to, not where to end: more of it is no room, and less ends no leak. */
static bool has_heap_limit(const struct advice *a)
{
	return runtime_is_managed(a->out->culprit.runtime);
}

static bool has_heap_setting(const struct advice *a)
{
	return has_heap_limit(a) || a->out->culprit.runtime == RUNTIME_GO;
}

/* "--max-old-space-size=384", "-Xmx384m", "GOMEMLIMIT=384MiB" */
static void add_heap_setting(struct text *t, const struct advice *a, uint64_t mib)
{
	static const struct {
		const char *flag, *unit;
	} settings[NR_RUNTIMES] = {
		[RUNTIME_NODEJS] = {"--max-old-space-size=", ""},
		[RUNTIME_JVM] = {"-Xmx", "m"},
		[RUNTIME_GO] = {"GOMEMLIMIT=", "MiB"},
	};

	text_add(t, "%s%llu%s", settings[a->out->culprit.runtime].flag, (ull)mib,
		 settings[a->out->culprit.runtime].unit);
}

/* Advice ------------------------------------------------------------------------------------- */

static void advise_restarts(struct advice *a)
{
	uint64_t ceiling = own_ceiling(a);
	uint64_t baseline = a->traffic->baseline_anon_bytes;
	double left_s = remedy_seconds_left(slope_of(a), ceiling, baseline);
	struct text t = action_add(a, ACTION_MITIGATE);

	text_add(&t, "Run at least two replicas, so that retries hide the end of one, and restart "
		     "each before it is full");
	if (left_s > 0) {
		text_add(&t, ": at ");
		text_add_rate(&t, slope_of(a));
		text_add(&t, " a fresh one reaches ");
		text_add_bytes(&t, ceiling);
		text_add(&t, " in ");
		text_add_duration(&t, u64_of(left_s * (double)NSEC_PER_SEC));
	}
	text_add(&t, ".");
}

/* pm2 restarts at a threshold, but looks seldom. */
static void advise_pm2(struct advice *a)
{
	uint64_t ceiling = own_ceiling(a);
	uint64_t mib = remedy_restart_mib(ceiling);
	double slope = slope_of(a);
	struct text t;

	if (a->out->culprit.runtime != RUNTIME_NODEJS || !mib || slope <= 0)
		return;
	t = action_add(a, ACTION_PREVENT);
	if (remedy_poll_in_time(slope, ceiling)) {
		text_add(&t, "Under pm2, set max_memory_restart to %lluM (80 %% of ", (ull)mib);
		text_add_bytes(&t, ceiling);
		text_add(&t, "): it looks every %d s, in time for a leak that grows ",
			 REMEDY_PM2_POLL_S);
		text_add_bytes(&t, u64_of(slope * REMEDY_PM2_POLL_S));
		text_add(&t, " in between.");
	} else {
		text_add(&t,
			 "Under pm2, max_memory_restart would come too late: it looks every %d s, "
			 "and this leak grows ",
			 REMEDY_PM2_POLL_S);
		text_add_bytes(&t, u64_of(slope * REMEDY_PM2_POLL_S));
		text_add(&t, " in between, more than a fifth of ");
		text_add_bytes(&t, ceiling);
		text_add(&t, ".");
	}
}

/* Pre-forking servers count requests instead. */
static void advise_recycling(struct advice *a)
{
	const struct report_memory *m = &a->out->memory;
	uint64_t requests = remedy_max_requests(own_ceiling(a), a->traffic->baseline_anon_bytes,
						m->bytes_per_request.value);
	struct text t;

	if (a->out->culprit.runtime != RUNTIME_PYTHON || !m->bytes_per_request.has || !requests)
		return;
	t = action_add(a, ACTION_PREVENT);
	text_add(&t,
		 "Recycle workers by count, with gunicorn --max-requests %llu "
		 "--max-requests-jitter %llu: ",
		 (ull)requests, (ull)(requests / 10));
	text_add_bytes(&t, u64_of(m->bytes_per_request.value));
	text_add(&t, " stay per request, and it died at ");
	text_add_bytes(&t, own_ceiling(a));
	text_add(&t, ".");
}

/* A heap limit below the cgroup's: the runtime collects, and says why it ends. */
static void advise_heap_below_limit(struct advice *a)
{
	uint64_t limit = known(a->out->memory.limit_bytes);
	uint64_t mib = remedy_heap_mib(limit);
	struct text t;

	if (!a->out->death.memcg_oom || !has_heap_setting(a) || !mib ||
	    own_ceiling(a) < a->out->memory.ceiling_bytes || (heap_of(a) && heap_of(a) < limit))
		return;
	t = action_add(a, ACTION_PREVENT);
	text_add(&t, has_heap_limit(a) ? "Set " : "Unless it is set lower, set ");
	add_heap_setting(&t, a, mib);
	if (a->out->culprit.runtime == RUNTIME_JVM)
		text_add(&t, " -XX:+ExitOnOutOfMemoryError");
	text_add(&t, " (75 %% of the limit of ");
	text_add_bytes(&t, limit);
	text_add(&t, "): then the runtime collects before the kernel kills");
	if (has_heap_limit(a))
		text_add(&t, ", and its last words name the heap.");
	else
		text_add(&t, ". It stops no leak: near it, collecting takes more and more CPU.");
}

/* It ran into its heap limit while its cgroup had room. */
static void advise_larger_heap(struct advice *a)
{
	uint64_t mib = remedy_heap_mib(known(a->out->memory.limit_bytes));
	uint64_t heap = max_u64(heap_of(a), a->out->memory.ceiling_bytes);
	struct text t;

	if (a->out->death.oom_kill || !has_heap_limit(a) || !heap || mib * MIB <= heap + heap / 8)
		return;
	t = action_add(a, ACTION_MITIGATE);
	text_add(&t, "To gain time, set ");
	add_heap_setting(&t, a, mib);
	text_add(&t, " (75 %% of the limit of ");
	text_add_bytes(&t, known(a->out->memory.limit_bytes));
	text_add(&t, "): its heap is full at ");
	text_add_bytes(&t, a->out->memory.ceiling_bytes);
	text_add(&t, ".");
}

static void advise_what_stays(struct advice *a)
{
	const struct report_explanation *e = &a->out->explanation;
	const struct measure *kept = &a->out->memory.bytes_per_request;
	struct text t;

	if (e->background.has && e->background.value > 0.5) {
		t = action_add(a, ACTION_DIAGNOSE);
		text_add(&t,
			 "%llu %% of the growth came without requests: look at timers, queues, "
			 "subscriptions and caches that are filled in the background.",
			 (ull)u64_of(e->background.value * 100 + 0.5));
	} else if (kept->has && kept->value >= 1) {
		t = action_add(a, ACTION_DIAGNOSE);
		text_add(&t, "About ");
		text_add_bytes(&t, u64_of(kept->value));
		text_add(&t, " stay per request");
		if (e->requests.has && e->requests.value > 0.5)
			text_add(&t, " (%llu %% of the growth goes with requests)",
				 (ull)u64_of(e->requests.value * 100 + 0.5));
		text_add(&t, ": look for maps, lists and listeners that outlive the request.");
	}
}

static void advise_alert(struct advice *a)
{
	const struct report_forecast *f = &a->out->forecast;
	struct text t = action_add(a, ACTION_PREVENT);

	text_add(&t, "Alert on lines of kind memswell.growth with level probable or imminent");
	if (f->lead_s.has && f->lead_s.value >= WORTH_ALERTING_S) {
		text_add(&t, "; the first one for this process came ");
		text_add_duration(&t, u64_of(f->lead_s.value * (double)NSEC_PER_SEC));
		text_add(&t, " before it died");
	}
	text_add(&t, ".");
}

static void advise_heap_leak(struct advice *a)
{
	advise_restarts(a);
	advise_larger_heap(a);
	advise_profile(a);
	advise_what_stays(a);
	advise_pm2(a);
	advise_recycling(a);
	advise_heap_below_limit(a);
	advise_alert(a);
}

static void advise_native_leak(struct advice *a)
{
	advise_restarts(a);
	advise_native_profile(a);
	advise_what_stays(a);
	advise_pm2(a);
	advise_alert(a);
	if (has_heap_limit(a)) {
		struct text t = action_add(a, ACTION_PREVENT);

		text_add(&t, "A heap limit does not catch this: what grows is outside the heap.");
	}
}

/* A limit to set, from the peak; false where no limit or no peak is known. */
static bool advise_limit(struct advice *a)
{
	uint64_t limit = known(a->out->memory.limit_bytes);
	uint64_t peak = peak_of(a);
	uint64_t raised = remedy_limit_bytes(peak, heap_of(a));
	struct text t;

	if (!limit || raised <= limit)
		return false;
	t = action_add(a, ACTION_MITIGATE);
	text_add(&t, "Raise the memory limit from ");
	text_add_bytes(&t, limit);
	text_add(&t, " to at least ");
	text_add_bytes(&t, raised);
	if (raised > remedy_limit_bytes(peak, 0)) {
		text_add(&t, ": its heap alone may take ");
		text_add_bytes(&t, heap_of(a));
		text_add(&t, ", and 100 MiB beside it.");
	} else {
		text_add(&t, ", its peak of ");
		text_add_bytes(&t, peak);
		text_add(&t, " / 0.7.");
	}
	if (has_heap_setting(a) && remedy_heap_mib(raised)) {
		t = action_add(a, ACTION_MITIGATE);
		text_add(&t, "Set ");
		add_heap_setting(&t, a, remedy_heap_mib(raised));
		text_add(&t, " with it (75 %% of the new limit), so that the heap stays below the "
			     "limit.");
	}
	return true;
}

static void advise_limit_too_small(struct advice *a)
{
	uint64_t baseline = a->traffic->baseline_anon_bytes;
	struct text t;

	advise_limit(a);
	t = action_add(a, ACTION_DIAGNOSE);
	text_add(&t, "Watch whether its memory levels off under the new limit");
	if (baseline) {
		text_add(&t, "; it held ");
		text_add_bytes(&t, baseline);
		text_add(&t, " when it began to serve");
	}
	text_add(&t, ". If it grows on, it is a leak after all.");
	t = action_add(a, ACTION_PREVENT);
	text_add(&t, "Alert when a working set stays above 70 %% of its limit.");
}

static void add_body_size(struct text *t, const struct advice *a, uint64_t bytes)
{
	bool mib = bytes >= MIB;
	ull size = bytes / (mib ? MIB : KIB);

	if (a->out->gateway.personality && strcmp(a->out->gateway.personality, "nginx") == 0)
		text_add(t, "client_max_body_size %llu%c.", size, mib ? 'm' : 'k');
	else
		text_add(t, "at most %llu %s.", size, mib ? "MiB" : "KiB");
}

static void advise_body_limit(struct advice *a)
{
	const struct report_explanation *e = &a->out->explanation;
	struct remedy_body in = {
		.ceiling_bytes = own_ceiling(a),
		.baseline_bytes = a->traffic->baseline_anon_bytes,
		.amplification = e->amplification.has ? e->amplification.value : 0,
		.largest_bytes = known(e->largest_request_bytes),
		.in_flight_peak = known(e->in_flight_peak),
	};
	uint64_t bytes = remedy_body_bytes(&in);
	struct text t = action_add(a, ACTION_MITIGATE);

	text_add(&t, "Limit request bodies at the gateway");
	if (!bytes) {
		text_add(&t, " (nginx: client_max_body_size).");
		return;
	}
	text_add(&t, ": ");
	add_body_size(&t, a, bytes);
	text_add(&t, " With %llu such at once, at ", (ull)remedy_bodies_at_once(&in));
	text_add_decimal(&t, in.amplification);
	text_add(&t, " bytes of memory per byte, a quarter of the room of ");
	text_add_bytes(&t, since_ns(in.ceiling_bytes, in.baseline_bytes));
	text_add(&t, " stays free.");
}

static void advise_large_payload(struct advice *a)
{
	uint64_t largest = known(a->out->explanation.largest_request_bytes);
	struct text t;

	advise_body_limit(a);
	t = action_add(a, ACTION_DIAGNOSE);
	text_add(&t, "Find the route that takes such bodies");
	if (largest) {
		text_add(&t, ": the largest had ");
		text_add_bytes(&t, largest);
	}
	text_add(&t, ". The gateway's access log has request lengths (nginx: $request_length).");
	t = action_add(a, ACTION_PREVENT);
	text_add(&t,
		 "Stream such bodies, or spool them to disk, instead of holding them in memory, "
		 "and bound how many are handled at once.");
}

void advise_pool(struct advice *a)
{
	const struct report_pool *pool = &a->out->pool;
	uint32_t size = remedy_pool_size(a->traffic->in_flight_usual, pool->latency_ratio,
					 pool->connections);
	struct text t = action_add(a, ACTION_MITIGATE);

	text_add(&t,
		 "Give acquiring a connection a timeout, and answer 503 when more wait than can "
		 "be served: the queue is what fills memory and time.");
	t = action_add(a, ACTION_DIAGNOSE);
	text_add(&t, "Look at what the backend");
	if (pool->saturated) {
		text_add(&t, " at ");
		text_add_endpoint(&t, &pool->backend);
	}
	text_add(&t, " does: slow queries, locks");
	if (pool->latency_ratio >= 1.5) {
		text_add(&t, "; it answers ");
		text_add_decimal(&t, pool->latency_ratio);
		text_add(&t, " times slower than before");
	}
	text_add(&t, ".");
	if (!pool->saturated || !size)
		return;
	t = action_add(a, ACTION_PREVENT);
	text_add(&t,
		 "At this latency the load needs %u connections instead of %u (Little's law), if "
		 "the backend can take them; a faster backend is worth more.",
		 size, pool->connections);
}

/* Some room until the cause is known: where it ended, or where it is short of memory. */
static void advise_room(struct advice *a)
{
	uint64_t full = a->out->memory.ceiling_bytes;
	uint64_t mib = remedy_limit_bytes(full, 0) / MIB;
	struct text t;

	if (a->out->death.oom_kill && advise_limit(a))
		return;
	t = action_add(a, ACTION_MITIGATE);
	if (!a->out->death.oom_kill && has_heap_limit(a) && mib &&
	    a->out->death.kind != DEATH_MEMORY_REFUSED) {
		text_add(&t, "Until the cause is known, give its heap room: ");
		add_heap_setting(&t, a, mib);
		text_add(&t, " (");
		text_add_bytes(&t, full);
		text_add(&t, ", where it was full, / 0.7), if its memory limit allows.");
	} else {
		text_add(&t, "Give the service or the machine more memory until the cause is "
			     "known.");
	}
}

static void advise_other_memory(struct advice *a)
{
	struct text t = action_add(a, ACTION_DIAGNOSE);

	text_add(
		&t,
		"Look at memory.stat of its cgroup before it is full: shmem is tmpfs, /dev/shm and "
		"shared mappings");
	if (a->out->culprit.runtime == RUNTIME_JVM)
		text_add(&t, ", as the heap of ZGC is");
	text_add(&t, "; kernel_stack is threads, sock and slab are sockets and files.");
}

static void advise_unknown_growth(struct advice *a)
{
	struct text t;

	advise_room(a);
	if (rules_filled_otherwise(&a->incident->facts)) {
		advise_other_memory(a);
		return;
	}
	t = action_add(a, ACTION_DIAGNOSE);
	text_add(&t,
		 "No steady growth led here: look for a single large request or job just before "
		 "the end");
	if (known(a->out->explanation.largest_request_bytes) >= TRAFFIC_LARGE_BYTES) {
		text_add(&t, " (largest request seen: ");
		text_add_bytes(&t, known(a->out->explanation.largest_request_bytes));
		text_add(&t, ")");
	}
	text_add(&t, ", and limit body sizes at the gateway.");
	advise_profile(a);
}

static void advise_by_cause(struct advice *a)
{
	switch (a->out->verdict.cause) {
	case CAUSE_HEAP_LEAK:
		advise_heap_leak(a);
		break;
	case CAUSE_NATIVE_LEAK:
		advise_native_leak(a);
		break;
	case CAUSE_LIMIT_TOO_SMALL:
		advise_limit_too_small(a);
		break;
	case CAUSE_LARGE_PAYLOAD:
		advise_large_payload(a);
		break;
	case CAUSE_DB_POOL_EXHAUSTION:
		advise_pool(a);
		break;
	default:
		advise_unknown_growth(a);
	}
}

/* Its cgroup had room, or the kernel would have killed instead. */
static void advise_refused(struct advice *a)
{
	struct text t = action_add(a, ACTION_DIAGNOSE);

	text_add(&t, "The kernel refused it memory before any cgroup was full: look at ulimit -v "
		     "(systemd: LimitAS=), vm.overcommit_memory and vm.max_map_count.");
}

void advise_memory_death(struct advice *a)
{
	advise_by_cause(a);
	if (a->out->death.kind == DEATH_MEMORY_REFUSED)
		advise_refused(a);
}

void advise_memory_stall(struct advice *a)
{
	uint64_t limit = known(a->out->memory.limit_bytes);
	uint32_t pid = advice_pid(a);
	struct text t;

	if (pid && !a->out->died) {
		t = action_add(a, ACTION_MITIGATE);
		text_add(&t,
			 "Restart it now (kill -9 %u, if its supervisor starts it again): it "
			 "reclaims instead of answering and will not recover by itself.",
			 pid);
	}
	t = action_add(a, ACTION_PREVENT);
	text_add(&t, "Add a liveness check that needs an answer");
	if (limit && a->out->memory.cgroup_version == 2) {
		text_add(&t, ", and set memory.high to ");
		text_add_bytes(&t, limit / 10 * 9 / MIB * MIB);
		text_add(&t,
			 " (90 %% of the limit): then it slows down where it can still be seen");
	}
	text_add(&t, ".");
	advise_by_cause(a);
}

void advise_gc_thrash(struct advice *a)
{
	advise_larger_heap(a);
	if (a->out->culprit.runtime == RUNTIME_JVM) {
		struct text t = action_add(a, ACTION_PREVENT);

		text_add(&t, "Start it with -XX:+ExitOnOutOfMemoryError: else the error ends some "
			     "of its threads, and the rest answers nobody.");
	}
	advise_by_cause(a);
}

void advise_supervisor_restart(struct advice *a)
{
	struct text t = action_add(a, ACTION_MITIGATE);

	text_add(&t, "Let the supervisor start the new process before it ends the old one (pm2: "
		     "cluster mode, pm2 reload; systemd: a second instance), so that nobody is "
		     "refused meanwhile.");
	advise_by_cause(a);
}

void advise_node_pressure(struct advice *a)
{
	struct text t = action_add(a, ACTION_MITIGATE);

	text_add(&t, "Free memory %s: stop or move the process that grew most, not this one.",
		 a->out->death.memcg_oom ? "below the shared limit" : "on this machine");
	t = action_add(a, ACTION_DIAGNOSE);
	text_add(&t,
		 "Look at memswell.growth and memswell.oom_kill lines of other processes around "
		 "that time: they name who grew.");
	t = action_add(a, ACTION_PREVENT);
	text_add(&t, "Give each service a memory limit of its own (and, on Kubernetes, requests "
		     "equal to limits), so that one cannot take it from another.");
}
