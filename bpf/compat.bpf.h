/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * compat.bpf.h - kernel history and kernel macros, in one place.
 *
 * What changed its shape between the kernels we run on: each entry names the change and when it may
 * go. Decided by what the running kernel's BTF has, never by its version. Then the kernel's macros,
 * which BTF does not carry, each with its header.
 */
#ifndef MEMSWELL_COMPAT_BPF_H
#define MEMSWELL_COMPAT_BPF_H

#include "state.bpf.h"

#include <bpf/bpf_core_read.h>

/* ---- macros: not in BTF, so also not in a generated vmlinux.h ---- */

#define PF_EXITING	  0x00000004 /* include/linux/sched.h */
#define PF_KTHREAD	  0x00200000
#define SIGNAL_GROUP_EXIT 0x00000004 /* include/linux/sched/signal.h */
#define THREAD_SIZE	  16384	     /* arch/x86 page_64_types.h; twice that with KASAN */
#define NR_MAX_ERRNO	  4095	     /* include/linux/err.h: MAX_ERRNO */

#define AF_INET		2 /* include/linux/socket.h */
#define AF_INET6	10
#define SOCK_STREAM	1 /* include/linux/net.h, on both architectures */
#define IPPROTO_HOPOPTS 0 /* include/uapi/linux/in.h, in6.h */
#define IPPROTO_TCP	6
#define IPPROTO_ROUTING 43
#define IPPROTO_DSTOPTS 60
#define RCV_SHUTDOWN	1 /* include/net/sock.h */
#define ENOMEM		12
#define EACCES		13 /* include/uapi/asm-generic/errno-base.h, errno.h */
#define EEXIST		17
#define EPIPE		32
#define ENONET		64
#define ENETDOWN	100
#define ENETUNREACH	101
#define ECONNRESET	104
#define ECONNREFUSED	111
#define EHOSTDOWN	112
#define EHOSTUNREACH	113

/* include/linux/mm_types_task.h, there MM_FILEPAGES and so on; these four never moved */
enum { RSS_FILE = 0, RSS_ANON, RSS_SWAP, RSS_SHMEM };

/* include/uapi/linux/mman.h and asm-generic, equal on x86_64 and arm64 */
#define PROT_WRITE	    0x2
#define MAP_TYPE	    0x0f
#define MAP_PRIVATE	    0x02
#define MAP_FIXED	    0x10
#define MAP_ANONYMOUS	    0x20
#define MAP_NORESERVE	    0x4000
#define MAP_FIXED_NOREPLACE 0x100000

/* ---- local storage and a typed current task: in all our kinds of programs since 5.15 ---- */

/*
 * 5.10 has storage of sockets for the programs of cgroups only, none of tasks, and gives the
 * current task as a bare address. All that came bit by bit from 5.11 on, this helper last. Without
 * it, storage.bpf.h keeps tables, and current_read() reads. May go with support for 5.10.
 */
static __always_inline bool has_storage(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs);
}

static __always_inline struct task_struct *current_task(void)
{
	if (has_storage())
		return bpf_get_current_task_btf();
	return (struct task_struct *)bpf_get_current_task();
}

/*
 * What hangs on current_task(): current_read(task, signal, flags) is task->signal->flags. 0 where
 * that would be a probe read and those are refused.
 */
#define current_read(task, ...)                                                                    \
	({                                                                                         \
		___type((task), __VA_ARGS__) __value = 0;                                          \
                                                                                                   \
		if (has_storage())                                                                 \
			__value = ___arrow(task, __VA_ARGS__);                                     \
		else if (cfg_probe_read)                                                           \
			__value = BPF_CORE_READ(task, __VA_ARGS__);                                \
		__value;                                                                           \
	})

/* ---- mm->rss_stat: until 6.1 an array of atomics, since 6.2 per-CPU counters ---- */
/* May go with support for 6.1. */

/*
 * The inner struct has no name on purpose: a type that this kernel's BTF lacks makes libbpf 1.1 look
 * through the BTF of modules, which takes CAP_SYS_ADMIN.
 */
struct mm_struct___before_6_2 {
	struct {
		atomic_long_t count[4];
	} rss_stat;
} __attribute__((preserve_access_index));

/* Those kernels batch the counts of 64 faults before the rss_stat tracepoint sees them. */
static __always_inline bool rss_is_batched(void)
{
	return bpf_core_field_exists(struct mm_struct___before_6_2, rss_stat.count);
}

/*
 * Pages of one kind. Since 6.2 it lags by less than max(32, 2 * CPUs) pages per CPU, and may be
 * below zero meanwhile. Before, by up to 64 pages per thread: a thread keeps what it has not added
 * yet, so the lag is no drift; and the verifier cannot type an array of atomic_long_t, so it takes
 * a probe read. `member` must be a constant: a variable would use our element size.
 */
#define mm_rss_pages(mm, member)                                                                   \
	({                                                                                         \
		s64 __pages = 0;                                                                   \
                                                                                                   \
		if (!rss_is_batched())                                                             \
			__pages = (mm)->rss_stat[member].count;                                    \
		else if (cfg_probe_read)                                                           \
			__pages = BPF_CORE_READ((struct mm_struct___before_6_2 *)(mm),             \
						rss_stat.count[member].counter);                   \
		(u64)(__pages > 0 ? __pages : 0);                                                  \
	})

/* ---- sched_process_exit: since 6.16 its second argument tells the last thread of a group ---- */
/* The event's own struct came with the argument; before it also came after exit_mm(), so task->mm
 * was gone. May go with support for 6.12. */
static __always_inline bool exit_tells_group_dead(void)
{
	return bpf_core_field_exists(struct trace_event_raw_sched_process_exit, group_dead);
}

/* ---- registers at syscall exit: arguments as they were at entry, and the result ---- */

#if defined(__TARGET_ARCH_x86)
#define REG_NR		       orig_ax
#define REG_RET		       ax
#define REG_ARG1	       di
#define REG_ARG2	       si
#define REG_ARG3	       dx
#define REG_ARG4	       r10
#define SYSCALL_FUNCTION(name) "__x64_sys_" #name
enum { NR_MMAP = 9, NR_MPROTECT = 10, NR_MUNMAP = 11, NR_BRK = 12, NR_MREMAP = 25 };
#elif defined(__TARGET_ARCH_arm64)
#define REG_NR		       syscallno
#define REG_RET		       regs[0]
#define REG_ARG1	       orig_x0 /* regs[0] holds the result by then */
#define REG_ARG2	       regs[1]
#define REG_ARG3	       regs[2]
#define REG_ARG4	       regs[3]
#define SYSCALL_FUNCTION(name) "__arm64_sys_" #name
enum { NR_BRK = 214, NR_MUNMAP = 215, NR_MREMAP = 216, NR_MMAP = 222, NR_MPROTECT = 226 };
#endif

/*
 * Of current_task(). A 32-bit task has other numbers and registers. The per-syscall tracepoints
 * leave such tasks out, tp_btf/sys_exit does not.
 */
static __always_inline bool syscall_is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return current_read(task, thread_info.status) &
	       0x0002; /* arch/x86 thread_info.h: TS_COMPAT */
#else
	return current_read(task, thread_info.flags) &
	       (1UL << 22); /* arch/arm64 thread_info.h: TIF_32BIT */
#endif
}

#endif
