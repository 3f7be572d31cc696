/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http.bpf.h - recognises HTTP/1.x heads at the start of TCP segments and follows, per socket,
 * which request waits for an answer. Pure: no helpers, no maps, no clock, so that user space can
 * compile, test and fuzz it.
 *
 * It answers: does this segment begin a request or a final response, with which status, on which
 * side of the socket is the server, and of a long response where it will end if its head says so.
 * Where other messages end it does not know, because only the first HTTP_HEAD_BYTES of a segment
 * are looked at. From that follow its limits:
 *  - Several requests in one segment count as one, several responses likewise.
 *  - A request that follows another one without an answer in between counts as pipelined only if
 *    the first had a method without a body; else it is taken for the body.
 *  - After a response head the socket is either in the body or idle; the two look the same.
 *  - A head that is not at the start of a segment is not seen.
 *  - The end of a response is known only if its head and HTTP_VIEW_BYTES in all came in one
 *    segment: a server that sends the head ahead of the body hides it.
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
	HTTP_OLD_CLIENT = 1 << 9, /* not fresh, but known to be the client's side */
	HTTP_OTHER_OUT = 1 << 10, /* of such a one: bytes that begin no head went out */
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
	__u32 end;	/* sequence number after the newest response, or less; see measured */
	__u8 measured;	/* end is known */
	__u8 pad[3];
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
	HTTP_EV_LONG = 1 << 8,	   /* with RESPONSE: long enough to be measured */
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
	return dir == (state->role == WIRE_ROLE_SERVER ? HTTP_IN : HTTP_OUT);
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

/* ---- how long a response will be ---- */

/*
 * A shorter segment is not searched for a length: most answers are whole in it, and pay nothing.
 * Any TCP segment of a longer one that is full holds this much, also at the least MTU of IPv6.
 */
#define HTTP_VIEW_BYTES 1024
#define HTTP_VIEW_PAD	64
/*
 * Up to two words of one line each. A head of more and shorter lines than any real one is left in
 * it. In turns, because verifiers follow every step anew: of one turn, if it is a function that they
 * look at once.
 */
#define HTTP_VIEW_STRIDE   2
#define HTTP_VIEW_STEPS	   (HTTP_VIEW_BYTES / 8 / HTTP_VIEW_STRIDE + 64)
#define HTTP_VIEW_TURNS	   16
#define HTTP_LENGTH_DIGITS 10
#define HTTP_MAX_TOTAL	   0x7fffffff /* beyond, sequence numbers tell no before and after */
#define HTTP_UNKNOWN	   (~0ULL)
#define HTTP_NO_HEAD	   (~0U)

enum http_line {
	HTTP_LINE_OTHER = 0,
	HTTP_LINE_LF = 1, /* the empty one after the head, with its bytes */
	HTTP_LINE_CRLF = 2,
	HTTP_LINE_BAD, /* makes the length unknown */
};

/*
 * The first bytes of a response, then zeroes; and where the search is, in memory because verifiers
 * know nothing of what is loaded from there: else they would follow each step from every state.
 */
struct http_view {
	__u8 bytes[HTTP_VIEW_BYTES + HTTP_VIEW_PAD];
	volatile __u32 pos;
	volatile __u32 begins;	  /* a line, at pos */
	volatile __u32 length_at; /* where the value of Content-Length begins; 0: not found */
	volatile __u32 head;	  /* its bytes, if the search came to its end; or HTTP_NO_HEAD */
	/* for those who share it */
	__u32 users;
	__u32 total; /* of the last response, 0: unknown; the two below tell which it was */
	__u32 ports;
	__u32 seq;
};

static __always_inline __u64 http_view_word(const struct http_view *view, __u32 pos)
{
#ifdef __bpf__ /* where a copy goes byte by byte */
	return *(const __u64 *)(view->bytes + pos);
#else
	__u64 word;

	__builtin_memcpy(&word, view->bytes + pos, sizeof(word));
	return word;
#endif
}

