/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http.bpf.h - recognises HTTP/1.x heads at the start of TCP segments and follows, per socket,
 * which request waits for an answer. Pure: no helpers, no maps, no clock, so that user space can
 * compile, test and fuzz it.
 *
 * It answers: does this segment begin a request or a final response, with which status, on which
 * side of the socket is the server. It does not know where a message ends, because only the first
 * HTTP_HEAD_BYTES of a segment are ever looked at. From that follow its limits:
 *  - Several requests in one segment count as one, several responses likewise.
 *  - A request that follows another one without an answer in between counts as pipelined only if
 *    the first had a method without a body; else it is taken for the body.
 *  - After a response head the socket is either in the body or idle; the two look the same.
 *  - A head that is not at the start of a segment is not seen.
 *
 * Integers are loaded from packets as they are: little-endian machines only.
 */
#ifndef MEMSWELL_HTTP_BPF_H
#define MEMSWELL_HTTP_BPF_H

#include "wire.h"

#ifndef __bpf__
#include <stdbool.h>
#endif

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "heads are compared as loaded");

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#define http_likely(x)	 __builtin_expect(!!(x), 1)
#define http_unlikely(x) __builtin_expect(!!(x), 0)

/* "HTTP/1.1 502": what it takes to know a status. Every method with its space is shorter. */
#define HTTP_HEAD_BYTES 12

enum http_direction { HTTP_IN = 0, HTTP_OUT = 1 };

/* What http_method() and http_status() return besides methods and statuses (100 and above). */
enum http_word {
	HTTP_NOTHING = 0,
	HTTP_PARTIAL, /* a beginning of one: more bytes will tell */
	/* no body by definition or by custom */
	HTTP_GET,
	HTTP_HEAD,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_TRACE,
	HTTP_CONNECT,
	/* followed by a body */
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
};

enum http_flag {
	HTTP_FRESH = 1 << 0,	  /* followed since it was created: its first bytes decide */
	HTTP_IGNORED = 1 << 1,	  /* does not speak HTTP, or no longer */
	HTTP_REUSED = 1 << 2,	  /* it answered before; assumed of sockets older than us */
	HTTP_PARTIAL_IN = 1 << 3, /* an incomplete head of this direction is kept */
	HTTP_PARTIAL_OUT = 1 << 4,
	HTTP_SEEN_REQUEST = 1 << 5, /* request.next is valid */
	HTTP_SEEN_RESPONSE = 1 << 6,
	HTTP_HOLE_REQUEST = 1 << 7, /* the segment at `hole` is missing and may hold a head */
	HTTP_HOLE_RESPONSE = 1 << 8,
};

/* Written by packets in request direction. */
struct http_request {
	__u64 start_ns; /* first byte of the newest request; 0: unknown */
	__u64 bytes;	/* of it so far */
	__u32 next;	/* sequence number after the last segment */
	__u16 nr;	/* requests so far, wraps */
	__u8 method;	/* enum http_word */
	__u8 pad[41];
};

/* Written by packets in response direction. */
struct http_response {
	__u32 next;
	__u16 nr;	/* final response heads so far, wraps */
	__u16 answered; /* request.nr when the last of them came */
};

/*
 * The two directions of a connection often run on two CPUs, so what one writes per packet must not
 * share a cache line with what the other reads: that costs more than all the rest of the program.
 * First what hardly changes, then a line for the requests, then the responses. A request without
 * body never looks at the last; a response fetches the line of its request, once. (sock_state puts
 * the line borders in place.)
 */
struct http_state {
	__u64 head_word;  /* an incomplete head, nr_head bytes: see struct http_segment */
	__u64 partial_ns; /* its first byte; 0: none */
	__u32 head_tail;
	__u32 hole;
	__u16 flags; /* enum http_flag */
	__u8 role;   /* enum wire_role; WIRE_ROLE_NONE: no head seen yet */
	__u8 nr_head;
	__u8 pad[4];
	struct http_request request;
	struct http_response response;
};

