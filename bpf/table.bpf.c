// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * table.bpf.c - the programs that only a kernel without local storage needs (Linux 5.10): they keep
 * the table of sockets as the kernel would keep its storage, and find the sockets that are older
 * than us without the helper that other kernels have for it. Goes with has_storage().
 */
#include "state.bpf.h"

#include <bpf/bpf_tracing.h>

#include "compat.bpf.h"
#include "endpoint.bpf.h"
#include "storage.bpf.h"
#include "task.bpf.h"

SEC("?tp_btf/tcp_destroy_sock")
int BPF_PROG(table_drop_socket, struct sock *sk)
{
	sock_table_drop(sk);
	return 0;
}

/*
 * An accepted socket begins, before it has any packet. A packet that came for the last socket at
 * this address while that one was destroyed may have left an entry behind. A connect begins anew.
 */
SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(table_new_socket, struct sock *sk, int from, int to)
{
	if (from == TCP_LISTEN && to == TCP_SYN_RECV)
		sock_table_drop(sk);
	return 0;
}

/* ---- sockets older than memswell ---- */

#define S_IFMT	 0170000 /* include/uapi/linux/stat.h */
#define S_IFSOCK 0140000

/* Like fill_local() and fill_remote(), through a bare address. */
static __always_inline void fill_end(struct wire_endpoint *end, const struct sock *sk, bool local)
{
	struct in6_addr addr6 = {};

	end->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	end->port = local ? BPF_CORE_READ(sk, __sk_common.skc_num)
			  : __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET) {
		fill_addr4(end->addr, local ? BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr)
					    : BPF_CORE_READ(sk, __sk_common.skc_daddr));
		return;
	}
	if (!bpf_core_field_exists(sk->__sk_common.skc_v6_daddr))
		return;
	if (local)
		BPF_CORE_READ_INTO(&addr6, sk, __sk_common.skc_v6_rcv_saddr);
	else
		BPF_CORE_READ_INTO(&addr6, sk, __sk_common.skc_v6_daddr);
	__builtin_memcpy(end->addr, &addr6, sizeof(end->addr));
}

/* The first holder found stands, as in socket_adopt(). Nothing has counted on the socket yet. */
static __always_inline void table_adopt(const struct sock *sk, const struct wire_socket *record)
{
	struct sock_state initial = {.owner = record->owner};

	if (record->state == TCP_LISTEN)
		initial.http.flags = HTTP_FRESH;
	else if (record->state == TCP_ESTABLISHED && !BPF_CORE_READ(sk, sk_max_ack_backlog))
		initial.http.flags = HTTP_OLD_CLIENT;
	sock_table_add((__u64)sk, &initial);
}

SEC("?iter/task_file")
int table_files(struct bpf_iter__task_file *ctx)
{
	struct wire_socket record = {};
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct sock *sk;
	__u16 family;

	if (!task || !file || (file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return 0;
	sk = BPF_CORE_READ((struct socket *)file->private_data, sk);
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family != AF_INET && family != AF_INET6)
		return 0;
	fill_proc(&record.owner, task);
	record.state = BPF_CORE_READ(sk, __sk_common.skc_state);
	table_adopt(sk, &record);
	record.head.kind = WIRE_SOCKET;
	record.head.size = sizeof(record);
	record.head.ts_ns = bpf_ktime_get_boot_ns();
	record.sock_id = file->f_inode->i_ino;
	fill_end(&record.local, sk, true);
	if (record.state != TCP_LISTEN)
		fill_end(&record.remote, sk, false);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
