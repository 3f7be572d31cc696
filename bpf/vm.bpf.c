// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * vm.bpf.c - mmap, munmap, mremap and brk, added up in the state of the process and reported when
 * much moved or a call failed.
 *
 * The counting is written once; four kinds of thin twins feed it, of which user space attaches one:
 * fexit on the kernel functions, the release of mmap_lock, one classic tracepoint per syscall, or
 * tp_btf/sys_exit; the last two make every syscall pay. Sizes are what was asked for: what munmap
 * found mapped, and what MAP_FIXED replaced, is not known here.
 */
#include "state.bpf.h"

#include <bpf/bpf_tracing.h>

#include "compat.bpf.h"
#include "emit.bpf.h"
#include "storage.bpf.h"
#include "task.bpf.h"

#define VM_REPORT_MIN_NS 100000000ULL

/* What one call did. */
struct vm_change {
	enum wire_vm_call call;
	bool failed;
	__u64 mapped_bytes;
	__u64 unmapped_bytes;
	__u64 malloc_mapped_bytes;
	__u64 malloc_unmapped_bytes;
};

static __always_inline bool is_error(long ret)
{
	return (unsigned long)ret >= (unsigned long)-NR_MAX_ERRNO;
}

static __always_inline __u64 page_align(__u64 bytes)
{
	__u64 mask = (1ULL << cfg_page_shift) - 1;

	return (bytes + mask) & ~mask;
}

/* Of whoever makes the call. NULL: nothing is counted. */
static __always_inline struct task_state *vm_state(void)
{
	struct task_struct *task = current_task();
	struct task_state *state;

	if (current_read(task, flags) & PF_KTHREAD)
		return NULL;
	state = task_state_of_current(task, true);
	if (!state)
		count_loss(WIRE_LOSS_TASK_STORAGE);
	return state;
}

static __always_inline __u64 vm_failures(const struct wire_vm_counters *vm)
{
	return vm->failures[WIRE_VM_MMAP] + vm->failures[WIRE_VM_MUNMAP] +
	       vm->failures[WIRE_VM_MREMAP] + vm->failures[WIRE_VM_BRK];
}

/* Two threads may report the same step twice: the counters are cumulative, so it does no harm. */
static __always_inline void vm_report(struct task_state *state)
{
	__u64 net = state->vm.mapped_bytes - state->vm.unmapped_bytes;
	__s64 moved = net - state->vm_report_net_bytes;
	__u64 failures = vm_failures(&state->vm);
	struct wire_vm *event;
	__u64 now;

	if ((__u64)(moved < 0 ? -moved : moved) < cfg_vm_step_bytes &&
	    failures == state->vm_report_failures)
		return;
	now = bpf_ktime_get_boot_ns();
	if (now - state->vm_report_ns < VM_REPORT_MIN_NS)
		return;
	state->vm_report_ns = now;
	state->vm_report_net_bytes = net;
	state->vm_report_failures = failures;
	event = emit_reserve(WIRE_VM, sizeof(*event));
	if (!event)
		return;
	fill_current(&event->proc, current_task());
	event->counters = state->vm;
	emit_submit(WIRE_VM, event);
}

static __always_inline void vm_count(struct task_state *state, const struct vm_change *change)
{
	struct wire_vm_counters *vm = &state->vm;

	__sync_fetch_and_add(&vm->calls[change->call], 1);
	if (change->failed)
		__sync_fetch_and_add(&vm->failures[change->call], 1);
	if (change->mapped_bytes)
		__sync_fetch_and_add(&vm->mapped_bytes, change->mapped_bytes);
	if (change->unmapped_bytes)
		__sync_fetch_and_add(&vm->unmapped_bytes, change->unmapped_bytes);
	if (change->malloc_mapped_bytes)
		__sync_fetch_and_add(&vm->malloc_mapped_bytes, change->malloc_mapped_bytes);
	if (change->malloc_unmapped_bytes)
		__sync_fetch_and_add(&vm->malloc_unmapped_bytes, change->malloc_unmapped_bytes);
	vm_report(state);
}

/* ---- malloc's blocks ---- */

/*
 * A JVM commits what it has reserved by mapping over it. Its heaps grow by MinHeapDeltaBytes or
 * regions of 1 MiB and more; what comes in granules of 64 KiB is class metadata and the code cache.
 */