/* A segment with payload. The caller fills word and tail only if http_wants_head() says so. */
struct http_segment {
	__u64 word;  /* the first 8 bytes, zero where the payload is shorter */
	__u32 tail;  /* the 4 bytes after them */
	__u32 nr;    /* valid bytes in both, 1 to HTTP_HEAD_BYTES */
	__u32 seq;   /* of the first payload byte */
	__u32 bytes; /* of payload; http_sequence() takes off what was seen before */
	__u32 dir;   /* enum http_direction */
};

enum http_event {
	HTTP_EV_REQUEST = 1 << 0,  /* a request starts here: set request.start_ns */
	HTTP_EV_RESPONSE = 1 << 1, /* a final response starts here, its status is told */
	HTTP_EV_INTERIM = 1 << 2,  /* a 1xx response, the final one follows */
	HTTP_EV_UPLOAD = 1 << 3,   /* payload that belongs to a request */
	HTTP_EV_DOWNLOAD = 1 << 4, /* payload that belongs to a response */
	HTTP_EV_PARTIAL = 1 << 5,  /* the first bytes of a head: set partial_ns */
	HTTP_EV_LEAVE = 1 << 6,	   /* this socket speaks no HTTP from here on */
	HTTP_EV_IMPLIED = 1 << 7,  /* with RESPONSE or INTERIM: its request was never seen */
};

struct http_step {
	__u32 events; /* enum http_event */
	__u32 status; /* with RESPONSE and INTERIM */
	__u32 bytes;  /* payload to add, with UPLOAD and DOWNLOAD */
};

/* ---- words ---- */

#define HTTP_BYTE(s, i, len) ((i) < (len) ? (__u64)(__u8)(s)[(i) < (len) ? (i) : 0] << 8 * (i) : 0)
#define HTTP_WORD(s, len)                                                                          \
	(HTTP_BYTE(s, 0, len) | HTTP_BYTE(s, 1, len) | HTTP_BYTE(s, 2, len) |                      \
	 HTTP_BYTE(s, 3, len) | HTTP_BYTE(s, 4, len) | HTTP_BYTE(s, 5, len) |                      \
	 HTTP_BYTE(s, 6, len) | HTTP_BYTE(s, 7, len))
#define HTTP_MASK(len) ((len) >= 8 ? ~0ULL : (1ULL << 8 * ((len)&7)) - 1)

/* Each rarer method with its space, at most 8 bytes. */
#define HTTP_METHODS(X)                                                                            \
	X("HEAD ", HTTP_HEAD)                                                                      \
	X("PUT ", HTTP_PUT)                                                                        \
	X("DELETE ", HTTP_DELETE)                                                                  \
	X("OPTIONS ", HTTP_OPTIONS)                                                                \
	X("PATCH ", HTTP_PATCH)                                                                    \
	X("TRACE ", HTTP_TRACE)                                                                    \
	X("CONNECT ", HTTP_CONNECT)

#define HTTP_IS(word, text)                                                                        \
	(((word)&HTTP_MASK(sizeof(text) - 1)) == HTTP_WORD(text, sizeof(text) - 1))
#define HTTP_MAY_BE(word, nr, text)                                                                \
	((nr) < sizeof(text) - 1 && (word) == (HTTP_WORD(text, sizeof(text) - 1) & HTTP_MASK(nr)))

static __noinline __u32 http_rare_method(__u64 word, __u32 nr)
{
#define X(text, method)                                                                            \
	if (HTTP_IS(word, text))                                                                   \
		return method;
	HTTP_METHODS(X)
#undef X
	if (nr >= 8)
		return HTTP_NOTHING;
#define X(text, method)                                                                            \
	if (HTTP_MAY_BE(word, nr, text))                                                           \
		return HTTP_PARTIAL;
	HTTP_METHODS(X)
	X("GET ", HTTP_GET)
	X("POST ", HTTP_POST)
#undef X
	return HTTP_NOTHING;
}

/* The method that begins `nr` bytes, HTTP_PARTIAL if they are a beginning of one, or NOTHING. */
static __always_inline __u32 http_method(__u64 word, __u32 nr)
{
	if (http_likely(HTTP_IS(word, "GET ")))
		return HTTP_GET;
	if (http_likely(HTTP_IS(word, "POST ")))
		return HTTP_POST;
	return http_rare_method(word, nr);
}

