/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_http.c - the HTTP recogniser and the state machine of a socket, fed with segments as the
 * packet programs would feed them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "http.bpf.h"

#define GET  "GET /cart HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST /cart HTTP/1.1\r\nContent-Length: 9\r\n\r\n"
#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

struct peer {
	struct http_state http;
	uint32_t seq[2];
	struct http_step step;
};

static void peer_init(struct peer *peer)
{
	memset(peer, 0, sizeof(*peer));
	peer->http.flags = HTTP_FRESH;
	peer->seq[HTTP_IN] = 0xffffffe0; /* wraps in most tests */
	peer->seq[HTTP_OUT] = 7;
}

/* One segment at sequence number `seq`, as http_packet() does it. Returns the events. */
static uint32_t segment_at(struct peer *peer, uint32_t dir, uint32_t seq, const void *payload,
			   uint32_t len)
{
	struct http_segment seg = {.dir = dir, .seq = seq, .bytes = len};
	const uint8_t *new_bytes = payload;

	memset(&peer->step, 0, sizeof(peer->step));
	if (peer->http.flags & HTTP_IGNORED)
		return 0;
	http_sequence(&peer->http, &seg);
	if (!seg.bytes)
		return 0;
	new_bytes += len - seg.bytes;
	seg.nr = seg.bytes < HTTP_HEAD_BYTES ? seg.bytes : HTTP_HEAD_BYTES;
	memcpy(&seg.word, new_bytes, seg.nr < 8 ? seg.nr : 8);
	if (seg.nr > 8)
		memcpy(&seg.tail, new_bytes + 8, seg.nr - 8);
	http_advance(&peer->http, &seg, &peer->step);
	return peer->step.events;
}

static uint32_t segment(struct peer *peer, uint32_t dir, const char *payload)
{
	uint32_t len = (uint32_t)strlen(payload);
	uint32_t seq = peer->seq[dir];

	peer->seq[dir] += len;
	return segment_at(peer, dir, seq, payload, len);
}

/* Byte by byte; returns all events and leaves the sum of the bytes told in *bytes. */
static uint32_t trickle(struct peer *peer, uint32_t dir, const char *payload, uint32_t *bytes)
{
	uint32_t events = 0;

	for (*bytes = 0; *payload; payload++) {
		const char one[2] = {*payload};
		uint32_t now = segment(peer, dir, one);

		assert_false(events & now & (HTTP_EV_REQUEST | HTTP_EV_RESPONSE));
		events |= now;
		if (now & (HTTP_EV_UPLOAD | HTTP_EV_DOWNLOAD))
			*bytes += peer->step.bytes;
	}
	return events;
}

static uint32_t word_of(const char *text)
{
	uint32_t nr = strlen(text) < HTTP_HEAD_BYTES ? (uint32_t)strlen(text) : HTTP_HEAD_BYTES;
	uint64_t word = 0;

	memcpy(&word, text, nr < 8 ? nr : 8);
	return http_method(word, nr);
}

static uint32_t status_of(const char *text)
{
	uint32_t nr = strlen(text) < HTTP_HEAD_BYTES ? (uint32_t)strlen(text) : HTTP_HEAD_BYTES;
	uint64_t word = 0;
	uint32_t tail = 0;

	memcpy(&word, text, nr < 8 ? nr : 8);
	if (nr > 8)
		memcpy(&tail, text + 8, nr - 8);
	return http_status(word, tail, nr);
}

static void knows_every_method_and_its_beginnings(void **unused)
{
	static const char *const methods[] = {"GET ",	  "HEAD ", "DELETE ", "OPTIONS ", "TRACE ",
					      "CONNECT ", "POST ", "PUT ",    "PATCH "};

	(void)unused;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		char text[32];

		snprintf(text, sizeof(text), "%s/abcdefgh", methods[i]);
		assert_int_equal(word_of(text), HTTP_GET + i);
		for (size_t len = 1; len < strlen(methods[i]); len++) {
			text[len] = '\0';
			assert_int_equal(word_of(text), HTTP_PARTIAL);
			snprintf(text, sizeof(text), "%s/abcdefgh", methods[i]);
		}
	}
	assert_int_equal(word_of("get / HTTP/1.1"), HTTP_NOTHING);
	assert_int_equal(word_of("GETX / HTTP/1.1"), HTTP_NOTHING);
	assert_int_equal(word_of("GET\t/ HTTP/1.1"), HTTP_NOTHING);
	assert_int_equal(word_of("PRI * HTTP/2.0"), HTTP_NOTHING);
	assert_int_equal(word_of("\x16\x03\x01\x02\x01\x01"), HTTP_NOTHING);
	assert_int_equal(word_of("PX"), HTTP_NOTHING);
}

