/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * history.c - see history.h. Tables of pointers, so that what a caller holds stays where it is until
 * it leaves its table.
 */
#include "view/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash_table.h"
#include "base/units.h"

#define MAX_PROCESSES 16384
#define MAX_MEMORIES  768
#define MAX_FLOWS     192
#define MAX_CGROUPS   1024
#define MAX_ANCESTORS 16

#define MEMORY_WORTH_KEEPING  (4 * MIB)
#define MEMORY_STEPS_PER_TICK 8 /* what kills between two ticks shall be seen to grow */
#define DEFAULT_TICK_NS	      NSEC_PER_SEC

/* Who has a number now. */
struct holder {
	uint32_t tgid;
	uint32_t place; /* in processes */
};

struct cgroup_entry {
	struct cgroup_id id;
	uint32_t place;
};

struct history {
	int64_t wall_offset_ns;
	uint64_t now_ns;
	uint64_t tick_ns;      /* length of a tick */
	uint64_t phase_ns;     /* ... and when they come */
	uint64_t last_tick_ns; /* newest tick: flows told now are since then */
	bool has_records;
	uint64_t refused;
	struct history_process *processes[MAX_PROCESSES]; /* NULL: free */
	uint32_t nr_places;				  /* used once */
	uint32_t nr_processes;
	uint32_t nr_memories;
	struct hash_table holders; /* struct holder */
	struct history_flow *flows[MAX_FLOWS];
	uint32_t nr_flows;
	struct history_cgroup *cgroups[MAX_CGROUPS];
	uint32_t nr_cgroups;
	struct hash_table cgroup_places; /* struct cgroup_entry */
};

struct history *history_new(void)
{
	struct history *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->tick_ns = DEFAULT_TICK_NS;
	hash_table_init(&h->holders, sizeof(struct holder), sizeof(uint32_t), MAX_PROCESSES);
	hash_table_init(&h->cgroup_places, sizeof(struct cgroup_entry), sizeof(struct cgroup_id),
			MAX_CGROUPS);
	return h;
}

static void series_drop(struct series *s)
{
	if (s)
		series_free(s);
	free(s);
}

static void free_process(struct history_process *p)
{
	if (!p)
		return;
	series_drop(p->memory);
	free(p->forecasts);
	free(p);
}

void history_free(struct history *h)
{
	if (!h)
		return;
	for (uint32_t i = 0; i < h->nr_places; i++)
		free_process(h->processes[i]);
	for (uint32_t i = 0; i < h->nr_flows; i++) {
		series_free(&h->flows[i]->series);
		free(h->flows[i]);
	}
	for (uint32_t i = 0; i < h->nr_cgroups; i++) {
		series_drop(h->cgroups[i]->reclaim);
		free(h->cgroups[i]);
	}
	hash_table_free(&h->holders);
	hash_table_free(&h->cgroup_places);
	free(h);
}

static struct series *series_make(uint16_t nr_gauges, uint16_t nr_counts, uint64_t step_ns,
				  uint64_t phase_ns)
{
	struct series_shape shape = {nr_gauges, nr_counts, step_ns, phase_ns};
	struct series *s = malloc(sizeof(*s));

	if (s)
		series_init(s, &shape);
	return s;
}

/* Processes ----------------------------------------------------------------------------------- */

static struct history_process *holder_of(const struct history *h, uint32_t tgid)
{
	const struct holder *holder = hash_table_find(&h->holders, &tgid);

	return holder ? h->processes[holder->place] : NULL;
}

/* It leaves its table, and the number it had, if it has that still. */
static void forget_process(struct history *h, uint32_t place)
{
	struct history_process *p = h->processes[place];
	struct holder *holder = hash_table_find(&h->holders, &p->id.tgid);

	if (holder && holder->place == place)
		hash_table_remove(&h->holders, &p->id.tgid);
	if (p->memory)
		h->nr_memories--;
	free_process(p);
	h->processes[place] = NULL;
	h->nr_processes--;
}