/* Of " ddd" the number, or 0. */
static __always_inline __u32 http_digits(__u32 tail)
{
	__u32 digits = tail - 0x30303020; /* "000 " as loaded: a borrow leaves a byte over 9 */

	if ((digits & 0xff) || ((digits | (digits + 0x76767600)) & 0x80808000))
		return HTTP_NOTHING;
	return (digits >> 8 & 0xff) * 100 + (digits >> 16 & 0xff) * 10 + (digits >> 24);
}

/* The status of the response head that begins `nr` bytes, HTTP_PARTIAL, or HTTP_NOTHING. */
static __always_inline __u32 http_status(__u64 word, __u32 tail, __u32 nr)
{
	__u64 known = nr < 7 ? nr : 7; /* "HTTP/1.", then any minor version */
	__u32 status;

	if (http_likely(nr >= HTTP_HEAD_BYTES)) {
		if ((word & HTTP_MASK(7)) != HTTP_WORD("HTTP/1.", 7))
			return HTTP_NOTHING;
		status = http_digits(tail);
		return status < 100 ? HTTP_NOTHING : status;
	}
	if ((word & HTTP_MASK(known)) != (HTTP_WORD("HTTP/1.", 7) & HTTP_MASK(known)))
		return HTTP_NOTHING;
	return HTTP_PARTIAL;
}

/* ---- which side, which request ---- */

static __always_inline bool http_is_request_dir(const struct http_state *state, __u32 dir)
{
	return dir == (state->role == WIRE_ROLE_CLIENT ? HTTP_OUT : HTTP_IN);
}

static __always_inline bool http_has_body(__u32 method)
{
	return method >= HTTP_POST;
}

/* Requests without a final response head; over 1: pipelined. */
static __always_inline __u16 http_waiting(const struct http_state *state)
{
	return state->request.nr - state->response.nr;
}

/* No response byte since the newest request: if the connection ends now, that one failed. */
static __always_inline bool http_is_unanswered(const struct http_state *state)
{
	return http_waiting(state) && state->response.answered != state->request.nr;
}

/* The request failed and is counted as such: nothing waits any more. */
static __always_inline void http_give_up(struct http_state *state)
{
	state->response.nr = state->request.nr;
	state->response.answered = state->request.nr;
}

/* ---- sequence numbers ---- */

/*
 * Leaves in seg->bytes what was not seen before, 0 for a pure retransmission. A segment beyond the
 * expected one leaves a hole: the lost segment may hold a head, so it is taken for new when it
 * comes at last. One hole at a time; heads lost in a second one are missed.
 */
static __noinline void http_resequence(struct http_state *state, struct http_segment *seg)
{
	bool request = http_is_request_dir(state, seg->dir);
	__u32 next = request ? state->request.next : state->response.next;
	__u32 seen = request ? HTTP_SEEN_REQUEST : HTTP_SEEN_RESPONSE;
	__u32 hole = request ? HTTP_HOLE_REQUEST : HTTP_HOLE_RESPONSE;
	__u32 end = seg->seq + seg->bytes;

	if (!(state->flags & seen)) {
		state->flags |= seen;
	} else if ((__s32)(seg->seq - next) > 0) {
		state->hole = next;
		state->flags &= ~(HTTP_HOLE_REQUEST | HTTP_HOLE_RESPONSE);
		state->flags |= hole;
	} else if ((state->flags & hole) && seg->seq == state->hole) {
		state->flags &= ~hole;
		if ((__s32)(end - next) < 0)
			end = next;
	} else if ((__s32)(end - next) <= 0) {
		seg->bytes = 0;
		return;
	} else {
		seg->bytes = end - next;
	}
	if (request)
		state->request.next = end;
	else
		state->response.next = end;
}