#define HEAP_COMMIT_MIN_BYTES (128 << 10)

static __always_inline bool is_malloc_like(__u64 len, __u64 prot, __u64 flags)
{
	return prot & PROT_WRITE && (flags & MAP_TYPE) == MAP_PRIVATE && flags & MAP_ANONYMOUS &&
	       !(flags & MAP_NORESERVE) && !(flags & MAP_FIXED && len >= HEAP_COMMIT_MIN_BYTES);
}

/*
 * What munmap takes away is no longer there to be looked at, but malloc frees a block with the
 * length it was mapped with. So the lengths are remembered, one bit each, exact up to 1 MiB and
 * folded above. A garbage-collected heap maps otherwise (reserved first, over that, or MAP_NORESERVE)
 * in lengths of its own; where they collide the native growth is told too small, never too large. Threads may
 * lose a bit to each other: the next block of that length sets it.
 */
static __always_inline __u32 malloc_length_bit(__u64 len)
{
	__u64 pages = len >> cfg_page_shift;

	return (pages ^ pages >> 8 ^ pages >> 16) & 255;
}

static __always_inline void malloc_mapped(struct task_state *state, struct vm_change *change,
					  __u64 len)
{
	__u32 bit = malloc_length_bit(len);

	state->malloc_lengths[bit >> 6 & 3] |= 1ULL << (bit & 63);
	change->malloc_mapped_bytes += len;
}

static __always_inline bool malloc_knows(const struct task_state *state, __u64 len)
{
	__u32 bit = malloc_length_bit(len);

	return state->malloc_lengths[bit >> 6 & 3] & 1ULL << (bit & 63);
}

/* ---- the four calls, into the state of who makes them, which may be none ---- */

static __noinline int vm_mmap(struct task_state *state, __u64 len, __u64 prot, __u64 flags,
			      long ret)
{
	struct vm_change change = {.call = WIRE_VM_MMAP, .failed = is_error(ret)};

	if (!state)
		return 0;
	if (!change.failed) {
		change.mapped_bytes = page_align(len);
		if (is_malloc_like(change.mapped_bytes, prot, flags))
			malloc_mapped(state, &change, change.mapped_bytes);
	}
	vm_count(state, &change);
	return 0;
}

static __noinline int vm_munmap(struct task_state *state, __u64 len, long ret)
{
	struct vm_change change = {.call = WIRE_VM_MUNMAP, .failed = is_error(ret)};

	if (!state)
		return 0;
	if (!change.failed) {
		change.unmapped_bytes = page_align(len);
		if (malloc_knows(state, change.unmapped_bytes))
			change.malloc_unmapped_bytes = change.unmapped_bytes;
	}
	vm_count(state, &change);
	return 0;
}

/* An old length of 0 makes a second mapping of shared pages: all of the new length is added. */
static __noinline int vm_mremap(struct task_state *state, __u64 old_len, __u64 new_len, long ret)
{
	struct vm_change change = {.call = WIRE_VM_MREMAP, .failed = is_error(ret)};

	if (!state)
		return 0;
	old_len = page_align(old_len);
	new_len = page_align(new_len);
	if (!change.failed) {
		change.mapped_bytes = new_len > old_len ? new_len - old_len : 0;
		change.unmapped_bytes = old_len > new_len ? old_len - new_len : 0;
		if (malloc_knows(state, old_len)) { /* realloc of a big block */
			change.malloc_unmapped_bytes = old_len;
			malloc_mapped(state, &change, new_len);
		}
	}
	vm_count(state, &change);
	return 0;
}

/*
 * brk returns the break, moved or not; there is no error. The old break is what the last call or
 * sample left; the first call of an unknown mm only teaches it. So does asking for 0, the idiom to
 * learn it, which the C library does first: a sample taken during exec has the break from before
 * its randomization.
 */
static __noinline int vm_brk(struct task_state *state, __u64 asked, __u64 now)
{
	struct vm_change change = {.call = WIRE_VM_BRK, .failed = now < asked};
	__u64 mm, old, old_end, new_end;

	if (!state)
		return 0;
	mm = (__u64)current_read(current_task(), mm);
	old = asked && state->brk_mm == mm ? state->brk : now;
	state->brk_mm = mm;
	state->brk = now;
	old_end = page_align(old);
	new_end = page_align(now);
	change.mapped_bytes = new_end > old_end ? new_end - old_end : 0;
	change.unmapped_bytes = old_end > new_end ? old_end - new_end : 0;
	vm_count(state, &change);
	return 0;
}

