/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * emit.bpf.h - the one way an event leaves the kernel: reserve, fill, submit. What was to be told and
 * each failed reserve are counted by kind, so user space can show that nothing else is missing.
 *
 * The ring follows from the kind, so bulk events can never crowd out births and deaths. User space
 * drains both rings once per tick; it is woken in between only by what is urgent, or when a ring is
 * half full.
 */
#ifndef MEMSWELL_EMIT_BPF_H
#define MEMSWELL_EMIT_BPF_H

#include "state.bpf.h"

_Static_assert(WIRE_LOSS_RING_ALARM - WIRE_LOSS_RING_FORK == WIRE_ALARM - WIRE_FORK,
	       "ring losses follow the order of the ring kinds");

static __always_inline struct wire_losses *own_losses(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&losses, &cpu);
}

/*
 * An interrupt may count on the same CPU in between, hence the atomics, here and below: a line of
 * our own, next to a ring that takes a lock. Nothing of this is on the path of traffic.
 */
static __always_inline void count_loss(enum wire_loss loss)
{
	struct wire_losses *mine = own_losses();

	if (mine)
		__sync_fetch_and_add(&mine->count[loss], 1);
}

static __always_inline void count_produced(enum wire_kind kind)
{
	struct wire_losses *mine = own_losses();

	if (mine)
		__sync_fetch_and_add(&mine->produced[kind - WIRE_FORK], 1);
}

static __always_inline bool emit_is_critical(enum wire_kind kind)
{
	return kind < WIRE_RSS;
}

/* A zeroed record of `size` bytes with its head filled, or NULL. Constant arguments only. */
static __always_inline void *emit_reserve(enum wire_kind kind, __u32 size)
{
	struct wire_head *head;

	count_produced(kind);
	if (emit_is_critical(kind))
		head = bpf_ringbuf_reserve(&critical_ring, size, 0);
	else
		head = bpf_ringbuf_reserve(&bulk_ring, size, 0);
	if (!head) {
		count_loss(WIRE_LOSS_RING_FORK + (kind - WIRE_FORK));
		return NULL;
	}
	__builtin_memset(head, 0, size);
	head->kind = kind;
	head->size = size;
	head->ts_ns = bpf_ktime_get_boot_ns();
	return head;
}

static __always_inline void emit_submit(enum wire_kind kind, void *record)
{
	__u64 used, half;

	if (emit_is_critical(kind)) {
		used = bpf_ringbuf_query(&critical_ring, BPF_RB_AVAIL_DATA);
		half = CRITICAL_RING_BYTES / 2;
	} else {
		used = bpf_ringbuf_query(&bulk_ring, BPF_RB_AVAIL_DATA);
		half = BULK_RING_BYTES / 2;
	}
	bpf_ringbuf_submit(record, kind == WIRE_ALARM || used >= half ? BPF_RB_FORCE_WAKEUP
								      : BPF_RB_NO_WAKEUP);
}

/* User space is to look at once. */
static __always_inline void emit_submit_urgent(void *record)
{
	bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
}

#endif