/* All dead ones nobody will ask for: those without a memory. */
static void forget_dead(struct history *h)
{
	for (uint32_t i = 0; i < h->nr_places; i++)
		if (h->processes[i] && h->processes[i]->exit_ns && !h->processes[i]->memory)
			forget_process(h, i);
}

static uint32_t free_place(struct history *h)
{
	if (h->nr_places < MAX_PROCESSES)
		return h->nr_places;
	for (uint32_t i = 0; i < MAX_PROCESSES; i++)
		if (!h->processes[i])
			return i;
	return MAX_PROCESSES;
}

static struct history_process *add_process(struct history *h, const struct proc_id *id)
{
	struct history_process *p;
	struct holder *holder;
	uint32_t place;

	if (h->nr_processes == MAX_PROCESSES)
		forget_dead(h);
	place = free_place(h);
	p = place < MAX_PROCESSES ? calloc(1, sizeof(*p)) : NULL;
	holder = p ? hash_table_insert(&h->holders, &id->tgid) : NULL;
	if (!holder) {
		free(p);
		h->refused++;
		return NULL;
	}
	holder->place = place;
	p->id = *id;
	p->first_ns = h->now_ns;
	h->processes[place] = p;
	h->nr_processes++;
	if (place == h->nr_places)
		h->nr_places++;
	return p;
}

/* The process a record names, made known if it is not. NULL for none and at the limit. */
static struct history_process *process_of(struct history *h, const struct proc_id *id)
{
	struct history_process *p = id->tgid ? holder_of(h, id->tgid) : NULL;

	if (!id->tgid)
		return NULL;
	if (p && (p->id.start_ns == id->start_ns || !id->start_ns))
		return p;
	if (p && !p->id.start_ns) {
		p->id.start_ns = id->start_ns;
		return p;
	}
	return add_process(h, id);
}

/* The memory of whoever is dead for longest makes room. */
static bool make_room_for_memory(struct history *h)
{
	struct history_process *oldest = NULL;

	if (h->nr_memories < MAX_MEMORIES)
		return true;
	for (uint32_t i = 0; i < h->nr_places; i++) {
		struct history_process *p = h->processes[i];

		if (p && p->memory && p->exit_ns && (!oldest || p->exit_ns < oldest->exit_ns))
			oldest = p;
	}
	if (!oldest)
		return false;
	series_drop(oldest->memory);
	oldest->memory = NULL;
	h->nr_memories--;
	return true;
}

static struct series *memory_of(struct history *h, struct history_process *p)
{
	if (p->memory || (p->anon_bytes < MEMORY_WORTH_KEEPING && !p->serves))
		return p->memory;
	if (!make_room_for_memory(h)) {
		h->refused++;
		return NULL;
	}
	p->memory = series_make(NR_MEMORY_GAUGES, 0, h->tick_ns / MEMORY_STEPS_PER_TICK, 0);
	if (p->memory)
		h->nr_memories++;
	return p->memory;
}

static void note_memory(struct history *h, struct history_process *p, uint64_t ts_ns,
			bool with_usage)
{
	struct series *memory = memory_of(h, p);

	if (!memory)
		return;
	series_set(memory, ts_ns, MEMORY_ANON, (double)p->anon_bytes);
	series_set(memory, ts_ns, MEMORY_RSS,
		   (double)p->anon_bytes + (double)p->file_bytes + (double)p->shmem_bytes);
	if (with_usage)
		series_set(memory, ts_ns, MEMORY_USAGE, (double)p->usage_bytes);
}

struct history_process *history_find(const struct history *h, uint32_t tgid, uint64_t ts_ns)
{
	struct history_process *best = holder_of(h, tgid);

	if (best && best->first_ns <= ts_ns)
		return best;
	for (uint32_t i = 0; i < h->nr_places; i++) {
		struct history_process *p = h->processes[i];

		if (p && p->id.tgid == tgid && p->first_ns <= ts_ns &&
		    (!best || best->first_ns > ts_ns || p->first_ns > best->first_ns))
			best = p;
	}
	return best;
}