/* Before the first head nothing is followed: the side of a direction is not known. */
static __always_inline void http_sequence(struct http_state *state, struct http_segment *seg)
{
	bool request = http_is_request_dir(state, seg->dir);
	__u32 next;

	if (http_unlikely(!state->role))
		return;
	next = request ? state->request.next : state->response.next;
	if (http_unlikely(seg->seq != next))
		http_resequence(state, seg);
	else if (request)
		state->request.next = next + seg->bytes;
	else
		state->response.next = next + seg->bytes;
}

/* ---- heads that come in pieces ---- */

/* Put the kept bytes, nr_head of them and fewer than HTTP_HEAD_BYTES, before those of seg. */
static __noinline void http_gather(struct http_state *state, struct http_segment *seg)
{
	__u32 shift = (state->nr_head & 15) * 8;
	__u32 nr = (state->nr_head & 15) + seg->nr;
	__u64 low = seg->word, high = seg->tail;

	if (shift >= 64) {
		high = low << (shift - 64);
		low = 0;
	} else if (shift) {
		high = high << shift | low >> (64 - shift);
		low <<= shift;
	}
	seg->word = state->head_word | low;
	seg->tail = state->head_tail | (__u32)high;
	seg->nr = nr < HTTP_HEAD_BYTES ? nr : HTTP_HEAD_BYTES;
}

static __always_inline void http_forget_partial(struct http_state *state, __u32 dir)
{
	if (http_unlikely(state->nr_head && (state->flags & HTTP_PARTIAL_IN << dir))) {
		state->nr_head = 0;
		state->flags &= ~(HTTP_PARTIAL_IN << dir);
	}
}

/*
 * Put what is kept before what came. The payload of a kept piece was not told yet: it is now. Bytes
 * of the other direction are no continuation, and while nobody is known to speak they end the try.
 */
static __always_inline void http_complete_head(struct http_state *state, struct http_segment *seg)
{
	if (http_likely(!state->nr_head))
		return;
	if (state->flags & HTTP_PARTIAL_IN << seg->dir) {
		seg->bytes += state->nr_head;
		http_gather(state, seg);
	} else if (!state->role) {
		http_forget_partial(state, !seg->dir);
	}
}

/* Keep an incomplete head; its payload is told when it is complete. */
static __noinline __u32 http_keep_partial(struct http_state *state, struct http_segment *seg)
{
	bool first = !(state->flags & HTTP_PARTIAL_IN << (seg->dir & 1));

	state->head_word = seg->word;
	state->head_tail = seg->tail;
	state->nr_head = seg->nr;
	state->flags &= ~(HTTP_PARTIAL_IN | HTTP_PARTIAL_OUT);
	state->flags |= HTTP_PARTIAL_IN << (seg->dir & 1);
	return first ? HTTP_EV_PARTIAL : 0;
}

/* ---- the state machine ---- */

/* Whether http_advance() will look at the head of a segment in this direction. */
static __always_inline bool http_wants_head(const struct http_state *state, __u32 dir)
{
	if (http_unlikely(!state->role))
		return true;
	if (http_is_request_dir(state, dir))
		return !http_has_body(state->request.method) || !http_waiting(state);
	return http_waiting(state);
}

static __always_inline __u32 http_request_starts(struct http_state *state, __u32 method,
						 const struct http_segment *seg)
{
	http_forget_partial(state, seg->dir);
	state->request.nr++;
	state->request.method = method;
	state->request.bytes = seg->bytes;
	return HTTP_EV_REQUEST | HTTP_EV_UPLOAD;
}

static __always_inline __u32 http_response_starts(struct http_state *state, __u32 status, __u32 dir)
{
	http_forget_partial(state, dir);
	if (status < 200 && status != 101)
		return HTTP_EV_INTERIM | HTTP_EV_DOWNLOAD;
	state->response.nr++;
	state->response.answered = state->request.nr;
	if (http_unlikely(!(state->flags & HTTP_REUSED)))
		state->flags |= HTTP_REUSED;
	if (status == 101 || (state->request.method == HTTP_CONNECT && status < 300)) {
		state->flags |= HTTP_IGNORED;
		return HTTP_EV_RESPONSE | HTTP_EV_DOWNLOAD | HTTP_EV_LEAVE;
	}
	return HTTP_EV_RESPONSE | HTTP_EV_DOWNLOAD;
}

