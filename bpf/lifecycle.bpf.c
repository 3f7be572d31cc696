// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * lifecycle.bpf.c - births, execs and deaths of thread groups, and the signals that cause deaths.
 *
 * Essential programs: typed loads only (where not, cfg_probe_read decides), so they load on every
 * kernel with tp_btf and under lockdown=confidentiality. Threads are no births and no deaths.
 */
#include "state.bpf.h"

#include <bpf/bpf_tracing.h>

#include "compat.bpf.h"
#include "emit.bpf.h"
#include "storage.bpf.h"
#include "task.bpf.h"

SEC("?tp_btf/sched_process_fork")
int BPF_PROG(lifecycle_fork, struct task_struct *parent, struct task_struct *child)
{
	struct wire_cgroup memcg;
	struct wire_fork *event;

	if (child->pid != child->tgid || child->flags & PF_KTHREAD)
		return 0;
	event = emit_reserve(WIRE_FORK, sizeof(*event));
	if (!event)
		return 0;
	fill_proc(&event->proc, child);
	/* not the argument: with CLONE_PARENT it is a sibling */
	fill_proc(&event->parent, child->real_parent);
	memcg = task_memcg_name(child);
	event->memcg_id = memcg.id;
	event->hierarchy = memcg.hierarchy;
	fill_comm(event->comm, child);
	emit_submit(WIRE_FORK, event);
	return 0;
}

/* Programs of Node.js often write a title over their arguments: these must be read before. */
static __always_inline bool hides_arguments(const __u8 *comm)
{
	return comm[0] == 'n' && comm[1] == 'o' && comm[2] == 'd' && comm[3] == 'e';
}

SEC("?tp_btf/sched_process_exec")
int BPF_PROG(lifecycle_exec, struct task_struct *task)
{
	struct wire_cgroup memcg;
	struct wire_exec *event;

	event = emit_reserve(WIRE_EXEC, sizeof(*event));
	if (!event)
		return 0;
	fill_proc(&event->proc, task);
	memcg = task_memcg_name(task);
	event->memcg_id = memcg.id;
	event->hierarchy = memcg.hierarchy;
	fill_comm(event->comm, task);
	if (hides_arguments(event->comm))
		emit_submit_urgent(event);
	else
		emit_submit(WIRE_EXEC, event);
	return 0;
}

/* What wait(2) will report: the group's code if it was ended as a group, else its leader's. */
static __always_inline __u32 exit_status(const struct signal_struct *signal,
					 const struct task_struct *leader)
{
	if (signal->flags & SIGNAL_GROUP_EXIT)
		return signal->group_exit_code;
	return leader->exit_code;
}

/* signal->maj_flt holds threads already reaped: not this one, nor a leader that left before it. */
static __always_inline __u64 exit_major_faults(const struct task_struct *task,
					       const struct signal_struct *signal,
					       const struct task_struct *leader)
{
	__u64 faults = signal->maj_flt + task->maj_flt;

	if (task->pid != task->tgid)
		faults += leader->maj_flt;
	return faults;
}

/*
 * `live` is 0 from the last thread on. Before 6.16, where the tracepoint does not tell, two threads
 * that exit at once can both see that; a second exit of the same process must be harmless to the
 * reader. ctx is raw because older prototypes lack the second argument.
 */
static __always_inline bool exit_ends_group(const struct task_struct *task, __u64 *ctx)
{
	if (exit_tells_group_dead())
		return ctx[1] & 1;
	return task->signal->live.counter == 0;
}

static __always_inline __u64 exit_anon_pages(const struct task_struct *task)
{
	struct mm_struct *mm = task->mm;

	return mm ? mm_rss_pages(mm, RSS_ANON) : 0;
}

SEC("?tp_btf/sched_process_exit")
int lifecycle_exit(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	const struct signal_struct *signal;
	const struct task_struct *leader;
	struct wire_exit *event;

	if (task->flags & PF_KTHREAD || !exit_ends_group(task, ctx))
		return 0;
	task_state_drop(task);
	event = emit_reserve(WIRE_EXIT, sizeof(*event));
	if (!event)
		return 0;
	fill_proc(&event->proc, task);
	signal = task->signal;
	leader = task->group_leader;
	event->maxrss_pages = signal->maxrss;
	if (exit_tells_group_dead()) /* else the mm is gone */
		event->anon_pages = exit_anon_pages(task);
	event->maj_flt = exit_major_faults(task, signal, leader);
	event->status = exit_status(signal, leader);
	event->oom_score_adj = signal->oom_score_adj;
	fill_comm(event->comm, leader);
	emit_submit(WIRE_EXIT, event);
	return 0;
}

