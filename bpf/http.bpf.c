// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * http.bpf.c - counts HTTP/1.x requests and responses per flow, on every port and every socket, at
 * the root of the cgroup2 tree; and the turns of clients that speak something else.
 *
 * It runs for every packet of the host, so the order of its steps is its cost: leave without
 * payload before touching storage, one storage lookup, leave if the socket does not speak HTTP,
 * look at a head only where one can be, one counter lookup. What is no HTTP, and SYNs, turn off
 * where they would leave, so that HTTP does not pay for them. Resets and closes are not its
 * business: socket.bpf.c sees them when TCP has accepted them.
 *
 * A request that comes in at a server is not counted before it is known which process serves it
 * (the socket begins with the listener's creator as its owner): the first read or the answer tells.
 */
#include "state.bpf.h"

#include "accept.bpf.h"
#include "backend.bpf.h"
#include "compat.bpf.h"
#include "flow.bpf.h"
#include "http.bpf.h"
#include "storage.bpf.h"
#include "verifier.bpf.h"

#define IPV4_HEADER	    20
#define IPV6_HEADER	    40
#define TCP_HEADER	    20
#define TCP_FLAG_SYN	    0x02 /* in the byte after the data offset */
#define TCP_FLAG_ACK	    0x10
#define MAX_IPV6_EXTENSIONS 4
/* IPv6 header, its extensions and TCP options; what is longer is not followed */
#define MAX_PAYLOAD_OFFSET 512

/* ---- packet ---- */

struct ipv6_extension {
	__u8 next;
	__u8 len; /* in 8 bytes, without the first 8 */
};

/* Where TCP begins behind IPv6 extension headers, or 0. Fragments never get here. */
static __noinline __u32 http_skip_extensions(struct __sk_buff *skb, __u8 next)
{
	struct ipv6_extension extension;
	__u32 offset = IPV6_HEADER;

	for (int i = 0; i < MAX_IPV6_EXTENSIONS; i++) {
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS)
			return 0;
		if (bpf_skb_load_bytes(skb, offset, &extension, sizeof(extension)))
			return 0;
		offset += (extension.len + 1) * 8;
		next = extension.next;
		if (offset > MAX_PAYLOAD_OFFSET)
			return 0;
		if (next == IPPROTO_TCP)
			return offset;
	}
	return 0;
}

/* Where TCP begins, or 0. Headers are always linear here: the stack has pulled or built them. */
static __always_inline __u32 http_find_tcp(struct __sk_buff *skb, const __u8 *data,
					   const __u8 *data_end)
{
	if (data + IPV4_HEADER > data_end)
		return 0;
	if (data[0] >> 4 == 4)
		return data[9] == IPPROTO_TCP ? (data[0] & 15) * 4 : 0;
	if (data[0] >> 4 != 6)
		return 0;
	return data[6] == IPPROTO_TCP ? IPV6_HEADER : http_skip_extensions(skb, data[6]);
}

struct packet {
	struct http_segment seg;
	__u32 offset; /* of the payload, or of what is new in it */
	__u32 ports;  /* as in the header */
	__u64 ns;     /* when it left the socket that sent it, if that is known; monotonic */
};

/* Fills all but the head. False: no TCP, or no payload. A SYN's is not followed. */
static __always_inline bool http_find_payload(struct __sk_buff *skb, struct packet *packet)
{
	const __u8 *data = (void *)(long)skb->data;
	const __u8 *data_end = (void *)(long)skb->data_end;
	__u32 offset = http_find_tcp(skb, data, data_end);
	const __u8 *tcp;

	if (!offset || offset > MAX_PAYLOAD_OFFSET)
		return false;
	/* the helper behind http_skip_extensions() may have moved the packet */
	data = (void *)(long)skb->data;
	data_end = (void *)(long)skb->data_end;
	tcp = data + offset;
	if (tcp + TCP_HEADER > data_end)
		return false;
	offset += tcp[12] >> 2 & 60;
	if (http_unlikely(tcp[13] & TCP_FLAG_SYN)) {
		if (packet->seg.dir == HTTP_IN && !(tcp[13] & TCP_FLAG_ACK))
			accept_syn(skb);
		return false;
	}
	if (skb->len <= offset)
		return false;
	packet->offset = offset;
	packet->ports = *(const __u32 *)tcp;
	packet->seg.bytes = skb->len - offset;
	packet->seg.seq = __builtin_bswap32(*(const __u32 *)(tcp + 4));
	return true;
}

