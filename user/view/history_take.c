/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * history_take.c - what each kind of record says of processes, cgroups and flows, and what lines do where there
 * are no records (history.h).
 */
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "view/history_parts.h"

/* When what was told at ts_ns happened: in the middle of the time since the tick before. */
uint64_t history_middle_of_batch(const struct history *h, uint64_t ts_ns)
{
	uint64_t since = h->last_tick_ns ? h->last_tick_ns : since_ns(ts_ns, h->tick_ns);

	if (since_ns(ts_ns, since) > 2 * h->tick_ns) /* suspended, or late: it is of late */
		since = ts_ns - h->tick_ns;
	return since + since_ns(ts_ns, since) / 2;
}

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
	struct history_process *p = history_process_of(h, &r->proc.proc);

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
	struct history_process *p = history_process_of(h, &r->exec.proc);

	if (!p)
		return;
	p->memcg = r->exec.memcg;
	memcpy(p->comm, r->exec.comm, sizeof(p->comm));
}

static void take_exit(struct history *h, const struct record *r)
{
	struct history_process *p = history_process_of(h, &r->exit.proc);

	if (!p)
		return;
	p->exit_ns = r->ts_ns;
	if (!*p->comm)
		memcpy(p->comm, r->exit.comm, sizeof(p->comm));
	if (!r->exit.anon_bytes)
		return;
	p->anon_bytes = r->exit.anon_bytes;
	history_note_memory(h, p, r->ts_ns, false);
}

static void take_oom(struct history *h, const struct record *r)
{
	struct history_process *p = history_process_of(h, &r->oom.victim);
	bool own = p && cgroup_id_equal(&p->memcg, &r->oom.memcg);

	if (!p)
		return;
	p->anon_bytes = r->oom.anon_bytes;
	p->file_bytes = r->oom.file_bytes;
	p->shmem_bytes = r->oom.shmem_bytes;
	if (own)
		p->usage_bytes = r->oom.usage_bytes;
	history_note_memory(h, p, r->ts_ns, own);
}

void history_sample(struct history *h, struct history_process *p, uint64_t ts_ns,
		    const struct record_task *task)
{
	p->anon_bytes = task->anon_bytes;
	p->file_bytes = task->file_bytes;
	p->shmem_bytes = task->shmem_bytes;
	p->usage_bytes = task->memcg_usage_bytes;
	history_note_memory(h, p, ts_ns, true);
	if (task->memcg.id)
		p->memcg = task->memcg;
}

static void take_task(struct history *h, const struct record *r)
{
	struct history_process *p = history_process_of(h, &r->task.proc);

	if (p)
		history_sample(h, p, r->ts_ns, &r->task);
}

static void take_rss(struct history *h, const struct record *r)
{
	struct history_process *p = history_process_of(h, &r->rss.proc);

	if (!p)
		return;
	p->anon_bytes = r->rss.anon_bytes;
	p->file_bytes = r->rss.file_bytes;
	p->shmem_bytes = r->rss.shmem_bytes;
	history_note_memory(h, p, r->ts_ns, false);
}

static void take_reclaim(struct history *h, const struct record *r)
{
	struct history_cgroup *c = history_cgroup_of(h, &r->reclaim.memcg);
	uint64_t ts_ns = history_middle_of_batch(h, r->ts_ns);

	if (c && !c->reclaim)
		c->reclaim = history_series_make(0, NR_RECLAIM_COUNTS, h->tick_ns, h->phase_ns);
	if (!c || !c->reclaim)
		return;
	series_add(c->reclaim, ts_ns, RECLAIM_DIRECT_US, r->reclaim.direct_ns / 1000);
	series_add(c->reclaim, ts_ns, RECLAIM_MEMCG_US, r->reclaim.memcg_ns / 1000);
	series_add(c->reclaim, ts_ns, RECLAIM_EVENTS,
		   r->reclaim.direct_count + r->reclaim.memcg_count);
}

static void take_listener(struct history *h, const struct record *r)
{
	struct history_process *owner = history_process_of(h, &r->listener.owner);

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
		[RECORD_HEADER] = take_header,	   [RECORD_CLOCK] = take_clock,
		[RECORD_PROC] = take_proc,	   [RECORD_EXEC] = take_exec,
		[RECORD_EXIT] = take_exit,	   [RECORD_OOM] = take_oom,
		[RECORD_TASK] = take_task,	   [RECORD_RSS] = take_rss,
		[RECORD_RECLAIM] = take_reclaim,   [RECORD_LISTENER] = take_listener,
		[RECORD_FLOW] = history_take_flow, [RECORD_TICK] = take_tick,
	};

	h->has_records = true;
	h->now_ns = max_u64(h->now_ns, record->ts_ns);
	if ((unsigned int)record->kind < NR_RECORD_KINDS && takers[record->kind])
		takers[record->kind](h, record);
}

struct history_process *history_process_of_line(struct history *h, uint32_t tgid, const char *comm,
						uint64_t start_ns)
{
	struct proc_id id = {.start_ns = 0, .tgid = tgid};
	struct history_process *p = history_holder_of(h, tgid);
	size_t len = strnlen(comm, RECORD_COMM_LEN - 1);

	/* Times of lines are rounded no more than a microsecond; a reused number is far off. */
	if (p && p->id.start_ns && start_ns && start_ns > p->id.start_ns + NSEC_PER_MSEC) {
		id.start_ns = start_ns;
		p = NULL;
	}
	if (!p) {
		id.start_ns = start_ns;
		p = tgid ? history_add_process(h, &id) : NULL;
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