struct proc_id history_program(const struct history *h, const struct history_process *p)
{
	for (int i = 0; i < MAX_ANCESTORS; i++) {
		const struct history_process *parent = holder_of(h, p->parent_tgid);

		if (!parent || parent == p || !*p->comm || strcmp(parent->comm, p->comm) != 0)
			break;
		p = parent;
	}
	return p->id;
}

/* Cgroups ------------------------------------------------------------------------------------- */

struct history_cgroup *history_find_cgroup(const struct history *h, const struct cgroup_id *id)
{
	struct cgroup_id key;
	const struct cgroup_entry *entry;

	memset(&key, 0, sizeof(key)); /* its padding is compared, too */
	key.id = id->id;
	key.hierarchy = id->hierarchy;
	entry = hash_table_find(&h->cgroup_places, &key);
	return entry ? h->cgroups[entry->place] : NULL;
}

static struct history_cgroup *cgroup_of(struct history *h, const struct cgroup_id *id)
{
	struct history_cgroup *c = id->id ? history_find_cgroup(h, id) : NULL;
	struct cgroup_entry *entry;
	struct cgroup_id key;

	if (c || !id->id)
		return c;
	memset(&key, 0, sizeof(key));
	key.id = id->id;
	key.hierarchy = id->hierarchy;
	c = h->nr_cgroups < MAX_CGROUPS ? calloc(1, sizeof(*c)) : NULL;
	entry = c ? hash_table_insert(&h->cgroup_places, &key) : NULL;
	if (!entry) {
		free(c);
		h->refused++;
		return NULL;
	}
	c->id = key;
	entry->place = h->nr_cgroups;
	h->cgroups[h->nr_cgroups++] = c;
	return c;
}

/* When what was told at ts_ns happened: in the middle of the time since the tick before. */
static uint64_t middle_of_batch(const struct history *h, uint64_t ts_ns)
{
	uint64_t since = h->last_tick_ns ? h->last_tick_ns : since_ns(ts_ns, h->tick_ns);

	if (since_ns(ts_ns, since) > 2 * h->tick_ns) /* suspended, or late: it is of late */
		since = ts_ns - h->tick_ns;
	return since + since_ns(ts_ns, since) / 2;
}

/* Flows --------------------------------------------------------------------------------------- */

static bool same_flow(const struct history_flow *f, const struct proc_id *program,
		      const struct record_flow *flow)
{
	return f->role == flow->role && proc_id_equal(&f->program, program) &&
	       endpoint_equal(&f->endpoint, &flow->endpoint);
}

static struct history_flow *longest_unused(struct history *h)
{
	struct history_flow *oldest = h->flows[0];

	for (uint32_t i = 1; i < h->nr_flows; i++)
		if (h->flows[i]->last_ns < oldest->last_ns)
			oldest = h->flows[i];
	series_free(&oldest->series);
	h->refused++;
	return oldest;
}

static struct history_flow *flow_of(struct history *h, const struct history_process *p,
				    const struct record_flow *flow)
{
	struct series_shape shape = {NR_FLOW_GAUGES, NR_FLOW_COUNTS, h->tick_ns, h->phase_ns};
	struct proc_id program = history_program(h, p);
	struct history_flow *f;

	for (uint32_t i = 0; i < h->nr_flows; i++)
		if (same_flow(h->flows[i], &program, flow))
			return h->flows[i];
	if (h->nr_flows < MAX_FLOWS) {
		f = malloc(sizeof(*f));
		if (!f)
			return NULL;
		h->flows[h->nr_flows++] = f;
	} else {
		f = longest_unused(h);
	}
	*f = (struct history_flow){
		.program = program, .endpoint = flow->endpoint, .role = flow->role};
	series_init(&f->series, &shape);
	return f;
}