static void reads_the_status_and_refuses_what_is_none(void **unused)
{
	(void)unused;
	for (uint32_t status = 100; status < 1000; status++) {
		char text[32];

		snprintf(text, sizeof(text), "HTTP/1.%u %u OK", status % 10, status);
		assert_int_equal(status_of(text), status);
	}
	assert_int_equal(status_of("HTTP/1.1 099"), HTTP_NOTHING);
	assert_int_equal(status_of("HTTP/1.1 20"), HTTP_PARTIAL);
	assert_int_equal(status_of("H"), HTTP_PARTIAL);
	assert_int_equal(status_of("HTTP/2 200 OK"), HTTP_NOTHING);
	assert_int_equal(status_of("HTTP/1.1200 OK"), HTTP_NOTHING);
}

/* Every byte in every place of " ddd": the bit tricks must agree with the plain meaning. */
static void takes_only_digits_for_a_status(void **unused)
{
	(void)unused;
	for (uint32_t place = 0; place < 4; place++) {
		for (uint32_t byte = 0; byte < 256; byte++) {
			uint8_t tail[4] = {' ', '5', '0', '2'};
			uint32_t word;
			bool good;

			tail[place] = (uint8_t)byte;
			memcpy(&word, tail, sizeof(word));
			good = place ? byte >= '0' && byte <= '9' : byte == ' ';
			assert_int_equal(http_digits(word), !good ? 0
								  : (tail[1] - '0') * 100 +
									    (tail[2] - '0') * 10 +
									    tail[3] - '0');
		}
	}
}

static void first_request_tells_the_side(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	assert_int_equal(segment(&peer, HTTP_IN, GET), HTTP_EV_REQUEST | HTTP_EV_UPLOAD);
	assert_int_equal(peer.http.role, WIRE_ROLE_SERVER);
	assert_int_equal(peer.step.bytes, strlen(GET));
	assert_int_equal(segment(&peer, HTTP_OUT, OK), HTTP_EV_RESPONSE | HTTP_EV_DOWNLOAD);
	assert_int_equal(peer.step.status, 200);

	peer_init(&peer);
	assert_int_equal(segment(&peer, HTTP_OUT, GET), HTTP_EV_REQUEST | HTTP_EV_UPLOAD);
	assert_int_equal(peer.http.role, WIRE_ROLE_CLIENT);
	assert_true(http_is_unanswered(&peer.http));
	assert_int_equal(segment(&peer, HTTP_IN, "HTTP/1.0 502 Bad"),
			 HTTP_EV_RESPONSE | HTTP_EV_DOWNLOAD);
	assert_int_equal(peer.step.status, 502);
	assert_false(http_is_unanswered(&peer.http));
}

static void counts_each_request_of_a_kept_connection(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	for (int i = 0; i < 70000; i++) { /* beyond the 16 bits of the counters */
		assert_int_equal(segment(&peer, HTTP_IN, i % 2 ? GET : POST),
				 HTTP_EV_REQUEST | HTTP_EV_UPLOAD);
		assert_int_equal(http_waiting(&peer.http), 1);
		assert_true(http_is_unanswered(&peer.http));
		assert_true(segment(&peer, HTTP_OUT, OK) & HTTP_EV_RESPONSE);
		assert_int_equal(segment(&peer, HTTP_OUT, "more body"), HTTP_EV_DOWNLOAD);
	}
}

static void a_body_that_looks_like_a_request_is_no_request(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	segment(&peer, HTTP_IN, POST);
	assert_int_equal(segment(&peer, HTTP_IN, GET), HTTP_EV_UPLOAD);
	assert_int_equal(peer.http.request.bytes, strlen(POST) + strlen(GET));
	assert_int_equal(http_waiting(&peer.http), 1);
}

static void a_response_body_that_looks_like_a_head_is_none(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	segment(&peer, HTTP_IN, GET);
	segment(&peer, HTTP_OUT, OK);
	assert_int_equal(segment(&peer, HTTP_OUT, "HTTP/1.1 502 Bad Gateway"), HTTP_EV_DOWNLOAD);
}