/* Where in the word the next line begins, 1 to 8; 0: no line ends here. */
static __always_inline __u32 http_line_in(__u64 word)
{
	__u64 diff = word ^ 0x0a0a0a0a0a0a0a0aULL;
	__u64 hits = (diff - 0x0101010101010101ULL) & ~diff & 0x8080808080808080ULL;

	if (!hits)
		return 0;
	/* only the lowest bit is exact; 1 << 8 * k brings byte k of the factor to the top */
	return (((hits & -hits) >> 7) * 0x0001020304050607ULL >> 56) + 1;
}

/* `text` is 8 bytes in lower case; `letters` masks those of them that are letters. */
#define HTTP_IS_NAME(word, text, letters)                                                          \
	(((word) | (0x2020202020202020ULL & (letters))) == HTTP_WORD(text, 8))

static __always_inline bool http_is_length(const struct http_view *view, __u32 pos, __u64 word)
{
	return HTTP_IS_NAME(word, "content-", HTTP_MASK(7)) &&
	       HTTP_IS_NAME(http_view_word(view, pos + 7), "-length:", HTTP_MASK(7) & ~0xffULL);
}

static __always_inline bool http_is_coding(const struct http_view *view, __u32 pos, __u64 word)
{
	return HTTP_IS_NAME(word, "transfer", ~0ULL) &&
	       HTTP_IS_NAME(http_view_word(view, pos + 8), "-encodin", ~0xffULL);
}

/* The number at `at`, if it alone is the rest of its line; HTTP_UNKNOWN otherwise. */
static __always_inline __u64 http_view_number(const struct http_view *view, __u32 at)
{
	__u64 number = 0;
	__u32 i;

	if (at >= HTTP_VIEW_BYTES)
		return HTTP_UNKNOWN;
	if (view->bytes[at] == ' ' || view->bytes[at] == '\t')
		at++;
	for (i = 0; i <= HTTP_LENGTH_DIGITS; i++) {
		__u32 digit = view->bytes[at + i] - '0';

		if (digit > 9)
			break;
		number = number * 10 + digit;
	}
	if (!i || i > HTTP_LENGTH_DIGITS)
		return HTTP_UNKNOWN;
	if (view->bytes[at + i] == '\r')
		i++;
	return view->bytes[at + i] == '\n' ? number : HTTP_UNKNOWN;
}

/* The line that begins at pos: HTTP_LINE_OTHER, or what ends the search. */
static __always_inline enum http_line http_view_line(struct http_view *view, __u32 pos)
{
	__u64 word = http_view_word(view, pos);

	if (HTTP_IS(word, "\n"))
		return HTTP_LINE_LF;
	if (HTTP_IS(word, "\r\n"))
		return HTTP_LINE_CRLF;
	if (http_is_coding(view, pos, word))
		return HTTP_LINE_BAD;
	if (!http_is_length(view, pos, word))
		return HTTP_LINE_OTHER;
	if (view->length_at)
		return HTTP_LINE_BAD;
	view->length_at = pos + 15;
	return HTTP_LINE_OTHER;
}

static __always_inline void http_view_begin(struct http_view *view)
{
	view->pos = 0;
	view->begins = 0;
	view->length_at = 0;
	view->head = 0;
}

/*
 * A turn of the search for the end of the head; its Content-Length goes to length_at. False: it is
 * over. A head that has two lengths, or is coded in chunks, whose sizes count then, is none.
 */
static __always_inline bool http_view_search(struct http_view *view)
{
	for (__u32 i = 0; i < HTTP_VIEW_STEPS / HTTP_VIEW_TURNS; i++) {
		__u32 pos = view->pos, skip;

		if (pos >= HTTP_VIEW_BYTES) {
			view->head = HTTP_VIEW_BYTES;
			return false;
		}
		if (view->begins) {
			enum http_line line = http_view_line(view, pos);

			if (line != HTTP_LINE_OTHER) {
				view->head = line == HTTP_LINE_BAD ? HTTP_NO_HEAD : pos + line;
				return false;
			}
		}
		for (int word = 0; word < HTTP_VIEW_STRIDE; word++, pos += 8) {
			skip = http_line_in(http_view_word(view, pos));
			if (skip)
				break;
		}
		view->begins = skip;
		view->pos = pos + skip;
	}
	return true;
}