/* In the order of the counts of a flow's series. */
static void list_counts(const struct record_flow *flow, uint64_t counts[NR_FLOW_COUNTS])
{
	counts[FLOW_REQUESTS] = flow->requests;
	counts[FLOW_RESPONSES] = flow->responses;
	memcpy(counts + FLOW_STATUS_COUNTS, flow->status, sizeof(flow->status));
	memcpy(counts + FLOW_FAIL_COUNTS, flow->fail, sizeof(flow->fail));
	for (uint32_t i = 0; i < RECORD_LATENCY_BUCKETS; i++)
		counts[FLOW_LATENCIES + i] = flow->latency[i];
}

static void take_flow(struct history *h, const struct record *r)
{
	const struct record_flow *flow = &r->flow;
	struct history_process *p = process_of(h, &flow->proc);
	struct history_flow *f = p ? flow_of(h, p, flow) : NULL;
	uint64_t ts_ns = middle_of_batch(h, r->ts_ns);
	uint64_t counts[NR_FLOW_COUNTS];

	if (!f)
		return;
	p->serves |= flow->role == FLOW_SERVER;
	f->last_ns = r->ts_ns;
	series_set(&f->series, ts_ns, FLOW_IN_FLIGHT, (double)flow->in_flight);
	list_counts(flow, counts);
	series_add_all(&f->series, ts_ns, counts);
}

static bool flow_matches(const struct history_flow *f, const struct flow_query *query)
{
	const struct endpoint *e = query->endpoint;

	if (f->role != query->role)
		return false;
	if (query->program && !proc_id_equal(&f->program, query->program))
		return false;
	return !e || (f->endpoint.port == e->port &&
		      memcmp(f->endpoint.addr, e->addr, sizeof(e->addr)) == 0 &&
		      (!e->netns || f->endpoint.netns == e->netns));
}

int history_read_flows(const struct history *h, const struct flow_query *query,
		       const struct series_window *window, struct series_points *out)
{
	struct series_points sum = {0};

	for (uint32_t i = 0; i < h->nr_flows; i++) {
		struct series_points points;
		int err;

		if (!flow_matches(h->flows[i], query))
			continue;
		err = series_read(&h->flows[i]->series, window, &points);
		if (!err && !sum.at) {
			sum = points;
			continue;
		}
		if (!err) {
			err = series_points_add(&sum, &points);
			series_points_free(&points);
		}
		if (err) {
			series_points_free(&sum);
			return err;
		}
	}
	*out = sum;
	return 0;
}

/* Within a bucket, which spans a factor of two, as if evenly spread. */
double flow_latency_ms(const double *counts, double share)
{
	const double *buckets = counts + FLOW_LATENCIES;
	double total = 0, below = 0, low_us = 0, high_us = 1;

	for (int i = 0; i < RECORD_LATENCY_BUCKETS; i++)
		total += buckets[i];
	if (total <= 0)
		return -1;
	for (int i = 0; i < RECORD_LATENCY_BUCKETS; i++) {
		if (buckets[i] > 0 && below + buckets[i] >= share * total) {
			double within = (share * total - below) / buckets[i];

			return (low_us + (high_us - low_us) * within) / 1000;
		}
		below += buckets[i];
		low_us = high_us;
		high_us *= 2;
	}
	return low_us / 1000;
}

/* Records ------------------------------------------------------------------------------------- */

static void take_header(struct history *h, const struct record *r)
{
	h->wall_offset_ns = r->header.wall_offset_ns;
	if (r->header.tick_ns >= NSEC_PER_MSEC)
		h->tick_ns = r->header.tick_ns;
}

static void take_clock(struct history *h, const struct record *r)
{
	h->wall_offset_ns = r->clock.wall_offset_ns;
}

