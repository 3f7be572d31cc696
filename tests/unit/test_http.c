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
		cmocka_unit_test(a_response_without_request_implies_one),
		cmocka_unit_test(giving_up_leaves_nothing_waiting),
		cmocka_unit_test(hostile_bytes_break_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