static void counts_pipelined_requests_and_their_responses(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	for (int i = 1; i <= 3; i++) {
		assert_true(segment(&peer, HTTP_IN, GET) & HTTP_EV_REQUEST);
		assert_int_equal(http_waiting(&peer.http), i);
	}
	for (int i = 2; i >= 0; i--) {
		assert_true(segment(&peer, HTTP_OUT, OK) & HTTP_EV_RESPONSE);
		assert_int_equal(http_waiting(&peer.http), i);
		assert_int_equal(segment(&peer, HTTP_OUT, "body, not head"), HTTP_EV_DOWNLOAD);
	}
}

/* Two answers in one segment: the second is not seen, but is no failure when the peer goes. */
static void coalesced_responses_leave_no_failure_behind(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	segment(&peer, HTTP_IN, GET);
	segment(&peer, HTTP_IN, GET);
	segment(&peer, HTTP_OUT, OK OK);
	assert_int_equal(http_waiting(&peer.http), 1);
	assert_false(http_is_unanswered(&peer.http));
	segment(&peer, HTTP_IN, GET);
	assert_true(http_is_unanswered(&peer.http));
}

static void interim_responses_are_not_final(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	segment(&peer, HTTP_IN, POST);
	assert_int_equal(segment(&peer, HTTP_OUT, "HTTP/1.1 100 Continue\r\n\r\n"),
			 HTTP_EV_INTERIM | HTTP_EV_DOWNLOAD);
	assert_int_equal(segment(&peer, HTTP_IN, "body body"), HTTP_EV_UPLOAD);
	segment(&peer, HTTP_OUT, "HTTP/1.1 103 Early Hints\r\n\r\n");
	assert_true(http_is_unanswered(&peer.http));
	assert_true(segment(&peer, HTTP_OUT, OK) & HTTP_EV_RESPONSE);
	assert_int_equal(HTTP_CONTINUE_BYTES, strlen("HTTP/1.1 100 Continue\r\n\r\n"));
}

static void an_upgrade_ends_http(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	segment(&peer, HTTP_IN, GET);
	assert_int_equal(segment(&peer, HTTP_OUT, "HTTP/1.1 101 Switching Protocols\r\n"),
			 HTTP_EV_RESPONSE | HTTP_EV_DOWNLOAD | HTTP_EV_LEAVE);
	assert_int_equal(segment(&peer, HTTP_IN, GET), 0);

	peer_init(&peer);
	segment(&peer, HTTP_OUT, "CONNECT a:443 HTTP/1.1\r\n\r\n");
	assert_true(segment(&peer, HTTP_IN, "HTTP/1.1 200 Established\r\n\r\n") & HTTP_EV_LEAVE);

	peer_init(&peer);
	segment(&peer, HTTP_OUT, "CONNECT a:443 HTTP/1.1\r\n\r\n");
	assert_false(segment(&peer, HTTP_IN, "HTTP/1.1 403 Forbidden\r\n\r\n") & HTTP_EV_LEAVE);
}

static void other_protocols_are_left_at_the_first_bytes(void **unused)
{
	static const char *const others[] = {"\x16\x03\x01\x02", "SSH-2.0-OpenSSH",
					     "*1\r\n$4\r\nPING", "PRI * HTTP/2.0\r\n",
					     "220 mail ESMTP",	 "Z"};
	struct peer peer;

	(void)unused;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		peer_init(&peer);
		assert_int_equal(segment(&peer, i & 1, others[i]), HTTP_EV_LEAVE);
		assert_true(peer.http.flags & HTTP_IGNORED);
	}
}

static void an_answer_that_is_no_http_ends_the_socket(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	segment(&peer, HTTP_OUT, "GET key\r\n");
	assert_int_equal(segment(&peer, HTTP_IN, "$5\r\nhello\r\n"), HTTP_EV_LEAVE);
}

static void heads_come_byte_by_byte(void **unused)
{
	struct peer peer;
	uint32_t bytes;

	(void)unused;
	peer_init(&peer);
	assert_int_equal(
		trickle(&peer, HTTP_IN, "DELETE /GET/POST/HTTP/1.1 HTTP/1.1\r\n\r\n", &bytes),
		HTTP_EV_PARTIAL | HTTP_EV_REQUEST | HTTP_EV_UPLOAD);
	assert_int_equal(bytes, strlen("DELETE /GET/POST/HTTP/1.1 HTTP/1.1\r\n\r\n"));
	assert_int_equal(peer.http.request.bytes, bytes);
	assert_int_equal(trickle(&peer, HTTP_OUT, OK, &bytes),
			 HTTP_EV_PARTIAL | HTTP_EV_RESPONSE | HTTP_EV_DOWNLOAD);
	assert_int_equal(bytes, strlen(OK));
	assert_int_equal(trickle(&peer, HTTP_IN, POST, &bytes),
			 HTTP_EV_PARTIAL | HTTP_EV_REQUEST | HTTP_EV_UPLOAD);
	assert_int_equal(bytes, strlen(POST));
	assert_int_equal(http_waiting(&peer.http), 1);
}