static void take_proc(struct history *h, const struct record *r)
{
	struct history_process *p = process_of(h, &r->proc.proc);

	if (!p)
		return;
	p->parent_tgid = r->proc.parent.tgid;
	p->memcg = r->proc.memcg;
	if (r->proc.origin == PROC_FORKED)
		p->first_ns = r->ts_ns;
	memcpy(p->comm, r->proc.comm, sizeof(p->comm));
}

static void take_exec(struct history *h, const struct record *r)
{
	struct history_process *p = process_of(h, &r->exec.proc);

	if (!p)
		return;
	p->memcg = r->exec.memcg;
	memcpy(p->comm, r->exec.comm, sizeof(p->comm));
}

static void take_exit(struct history *h, const struct record *r)
{
	struct history_process *p = process_of(h, &r->exit.proc);

	if (!p)
		return;
	p->exit_ns = r->ts_ns;
	if (!*p->comm)
		memcpy(p->comm, r->exit.comm, sizeof(p->comm));
	if (!r->exit.anon_bytes)
		return;
	p->anon_bytes = r->exit.anon_bytes;
	note_memory(h, p, r->ts_ns, false);
}

static void take_oom(struct history *h, const struct record *r)
{
	struct history_process *p = process_of(h, &r->oom.victim);
	bool own = p && cgroup_id_equal(&p->memcg, &r->oom.memcg);

	if (!p)
		return;
	p->anon_bytes = r->oom.anon_bytes;
	p->file_bytes = r->oom.file_bytes;
	p->shmem_bytes = r->oom.shmem_bytes;
	if (own)
		p->usage_bytes = r->oom.usage_bytes;
	note_memory(h, p, r->ts_ns, own);
}

void history_sample(struct history *h, struct history_process *p, uint64_t ts_ns,
		    const struct record_task *task)
{
	p->anon_bytes = task->anon_bytes;
	p->file_bytes = task->file_bytes;
	p->shmem_bytes = task->shmem_bytes;
	p->usage_bytes = task->memcg_usage_bytes;
	note_memory(h, p, ts_ns, true);
	if (task->memcg.id)
		p->memcg = task->memcg;
}

static void take_task(struct history *h, const struct record *r)
{
	struct history_process *p = process_of(h, &r->task.proc);

	if (p)
		history_sample(h, p, r->ts_ns, &r->task);
}

static void take_rss(struct history *h, const struct record *r)
{
	struct history_process *p = process_of(h, &r->rss.proc);

	if (!p)
		return;
	p->anon_bytes = r->rss.anon_bytes;
	p->file_bytes = r->rss.file_bytes;
	p->shmem_bytes = r->rss.shmem_bytes;
	note_memory(h, p, r->ts_ns, false);
}

static void take_reclaim(struct history *h, const struct record *r)
{
	struct history_cgroup *c = cgroup_of(h, &r->reclaim.memcg);
	uint64_t ts_ns = middle_of_batch(h, r->ts_ns);

	if (c && !c->reclaim)
		c->reclaim = series_make(0, NR_RECLAIM_COUNTS, h->tick_ns, h->phase_ns);
	if (!c || !c->reclaim)
		return;
	series_add(c->reclaim, ts_ns, RECLAIM_DIRECT_US, r->reclaim.direct_ns / 1000);
	series_add(c->reclaim, ts_ns, RECLAIM_MEMCG_US, r->reclaim.memcg_ns / 1000);
	series_add(c->reclaim, ts_ns, RECLAIM_EVENTS,
		   r->reclaim.direct_count + r->reclaim.memcg_count);
}

static void take_listener(struct history *h, const struct record *r)
{
	struct history_process *owner = process_of(h, &r->listener.owner);

	if (owner)
		owner->serves = true;
}

static void take_tick(struct history *h, const struct record *r)
{
	if (!h->phase_ns && !r->tick.alarm)
		h->phase_ns = r->ts_ns % h->tick_ns;
	h->last_tick_ns = r->ts_ns;
}

