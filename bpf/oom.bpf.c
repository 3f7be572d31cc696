// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * oom.bpf.c - the OOM killer marked a victim: who, who triggered it, and the cgroup that was full,
 * with its limit and usage at that moment.
 *
 * A mark is not yet a kill (it fires for victims that are exiting anyway): lifecycle_signal reports
 * the SIGKILL that confirms it.
 */
#include "state.bpf.h"

#include <bpf/bpf_tracing.h>

#include "compat.bpf.h"
#include "emit.bpf.h"
#include "task.bpf.h"

/*
 * The kernel checks that the cgroup has no room before it picks a victim; while it looks, others
 * give back charge batches (MEMCG_CHARGE_BATCH is 64 pages) and the stacks of threads that end.
 */
#define OOM_SLACK_PART	    32
#define OOM_SLACK_MIN_PAGES 256ULL
#define OOM_SLACK_MAX_PAGES 4096ULL

static __always_inline bool is_full(__u64 usage, __u64 limit)
{
	__u64 slack = limit / OOM_SLACK_PART;

	if (slack < OOM_SLACK_MIN_PAGES)
		slack = OOM_SLACK_MIN_PAGES;
	if (slack > OOM_SLACK_MAX_PAGES)
		slack = OOM_SLACK_MAX_PAGES;
	return usage + slack >= limit;
}

/*
 * The nearest ancestor-or-self of the cgroup without room; id stays 0 if all have some: global OOM.
 * Where the counters cannot be read it is the cgroup itself, with no owner_id.
 */
static __always_inline void fill_full_memcg(struct wire_memcg *out, struct cgroup_subsys_state *css,
					    struct wire_cgroup name)
{
	struct page_counter *counter;

	if (!css)
		return;
	out->hierarchy = name.hierarchy;
	if (!cfg_probe_read) {
		out->id = name.id;
		return;
	}
	counter = memcg_counter(css);
	for (int depth = 0; depth < MEMCG_MAX_DEPTH && counter; depth++) {
		__u64 limit = BPF_CORE_READ(counter, max);
		__u64 usage = BPF_CORE_READ(counter, usage.counter);

		if (limit < memcg_unlimited_pages() && is_full(usage, limit)) {
			out->id = memcg_counter_id(counter);
			out->owner_id = out->id;
			out->limit_pages = limit;
			out->usage_pages = usage;
			return;
		}
		counter = BPF_CORE_READ(counter, parent);
	}
}

static __always_inline void fill_victim(struct wire_oom *event, struct task_struct *victim)
{
	struct mm_struct *mm = victim->mm;

	fill_proc(&event->victim, victim);
	event->oom_score_adj = victim->signal->oom_score_adj;
	fill_comm(event->victim_comm, victim->group_leader);
	fill_full_memcg(&event->memcg, task_memcg(victim), task_memcg_name(victim));
	if (mm) {
		event->anon_pages = mm_rss_pages(mm, RSS_ANON);
		event->file_pages = mm_rss_pages(mm, RSS_FILE);
		event->shmem_pages = mm_rss_pages(mm, RSS_SHMEM);
	}
}

/* The victim is current, which may be a bare address. */
static __always_inline void fill_victim_current(struct wire_oom *event, struct task_struct *task)
{
	struct mm_struct *mm = current_read(task, mm);

	fill_current(&event->victim, task);
	if (mm && cfg_probe_read) {
		event->anon_pages = mm_rss_pages(mm, RSS_ANON);
		event->file_pages = mm_rss_pages(mm, RSS_FILE);
		event->shmem_pages = mm_rss_pages(mm, RSS_SHMEM);
	}
	event->oom_score_adj = current_read(task, signal, oom_score_adj);
	bpf_get_current_comm(event->victim_comm, sizeof(event->victim_comm));
}

/*
 * A thread id alone names the victim. What its OOM killer ran out of is known all the same: who
 * triggered it was charged to the same cgroup, or to one below.
 */
static __always_inline void fill_victim_by_id(struct wire_oom *event, struct task_struct *trigger,
					      pid_t tid)
{
	fill_full_memcg(&event->memcg, current_memcg(trigger), current_memcg_name(trigger));
	if (tid == current_read(trigger, pid))
		fill_victim_current(event, trigger);
	else
		event->victim.tgid = tid;
}

/*
 * ctx is raw: the argument is a task, or on older kernels a thread id; the verifier follows only
 * the branch that the knob leaves alive.
 */
SEC("?tp_btf/mark_victim")
int oom_mark_victim(__u64 *ctx)
{
	struct task_struct *trigger = current_task();
	struct wire_oom *event;

	event = emit_reserve(WIRE_OOM, sizeof(*event));
	if (!event)
		return 0;
	event->memcg.limit_pages = WIRE_NO_LIMIT;
	if (cfg_mark_victim_has_task)
		fill_victim(event, (struct task_struct *)ctx[0]);
	else
		fill_victim_by_id(event, trigger, (pid_t)ctx[0]);
	fill_current(&event->trigger, trigger);
	bpf_get_current_comm(event->trigger_comm, sizeof(event->trigger_comm));
	emit_submit(WIRE_OOM, event);
	return 0;
}
