// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * socket.bpf.c - who owns a TCP socket, and how connections begin, fail and end.
 *
 * It runs per connection and per change of TCP state, never per request (but for the owner at a
 * read). States come after TCP has accepted a segment, in order: so a forged reset is no failure
 * here, and a FIN counts when all that was sent before it was received. What travels on a
 * connection is http.bpf.c's.
 *
 * A request fails at most once: its first failure ends it.
 */
#include "state.bpf.h"

#include <bpf/bpf_tracing.h>

#include "compat.bpf.h"
#include "emit.bpf.h"
#include "flow.bpf.h"
#include "storage.bpf.h"
#include "task.bpf.h"
#include "verifier.bpf.h"

/*
 * A connect that its own side gave up counts as timed out only after this long: what raced two
 * addresses and dropped the slower one (happy eyeballs) did not wait for a lost cause.
 */
#define CONNECT_GIVE_UP_NS 100000000ULL

/*
 * A reset this many jiffies (5 to 50 s) after the last data hit a response; later, a connection
 * that idled: load balancers and conntrack reset those after minutes.
 */
#define RESET_MID_JIFFIES 5000

/*
 * A first read comes within so many data segments: before it, no more is sent than the first window
 * takes, 64 KiB.
 */
#define FIRST_SEGMENTS 48

/* ---- owners ---- */

SEC("?cgroup/sock_create")
int socket_create(struct bpf_sock *ctx)
{
	struct sock_state *state;

	if (ctx->type != SOCK_STREAM || ctx->protocol != IPPROTO_TCP)
		return 1;
	state = bpf_sk_storage_get(&sock_states, ctx, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!state) {
		count_loss(WIRE_LOSS_SOCKET_STORAGE);
		return 1;
	}
	fill_current(&state->owner, current_task());
	state->http.flags = HTTP_FRESH;
	return 1;
}

/* A server's request that waited for its owner counts from here on. */
static __noinline void socket_settle_owner(struct sock_state *state, struct sock *sk)
{
	struct wire_flow_stats *stats;

	flow_refine_owner(state);
	if (!(state->flags & SOCK_UNCOUNTED))
		return;
	stats = flow_enter(state, sk);
	if (stats)
		flow_count_request(stats, state);
}

/*
 * Runs in every read that took data, so all but the first reads of a connection leave at the count
 * of its segments; who is missed then is found when it writes. Whoever holds the lock reads, except
 * where a stream parser reads from a softirq.
 */
SEC("?tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(socket_recv_owner, struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct sock_state *state;

	if (!tp || tp->data_segs_in > FIRST_SEGMENTS)
		return 0;
	state = sock_state_of(sk);
	if (!state || (state->flags & SOCK_REFINED))
		return 0;
	if (!(state->http.flags & HTTP_IGNORED) && sk->sk_lock.owned)
		socket_settle_owner(state, sk);
	return 0;
}

/* ---- failures ---- */

#define NO_FAILURE NR_WIRE_FAILS

/* A change of TCP state, and what stands in the socket at that time. */
struct change {
	int from;
	int to;
	int err;	 /* sk_err: what ended the connection, 0 if our side did */
	bool full_close; /* not only the sending half */
};

/* A reset after the peer's FIN is EPIPE: the reader sees the end of file, so the FIN counts. */
static __always_inline bool socket_was_reset(int err)
{
	return err == ECONNRESET;
}

/* What became of a client's unanswered request. A server that sent its FIN cannot answer. */
static __always_inline enum wire_fail client_failure(const struct change *change)
{
	switch (change->to) {
	case TCP_CLOSE_WAIT:
	case TCP_LAST_ACK: /* the request was written after the FIN had come */
		return WIRE_FAIL_FIN_BEFORE;
	case TCP_FIN_WAIT1:
		return change->full_close ? WIRE_FAIL_ABANDONED : NO_FAILURE;
	case TCP_CLOSE:
		if (socket_was_reset(change->err))
			return WIRE_FAIL_RST_BEFORE;
		if (change->err != EPIPE && (change->err || change->from == TCP_ESTABLISHED))
			return WIRE_FAIL_ABANDONED;
		return WIRE_FAIL_FIN_BEFORE;
	default:
		return NO_FAILURE;
	}
}

