// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * memory.bpf.c - how much memory each process has: a full sample of all when user space asks (once
 * a tick), and a report in between when one process moves fast.
 *
 * It does not account pages itself; the kernel's own counters are read.
 */
#include "state.bpf.h"

#include <bpf/bpf_tracing.h>

#include "compat.bpf.h"
#include "emit.bpf.h"
#include "storage.bpf.h"
#include "task.bpf.h"

#define MAX_GATES	  256 /* machines with more CPUs share them, and look less often */
#define RSS_REPORT_MIN_NS 10000000ULL

/* The jiffy in which this CPU last looked: whoever sets timers of its own pays only for this. */
static struct {
	__u64 jiffy;
	__u64 pad[7];
} gates[MAX_GATES];

/*
 * At the memory of current. Within an interrupt or under a page-table lock: the state is made by the
 * sample and by vm.bpf.c.
 */
static __noinline int rss_look(struct mm_struct *mm)
{
	struct task_struct *task = current_task();
	struct task_state *state;
	__u64 anon, last, now;
	struct wire_rss *event;

	if (current_read(task, flags) & PF_KTHREAD)
		return 0;
	state = task_state_of_current(task, false);
	if (!state)
		return 0;
	anon = mm_rss_pages(mm, RSS_ANON);
	last = state->rss_report_anon_pages;
	if ((anon > last ? anon - last : last - anon) < cfg_rss_step_pages)
		return 0;
	now = bpf_ktime_get_boot_ns();
	if (now - state->rss_report_ns < RSS_REPORT_MIN_NS)
		return 0;
	state->rss_report_ns = now;
	state->rss_report_anon_pages = anon;
	event = emit_reserve(WIRE_RSS, sizeof(*event));
	if (!event)
		return 0;
	fill_current(&event->proc, task);
	event->anon_pages = anon;
	event->file_pages = mm_rss_pages(mm, RSS_FILE);
	event->shmem_pages = mm_rss_pages(mm, RSS_SHMEM);
	emit_submit(WIRE_RSS, event);
	return 0;
}

/*
 * Who grows fast runs, for a page fault is its own work: so whoever a timer interrupts is looked at,
 * which by the scheduler's tick is 100 to 1000 times a second on a busy CPU and never on an idle one.
 * rss_stat would tell of every single fault, and an empty program there makes each 3 to 7 % dearer.
 */
SEC("?tp_btf/hrtimer_expire_entry")
int memory_timer(void *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id() & (MAX_GATES - 1);
	__u64 jiffy = bpf_jiffies64();
	struct mm_struct *mm;

	if (gates[cpu].jiffy == jiffy)
		return 0;
	gates[cpu].jiffy = jiffy;
	mm = bpf_get_current_task_btf()->mm;
	return mm ? rss_look(mm) : 0;
}

/* Where current has no type (5.10) its memory comes as an argument, once in 64 faults of a thread. */
SEC("?tp_btf/rss_stat")
int BPF_PROG(memory_rss_stat, struct mm_struct *mm, int member)
{
	/* reclaim, ksm and khugepaged change the memory of others; the next sample sees that */
	if (member != RSS_ANON || current_read(current_task(), mm) != mm)
		return 0;
	return rss_look(mm);
}

static __always_inline void fill_memory(struct wire_task *sample, struct mm_struct *mm)
{
	sample->anon_pages = mm_rss_pages(mm, RSS_ANON);
	sample->file_pages = mm_rss_pages(mm, RSS_FILE);
	sample->shmem_pages = mm_rss_pages(mm, RSS_SHMEM);
	sample->swap_pages = mm_rss_pages(mm, RSS_SWAP);
	sample->total_vm_pages = mm->total_vm;
	sample->data_vm_pages = mm->data_vm;
	sample->brk_bytes = mm->brk - mm->start_brk;
}

/*
 * The iterator meets every thread anyway, after its leader: what they used is added up in the leader's
 * state. So a sample tells the CPU time of the iteration before, when dead and live threads were
 * read at one time: one that ended meanwhile must not count twice.
 */
static __always_inline void add_thread(struct task_struct *task, __u64 session)
{
	struct task_state *state = task_state_of(task->group_leader);

	if (!state)
		return;
	if (state->threads_session != session) {
		state->threads_session = session;
		state->threads_cpu_ns = 0;
	}
	state->threads_cpu_ns += task->se.sum_exec_runtime;
}

static __always_inline void fill_cpu(struct wire_task *sample, struct task_state *state,
				     struct task_struct *leader, __u64 session)
{
	if (state->own_session != session) {
		state->told_cpu_ns = state->own_cpu_ns;
		if (state->threads_session == state->own_session)
			state->told_cpu_ns += state->threads_cpu_ns;
		state->own_cpu_ns = leader->signal->sum_sched_runtime + leader->se.sum_exec_runtime;
		state->own_session = session;
	} /* else met again, because the buffer was full */
	sample->cpu_ns = state->told_cpu_ns;
}

/* A sample is also a report: steps and the break count from here. */
static __always_inline void fill_state(struct wire_task *sample, struct task_struct *leader,
				       struct mm_struct *mm, __u64 session)
{
	struct task_state *state = task_state_make(leader);

	if (!state) {
		count_loss(WIRE_LOSS_TASK_STORAGE);
		return;
	}
	state->rss_report_ns = sample->head.ts_ns;
	state->rss_report_anon_pages = sample->anon_pages;
	if (state->brk_mm != (__u64)mm) {
		state->brk_mm = (__u64)mm;
		state->brk = mm->brk;
	}
	sample->vm = state->vm;
	fill_cpu(sample, state, leader, session);
}

SEC("?iter/task")
int memory_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct wire_task sample = {
		.head = {.kind = WIRE_TASK, .size = sizeof(sample)},
	};
	struct mm_struct *mm;

	if (!task || task->flags & PF_KTHREAD)
		return 0;
	if (task->pid != task->tgid) {
		add_thread(task, ctx->meta->session_id);
		return 0;
	}
	/*
	 * NULL: a zombie, or a leader that left its threads behind. Nothing holds the mm here: of a
	 * process that exits meanwhile the last sample may be wrong; its exit event is not.
	 */
	mm = task->mm;
	if (!mm)
		return 0;
	sample.head.ts_ns = bpf_ktime_get_boot_ns();
	fill_proc(&sample.proc, task);
	fill_proc(&sample.parent, task->real_parent);
	sample.maj_flt = task->signal->maj_flt + task->maj_flt;
	fill_memcg(&sample.memcg, task);
	fill_memory(&sample, mm);
	fill_state(&sample, task, mm, ctx->meta->session_id);
	fill_comm(sample.comm, task);
	bpf_seq_write(ctx->meta->seq, &sample, sizeof(sample));
	return 0;
}