/* Every split of a head into two segments. */
static void heads_come_in_two_pieces(void **unused)
{
	struct peer peer;

	(void)unused;
	for (uint32_t cut = 1; cut < 20; cut++) {
		char first[64] = {0};
		uint32_t events;

		peer_init(&peer);
		segment(&peer, HTTP_OUT, GET);
		memcpy(first, "HTTP/1.1 503 Service", cut);
		events = segment(&peer, HTTP_IN, first);
		if (cut < HTTP_HEAD_BYTES) {
			assert_int_equal(events, HTTP_EV_PARTIAL);
			assert_true(http_is_unanswered(&peer.http));
			/* a byte of the request meanwhile does not disturb */
			assert_int_equal(segment(&peer, HTTP_OUT, "x"), HTTP_EV_UPLOAD);
			events = segment(&peer, HTTP_IN, &"HTTP/1.1 503 Service"[cut]);
			assert_int_equal(peer.step.status, 503);
			assert_int_equal(peer.step.bytes, 20);
		}
		assert_int_equal(events, HTTP_EV_RESPONSE | HTTP_EV_DOWNLOAD);
	}
}

static void retransmissions_count_once(void **unused)
{
	struct peer peer;
	uint32_t seq;

	(void)unused;
	peer_init(&peer);
	seq = peer.seq[HTTP_IN];
	segment(&peer, HTTP_IN, GET);
	assert_int_equal(segment_at(&peer, HTTP_IN, seq, GET, strlen(GET)), 0);
	assert_int_equal(http_waiting(&peer.http), 1);
	segment(&peer, HTTP_OUT, OK);
	assert_int_equal(segment_at(&peer, HTTP_IN, seq, GET, strlen(GET)), 0);
	assert_int_equal(segment_at(&peer, HTTP_OUT, 7, OK, strlen(OK)), 0);
	assert_int_equal(http_waiting(&peer.http), 0);
	/* a part of what was seen, not up to its end */
	assert_int_equal(segment_at(&peer, HTTP_IN, seq, GET, 20), 0);
	assert_int_equal(segment_at(&peer, HTTP_IN, seq - 1, "x", 1), 0); /* keep-alive probe */
	/* old bytes with the next request behind them: only that is new */
	assert_true(segment_at(&peer, HTTP_IN, seq, GET GET, 2 * strlen(GET)) & HTTP_EV_REQUEST);
	assert_int_equal(peer.step.bytes, strlen(GET));
}

static void a_head_that_was_lost_counts_when_it_comes(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	segment(&peer, HTTP_OUT, GET);
	segment(&peer, HTTP_IN, OK);
	segment(&peer, HTTP_OUT, GET);
	/* the head of the second response is lost, its body comes first */
	assert_int_equal(segment_at(&peer, HTTP_IN, peer.seq[HTTP_IN] + 12, "body", 4),
			 HTTP_EV_DOWNLOAD);
	assert_true(http_is_unanswered(&peer.http));
	assert_true(segment_at(&peer, HTTP_IN, peer.seq[HTTP_IN], "HTTP/1.1 504", 12) &
		    HTTP_EV_RESPONSE);
	assert_int_equal(peer.step.status, 504);
	assert_int_equal(segment_at(&peer, HTTP_IN, peer.seq[HTTP_IN], "HTTP/1.1 504", 12), 0);
	assert_int_equal(segment_at(&peer, HTTP_IN, peer.seq[HTTP_IN] + 16, "more", 4),
			 HTTP_EV_DOWNLOAD);
}

static void an_old_socket_is_learned_in_the_middle(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	peer.http.flags = 0;
	assert_int_equal(segment(&peer, HTTP_OUT, "some body of a response"), 0);
	assert_int_equal(segment(&peer, HTTP_IN, GET), HTTP_EV_REQUEST | HTTP_EV_UPLOAD);
	assert_true(peer.http.flags & HTTP_REUSED);
	assert_int_equal(segment(&peer, HTTP_OUT, "rest of a body"), HTTP_EV_DOWNLOAD);
	assert_true(segment(&peer, HTTP_OUT, OK) & HTTP_EV_RESPONSE);
}

