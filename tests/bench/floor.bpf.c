/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * floor.bpf.c - empty programs of the kinds memswell uses, to learn what the measuring itself costs:
 * with kernel.bpf_stats_enabled every run is charged two clock reads, which are not ours.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("cgroup_skb/egress")
int floor_skb(struct __sk_buff *skb)
{
	(void)skb;
	return 1;
}

SEC("tp_btf/rss_stat")
int floor_tracing(void *ctx)
{
	(void)ctx;
	return 0;
}
