/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_backend.c - the turns of a conversation that is not HTTP, fed with segments as the packet
 * programs would feed them: from the one at which HTTP gave up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend.bpf.h"

#define REQUEST	 (HTTP_EV_REQUEST | HTTP_EV_UPLOAD)
#define RESPONSE (HTTP_EV_RESPONSE | HTTP_EV_DOWNLOAD)

struct peer {
	struct http_state http;
	uint32_t seq[2];
	struct http_step step;
};

static void peer_init(struct peer *peer)
{
	memset(peer, 0, sizeof(*peer));
	peer->http.flags = HTTP_FRESH;
	peer->seq[HTTP_IN] = 0xfffffff8; /* wraps in most tests */
	peer->seq[HTTP_OUT] = 7;
}

/* One segment at sequence number `seq`, as http_packet() does it. Returns the events. */
static uint32_t segment_at(struct peer *peer, uint32_t dir, uint32_t seq, const char *payload)
{
	uint32_t len = (uint32_t)strlen(payload);
	struct http_segment seg = {.dir = dir, .seq = seq, .bytes = len};

	memset(&peer->step, 0, sizeof(peer->step));
	if (!(peer->http.flags & HTTP_IGNORED)) {
		seg.nr = len < HTTP_HEAD_BYTES ? len : HTTP_HEAD_BYTES;
		memcpy(&seg.word, payload, seg.nr < 8 ? seg.nr : 8);
		if (seg.nr > 8)
			memcpy(&seg.tail, payload + 8, seg.nr - 8);
		http_advance(&peer->http, &seg, &peer->step);
		if (!(peer->step.events & HTTP_EV_LEAVE))
			return peer->step.events;
		backend_begin(&peer->http);
	}
	http_sequence(&peer->http, &seg);
	memset(&peer->step, 0, sizeof(peer->step));
	if (seg.bytes)
		backend_advance(&peer->http, &seg, &peer->step);
	return peer->step.events;
}

static uint32_t segment(struct peer *peer, uint32_t dir, const char *payload)
{
	uint32_t seq = peer->seq[dir];

	peer->seq[dir] += (uint32_t)strlen(payload);
	return segment_at(peer, dir, seq, payload);
}

static uint32_t in(struct peer *peer, const char *payload)
{
	return segment(peer, HTTP_IN, payload);
}

static uint32_t out(struct peer *peer, const char *payload)
{
	return segment(peer, HTTP_OUT, payload);
}

static void a_turn_is_the_first_out_and_the_first_in_after_it(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(out(&peer, "*1 PING"), REQUEST);
		assert_int_equal(out(&peer, " more"), HTTP_EV_UPLOAD);
		assert_int_equal(peer.http.request.bytes, 12);
		assert_int_equal(http_waiting(&peer.http), 1);
		assert_int_equal(in(&peer, "+PONG"), RESPONSE);
		assert_int_equal(peer.step.bytes, 5);
		assert_int_equal(in(&peer, " more"), HTTP_EV_DOWNLOAD);
		assert_int_equal(http_waiting(&peer.http), 0);
	}
	assert_int_equal(peer.http.role, WIRE_ROLE_BACKEND);
}

static void a_greeting_answers_nothing(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	assert_int_equal(in(&peer, "220 mail"), HTTP_EV_DOWNLOAD);
	assert_int_equal(in(&peer, " ESMTP"), HTTP_EV_DOWNLOAD);
	assert_int_equal(http_waiting(&peer.http), 0);
	assert_int_equal(out(&peer, "EHLO a"), REQUEST);
	assert_int_equal(in(&peer, "250 OK"), RESPONSE);
}

/* A late retransmission must not look like the next request. */
static void what_was_seen_before_is_no_turn(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	assert_int_equal(out(&peer, "SELECT 1"), REQUEST);
	assert_int_equal(in(&peer, "one row"), RESPONSE);
	assert_int_equal(segment_at(&peer, HTTP_OUT, 7, "SELECT 1"), 0);
	assert_int_equal(segment_at(&peer, HTTP_OUT, 10, "ECT 1"), 0);
	assert_int_equal(http_waiting(&peer.http), 0);
	assert_int_equal(out(&peer, "SELECT 2"), REQUEST);
	assert_int_equal(segment_at(&peer, HTTP_IN, 0xfffffff8, "one row"), 0);
	assert_int_equal(http_waiting(&peer.http), 1);
	assert_int_equal(in(&peer, "two rows"), RESPONSE);
}

/* What was kept as the beginning of a method is told with the segment that shows it was none. */
static void bytes_kept_for_a_head_are_not_lost(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	assert_int_equal(out(&peer, "P"), HTTP_EV_PARTIAL);
	assert_int_equal(out(&peer, "I"), REQUEST);
	assert_int_equal(peer.step.bytes, 2);
	assert_int_equal(in(&peer, "+"), RESPONSE);
	/* and the sequence goes on where that segment ended */
	assert_int_equal(out(&peer, "Q"), REQUEST);
	assert_int_equal(peer.step.bytes, 1);
}

static void a_lost_segment_counts_when_it_comes(void **unused)
{
	struct peer peer;

	(void)unused;
	peer_init(&peer);
	assert_int_equal(out(&peer, "SELECT"), REQUEST);
	assert_int_equal(segment_at(&peer, HTTP_IN, 1000, "first"), RESPONSE);
	assert_int_equal(segment_at(&peer, HTTP_IN, 1010, "third"), HTTP_EV_DOWNLOAD);
	assert_int_equal(segment_at(&peer, HTTP_IN, 1005, "secnd"), HTTP_EV_DOWNLOAD);
	assert_int_equal(segment_at(&peer, HTTP_IN, 1005, "secnd"), 0);
}

/* Whatever comes, in flight is 0 or 1, and every response has had its request. */
static void any_order_keeps_the_balance(void **unused)
{
	struct peer peer;
	uint64_t requests, responses;

	(void)unused;
	srand(1);
	for (int round = 0; round < 200; round++) {
		peer_init(&peer);
		requests = responses = 0;
		for (int i = 0; i < 500; i++) {
			uint32_t events = segment_at(&peer, (uint32_t)rand() & 1,
						     (uint32_t)rand() % 64, "xyz");

			requests += !!(events & HTTP_EV_REQUEST);
			responses += !!(events & HTTP_EV_RESPONSE);
			assert_in_range(requests - responses, 0, 1);
			assert_int_equal(http_waiting(&peer.http), requests - responses);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_turn_is_the_first_out_and_the_first_in_after_it),
		cmocka_unit_test(a_greeting_answers_nothing),
		cmocka_unit_test(what_was_seen_before_is_no_turn),
		cmocka_unit_test(bytes_kept_for_a_head_are_not_lost),
		cmocka_unit_test(a_lost_segment_counts_when_it_comes),
		cmocka_unit_test(any_order_keeps_the_balance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