/* How a server left a request unanswered; ABANDONED where the client went first. */
static __always_inline enum wire_fail server_failure(const struct change *change)
{
	switch (change->to) {
	case TCP_FIN_WAIT1:
		return WIRE_FAIL_FIN_BEFORE;
	case TCP_LAST_ACK:
		return WIRE_FAIL_ABANDONED;
	case TCP_CLOSE:
		if (!change->err && change->from == TCP_ESTABLISHED)
			return WIRE_FAIL_RST_BEFORE;
		return WIRE_FAIL_ABANDONED;
	default:
		return NO_FAILURE;
	}
}

static __noinline void socket_fail(struct sock_state *state, const struct sock *sk,
				   enum wire_fail kind)
{
	__u64 now = bpf_ktime_get_boot_ns();
	bool reused = state->http.flags & HTTP_REUSED;
	struct wire_flow_stats *stats;

	stats = state->flags & SOCK_SLOT ? flow_stats_of(state->slot) : flow_enter(state, sk);
	if (!stats)
		return;
	if (state->flags & SOCK_UNCOUNTED)
		flow_count_request(stats, state);
	flow_count_largest(stats, state);
	state->flags |= SOCK_FAILED;
	http_give_up(&state->http);
	flow_fail(stats, state->slot, kind, now);
	if (reused && kind == WIRE_FAIL_RST_BEFORE)
		flow_fail(stats, state->slot, WIRE_FAIL_RST_REUSED, now);
	if (reused && kind == WIRE_FAIL_FIN_BEFORE)
		flow_fail(stats, state->slot, WIRE_FAIL_FIN_REUSED, now);
}

/* Data came within RESET_MID_JIFFIES. */
static __always_inline bool socket_was_busy(struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	return tp && (__u32)bpf_jiffies64() - tp->inet_conn.icsk_ack.lrcvtime < RESET_MID_JIFFIES;
}

/*
 * A fresh connection of a client that already has a flow to that server: HTTP was to be spoken. The
 * request it was made for counts as begun, so that it can count as failed.
 */
static __noinline bool socket_was_for_flow(struct sock_state *state, const struct sock *sk)
{
	struct wire_flow_key key;

	if (!(state->flags & SOCK_CONNECTED))
		return false;
	state->http.role = WIRE_ROLE_CLIENT;
	flow_fill_key(&key, state, sk);
	if (!bpf_map_lookup_elem(&flow_slots, &key))
		return false;
	state->flags |= SOCK_UNCOUNTED; /* the request it was made for */
	return true;
}

/*
 * The server's FIN came before the end of what its head announced. By then all data before it was
 * received, and the FIN itself takes a sequence number.
 */
static __always_inline bool socket_lacks_rest(const struct sock_state *state, struct sock *sk,
					      const struct change *change)
{
	struct tcp_sock *tp;

	if (change->to != TCP_CLOSE_WAIT || state->http.role != WIRE_ROLE_CLIENT ||
	    (state->flags & SOCK_FAILED) || !state->http.response.measured)
		return false;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp || (bpf_core_field_exists(tp->is_mptcp) && tp->is_mptcp))
		return false; /* of MPTCP the rest may have come on another path */
	return http_is_cut_at(&state->http, tp->rcv_nxt - 1);
}

/*
 * For answers of unknown length, or the client would count it too.
 *
 * A server that dies while TCP holds back a segment or more of what it wrote, because the client
 * takes no more: it was writing faster than that, so hardly all of it. The kernel still delivers
 * what it has, then a FIN. Unacknowledged bytes tell nothing: a complete answer waits up to 40 ms
 * for a delayed ACK, and its end as long for Nagle's algorithm. Where the server left data unread,
 * the kernel resets: that is the client's RST_MID.
 */
static __always_inline bool socket_cuts_response(const struct sock_state *state, struct sock *sk,
						 const struct change *change)
{
	struct tcp_sock *tp;

	if (change->from != TCP_ESTABLISHED || change->to != TCP_FIN_WAIT1 ||
	    state->http.role != WIRE_ROLE_SERVER || (state->flags & SOCK_FAILED) ||
	    state->http.response.measured)
		return false;
	if (!(current_read(current_task(), flags) & PF_EXITING))
		return false;
	tp = bpf_skc_to_tcp_sock(sk);
	return tp && tp->write_seq - tp->snd_nxt >= tp->mss_cache;
}