union head_bytes {
	__u8 bytes[16];
	struct {
		__u64 word;
		__u32 tail;
	};
};

/* Compared as the index of the last byte: "not 0" tells the verifier of 6.1 no lower bound. */
static __noinline void http_copy_short(struct __sk_buff *skb, __u32 offset,
				       struct http_segment *seg)
{
	union head_bytes head = {};
	__u32 nr = seg->bytes < HTTP_HEAD_BYTES ? seg->bytes : HTTP_HEAD_BYTES;
	__u32 last = nr - 1;

	barrier_var(last);
	if (last >= HTTP_HEAD_BYTES || bpf_skb_load_bytes(skb, offset, head.bytes, last + 1))
		nr = 0;
	seg->word = head.word;
	seg->tail = head.tail;
	seg->nr = nr;
}

/*
 * TCP sends from pages, so the payload is seldom reachable by pointer: on the way out and over
 * loopback never, behind a network card mostly.
 */
static __always_inline void http_load_head(struct __sk_buff *skb, __u32 offset,
					   struct http_segment *seg)
{
	const __u8 *data = (void *)(long)skb->data;
	const __u8 *data_end = (void *)(long)skb->data_end;
	union head_bytes head;

	seg->nr = HTTP_HEAD_BYTES;
	if (offset <= MAX_PAYLOAD_OFFSET && data + offset + HTTP_HEAD_BYTES <= data_end) {
		seg->word = *(const __u64 *)(data + offset);
		seg->tail = *(const __u32 *)(data + offset + 8);
	} else if (http_likely(seg->bytes >= HTTP_HEAD_BYTES &&
			       !bpf_skb_load_bytes(skb, offset, head.bytes, HTTP_HEAD_BYTES))) {
		seg->word = head.word;
		seg->tail = head.tail;
	} else {
		http_copy_short(skb, offset, seg);
	}
}

/* ---- packets of this host ---- */

static __always_inline struct departure *http_departure(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&departures, &zero);
}

static __always_inline void http_note_departure(const struct packet *packet)
{
	struct departure *departure = http_departure();

	if (!departure || !packet->ns || packet->seg.nr < HTTP_HEAD_BYTES)
		return;
	departure->ns = packet->ns;
	departure->word = packet->seg.word;
	departure->tail = packet->seg.tail;
	departure->ports = packet->ports;
	departure->seq = packet->seg.seq;
	departure->bytes = packet->seg.bytes;
}

/* Whether it is the packet that this CPU sent last: then its head and time are known. */
static __always_inline bool http_recall_departure(struct packet *packet)
{
	struct departure *departure = http_departure();

	if (!departure || departure->ports != packet->ports || departure->seq != packet->seg.seq ||
	    departure->bytes != packet->seg.bytes)
		return false;
	packet->ns = departure->ns;
	packet->seg.word = departure->word;
	packet->seg.tail = departure->tail;
	packet->seg.nr = HTTP_HEAD_BYTES;
	return true;
}

/* False: unreadable, in theory. */
static __always_inline bool http_get_head(struct __sk_buff *skb, struct packet *packet)
{
	if (packet->seg.dir == HTTP_IN && http_recall_departure(packet))
		return true;
	http_load_head(skb, packet->offset, &packet->seg);
	if (packet->seg.dir == HTTP_OUT)
		http_note_departure(packet);
	return packet->seg.nr;
}

/* ---- counting ---- */

