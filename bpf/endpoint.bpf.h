/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * endpoint.bpf.h - the two addresses of a socket, as struct wire_endpoint: IPv4 as ::ffff:a.b.c.d,
 * ports in host order, with the network namespace in which they mean something.
 */
#ifndef MEMSWELL_ENDPOINT_BPF_H
#define MEMSWELL_ENDPOINT_BPF_H

#include "compat.bpf.h"
#include "state.bpf.h"

static __always_inline void fill_addr4(__u8 *addr, __be32 addr4)
{
	__u32 *words = (__u32 *)addr;

	words[0] = 0;
	words[1] = 0;
	words[2] = 0xffff0000; /* 00 00 ff ff in memory */
	words[3] = addr4;
}

static __always_inline void fill_addr6(__u8 *addr, const struct in6_addr *addr6)
{
	__u32 *words = (__u32 *)addr;

	for (int i = 0; i < 4; i++)
		words[i] = addr6->in6_u.u6_addr32[i];
}

static __always_inline void fill_netns(struct wire_endpoint *endpoint, const struct sock *sk)
{
	endpoint->netns = sk->__sk_common.skc_net.net->ns.inum;
	endpoint->pad = 0;
}

/* On its way to TCP_CLOSE an accepted socket has lost skc_num; a new listener has no inet_sport. */
static __always_inline __u16 local_port(const struct sock *sk)
{
	struct tcp_sock *tp;

	if (sk->__sk_common.skc_num)
		return sk->__sk_common.skc_num;
	tp = bpf_skc_to_tcp_sock((void *)sk);
	return tp ? __builtin_bswap16(tp->inet_conn.icsk_inet.inet_sport) : 0;
}

static __always_inline void fill_local(struct wire_endpoint *endpoint, const struct sock *sk)
{
	fill_netns(endpoint, sk);
	endpoint->port = local_port(sk);
	if (sk->__sk_common.skc_family == AF_INET)
		fill_addr4(endpoint->addr, sk->__sk_common.skc_rcv_saddr);
	else if (bpf_core_field_exists(sk->__sk_common.skc_v6_rcv_saddr))
		fill_addr6(endpoint->addr, &sk->__sk_common.skc_v6_rcv_saddr);
}

static __always_inline void fill_remote(struct wire_endpoint *endpoint, const struct sock *sk)
{
	fill_netns(endpoint, sk);
	endpoint->port = __builtin_bswap16(sk->__sk_common.skc_dport);
	if (sk->__sk_common.skc_family == AF_INET)
		fill_addr4(endpoint->addr, sk->__sk_common.skc_daddr);
	else if (bpf_core_field_exists(sk->__sk_common.skc_v6_daddr))
		fill_addr6(endpoint->addr, &sk->__sk_common.skc_v6_daddr);
}

#endif