/* Pieces of bodies look like another protocol; both ways in turn they are one. */
static void an_old_client_is_given_up_after_a_turn_of_something_else(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	peer.http.flags = HTTP_OLD_CLIENT;
	assert_int_equal(segment(&peer, HTTP_IN, "a piece of a download"), 0);
	assert_int_equal(segment(&peer, HTTP_IN, "and another one"), 0);
	assert_int_equal(segment(&peer, HTTP_OUT, "SELECT 1"), 0);
	assert_int_equal(segment(&peer, HTTP_OUT, "FROM b"), 0);
	assert_false(peer.http.flags & HTTP_IGNORED);
	assert_int_equal(segment(&peer, HTTP_IN, "1"), HTTP_EV_LEAVE);
	assert_true(peer.http.flags & HTTP_IGNORED);
	assert_int_equal(peer.http.role, WIRE_ROLE_NONE);
}

static void an_old_client_that_uploads_is_learned_by_its_answer(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	peer.http.flags = HTTP_OLD_CLIENT;
	assert_int_equal(segment(&peer, HTTP_OUT, "the middle of an upload"), 0);
	assert_int_equal(segment(&peer, HTTP_IN, OK),
			 HTTP_EV_RESPONSE | HTTP_EV_DOWNLOAD | HTTP_EV_IMPLIED);
	assert_int_equal(peer.http.role, WIRE_ROLE_CLIENT);
}

/* Which side it is tells only the first head. */
static void an_old_socket_of_unknown_side_is_never_given_up(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	peer.http.flags = 0;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(segment(&peer, HTTP_OUT, "SELECT 1"), 0);
		assert_int_equal(segment(&peer, HTTP_IN, "1"), 0);
	}
	assert_false(peer.http.flags & HTTP_IGNORED);
}

static void a_response_without_request_implies_one(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	peer.http.flags = 0;
	assert_int_equal(segment(&peer, HTTP_IN, OK),
			 HTTP_EV_RESPONSE | HTTP_EV_DOWNLOAD | HTTP_EV_IMPLIED);
	assert_int_equal(peer.http.role, WIRE_ROLE_CLIENT);
	assert_int_equal(http_waiting(&peer.http), 0);
	assert_true(segment(&peer, HTTP_OUT, GET) & HTTP_EV_REQUEST);
}

static void giving_up_leaves_nothing_waiting(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	segment(&peer, HTTP_OUT, GET);
	segment(&peer, HTTP_OUT, GET);
	http_give_up(&peer.http);
	assert_int_equal(http_waiting(&peer.http), 0);
	assert_false(http_is_unanswered(&peer.http));
	segment(&peer, HTTP_OUT, GET);
	assert_true(http_is_unanswered(&peer.http));
}

/* What must hold after any bytes in any segments. */
static void check_invariants(const struct peer *peer)
{
	assert_true(peer->http.nr_head < HTTP_HEAD_BYTES);
	assert_true(peer->http.role <= WIRE_ROLE_CLIENT);
	if (peer->step.events & (HTTP_EV_RESPONSE | HTTP_EV_INTERIM))
		assert_in_range(peer->step.status, 100, 999);
	if (!peer->http.role)
		assert_int_equal(http_waiting(&peer->http), 0);
}

static void hostile_bytes_break_nothing(void **unused)
{
	static const char *const scraps[] = {"GET ", "POST ", "HTTP/1.1 200", "HTTP/1.1 100", "G",
					     "HTT",  "\r\n",  "CONNECT ",     "\xff\x00\x80", "0",
					     " 5"};
	struct peer peer;

	(void)unused;
	srand(1);
	for (int round = 0; round < 20000; round++) {
		peer_init(&peer);
		peer.http.flags = round & 1 ? HTTP_FRESH : 0;
		for (int i = 0; i < 30; i++) {
			const char *scrap =
				scraps[(size_t)rand() % (sizeof(scraps) / sizeof(scraps[0]))];
			uint32_t len = 1 + (uint32_t)rand() % (uint32_t)strlen(scrap);
			uint32_t dir = (uint32_t)rand() & 1;
			uint32_t jump = (uint32_t)rand() % 8 ? 0 : (uint32_t)rand() % 64 - 32;

			segment_at(&peer, dir, peer.seq[dir] + jump, scrap, len);
			peer.seq[dir] += len;
			check_invariants(&peer);
		}
	}
}