/* Bucket b holds [2^(b-1), 2^b) microseconds, the last everything above. */
static __always_inline __u32 http_latency_bucket(__u64 latency_ns)
{
	__u32 us, bucket = 1;

	if (latency_ns > 0xffffffff)
		return WIRE_LATENCY_BUCKETS - 1;
	us = latency_ns * 274877907 >> 38; /* / 1000, exact below 2^32 */
	if (!us)
		return 0;
	if (us >> 16) {
		bucket += 16;
		us >>= 16;
	}
	if (us >> 8) {
		bucket += 8;
		us >>= 8;
	}
	if (us >> 4) {
		bucket += 4;
		us >>= 4;
	}
	if (us >> 2) {
		bucket += 2;
		us >>= 2;
	}
	bucket += us >> 1;
	verifier_forget(bucket, latency_ns);
	return bucket < WIRE_LATENCY_BUCKETS ? bucket : WIRE_LATENCY_BUCKETS - 1;
}

/*
 * The barriers keep what is compared and what is added to the pointer the same variable: the
 * verifier of 6.1 does not carry the bounds of one over to another that differs by a constant.
 */
static __always_inline void http_count_status(struct wire_flow_stats *stats, __u32 status,
					      __u32 slot, __u64 now)
{
	__u32 gateway = status - 502;
	__u32 class = (status * 41 >> 12) - 1; /* / 100, exact below 1000; 0: 1xx */

	barrier_var(gateway);
	if (http_unlikely(gateway <= 504 - 502)) {
		__sync_fetch_and_add(&stats->status[WIRE_STATUS_502 + gateway], 1);
		flow_fail(stats, slot, WIRE_FAIL_STATUS, now);
		return;
	}
	flow_mark(&stats->ok_mark, now);
	barrier_var(class);
	if (class <= 5 - 1)
		stats->status[WIRE_STATUS_1XX + class]++;
}

/* Only what waited alone is measured: of pipelined requests the start times are not kept. */
static __always_inline void http_count_latency(struct wire_flow_stats *stats,
					       struct http_state *http, __u64 now)
{
	__u64 latency;

	if (!http->request.start_ns || http_waiting(http))
		return;
	latency = (http->partial_ns ?: now) - http->request.start_ns;
	if ((__s64)latency < 0)
		latency = 0; /* the two clocks of http_now() differ by a microsecond */
	stats->latency_sum_ns += latency;
	stats->latency[http_latency_bucket(latency)]++;
}

static __always_inline void http_count_response(struct wire_flow_stats *stats,
						struct sock_state *state,
						const struct http_step *step, __u64 now)
{
	stats->responses++;
	flow_count_largest(stats, state);
	http_count_latency(stats, &state->http, now);
	if (http_unlikely(state->http.partial_ns))
		state->http.partial_ns = 0;
	http_count_status(stats, step->status, state->slot, now + boot_offset_ns);
}

/* Once per connection, so it can be global for verifiers' sake, and look its state up again. */
__noinline int http_take_slot(struct __sk_buff *skb)
{
	struct bpf_sock *skc = skb->sk;
	struct sock_state *state;
	struct tcp_sock *tp;

	if (!skc)
		return 0;
	state = sock_state_of_packet(skb, skc);
	tp = bpf_skc_to_tcp_sock(skc);
	if (state && tp)
		flow_enter(state, (struct sock *)tp);
	return 0;
}

/* NULL: it cannot have one, in theory. */
static __always_inline struct wire_flow_stats *http_stats_of(struct __sk_buff *skb,
							     struct sock_state *state)
{
	if (http_unlikely(!(state->flags & SOCK_SLOT)))
		http_take_slot(skb);
	return state->flags & SOCK_SLOT ? flow_stats_of(state->slot) : NULL;
}

/* A socket without a slot. NULL as long as it is better to wait for the final owner. */
static __noinline struct wire_flow_stats *http_enter_flow(struct __sk_buff *skb,
							  struct sock_state *state, __u32 events)
{
	struct wire_flow_stats *stats;