/*
 * How many bytes a response has in all, or at least, as the search found it: a head that goes on
 * beyond the view, or beyond the search, is longer. HTTP_UNKNOWN if it does not tell.
 */
static __always_inline __u64 http_view_total(const struct http_view *view)
{
	__u64 head = view->head ?: view->pos, length;

	if (head > HTTP_VIEW_BYTES || !view->length_at)
		return HTTP_UNKNOWN;
	length = http_view_number(view, view->length_at);
	return length == HTTP_UNKNOWN ? HTTP_UNKNOWN : head + length;
}

/*
 * Whether the length in a response's head is that of a body that follows, and whose request it
 * answers is certain. A head that came in pieces, or late, is not at seg->seq.
 */
static __always_inline bool http_is_measurable(const struct http_state *state,
					       const struct http_segment *seg, __u32 status)
{
	__u32 method = state->request.method;

	if (method < HTTP_GET || method == HTTP_HEAD || method == HTTP_CONNECT)
		return false;
	if (status < 200 || status == 204 || status == 304 || http_waiting(state))
		return false;
	return seg->seq + seg->bytes == state->response.next;
}

/* `total` is 0 if unknown. */
static __always_inline void http_expect(struct http_state *state, const struct http_segment *seg,
					__u32 total)
{
	state->response.end = seg->seq + total;
	state->response.measured = total != 0;
}

/* Whether the newest response was to be longer than up to here. False where that is not known. */
static __always_inline bool http_is_cut_at(const struct http_state *state, __u32 seq)
{
	return state->response.measured && (__s32)(state->response.end - seq) > 0;
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

static __always_inline __u32 http_response_starts(struct http_state *state, __u32 status,
						  const struct http_segment *seg)
{
	http_forget_partial(state, seg->dir);
	if (status < 200 && status != 101)
		return HTTP_EV_INTERIM | HTTP_EV_DOWNLOAD;
	state->response.nr++;
	state->response.answered = state->request.nr;
	state->response.measured = 0;
	if (http_unlikely(!(state->flags & HTTP_REUSED)))
		state->flags |= HTTP_REUSED;
	if (status == 101 || (state->request.method == HTTP_CONNECT && status < 300)) {
		state->flags |= HTTP_IGNORED;
		return HTTP_EV_RESPONSE | HTTP_EV_DOWNLOAD | HTTP_EV_LEAVE;
	}
	if (http_unlikely(seg->bytes >= HTTP_VIEW_BYTES))
		return HTTP_EV_RESPONSE | HTTP_EV_DOWNLOAD | HTTP_EV_LONG;
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

/*
 * A socket that is older than us may be in the middle of a message, whose bytes look like any. But
 * no HTTP client sends a piece of a body and is then answered with another piece of one.
 */
static __always_inline bool http_is_other(struct http_state *state, __u32 dir)
{
	if (state->flags & HTTP_FRESH)
		return true;
	if (!(state->flags & HTTP_OLD_CLIENT))
		return false;
	if (dir == HTTP_OUT)
		state->flags |= HTTP_OTHER_OUT;
	return dir == HTTP_IN && (state->flags & HTTP_OTHER_OUT);
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
		return http_response_starts(state, number, seg) | HTTP_EV_IMPLIED;
	}
	if (method == HTTP_PARTIAL || number == HTTP_PARTIAL)
		return http_keep_partial(state, seg);
	seg->seq -= state->nr_head; /* kept pieces are in seg->bytes */
	http_forget_partial(state, seg->dir);
	if (!http_is_other(state, seg->dir))
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
		return http_response_starts(state, number, seg);
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