void history_record(struct history *h, const struct record *record)
{
	static void (*const takers[NR_RECORD_KINDS])(struct history *, const struct record *) = {
		[RECORD_HEADER] = take_header,	 [RECORD_CLOCK] = take_clock,
		[RECORD_PROC] = take_proc,	 [RECORD_EXEC] = take_exec,
		[RECORD_EXIT] = take_exit,	 [RECORD_OOM] = take_oom,
		[RECORD_TASK] = take_task,	 [RECORD_RSS] = take_rss,
		[RECORD_RECLAIM] = take_reclaim, [RECORD_LISTENER] = take_listener,
		[RECORD_FLOW] = take_flow,	 [RECORD_TICK] = take_tick,
	};

	h->has_records = true;
	h->now_ns = max_u64(h->now_ns, record->ts_ns);
	if ((unsigned int)record->kind < NR_RECORD_KINDS && takers[record->kind])
		takers[record->kind](h, record);
}

/* Lines --------------------------------------------------------------------------------------- */

struct history_process *history_process_of_line(struct history *h, uint32_t tgid, const char *comm,
						uint64_t start_ns)
{
	struct proc_id id = {.start_ns = 0, .tgid = tgid};
	struct history_process *p = holder_of(h, tgid);
	size_t len = strnlen(comm, RECORD_COMM_LEN - 1);

	/* Times of lines are rounded no more than a microsecond; a reused number is far off. */
	if (p && p->id.start_ns && start_ns && start_ns > p->id.start_ns + NSEC_PER_MSEC) {
		id.start_ns = start_ns;
		p = NULL;
	}
	if (!p) {
		id.start_ns = start_ns;
		p = tgid ? add_process(h, &id) : NULL;
		if (p)
			p->first_ns = start_ns;
	}
	if (p && !*p->comm)
		memcpy(p->comm, comm, len);
	return p;
}

/* The first one stays, for it says how early it was known; of the others the newest. */
void history_forecast(struct history_process *p, const struct history_forecast *forecast)
{
	if (!p->forecasts)
		p->forecasts = calloc(HISTORY_FORECASTS, sizeof(*p->forecasts));
	if (!p->forecasts)
		return;
	if (p->nr_forecasts == HISTORY_FORECASTS) {
		memmove(&p->forecasts[1], &p->forecasts[2],
			(HISTORY_FORECASTS - 2) * sizeof(p->forecasts[0]));
		p->nr_forecasts--;
	}
	p->forecasts[p->nr_forecasts++] = *forecast;
}

/* Reading ------------------------------------------------------------------------------------- */

int64_t history_wall_offset(const struct history *h)
{
	return h->wall_offset_ns;
}

void history_set_wall_offset(struct history *h, int64_t offset_ns)
{
	h->wall_offset_ns = offset_ns;
}

uint64_t history_now(const struct history *h)
{
	return h->now_ns;
}

bool history_has_records(const struct history *h)
{
	return h->has_records;
}

uint64_t history_refused(const struct history *h)
{
	return h->refused;
}

struct history_process *history_next_process(const struct history *h, uint32_t *cursor)
{
	while (*cursor < h->nr_places) {
		struct history_process *p = h->processes[(*cursor)++];

		if (p)
			return p;
	}
	return NULL;
}

size_t history_bytes(const struct history *h)
{
	size_t bytes = sizeof(*h);

	for (uint32_t i = 0; i < h->nr_places; i++)
		if (h->processes[i])
			bytes += sizeof(*h->processes[i]) +
				 (h->processes[i]->memory ? series_bytes(h->processes[i]->memory)
							  : 0);
	for (uint32_t i = 0; i < h->nr_flows; i++)
		bytes += sizeof(*h->flows[i]) + series_bytes(&h->flows[i]->series);
	for (uint32_t i = 0; i < h->nr_cgroups; i++)
		bytes += sizeof(*h->cgroups[i]) +
			 (h->cgroups[i]->reclaim ? series_bytes(h->cgroups[i]->reclaim) : 0);
	return bytes;
}