	if (!(events & (HTTP_EV_REQUEST | HTTP_EV_RESPONSE | HTTP_EV_INTERIM | HTTP_EV_UPLOAD)))
		return NULL; /* what never spoke HTTP takes no slot */
	if (events & (HTTP_EV_REQUEST | HTTP_EV_IMPLIED))
		state->flags |= SOCK_UNCOUNTED;
	if (!(events & (HTTP_EV_RESPONSE | HTTP_EV_INTERIM)) && !(state->flags & SOCK_REFINED) &&
	    http_waiting(&state->http) == 1)
		return NULL;
	stats = http_stats_of(skb, state);
	if (stats && (state->flags & SOCK_UNCOUNTED))
		flow_count_request(stats, state);
	return stats;
}

static __always_inline struct wire_flow_stats *http_flow(struct __sk_buff *skb,
							 struct sock_state *state,
							 const struct http_step *step)
{
	struct wire_flow_stats *stats;

	if (http_unlikely(!(state->flags & SOCK_SLOT)))
		return http_enter_flow(skb, state, step->events);
	stats = flow_stats_of(state->slot);
	if (!stats)
		return NULL;
	if (step->events & (HTTP_EV_REQUEST | HTTP_EV_IMPLIED))
		stats->requests++;
	if (step->events & HTTP_EV_UPLOAD)
		stats->request_bytes += step->bytes;
	return stats;
}

static __always_inline void http_note_time(struct http_state *http, __u32 events, __u64 now)
{
	if (events & HTTP_EV_REQUEST)
		http->request.start_ns = now;
	if (http_likely(!(events & HTTP_EV_PARTIAL) && !http->partial_ns))
		return;
	if (events & HTTP_EV_PARTIAL) {
		http->partial_ns = now;
	} else if (events & HTTP_EV_REQUEST) {
		http->request.start_ns = http->partial_ns;
		http->partial_ns = 0;
	}
}

/* An answer that is no HTTP ends the request too, or it would be in flight for ever. */
static __always_inline void http_leave(struct wire_flow_stats *stats, struct sock_state *state,
				       __u32 events)
{
	if (!(events & HTTP_EV_RESPONSE) && http_waiting(&state->http))
		stats->responses++;
	flow_leave(state);
}

static __always_inline void http_count(struct __sk_buff *skb, struct sock_state *state,
				       const struct http_step *step, __u64 now)
{
	__u32 events = step->events;
	struct wire_flow_stats *stats;

	if (events & (HTTP_EV_REQUEST | HTTP_EV_RESPONSE | HTTP_EV_PARTIAL)) {
		now = now ?: bpf_ktime_get_ns();
		http_note_time(&state->http, events, now);
	}
	if (http_unlikely(!(events & ~HTTP_EV_PARTIAL)))
		return;
	stats = http_flow(skb, state, step);
	if (!stats)
		return;
	if (events & HTTP_EV_DOWNLOAD)
		stats->response_bytes += step->bytes;
	if (events & HTTP_EV_RESPONSE)
		http_count_response(stats, state, step, now);
	if (http_unlikely(events & HTTP_EV_INTERIM))
		stats->status[WIRE_STATUS_1XX]++;
	if (http_unlikely(events & HTTP_EV_LEAVE))
		http_leave(stats, state, events);
}

/* ---- sockets ---- */

/* The worker that first writes while it holds the socket's lock is the owner. Global as above. */
__noinline int http_refine_owner(struct __sk_buff *skb)
{
	struct bpf_sock *skc = skb->sk;
	struct sock_state *state;
	struct tcp_sock *tp;

	if (!skc)
		return 0;
	state = sock_state_of_packet(skb, skc);
	tp = bpf_skc_to_tcp_sock(skc);
	if (state && tp && tp->inet_conn.icsk_inet.sk.sk_lock.owned)
		flow_refine_owner(state);
	return 0;
}