/* ---- how long a response will be ---- */

/* As http_measure_new() does it. */
static uint64_t total_in(struct http_view *view)
{
	http_view_begin(view);
	for (int turn = 0; turn < HTTP_VIEW_TURNS && http_view_search(view); turn++)
		;
	return http_view_total(view);
}

static uint64_t total_of(const char *head)
{
	static struct http_view view;
	size_t size = strlen(head);

	memset(view.bytes, 'x', HTTP_VIEW_BYTES);
	memcpy(view.bytes, head, size < HTTP_VIEW_BYTES ? size : HTTP_VIEW_BYTES);
	return total_in(&view);
}

#define STATUS "HTTP/1.1 200 OK\r\n"

static void the_total_is_the_head_and_what_it_announces(void **unused)
{
	static const char *const names[] = {"Content-Length", "content-length", "CONTENT-LENGTH",
					    "cOnTeNt-LeNgTh"};
	char head[256];

	(void)unused;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (int shift = 0; shift < 9; shift++) {
			int size = snprintf(head, sizeof(head),
					    STATUS "A: %.*s\r\n%s: 5000\r\nB: c\r\n\r\n", shift,
					    "12345678", names[i]);

			assert_int_equal(total_of(head), size + 5000);
		}
	assert_int_equal(total_of(STATUS "Content-Length:7\r\n\r\n"), 37 + 7);
	assert_int_equal(total_of("HTTP/1.0 200 OK\nContent-Length: 7\n\n"), 35 + 7);
	assert_int_equal(total_of(STATUS "Content-Length: 0\r\n\r\n"), 38);
}

