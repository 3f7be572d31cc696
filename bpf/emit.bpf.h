/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * emit.bpf.h - the one way an event leaves the kernel: reserve, fill, submit; a failed reserve is
 * counted by kind.
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

/* An interrupt may count on the same CPU in between, hence the atomic. Losses are rare. */
static __always_inline void count_loss(enum wire_loss loss)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct wire_losses *mine = bpf_map_lookup_elem(&losses, &cpu);

	if (mine)
		__sync_fetch_and_add(&mine->count[loss], 1);
}

static __always_inline bool emit_is_critical(enum wire_kind kind)
{
	return kind < WIRE_RSS;
}

/* A zeroed record of `size` bytes with its head filled, or NULL. Constant arguments only. */
static __always_inline void *emit_reserve(enum wire_kind kind, __u32 size)
{
	struct wire_head *head;

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
