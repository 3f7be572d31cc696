/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * task.bpf.h - who a task is, and which memory cgroup it belongs to.
 *
 * Identity and the cgroup's name need typed loads only and work under any lockdown. Usage and limit
 * live behind a cast the verifier cannot follow (css to mem_cgroup), so they need probe reads and
 * stay 0 where cfg_probe_read is 0.
 */
#ifndef MEMSWELL_TASK_BPF_H
#define MEMSWELL_TASK_BPF_H

#include "compat.bpf.h"
#include "state.bpf.h"

/* Deeper cgroups exist in theory; a limit above the 16th level is not seen. */
#define MEMCG_MAX_DEPTH 16

static __always_inline void fill_proc(struct wire_proc *proc, const struct task_struct *task)
{
	proc->tgid = task->tgid;
	proc->start_ns = task->group_leader->start_boottime;
	proc->pad = 0;
}

/* Whether fill_current() can tell: not where that takes a probe read and those are refused. */
static __always_inline bool current_is_known(void)
{
	return has_storage() || cfg_probe_read;
}

/* Of current; task is current_task(). 0: unknown. */
static __always_inline void fill_current(struct wire_proc *proc, struct task_struct *task)
{
	proc->tgid = current_read(task, tgid);
	proc->start_ns = current_read(task, group_leader, start_boottime);
	proc->pad = 0;
}

/* Two loads instead of a string helper, which would be a probe read. */
static __always_inline void fill_comm(__u8 *comm, const struct task_struct *task)
{
	_Static_assert(WIRE_COMM_LEN == 16, "two words");
	((__u64 *)comm)[0] = ((const __u64 *)task->comm)[0];
	((__u64 *)comm)[1] = ((const __u64 *)task->comm)[1];
}

/*
 * The memory controller's place in css_set.subsys depends on the configuration, so the index is
 * relocated; a constant index beyond the array of a smaller kernel would not even load. The
 * verifier sees a constant offset into the array and types what is there.
 */
static __always_inline struct cgroup_subsys_state **memcg_place(struct css_set *cgroups)
{
	__u64 index = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);

	return (void *)cgroups + bpf_core_field_offset(struct css_set, subsys) +
	       index * sizeof(void *);
}

/* NULL without CONFIG_MEMCG. */
static __always_inline struct cgroup_subsys_state *task_memcg(const struct task_struct *task)
{
	if (!bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		return NULL;
	return *memcg_place(task->cgroups);
}

/* What user space knows as the directory's inode, and in which hierarchy (0 is cgroup v2). */
static __always_inline struct wire_cgroup task_memcg_name(const struct task_struct *task)
{
	struct cgroup_subsys_state *css = task_memcg(task);
	struct wire_cgroup name = {};

	if (css) {
		name.id = css->cgroup->kn->id;
		name.hierarchy = css->cgroup->root->hierarchy_id;
	}
	return name;
}

/* The same of current, as a bare address where current_task() is one; task is current_task(). */
static __always_inline struct cgroup_subsys_state *current_memcg(struct task_struct *task)
{
	struct cgroup_subsys_state *css = NULL;

	if (has_storage())
		return task_memcg(task);
	if (cfg_probe_read && bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): it is the pointer that is read */
		bpf_probe_read_kernel(&css, sizeof(css), memcg_place(BPF_CORE_READ(task, cgroups)));
	return css;
}

static __always_inline struct wire_cgroup current_memcg_name(struct task_struct *task)
{
	struct cgroup_subsys_state *css;
	struct wire_cgroup name = {};

	if (has_storage())
		return task_memcg_name(task);
	css = current_memcg(task);
	if (css) {
		name.id = BPF_CORE_READ(css, cgroup, kn, id);
		name.hierarchy = BPF_CORE_READ(css, cgroup, root, hierarchy_id);
	}
	return name;
}

/* The page counters form the chain of limits, the same on cgroup v1 and v2. Probe reads below. */
static __always_inline struct page_counter *memcg_counter(struct cgroup_subsys_state *css)
{
	return (void *)css - bpf_core_field_offset(struct mem_cgroup, css) +
	       bpf_core_field_offset(struct mem_cgroup, memory);
}

static __always_inline __u64 memcg_counter_id(struct page_counter *counter)
{
	struct mem_cgroup *memcg =
		(void *)counter - bpf_core_field_offset(struct mem_cgroup, memory);

	return BPF_CORE_READ(memcg, css.cgroup, kn, id);
}

/* include/linux/page_counter.h: LONG_MAX / PAGE_SIZE means no limit. */
static __always_inline __u64 memcg_unlimited_pages(void)
{
	return (~0ULL >> 1) >> cfg_page_shift;
}

/* The tightest limit over the chain and the usage against it; without any limit its own usage. */
static __always_inline void fill_memcg(struct wire_memcg *out, const struct task_struct *task)
{
	struct cgroup_subsys_state *css = task_memcg(task);
	struct wire_cgroup name = task_memcg_name(task);
	struct page_counter *counter, *owner;
	__u64 limit = memcg_unlimited_pages();

	out->id = name.id;
	out->hierarchy = name.hierarchy;
	out->limit_pages = WIRE_NO_LIMIT;
	if (!cfg_probe_read || !css)
		return;
	counter = memcg_counter(css);
	owner = counter;
	for (int depth = 0; depth < MEMCG_MAX_DEPTH && counter; depth++) {
		__u64 max = BPF_CORE_READ(counter, max);

		if (max < limit) {
			limit = max;
			owner = counter;
		}
		counter = BPF_CORE_READ(counter, parent);
	}
	out->usage_pages = BPF_CORE_READ(owner, usage.counter);
	if (limit == memcg_unlimited_pages())
		return;
	out->limit_pages = limit;
	out->owner_id = memcg_counter_id(owner);
}

#endif