static void what_is_no_certain_length_is_none(void **unused)
{
	static const char *const heads[] = {
		STATUS "Date: today\r\n\r\n",
		STATUS "\r\nContent-Length: 5\r\n\r\n", /* in the body */
		STATUS "A: b\n\nContent-Length: 5\r\n\r\n",
		STATUS "X-Content-Length: 5\r\n\r\n",
		STATUS "A: Content-Length: 5\r\n\r\n",
		STATUS " Content-Length: 5\r\n\r\n", /* goes on the line before */
		STATUS "Content-Length : 5\r\n\r\n",
		STATUS "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
		STATUS "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		STATUS "transfer-encoding: chunked\r\nContent-Length: 5\r\n\r\n",
		STATUS "Content-Length: 5, 5\r\n\r\n",
		STATUS "Content-Length: 5 5\r\n\r\n",
		STATUS "Content-Length: +5\r\n\r\n",
		STATUS "Content-Length: -5\r\n\r\n",
		STATUS "Content-Length: 0x5\r\n\r\n",
		STATUS "Content-Length: 5\rX\r\n\r\n",
		STATUS "Content-Length: \r\n\r\n",
		STATUS "Content-Length:",
		STATUS "Content-Length: 12345678901\r\n\r\n",
		STATUS "Content-Length: 99999999999999999999\r\n\r\n",
		STATUS "Content-Length: 18446744073709551621\r\n\r\n",
		"",
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		assert_true(total_of(heads[i]) == HTTP_UNKNOWN);
}

static void a_head_beyond_the_view_gives_a_lower_bound(void **unused)
{
	char head[HTTP_VIEW_BYTES + 64];

	(void)unused;
	for (int fill = HTTP_VIEW_BYTES - 128; fill < HTTP_VIEW_BYTES + 8; fill++) {
		int size = snprintf(head, sizeof(head), "%s%0*d", STATUS "A: ", fill - 20, 0);
		uint64_t total;

		snprintf(head + size, sizeof(head) - (size_t)size, "\r\nContent-Length: 70000\r\n");
		total = total_of(head);
		assert_true(total == HTTP_UNKNOWN || total == HTTP_VIEW_BYTES + 70000);
		assert_int_equal(total == HTTP_UNKNOWN,
				 size + (int)strlen("\r\nContent-Length: 70000\r\n") >
					 HTTP_VIEW_BYTES);
	}
}

/* The slow and obvious way, line by line. */
static uint64_t naive_total(const char *head, size_t size)
{
	const char *line = memchr(head, '\n', size);
	uint64_t length = HTTP_UNKNOWN;

	for (; line; line = memchr(line, '\n', size - (size_t)(line - head))) {
		const char *value = ++line + 15;

		if (*line == '\n' || !strncmp(line, "\r\n", 2)) {
			size = (size_t)(line - head) + (*line == '\n' ? 1 : 2);
			break;
		}
		if (!strncasecmp(line, "transfer-encodin", 16))
			return HTTP_UNKNOWN;
		if (strncasecmp(line, "content-length:", 15))
			continue;
		if (length != HTTP_UNKNOWN)
			return HTTP_UNKNOWN;
		value += *value == ' ' || *value == '\t';
		size_t nr = strspn(value, "0123456789");
		const char *end = value + nr;

		if (!nr || nr > 10 || !(*end == '\n' || !strncmp(end, "\r\n", 2)))
			return HTTP_UNKNOWN;
		length = strtoull(value, NULL, 10);
	}
	return length == HTTP_UNKNOWN ? HTTP_UNKNOWN : size + length;
}

static void random_heads_are_read_as_line_by_line(void **unused)
{
	static const char *const scraps[] = {
		"\r\n",
		"\n",
		"\r",
		"Content-Length: 5",
		"content-length:",
		" 70000",
		"12345678901",
		"Transfer-Encoding: x",
		"Server: a",
		": ",
		"x",
		"\r\nA: b",
		"\r\nContent-Length: 9",
	};
	static struct http_view view;
	uint32_t known = 0;

	(void)unused;
	srand(2);
	for (int round = 0; round < 200000; round++) {
		char *bytes = (char *)view.bytes;
		size_t size = 0;

		memset(bytes, 'y', HTTP_VIEW_BYTES);
		for (int i = rand() % 14; i >= 0; i--) {
			const char *scrap =
				scraps[(size_t)rand() % (sizeof(scraps) / sizeof(scraps[0]))];

			memcpy(bytes + size, scrap, strlen(scrap));
			size += strlen(scrap);
		}
		assert_true(total_in(&view) == naive_total(bytes, HTTP_VIEW_BYTES));
		known += total_in(&view) != HTTP_UNKNOWN;
	}
	assert_in_range(known, 1000, 200000);
}

static void hostile_views_stay_inside(void **unused)
{
	static const char bytes[] = "\n\n\r:cC-019 ";
	static struct http_view view;

	(void)unused;
	srand(3);
	for (int round = 0; round < 20000; round++) {
		uint32_t pool = 1 + (uint32_t)rand() % (sizeof(bytes) - 1);
		uint64_t total;

		for (int i = 0; i < HTTP_VIEW_BYTES; i++)
			view.bytes[i] = round & 1 ? (uint8_t)rand()
						  : (uint8_t)bytes[(uint32_t)rand() % pool];
		total = total_in(&view);
		assert_true(total == HTTP_UNKNOWN || total <= HTTP_VIEW_BYTES + 9999999999);
		assert_int_equal(view.bytes[HTTP_VIEW_BYTES], 0);
	}
}

/* A response of `total` bytes in all begins with 2000. Whether it is measured. */
static bool answered_with(struct peer *peer, const char *status, uint32_t total)
{
	static char payload[2001];
	struct http_segment seg = {.dir = HTTP_IN, .seq = peer->seq[HTTP_IN]};

	memset(payload, 'x', sizeof(payload) - 1);
	memcpy(payload, status, strlen(status));
	if (!(segment(peer, HTTP_IN, payload) & HTTP_EV_LONG))
		return false;
	seg.bytes = peer->step.bytes;
	if (http_is_measurable(&peer->http, &seg, peer->step.status))
		http_expect(&peer->http, &seg, total);
	return peer->http.response.measured;
}

static void a_measured_response_is_cut_before_its_end(void **unused)
{
	struct peer peer;
	uint32_t start;

	(void)unused;
	peer_init(&peer);
	segment(&peer, HTTP_OUT, GET);
	start = peer.seq[HTTP_IN];
	assert_true(answered_with(&peer, "HTTP/1.1 200 OK\r\n", 5000));
	assert_true(http_is_cut_at(&peer.http, start + 2000));
	assert_true(http_is_cut_at(&peer.http, start + 4999));
	assert_false(http_is_cut_at(&peer.http, start + 5000));
	assert_false(http_is_cut_at(&peer.http, start + 6000));
	segment(&peer, HTTP_OUT, GET);
	segment(&peer, HTTP_IN, OK);
	assert_false(http_is_cut_at(&peer.http, start + 2000));
}

static void bodiless_and_uncertain_responses_are_not_measured(void **unused)
{
	static const struct {
		const char *request, *status;
		bool measured;
	} rows[] = {
		{GET, "HTTP/1.1 200 OK\r\n", true},
		{GET, "HTTP/1.1 206 Partial\r\n", true},
		{POST, "HTTP/1.0 500 Oops\r\n", true},
		{GET, "HTTP/1.1 204 None\r\n", false},
		{GET, "HTTP/1.1 304 Same\r\n", false},
		{GET, "HTTP/1.1 103 Hints\r\n", false},
		{"HEAD / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n", false},
		{"CONNECT a:1 HTTP/1.1\r\n\r\n", "HTTP/1.1 407 No\r\n", false},
		{NULL, "HTTP/1.1 200 OK\r\n", false}, /* the request was before us */
	};
	struct peer peer;

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		peer_init(&peer);
		if (rows[i].request)
			segment(&peer, HTTP_OUT, rows[i].request);
		assert_int_equal(answered_with(&peer, rows[i].status, 5000), rows[i].measured);
	}
	peer_init(&peer);
	segment(&peer, HTTP_OUT, GET);
	segment(&peer, HTTP_OUT, GET);
	assert_false(answered_with(&peer, "HTTP/1.1 200 OK\r\n", 5000)); /* of the first, or not */
	assert_true(answered_with(&peer, "HTTP/1.1 200 OK\r\n", 5000));
}