/* Leaves in the packet what was not seen before; false: nothing. */
static __always_inline bool http_trim_seen(struct sock_state *state, struct packet *packet)
{
	__u32 payload = packet->seg.bytes;

	http_sequence(&state->http, &packet->seg);
	packet->offset += payload - packet->seg.bytes;
	return packet->seg.bytes;
}

/* ---- backends ---- */

static __always_inline void backend_count(struct wire_flow_stats *stats, struct sock_state *state,
					  const struct http_step *step, __u64 now)
{
	if (step->events & HTTP_EV_REQUEST)
		stats->requests++;
	if (step->events & HTTP_EV_UPLOAD)
		stats->request_bytes += step->bytes;
	if (step->events & HTTP_EV_DOWNLOAD)
		stats->response_bytes += step->bytes;
	if (step->events & HTTP_EV_RESPONSE) {
		stats->responses++;
		flow_count_largest(stats, state);
		http_count_latency(stats, &state->http, now);
	}
}

/* A socket that speaks no HTTP. */
static __noinline void backend_packet(struct __sk_buff *skb, struct sock_state *state,
				      struct packet *packet)
{
	struct wire_flow_stats *stats;
	struct http_step step;
	__u64 now = packet->ns;

	if (state->http.role != WIRE_ROLE_BACKEND)
		return;
	if (packet->seg.dir == HTTP_OUT && !(state->flags & SOCK_REFINED))
		http_refine_owner(skb);
	if (!http_trim_seen(state, packet))
		return;
	backend_advance(&state->http, &packet->seg, &step);
	if (step.events & (HTTP_EV_REQUEST | HTTP_EV_RESPONSE))
		now = now ?: bpf_ktime_get_ns();
	if (step.events & HTTP_EV_REQUEST)
		state->http.request.start_ns = now;
	stats = http_stats_of(skb, state);
	if (stats)
		backend_count(stats, state, &step, now);
}

/* Its first bytes were no HTTP. Of a server nothing more is of interest. */
static __always_inline void backend_discover(struct __sk_buff *skb, struct sock_state *state,
					     struct packet *packet)
{
	if (state->http.role ||
	    !((state->flags & SOCK_CONNECTED) || (state->http.flags & HTTP_OLD_CLIENT)))
		return;
	backend_begin(&state->http);
	backend_packet(skb, state, packet);
}

/* ---- programs ---- */

/*
 * "100 Continue" and the final head, at offset, in one segment: merged on the way, or written at
 * once. Its bytes were counted with the interim response, which has taken a slot. Global as above.
 */
__noinline int http_after_continue(struct __sk_buff *skb, __u32 offset, __u32 bytes, __u32 dir,
				   __u64 ns)
{
	struct http_segment seg = {.bytes = bytes, .dir = dir & 1};
	struct bpf_sock *sk = skb->sk;
	struct wire_flow_stats *stats;
	struct http_step step = {};
	struct sock_state *state;

	http_copy_short(skb, offset, &seg);
	if (!sk || !seg.nr || http_status(seg.word, seg.tail, seg.nr) <= HTTP_PARTIAL)
		return 0;
	state = sock_state_of_packet(skb, sk);
	if (!state || !(state->flags & SOCK_SLOT))
		return 0;
	step.events = http_advance_response(&state->http, &seg, &step.status);
	stats = flow_stats_of(state->slot);
	if (!stats || !(step.events & HTTP_EV_RESPONSE))
		return 0;
	http_count_response(stats, state, &step, ns ?: bpf_ktime_get_ns());
	if (step.events & HTTP_EV_LEAVE)
		http_leave(stats, state, step.events);
	return 0;
}

/* Global for verifiers' sake: each turn looks the same to them. */
__noinline int http_measure_turn(void)
{
	__u32 zero = 0;
	struct http_view *view = bpf_map_lookup_elem(&http_views, &zero);

	return view && http_view_search(view);
}

static __always_inline void http_measure_new(struct __sk_buff *skb, __u32 offset,
					     struct http_view *view)
{
	__u64 total = HTTP_UNKNOWN;

