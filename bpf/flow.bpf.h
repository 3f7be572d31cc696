/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * flow.bpf.h - which slot of flow_stats a socket counts in, and how failures are counted there.
 *
 * A socket looks its slot up once and keeps it. User space may free a slot only while opened equals
 * closed, so every taking is matched by one giving back. What finds no free slot counts in the
 * overflow slot and as a loss. Backends have slots of their own, or a process that talks TLS to
 * half the world would leave none for HTTP. It does not decide what is a failure: http.bpf.c and
 * socket.bpf.c do.
 *
 * Counters that follow traffic are plain adds on this CPU's own entry. A packet that interrupts
 * another one between load and store on the same CPU makes one increment of the other disappear:
 * a window of a nanosecond per packet, on counters read as rates, against an atomic's 20 cycles
 * each, several times per packet. What is compared one by one, failures and the statuses 502 to
 * 504, is counted with atomics and is exact.
 */
#ifndef MEMSWELL_FLOW_BPF_H
#define MEMSWELL_FLOW_BPF_H

#include "compat.bpf.h"
#include "emit.bpf.h"
#include "endpoint.bpf.h"
#include "state.bpf.h"
#include "task.bpf.h"

#define FLOW_ALARM_NS 100000000ULL

static __always_inline struct wire_flow_stats *flow_stats_of(__u32 slot)
{
	__u32 index = slot * cfg_nr_cpus + bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&flow_stats, &index);
}

/* ---- time ---- */

/* Once per connection is often enough. Written only after a suspend, so the line stays shared. */
static __always_inline void flow_sync_clock(void)
{
	__u64 offset = bpf_ktime_get_boot_ns() - bpf_ktime_get_ns();

	if ((__s64)(offset - boot_offset_ns) > 1000000)
		boot_offset_ns = offset;
}

/* ---- slots ---- */

static __always_inline void flow_fill_key(struct wire_flow_key *key, const struct sock_state *state,
					  const struct sock *sk)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->proc = state->owner;
	key->role = state->http.role;
	if (key->role == WIRE_ROLE_SERVER)
		fill_local(&key->endpoint, sk);
	else
		fill_remote(&key->endpoint, sk);
}

static __always_inline __u32 flow_overflow(const struct wire_flow_key *key)
{
	count_loss(key->role == WIRE_ROLE_BACKEND ? WIRE_LOSS_BACKEND_TABLE : WIRE_LOSS_FLOW_TABLE);
	return WIRE_FLOW_OVERFLOW_SLOT;
}

/* Another CPU may enter the same key meanwhile: then its slot counts and ours goes back. */
static __noinline __u32 flow_allocate(const struct wire_flow_key *key)
{
	bool backend = key->role == WIRE_ROLE_BACKEND;
	__u32 *winner;
	__u32 slot;

	if (backend ? bpf_map_pop_elem(&free_backend_slots, &slot)
		    : bpf_map_pop_elem(&free_flow_slots, &slot))
		return flow_overflow(key);
	if (!bpf_map_update_elem(&flow_slots, key, &slot, BPF_NOEXIST))
		return slot;
	if (backend)
		bpf_map_push_elem(&free_backend_slots, &slot, 0);
	else
		bpf_map_push_elem(&free_flow_slots, &slot, 0);
	winner = bpf_map_lookup_elem(&flow_slots, key);
	return winner ? *winner : flow_overflow(key);
}

/* Give the slot back, keeping its number to name a reset that may follow. */
static __always_inline void flow_leave(struct sock_state *state)
{
	struct wire_flow_stats *stats;

	if (!(state->flags & SOCK_SLOT))
		return;
	state->flags &= ~SOCK_SLOT;
	state->flags |= SOCK_CLOSED;
	stats = flow_stats_of(state->slot);
	if (stats)
		__sync_fetch_and_add(&stats->closed, 1);
}

/* Find or allocate the slot of owner, role and endpoint as they are now. NULL: never, really. */
static __noinline struct wire_flow_stats *flow_enter(struct sock_state *state,
						     const struct sock *sk)
{
	struct wire_flow_stats *stats;
	struct wire_flow_key key;
	__u32 *slot;

	flow_sync_clock();
	flow_fill_key(&key, state, sk);
	slot = bpf_map_lookup_elem(&flow_slots, &key);
	state->slot = slot ? *slot : flow_allocate(&key);
	state->flags &= ~SOCK_CLOSED;
	state->flags |= SOCK_SLOT;
	stats = flow_stats_of(state->slot);
	if (stats)
		__sync_fetch_and_add(&stats->opened, 1);
	return stats;
}

/*
 * Learn who uses the socket; only from a context where current holds its lock. A slot taken under
 * another owner is given back, the next use takes the right one.
 */
static __always_inline void flow_refine_owner(struct sock_state *state)
{
	struct wire_proc proc;

	if (!current_is_known())
		return;
	fill_current(&proc, current_task());
	if (proc.tgid != state->owner.tgid || proc.start_ns != state->owner.start_ns) {
		flow_leave(state);
		state->owner = proc;
	}
	state->flags |= SOCK_REFINED;
}

/* ---- counting ---- */

static __always_inline void flow_mark(struct wire_mark *mark, __u64 now)
{
	if ((__s64)(now - mark->last_ns) > (__s64)WIRE_EPISODE_NS)
		mark->first_ns = now;
	mark->last_ns = now;
}

static __always_inline void flow_alarm(__u32 slot, __u64 now)
{
	struct wire_alarm *alarm;
	__u32 zero = 0;
	__u64 *last = bpf_map_lookup_elem(&alarms, &zero);

	if (!last || now - *last < FLOW_ALARM_NS)
		return;
	*last = now;
	alarm = emit_reserve(WIRE_ALARM, sizeof(*alarm));
	if (!alarm)
		return;
	alarm->slot = slot;
	emit_submit(WIRE_ALARM, alarm);
}

static __always_inline void flow_fail(struct wire_flow_stats *stats, __u32 slot,
				      enum wire_fail fail, __u64 now)
{
	__sync_fetch_and_add(&stats->fail[fail], 1);
	flow_mark(&stats->fail_mark[fail], now);
	flow_alarm(slot, now);
}

/* The newest request with all its payload so far. */
static __always_inline void flow_count_request(struct wire_flow_stats *stats,
					       struct sock_state *state)
{
	state->flags &= ~SOCK_UNCOUNTED;
	stats->requests++;
	stats->request_bytes += state->http.request.bytes;
}

static __always_inline void flow_count_largest(struct wire_flow_stats *stats,
					       const struct sock_state *state)
{
	if (state->http.request.bytes > stats->max_request_bytes)
		stats->max_request_bytes = state->http.request.bytes;
}

#endif