/* A role is taken with the segment that told it, whose direction starts to be followed here. */
static __always_inline void http_take_role(struct http_state *state, bool server,
					   struct http_segment *seg)
{
	state->role = server ? WIRE_ROLE_SERVER : WIRE_ROLE_CLIENT;
	if (!(state->flags & HTTP_FRESH))
		state->flags |= HTTP_REUSED;
	/* kept pieces are in seg->bytes but lie before seg->seq */
	seg->seq -= state->nr_head;
	http_resequence(state, seg);
}

/* The first head on a socket tells which side it is: a request comes in at the server. */
static __noinline __u32 http_advance_unknown(struct http_state *state, struct http_segment *seg,
					     __u32 *status)
{
	__u32 method = http_method(seg->word, seg->nr);
	__u32 number = http_status(seg->word, seg->tail, seg->nr);

	if (method > HTTP_PARTIAL) {
		http_take_role(state, seg->dir == HTTP_IN, seg);
		return http_request_starts(state, method, seg);
	}
	if (number > HTTP_PARTIAL) {
		http_take_role(state, seg->dir == HTTP_OUT, seg);
		state->request.nr++;
		*status = number;
		return http_response_starts(state, number, seg->dir) | HTTP_EV_IMPLIED;
	}
	if (method == HTTP_PARTIAL || number == HTTP_PARTIAL)
		return http_keep_partial(state, seg);
	http_forget_partial(state, seg->dir);
	if (!(state->flags & HTTP_FRESH))
		return 0;
	state->flags |= HTTP_IGNORED;
	return HTTP_EV_LEAVE;
}

/*
 * Only where the request in progress may have a body, or a few bytes may be of a head or the
 * middle of one, does it matter whether the last request was answered.
 */
static __always_inline __u32 http_advance_request(struct http_state *state,
						  struct http_segment *seg)
{
	__u32 method = HTTP_NOTHING;

	if (!http_has_body(state->request.method) || !http_waiting(state))
		method = http_method(seg->word, seg->nr);
	if (http_likely(method > HTTP_PARTIAL))
		return http_request_starts(state, method, seg);
	if (method == HTTP_PARTIAL && !http_waiting(state))
		return http_keep_partial(state, seg);
	http_forget_partial(state, seg->dir);
	state->request.bytes += seg->bytes;
	return HTTP_EV_UPLOAD;
}

static __always_inline __u32 http_advance_response(struct http_state *state,
						   struct http_segment *seg, __u32 *status)
{
	__u32 number;

	if (!http_waiting(state))
		return HTTP_EV_DOWNLOAD;
	number = http_status(seg->word, seg->tail, seg->nr);
	*status = number;
	if (http_likely(number > HTTP_PARTIAL))
		return http_response_starts(state, number, seg->dir);
	if (number == HTTP_PARTIAL && http_is_unanswered(state))
		return http_keep_partial(state, seg);
	http_forget_partial(state, seg->dir);
	if (state->flags & HTTP_REUSED)
		return HTTP_EV_DOWNLOAD; /* still the body of the response before */
	state->flags |= HTTP_IGNORED;
	return HTTP_EV_LEAVE;
}

/*
 * Take one segment that http_sequence() left with bytes. Not for ignored sockets. The events tell
 * the caller what to count.
 */
static __always_inline void http_advance(struct http_state *state, struct http_segment *seg,
					 struct http_step *step)
{
	step->status = 0;
	if (http_wants_head(state, seg->dir))
		http_complete_head(state, seg);
	step->bytes = seg->bytes;
	if (http_unlikely(!state->role))
		step->events = http_advance_unknown(state, seg, &step->status);
	else if (http_is_request_dir(state, seg->dir))
		step->events = http_advance_request(state, seg);
	else
		step->events = http_advance_response(state, seg, &step->status);
}

/* "HTTP/1.1 100 Continue\r\n\r\n": a final head may follow it in the same segment. */
#define HTTP_CONTINUE_BYTES 25

#endif