/* Its last turn ends with it, answered or not, or it would be in flight for ever. */
static __always_inline void socket_end_backend(struct sock_state *state,
					       const struct change *change)
{
	struct wire_flow_stats *stats;

	if (change->to != TCP_CLOSE || state->http.role != WIRE_ROLE_BACKEND ||
	    !(state->flags & SOCK_SLOT))
		return;
	stats = flow_stats_of(state->slot);
	if (stats && http_waiting(&state->http))
		stats->responses++;
	flow_leave(state);
}

/* How a connection failed that was established. */
static __always_inline enum wire_fail socket_failure(struct sock_state *state, struct sock *sk,
						     const struct change *change)
{
	bool reset = change->to == TCP_CLOSE && socket_was_reset(change->err);
	bool client = state->http.role == WIRE_ROLE_CLIENT;

	if (http_is_unanswered(&state->http))
		return client ? client_failure(change) : server_failure(change);
	if (socket_lacks_rest(state, sk, change) || socket_cuts_response(state, sk, change))
		return WIRE_FAIL_FIN_MID;
	if (reset && client && !(state->flags & SOCK_FAILED) && socket_was_busy(sk))
		return WIRE_FAIL_RST_MID;
	if (reset && !state->http.role && socket_was_for_flow(state, sk))
		return WIRE_FAIL_RST_BEFORE;
	return NO_FAILURE;
}

/* ---- connects ---- */

/* The socket may have had a life before: a connect that failed can be tried again. */
static __always_inline void socket_connect_begins(struct sock_state *state)
{
	__builtin_memset(&state->http, 0, sizeof(state->http));
	state->http.flags = HTTP_FRESH;
	state->http.request.start_ns = bpf_ktime_get_ns();
	state->flags = SOCK_CONNECTED;
}

/* connect() makes SYN_SENT before it looks for a local port, and leaves it when there is none. */
static __always_inline bool socket_lacks_port(struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	return tp && !tp->inet_conn.icsk_inet.inet_sport;
}

/* Without an error its own side ended it. */
static __always_inline enum wire_fail connect_failure(struct sock *sk, int err, __u64 waited)
{
	switch (err) {
	case 0:
		if (socket_lacks_port(sk))
			return WIRE_FAIL_NO_PORT;
		return waited < CONNECT_GIVE_UP_NS ? NO_FAILURE : WIRE_FAIL_CONNECT_TIMEOUT;
	case ECONNREFUSED:
		return WIRE_FAIL_REFUSED;
	case EACCES: /* forbidden on the way, as IPv6 tells it */
	case ENONET:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
		return WIRE_FAIL_UNREACHABLE;
	default:
		return WIRE_FAIL_CONNECT_TIMEOUT;
	}
}

static __always_inline enum wire_fail socket_connect_failure(struct sock_state *state,
							     struct sock *sk, int err)
{
	__u64 waited = bpf_ktime_get_ns() - state->http.request.start_ns;
	enum wire_fail kind = connect_failure(sk, err, waited);

	if (kind != NO_FAILURE)
		state->http.role = WIRE_ROLE_CLIENT;
	return kind;
}

/* ---- listeners ---- */

static __noinline void socket_listener(struct sock *sk, enum wire_listener_state listener)
{
	struct wire_listener *event = emit_reserve(WIRE_LISTENER, sizeof(*event));

	if (!event)
		return;
	fill_current(&event->owner, current_task());
	fill_local(&event->local, sk);
	event->sock_id = sock_id_of(sk);
	event->state = listener;
	emit_submit(WIRE_LISTENER, event);
}

/* ---- programs ---- */

/* Verifiers follow what is behind socket_fail() for every kind that they can tell from another. */
static __always_inline void socket_end(struct sock_state *state, struct sock *sk,
				       const struct change *change)
{
	enum wire_fail kind;

	if (change->from == TCP_SYN_SENT)
		kind = socket_connect_failure(state, sk, change->err);
	else
		kind = socket_failure(state, sk, change);
	verifier_forget(kind, change->err);
	if (kind < NO_FAILURE)
		socket_fail(state, sk, kind);
	if (change->to == TCP_CLOSE)
		flow_leave(state);
}