/* ---- from the registers of the syscall ---- */

static __always_inline int vm_mmap_regs(struct task_state *state, const struct pt_regs *regs)
{
	return vm_mmap(state, regs->REG_ARG2, regs->REG_ARG3, regs->REG_ARG4, (long)regs->REG_RET);
}

static __always_inline int vm_munmap_regs(struct task_state *state, const struct pt_regs *regs)
{
	return vm_munmap(state, regs->REG_ARG2, (long)regs->REG_RET);
}

static __always_inline int vm_mremap_regs(struct task_state *state, const struct pt_regs *regs)
{
	return vm_mremap(state, regs->REG_ARG2, regs->REG_ARG3, (long)regs->REG_RET);
}

static __always_inline int vm_brk_regs(struct task_state *state, const struct pt_regs *regs)
{
	return vm_brk(state, regs->REG_ARG1, (long)regs->REG_RET);
}

/* ---- twins: fexit; the inner functions of mremap and brk are not everywhere traceable ---- */

SEC("?fexit/ksys_mmap_pgoff")
int BPF_PROG(vm_mmap_fexit, unsigned long addr, unsigned long len, unsigned long prot,
	     unsigned long flags, unsigned long fd, unsigned long pgoff, long ret)
{
	return vm_mmap(vm_state(), len, prot, flags, ret);
}

SEC("?fexit/__vm_munmap")
int BPF_PROG(vm_munmap_fexit, unsigned long start, unsigned long len, bool unlock, int ret)
{
	return vm_munmap(vm_state(), len, ret);
}

SEC("?fexit/" SYSCALL_FUNCTION(mremap))
int BPF_PROG(vm_mremap_fexit, const struct pt_regs *regs, long ret)
{
	return vm_mremap(vm_state(), regs->REG_ARG2, regs->REG_ARG3, ret);
}

SEC("?fexit/" SYSCALL_FUNCTION(brk))
int BPF_PROG(vm_brk_fexit, const struct pt_regs *regs, long ret)
{
	return vm_brk(vm_state(), regs->REG_ARG1, ret);
}

/*
 * The same where the prototypes of system calls have no type for their registers (5.10). On x86_64,
 * the one that has trampolines there, they lie at the end of the task's stack; what does not hold
 * the number of the call is something else.
 */
static __always_inline const struct pt_regs *bare_regs(long nr)
{
	void *stack = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), stack);
	const struct pt_regs *regs = stack + THREAD_SIZE - bpf_core_type_size(struct pt_regs);

	return (long)BPF_CORE_READ(regs, REG_NR) == nr ? regs : NULL;
}

SEC("?fexit/" SYSCALL_FUNCTION(mremap))
int BPF_PROG(vm_mremap_fexit_bare, const void *unused, long ret)
{
	const struct pt_regs *regs = bare_regs(NR_MREMAP);

	if (!regs)
		return 0;
	return vm_mremap(vm_state(), BPF_CORE_READ(regs, REG_ARG2), BPF_CORE_READ(regs, REG_ARG3),
			 ret);
}

SEC("?fexit/" SYSCALL_FUNCTION(brk))
int BPF_PROG(vm_brk_fexit_bare, const void *unused, long ret)
{
	const struct pt_regs *regs = bare_regs(NR_BRK);

	return regs ? vm_brk(vm_state(), BPF_CORE_READ(regs, REG_ARG1), ret) : 0;
}

/* ---- registers, of a current task that has a type (5.15) ---- */