static void heads_in_pieces_or_late_are_not_measured(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	segment(&peer, HTTP_OUT, GET);
	segment(&peer, HTTP_IN, "HTTP/");
	assert_false(answered_with(&peer, "1.1 200 OK\r\n", 5000));
	peer_init(&peer);
	segment(&peer, HTTP_OUT, GET);
	segment(&peer, HTTP_IN, OK);
	segment(&peer, HTTP_OUT, GET);
	peer.seq[HTTP_IN] += 2000;
	segment(&peer, HTTP_IN, "the middle of it");
	peer.seq[HTTP_IN] -= 2016;
	assert_false(answered_with(&peer, "HTTP/1.1 200 OK\r\n", 5000));
	assert_false(http_is_unanswered(&peer.http));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_every_method_and_its_beginnings),
		cmocka_unit_test(reads_the_status_and_refuses_what_is_none),
		cmocka_unit_test(takes_only_digits_for_a_status),
		cmocka_unit_test(first_request_tells_the_side),
		cmocka_unit_test(counts_each_request_of_a_kept_connection),
		cmocka_unit_test(a_body_that_looks_like_a_request_is_no_request),
		cmocka_unit_test(a_response_body_that_looks_like_a_head_is_none),
		cmocka_unit_test(counts_pipelined_requests_and_their_responses),
		cmocka_unit_test(coalesced_responses_leave_no_failure_behind),
		cmocka_unit_test(interim_responses_are_not_final),
		cmocka_unit_test(an_upgrade_ends_http),
		cmocka_unit_test(other_protocols_are_left_at_the_first_bytes),
		cmocka_unit_test(an_answer_that_is_no_http_ends_the_socket),
		cmocka_unit_test(heads_come_byte_by_byte),
		cmocka_unit_test(heads_come_in_two_pieces),
		cmocka_unit_test(retransmissions_count_once),
		cmocka_unit_test(a_head_that_was_lost_counts_when_it_comes),
		cmocka_unit_test(an_old_socket_is_learned_in_the_middle),
		cmocka_unit_test(an_old_client_is_given_up_after_a_turn_of_something_else),
		cmocka_unit_test(an_old_client_that_uploads_is_learned_by_its_answer),
		cmocka_unit_test(an_old_socket_of_unknown_side_is_never_given_up),
		cmocka_unit_test(a_response_without_request_implies_one),
		cmocka_unit_test(giving_up_leaves_nothing_waiting),
		cmocka_unit_test(hostile_bytes_break_nothing),
		cmocka_unit_test(the_total_is_the_head_and_what_it_announces),
		cmocka_unit_test(what_is_no_certain_length_is_none),
		cmocka_unit_test(a_head_beyond_the_view_gives_a_lower_bound),
		cmocka_unit_test(random_heads_are_read_as_line_by_line),
		cmocka_unit_test(hostile_views_stay_inside),
		cmocka_unit_test(a_measured_response_is_cut_before_its_end),
		cmocka_unit_test(bodiless_and_uncertain_responses_are_not_measured),
		cmocka_unit_test(heads_in_pieces_or_late_are_not_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
