// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * reclaim.bpf.c - how long tasks stood still to reclaim memory, per memory cgroup of the task.
 *
 * Direct reclaim serves the whole machine, memcg reclaim a limit. The tracepoints' arguments
 * changed their order in 7.0 and are not used. Time is counted for the cgroup of the task that
 * waits, which for a write to memory.high or a kworker is not the cgroup that is reclaimed.
 */
#include "state.bpf.h"

#include <bpf/bpf_tracing.h>

#include "emit.bpf.h"
#include "storage.bpf.h"
#include "task.bpf.h"

static __always_inline int reclaim_begin(void)
{
	if (!reclaim_put_start(bpf_ktime_get_boot_ns()))
		count_loss(WIRE_LOSS_TASK_STORAGE);
	return 0;
}

static __always_inline struct wire_reclaim *reclaim_total(struct task_struct *task)
{
	struct wire_cgroup memcg = current_memcg_name(task);
	struct wire_reclaim zero = {};
	struct wire_reclaim *total;

	total = bpf_map_lookup_elem(&reclaims, &memcg);
	if (total)
		return total;
	bpf_map_update_elem(&reclaims, &memcg, &zero, BPF_NOEXIST);
	total = bpf_map_lookup_elem(&reclaims, &memcg);
	if (!total)
		count_loss(WIRE_LOSS_RECLAIM_TABLE);
	return total;
}

static __always_inline int reclaim_end(bool is_direct)
{
	struct task_struct *task = current_task();
	__u64 start = reclaim_take_start(task);
	struct wire_reclaim *total;
	__u64 spent_ns;

	if (!start)
		return 0;
	spent_ns = bpf_ktime_get_boot_ns() - start;
	total = reclaim_total(task);
	if (!total)
		return 0;
	if (is_direct) {
		total->direct_ns += spent_ns;
		total->direct_count++;
	} else {
		total->memcg_ns += spent_ns;
		total->memcg_count++;
	}
	return 0;
}

SEC("?tp_btf/mm_vmscan_direct_reclaim_begin")
int reclaim_direct_begin(void *ctx)
{
	return reclaim_begin();
}

SEC("?tp_btf/mm_vmscan_direct_reclaim_end")
int reclaim_direct_end(void *ctx)
{
	return reclaim_end(true);
}

SEC("?tp_btf/mm_vmscan_memcg_reclaim_begin")
int reclaim_memcg_begin(void *ctx)
{
	return reclaim_begin();
}

SEC("?tp_btf/mm_vmscan_memcg_reclaim_end")
int reclaim_memcg_end(void *ctx)
{
	return reclaim_end(false);
}
