/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * storage.bpf.h - what is kept per process, thread and socket: in the kernel's local storage, or,
 * where has_storage() is false, in tables that stand in for it. Nobody else knows which.
 *
 * A kernel has one of the two, and its verifier drops the code of the other. What the kernel does
 * for its storage is done for the tables here: an entry goes with what it belongs to, at the exit
 * of the process, at the end of the reclaim, when TCP gives up the socket.
 */
#ifndef MEMSWELL_STORAGE_BPF_H
#define MEMSWELL_STORAGE_BPF_H

#include "compat.bpf.h"
#include "emit.bpf.h"
#include "state.bpf.h"
#include "task.bpf.h"

static const struct task_state no_task_state;
static const struct sock_state no_sock_state;

/* ---- processes ---- */

static __always_inline struct task_state *task_table_state(__u32 tgid, bool create)
{
	struct task_state *state = bpf_map_lookup_elem(&task_state_table, &tgid);

	if (state || !create)
		return state;
	bpf_map_update_elem(&task_state_table, &tgid, &no_task_state, BPF_NOEXIST);
	return bpf_map_lookup_elem(&task_state_table, &tgid);
}

/* Of current's process; task is current_task(). NULL: none yet, or, if to be created, no room. */
static __always_inline struct task_state *task_state_of_current(struct task_struct *task,
								bool create)
{
	if (has_storage())
		return bpf_task_storage_get(&task_states, task->group_leader, NULL,
					    create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	return task_table_state(bpf_get_current_pid_tgid() >> 32, create);
}

static __always_inline struct task_state *task_state_of(struct task_struct *leader)
{
	if (has_storage())
		return bpf_task_storage_get(&task_states, leader, NULL, 0);
	return task_table_state(leader->tgid, false);
}

/*
 * Of a process that may exit meanwhile: who leaves after the second look at mm takes the entry
 * along, who left before does not come back for it.
 */
static __always_inline struct task_state *task_state_make(struct task_struct *leader)
{
	struct task_state *state;
	__u32 tgid;

	if (has_storage())
		return bpf_task_storage_get(&task_states, leader, NULL,
					    BPF_LOCAL_STORAGE_GET_F_CREATE);
	tgid = leader->tgid;
	state = task_table_state(tgid, true);
	if (!*(struct mm_struct *volatile *)&leader->mm)
		bpf_map_delete_elem(&task_state_table, &tgid);
	return state;
}

/* The process ends; storage goes with its tasks. */
static __always_inline void task_state_drop(const struct task_struct *task)
{
	__u32 tgid;

	if (has_storage())
		return;
	tgid = task->tgid;
	bpf_map_delete_elem(&task_state_table, &tgid);
}

/* ---- reclaim, per thread ---- */

static __always_inline bool reclaim_put_start(__u64 now)
{
	__u32 tid;
	__u64 *start;

	if (!has_storage()) {
		tid = bpf_get_current_pid_tgid();
		return !bpf_map_update_elem(&reclaim_start_table, &tid, &now, BPF_ANY);
	}
	start = bpf_task_storage_get(&reclaim_starts, bpf_get_current_task_btf(), NULL,
				     BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (start)
		*start = now;
	return start;
}

/* When it began; 0: that was not seen. */
static __always_inline __u64 reclaim_take_start(struct task_struct *task)
{
	__u32 tid;
	__u64 *start, began = 0;

	if (has_storage()) {
		start = bpf_task_storage_get(&reclaim_starts, task, NULL, 0);
		if (start) {
			began = *start;
			*start = 0;
		}
		return began;
	}
	tid = bpf_get_current_pid_tgid();
	start = bpf_map_lookup_elem(&reclaim_start_table, &tid);
	if (start)
		began = *start;
	bpf_map_delete_elem(&reclaim_start_table, &tid);
	return began;
}

/* ---- sockets ---- */

/*
 * Tells a socket from all others of its time. Programs of tracepoints cannot make a cookie before
 * 5.12; the inode serves as well, for what has a file: listeners do.
 */
static __always_inline __u64 sock_id_of(struct sock *sk)
{
	if (has_storage())
		return bpf_get_socket_cookie(sk);
	return sk->sk_socket->file->f_inode->i_ino;
}

/*
 * It may have one already, and may be dropped at once: neither is a loss. An int, because before
 * 6.4 the upper half of what the helper returns is not set.
 */
static __always_inline struct sock_state *sock_table_add(__u64 address,
							 const struct sock_state *initial)
{
	int err = bpf_map_update_elem(&sock_state_table, &address, initial, BPF_NOEXIST);

	if (err && err != -EEXIST)
		count_loss(WIRE_LOSS_SOCKET_STORAGE);
	return bpf_map_lookup_elem(&sock_state_table, &address);
}

/* NULL: nothing is known of it. */
static __always_inline struct sock_state *sock_state_of(struct sock *sk)
{
	__u64 address;

	if (has_storage())
		return bpf_sk_storage_get(&sock_states, sk, NULL, 0);
	address = (__u64)sk;
	return bpf_map_lookup_elem(&sock_state_table, &address);
}

/* Of a socket that sends a reset: TCP may have given it up just now. */
static __always_inline struct sock_state *sock_state_of_reset(struct sock *sk)
{
	struct sock_state *state = sock_state_of(sk);
	struct dropped_socket *dropped;
	__u32 zero = 0;

	if (has_storage() || state)
		return state;
	dropped = bpf_map_lookup_elem(&dropped_sockets, &zero);
	return dropped && dropped->address == (__u64)sk ? &dropped->state : NULL;
}

/* Of a socket that current is about to connect. Whatever the table had there is of no interest. */
static __always_inline struct sock_state *sock_table_connect(struct sock *sk)
{
	struct sock_state *state = sock_table_add((__u64)sk, &no_sock_state);

	if (state)
		fill_current(&state->owner, current_task());
	return state;
}

/*
 * The first packet of a socket that the table does not have: it goes on from where it started. TCP
 * gives up only what is closed, so what is not takes its entry along later.
 */
static __noinline struct sock_state *sock_table_state(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct tcp_sock *tp = sk ? bpf_skc_to_tcp_sock(sk) : NULL;
	struct sock_state *state, *initial;
	__u64 address;

	if (!tp)
		return NULL;
	address = (__u64)tp;
	state = bpf_map_lookup_elem(&sock_state_table, &address);
	if (state || sk->state == TCP_CLOSE)
		return state;
	initial = bpf_sk_storage_get(&sock_states, sk, NULL, 0);
	if (initial)
		return sock_table_add(address, initial);
	return sock_table_add(address, &no_sock_state);
}

/* Of a packet's socket, skb->sk. NULL: it has none and gets none. */
static __always_inline struct sock_state *sock_state_of_packet(struct __sk_buff *skb,
							       struct bpf_sock *sk)
{
	struct sock_state *state;

	if (!has_storage())
		return sock_table_state(skb);
	state = bpf_sk_storage_get(&sock_states, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!state)
		count_loss(WIRE_LOSS_SOCKET_STORAGE);
	return state;
}

/* Of a listener: what its accepted sockets start from. */
static __always_inline struct sock_state *sock_state_of_listener(struct bpf_sock *listener)
{
	return bpf_sk_storage_get(&sock_states, listener, NULL, 0);
}

/*
 * A listener that is older than us has its owner in the table only: hand it to where accepted
 * sockets start. tp is the same socket.
 */
static __always_inline void sock_table_hand_on(struct bpf_sock *listener, struct tcp_sock *tp)
{
	__u64 address = (__u64)tp;
	struct sock_state *known = bpf_map_lookup_elem(&sock_state_table, &address);
	struct sock_state *initial;

	if (!known)
		return;
	initial = bpf_sk_storage_get(&sock_states, listener, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (initial && !initial->owner.tgid)
		*initial = *known;
}

/* TCP gives up the socket; and it may begin at an address where another one was. */
static __always_inline void sock_table_drop(struct sock *sk)
{
	__u64 address = (__u64)sk;
	struct sock_state *state = bpf_map_lookup_elem(&sock_state_table, &address);
	struct dropped_socket *dropped;
	__u32 zero = 0;

	if (!state)
		return;
	dropped = bpf_map_lookup_elem(&dropped_sockets, &zero);
	if (dropped) {
		dropped->address = address;
		dropped->state = *state;
	}
	bpf_map_delete_elem(&sock_state_table, &address);
}

#endif