/* include/uapi/asm-generic/signal.h, equal on x86_64 and arm64 */
enum {
	SIGHUP = 1,
	SIGINT = 2,
	SIGQUIT = 3,
	SIGILL = 4,
	SIGTRAP = 5,
	SIGABRT = 6,
	SIGBUS = 7,
	SIGFPE = 8,
	SIGKILL = 9,
	SIGSEGV = 11,
	SIGTERM = 15,
	SIGXCPU = 24,
	SIGXFSZ = 25,
	SIGSYS = 31,
};

#define BIT(nr) (1U << (nr))

#define SIGNALS_FAULT (BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGBUS) | BIT(SIGFPE) | BIT(SIGSEGV))
/* Not SIGPIPE or the timers: fatal by default, but their rate follows traffic, and servers catch or
 * ignore them. */
#define SIGNALS_WATCHED                                                                            \
	(SIGNALS_FAULT | BIT(SIGHUP) | BIT(SIGINT) | BIT(SIGQUIT) | BIT(SIGABRT) | BIT(SIGKILL) |  \
	 BIT(SIGTERM) | BIT(SIGXCPU) | BIT(SIGXFSZ) | BIT(SIGSYS))

/*
 * The JVM, Go and others live on faults they handle, a debugger on those it causes; their rate has
 * no bound. Constant indices, because the element type of action[] is partial.
 */
static __always_inline bool fault_is_handled(const struct task_struct *task, int sig)
{
	const struct sighand_struct *sighand = task->sighand;
	__u64 handler = 0;

	if (!(SIGNALS_FAULT & BIT(sig)))
		return false;
	if (task->ptrace)
		return true;
	switch (sig) {
	case SIGILL:
		handler = (__u64)sighand->action[SIGILL - 1].sa.sa_handler;
		break;
	case SIGTRAP:
		handler = (__u64)sighand->action[SIGTRAP - 1].sa.sa_handler;
		break;
	case SIGBUS:
		handler = (__u64)sighand->action[SIGBUS - 1].sa.sa_handler;
		break;
	case SIGFPE:
		handler = (__u64)sighand->action[SIGFPE - 1].sa.sa_handler;
		break;
	case SIGSEGV:
		handler = (__u64)sighand->action[SIGSEGV - 1].sa.sa_handler;
		break;
	}
	return handler > 1; /* neither SIG_DFL nor SIG_IGN */
}

/* include/linux/signal.h: two values are no pointers; uapi/asm-generic/siginfo.h: the codes */
#define SEND_SIG_NOINFO 0
#define SEND_SIG_PRIV	1
#define SI_USER		0
#define SI_KERNEL	0x80

/*
 * Because of those two values some verifiers (6.12) take the argument for a number, so the code is
 * a probe read. The OOM killer and other kernel senders use SEND_SIG_PRIV and need none; without
 * probe reads, what does carry a siginfo is taken to be a user's, unless it is a fault.
 */
static __always_inline __s32 signal_code(const struct kernel_siginfo *info, int sig)
{
	if ((__u64)info == SEND_SIG_NOINFO)
		return SI_USER;
	if ((__u64)info == SEND_SIG_PRIV)
		return SI_KERNEL;
	if (cfg_probe_read)
		return BPF_CORE_READ(info, si_code);
	return SIGNALS_FAULT & BIT(sig) ? SI_KERNEL : SI_USER;
}

SEC("?tp_btf/signal_generate")
int BPF_PROG(lifecycle_signal, int sig, struct kernel_siginfo *info, struct task_struct *task,
	     int group, int result)
{
	struct wire_signal *event;

	if (sig > 31 || !(SIGNALS_WATCHED & BIT(sig)) || fault_is_handled(task, sig))
		return 0;
	event = emit_reserve(WIRE_SIGNAL, sizeof(*event));
	if (!event)
		return 0;
	fill_proc(&event->target, task);
	fill_current(&event->sender, current_task());
	event->sig = sig;
	event->code = signal_code(info, sig);
	event->result = result;
	bpf_get_current_comm(event->sender_comm, sizeof(event->sender_comm));
	emit_submit(WIRE_SIGNAL, event);
	return 0;
}