static __always_inline const struct pt_regs *current_regs(void)
{
	return (const struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

/* ---- twin: whoever changes an address space holds its lock, and its registers tell why ---- */

/*
 * The result is not known yet, so a call failed if the address space is not larger afterwards. All
 * that changes its size ends in a release that is seen here, in order: `total_vm_pages` is exact.
 */
static __always_inline bool vm_has_grown(const struct task_state *state, const struct mm_struct *mm,
					 __u64 bytes)
{
	return state->total_vm_mm != (__u64)mm ||
	       mm->total_vm >= state->total_vm_pages + (bytes >> cfg_page_shift);
}

static __always_inline void vm_unlock_mmap(struct task_state *state, const struct mm_struct *mm,
					   const struct pt_regs *regs)
{
	__u64 len = page_align(regs->REG_ARG2), flags = regs->REG_ARG4;
	bool ok = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE) || vm_has_grown(state, mm, len);

	vm_mmap(state, len, regs->REG_ARG3, flags, ok ? 0 : -ENOMEM);
}

static __always_inline void vm_unlock_mremap(struct task_state *state, const struct mm_struct *mm,
					     const struct pt_regs *regs)
{
	__u64 old_len = page_align(regs->REG_ARG2), new_len = page_align(regs->REG_ARG3);
	bool ok = new_len <= old_len || vm_has_grown(state, mm, new_len - old_len);

	vm_mremap(state, old_len, new_len, ok ? 0 : -ENOMEM);
}

/* What takes memory away goes on with the lock shared; a munmap that did not found nothing. */
static __noinline void vm_unlock_call(struct task_state *state, const struct mm_struct *mm, long nr,
				      bool exclusive)
{
	const struct pt_regs *regs = current_regs();

	switch (nr) {
	case NR_MMAP:
		if (exclusive)
			vm_unlock_mmap(state, mm, regs);
		break;
	case NR_MUNMAP:
		vm_munmap(state, exclusive ? 0 : regs->REG_ARG2, 0);
		break;
	case NR_MREMAP:
		if (exclusive || regs->REG_ARG3 < regs->REG_ARG2)
			vm_unlock_mremap(state, mm, regs);
		break;
	case NR_BRK:
		vm_brk(state, regs->REG_ARG1, mm->brk);
		break;
	}
}

/*
 * Of page faults only those that find no lock of their own area get here. An exception's registers
 * hold no syscall; populate's shared releases within mmap and mremap come after the exclusive one.
 */
SEC("?tp_btf/mmap_lock_released")
int BPF_PROG(vm_unlock, struct mm_struct *mm, bool exclusive)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	long nr;

	if (task->mm != mm)
		return 0;
	nr = (long)current_regs()->REG_NR;
	if (!exclusive && nr != NR_MUNMAP && nr != NR_MREMAP && nr != NR_BRK)
		return 0;
	if (nr == NR_MPROTECT) /* frequent in code generators, and takes nothing */
		return 0;
	if (syscall_is_compat(task))
		return 0;
	state = vm_state();
	if (!state)
		return 0;
	vm_unlock_call(state, mm, nr, exclusive);
	state->total_vm_mm = (__u64)mm;
	state->total_vm_pages = mm->total_vm;
	return 0;
}

/* ---- twins: classic tracepoints; what they pass has no stable layout, the registers have ---- */

SEC("?tracepoint/syscalls/sys_exit_mmap")
int vm_mmap_exit(void *ctx)
{
	return vm_mmap_regs(vm_state(), current_regs());
}

SEC("?tracepoint/syscalls/sys_exit_munmap")
int vm_munmap_exit(void *ctx)
{
	return vm_munmap_regs(vm_state(), current_regs());
}

SEC("?tracepoint/syscalls/sys_exit_mremap")
int vm_mremap_exit(void *ctx)
{
	return vm_mremap_regs(vm_state(), current_regs());
}

SEC("?tracepoint/syscalls/sys_exit_brk")
int vm_brk_exit(void *ctx)
{
	return vm_brk_regs(vm_state(), current_regs());
}

/* ---- twin: all syscalls, filtered by number ---- */

static __noinline int vm_sys_exit_regs(const struct pt_regs *regs, long nr)
{
	struct task_state *state;

	if (syscall_is_compat(current_task()))
		return 0;
	state = vm_state();
	switch (nr) {
	case NR_MMAP:
		return vm_mmap_regs(state, regs);
	case NR_MUNMAP:
		return vm_munmap_regs(state, regs);
	case NR_MREMAP:
		return vm_mremap_regs(state, regs);
	case NR_BRK:
		return vm_brk_regs(state, regs);
	}
	return 0;
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(vm_sys_exit, struct pt_regs *regs)
{
	long nr = (long)regs->REG_NR;

	if (nr != NR_MMAP && nr != NR_MUNMAP && nr != NR_MREMAP && nr != NR_BRK)
		return 0;
	return vm_sys_exit_regs(regs, nr);
}