static __always_inline void socket_change(struct sock *sk, const struct change *change)
{
	struct sock_state *state;

	if (!has_storage() && change->to == TCP_SYN_SENT)
		state = sock_table_connect(sk);
	else
		state = sock_state_of(sk);
	if (!state)
		return;
	if (change->to == TCP_SYN_SENT)
		socket_connect_begins(state);
	else if (state->http.flags & HTTP_IGNORED)
		socket_end_backend(state, change);
	else
		socket_end(state, sk, change);
}

SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(socket_set_state, struct sock *sk, int from, int to)
{
	struct change change = {.from = from, .to = to};

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	switch (to) {
	case TCP_LISTEN:
		socket_listener(sk, WIRE_LISTENER_UP);
		return 0;
	case TCP_CLOSE:
		if (from == TCP_LISTEN) {
			socket_listener(sk, WIRE_LISTENER_DOWN);
			return 0;
		}
		break;
	case TCP_SYN_SENT:
	case TCP_FIN_WAIT1:
	case TCP_CLOSE_WAIT:
	case TCP_LAST_ACK:
		break;
	default:
		return 0;
	}
	change.err = sk->sk_err;
	change.full_close = sk->sk_shutdown & RCV_SHUTDOWN;
	socket_change(sk, &change);
	return 0;
}

/*
 * Resets that answer a stray segment have no socket, those that end a connection follow its
 * TCP_CLOSE: the slot was given back microseconds ago and still names the flow.
 */
static __always_inline void socket_reset_sent(struct sock *sk, __u32 reason)
{
	struct wire_flow_stats *stats;
	struct sock_state *state;

	if (!sk)
		return;
	state = sock_state_of_reset(sk);
	if (!state || !(state->flags & (SOCK_SLOT | SOCK_CLOSED)) ||
	    state->http.role == WIRE_ROLE_BACKEND)
		return;
	stats = flow_stats_of(state->slot);
	if (!stats)
		return;
	stats->rst_reason = reason;
	flow_fail(stats, state->slot, WIRE_FAIL_RST_SENT, bpf_ktime_get_boot_ns());
}

SEC("?tp_btf/tcp_send_reset")
int BPF_PROG(socket_send_reset, struct sock *sk)
{
	socket_reset_sent(sk, 0);
	return 0;
}

/* With the reason, since 6.10. */
SEC("?tp_btf/tcp_send_reset")
int BPF_PROG(socket_send_reset_reason, struct sock *sk, struct sk_buff *skb, int reason)
{
	socket_reset_sent(sk, reason);
	return 0;
}

/* ---- sockets older than memswell ---- */

/* An accepted socket keeps the backlog of its listener, which is 0 for hardly any. */
static __always_inline bool socket_is_client(const struct sock *sk)
{
	return sk->__sk_common.skc_state == TCP_ESTABLISHED && !sk->sk_max_ack_backlog;
}

/* The first holder found stands until the socket's use shows who is at work. */
static __always_inline void socket_adopt(struct sock *sk, const struct wire_proc *owner)
{
	struct sock_state *state =
		bpf_sk_storage_get(&sock_states, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (!state) {
		count_loss(WIRE_LOSS_SOCKET_STORAGE);
		return;
	}
	if (!state->owner.tgid) {
		flow_leave(state); /* its packets may have come before us, and counted for nobody */
		state->owner = *owner;
		if (socket_is_client(sk))
			state->http.flags |= HTTP_OLD_CLIENT;
	}
	if (sk->__sk_common.skc_state == TCP_LISTEN)
		state->http.flags |= HTTP_FRESH; /* accepted from now on: followed from the start */
}

SEC("?iter/task_file")
int socket_files(struct bpf_iter__task_file *ctx)
{
	struct wire_socket record = {};
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	struct sock *sk;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	sk = socket ? socket->sk : NULL;
	if (!sk || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6)
		return 0;
	fill_proc(&record.owner, task);
	socket_adopt(sk, &record.owner);
	record.head.kind = WIRE_SOCKET;
	record.head.size = sizeof(record);
	record.head.ts_ns = bpf_ktime_get_boot_ns();
	record.state = sk->__sk_common.skc_state;
	record.sock_id = sock_id_of(sk);
	fill_local(&record.local, sk);
	if (record.state != TCP_LISTEN)
		fill_remote(&record.remote, sk);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