	if (!bpf_skb_load_bytes(skb, offset, view->bytes, HTTP_VIEW_BYTES)) {
		http_view_begin(view);
		for (int turn = 0; turn < HTTP_VIEW_TURNS && http_measure_turn(); turn++)
			;
		total = http_view_total(view);
	}
	view->total = total <= HTTP_MAX_TOTAL ? total : 0;
}

/*
 * The bytes of a response in all, or at least; 0: unknown. Both sides measure, so that only one
 * counts the truncation of a response that both can see.
 *
 * What runs meanwhile on this CPU, an interrupt or a task that preempted this one, must not read
 * into the same view: it goes without. What goes to a socket of the same host comes in at once, and
 * was measured on its way out: see struct departure.
 */
__noinline int http_measure(struct __sk_buff *skb, __u32 offset, __u32 ports, __u32 seq)
{
	__u32 zero = 0, total = 0;
	struct http_view *view;

	view = bpf_map_lookup_elem(&http_views, &zero);
	if (!view)
		return 0;
	__sync_fetch_and_add(&view->users, 1);
	if (*(volatile __u32 *)&view->users == 1) {
		if (view->ports != ports || view->seq != seq)
			http_measure_new(skb, offset, view);
		view->ports = ports;
		view->seq = seq;
		total = view->total;
	}
	__sync_fetch_and_add(&view->users, -1);
	return total;
}

/* What is rare after a segment. */
static __noinline void http_afterwards(struct __sk_buff *skb, struct sock_state *state,
				       struct packet *packet, const struct http_step *step)
{
	if ((step->events & HTTP_EV_LONG) &&
	    http_is_measurable(&state->http, &packet->seg, step->status))
		http_expect(&state->http, &packet->seg,
			    http_measure(skb, packet->offset, packet->ports, packet->seg.seq));
	if (step->events & HTTP_EV_LEAVE)
		backend_discover(skb, state, packet);
	else if (step->status == 100 && packet->seg.bytes > HTTP_CONTINUE_BYTES)
		http_after_continue(skb, packet->offset + HTTP_CONTINUE_BYTES,
				    packet->seg.bytes - HTTP_CONTINUE_BYTES, packet->seg.dir,
				    packet->ns);
}

/* TCP stamps what it sends, so the clock, a quarter of all costs, is read for strangers only. */
static __always_inline void http_packet(struct __sk_buff *skb, const __u32 dir)
{
	struct packet packet = {.seg.dir = dir, .ns = dir == HTTP_OUT ? skb->tstamp : 0};
	struct bpf_sock *sk = skb->sk;
	struct sock_state *state;
	struct http_step step;

	if (!http_find_payload(skb, &packet) || !sk || sk->state == TCP_LISTEN)
		return;
	state = sock_state_of_packet(skb, sk);
	if (!state)
		return;
	if (http_unlikely(state->http.flags & HTTP_IGNORED)) {
		backend_packet(skb, state, &packet);
		return;
	}
	if (dir == HTTP_OUT && http_unlikely(!(state->flags & SOCK_REFINED)))
		http_refine_owner(skb);
	if (!http_trim_seen(state, &packet))
		return;
	if (http_wants_head(&state->http, dir) && !http_get_head(skb, &packet))
		return;
	http_advance(&state->http, &packet.seg, &step);
	verifier_forget(step.events, packet.seg.bytes);
	if (step.events)
		http_count(skb, state, &step, packet.ns);
	if (http_unlikely(step.events & (HTTP_EV_INTERIM | HTTP_EV_LEAVE | HTTP_EV_LONG)))
		http_afterwards(skb, state, &packet, &step);
}

SEC("?cgroup_skb/ingress")
int http_ingress(struct __sk_buff *skb)
{
	http_packet(skb, HTTP_IN);
	return 1;
}

SEC("?cgroup_skb/egress")
int http_egress(struct __sk_buff *skb)
{
	http_packet(skb, HTTP_OUT);
	return 1;
}
