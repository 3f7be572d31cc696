/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * accept.bpf.h - counts the SYNs that a listener drops because its accept queue is full.
 *
 * The packet program sees a SYN just before TCP does, with the listener as its socket, and asks
 * what TCP will ask next (sk_acceptq_is_full()). Who should have accepted is not known: the
 * listener's creator stands for all who share it. The address is the one the packet went to, as in
 * the flows of accepted sockets; the listener's own may be a wildcard.
 *
 * Not seen: a queue that fills up between SYN and last ACK, and SYNs dropped for other reasons.
 */
#ifndef MEMSWELL_ACCEPT_BPF_H
#define MEMSWELL_ACCEPT_BPF_H

#include "flow.bpf.h"
#include "storage.bpf.h"

#define IPV4_DESTINATION 16
#define IPV6_DESTINATION 24

/* False: no such packet, in theory. */
static __always_inline bool accept_fill_address(__u8 *addr, const struct __sk_buff *skb)
{
	const __u8 *data = (void *)(long)skb->data;
	const __u8 *data_end = (void *)(long)skb->data_end;

	if (data + IPV4_DESTINATION + 4 > data_end)
		return false;
	if (data[0] >> 4 == 4) {
		fill_addr4(addr, *(const __be32 *)(data + IPV4_DESTINATION));
		return true;
	}
	if (data + IPV6_DESTINATION + 16 > data_end)
		return false;
	__builtin_memcpy(addr, data + IPV6_DESTINATION, 16);
	return true;
}

/* A flow that has no socket of its own is taken and given back at once. */
static __always_inline __u32 accept_find_slot(const struct wire_flow_key *key)
{
	__u32 *known = bpf_map_lookup_elem(&flow_slots, key);
	struct wire_flow_stats *stats;
	__u32 slot;

	if (known)
		return *known;
	slot = flow_allocate(key);
	stats = flow_stats_of(slot);
	if (stats) {
		__sync_fetch_and_add(&stats->opened, 1);
		__sync_fetch_and_add(&stats->closed, 1);
	}
	return slot;
}

/* A SYN came in. The listener's state is only read: accepted sockets start from a copy of it. */
static __noinline void accept_syn(struct __sk_buff *skb)
{
	struct wire_flow_key key = {.role = WIRE_ROLE_SERVER};
	struct wire_flow_stats *stats;
	struct bpf_sock *skc = skb->sk;
	struct sock_state *state;
	struct tcp_sock *tp;
	struct sock *listener;
	__u32 slot;

	if (!skc || skc->state != TCP_LISTEN)
		return;
	tp = bpf_skc_to_tcp_sock(skc);
	if (!tp)
		return;
	if (!has_storage())
		sock_table_hand_on(skc, tp);
	listener = &tp->inet_conn.icsk_inet.sk;
	if (http_likely(listener->sk_ack_backlog <= listener->sk_max_ack_backlog))
		return;
	state = sock_state_of_listener(skc);
	if (!state || !state->owner.tgid || !accept_fill_address(key.endpoint.addr, skb))
		return;
	key.proc = state->owner;
	key.endpoint.port = listener->__sk_common.skc_num;
	fill_netns(&key.endpoint, listener);
	slot = accept_find_slot(&key);
	stats = flow_stats_of(slot);
	if (stats)
		flow_fail(stats, slot, WIRE_FAIL_ACCEPT_FULL, bpf_ktime_get_boot_ns());
}

#endif
