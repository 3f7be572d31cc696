/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_clock_match.c - how clocks lie to each other, from what two sides of connections saw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "model/address.h"
#include "source/clock_match.h"

#define MS(n) ((uint64_t)((n)*1e6))
#define S(n)  ((uint64_t)((n)*1e9))

static struct clock_events *new_events(void)
{
	struct clock_events *events = calloc(1, sizeof(*events));

	assert_non_null(events);
	return events;
}

static struct record flow(enum flow_role role, const char *addr)
{
	struct record r = {.kind = RECORD_FLOW};

	r.flow.role = role;
	r.flow.endpoint.port = 3000;
	assert_true(address_parse(addr, r.flow.endpoint.addr));
	return r;
}

static void answered(struct clock_events *events, enum flow_role role, uint64_t first,
		     uint64_t last)
{
	struct record r = flow(role, "10.0.0.7");

	r.flow.ok_mark = (struct flow_mark){first, last};
	clock_events_add(events, &r);
}

static void reset(struct clock_events *events, enum flow_role role, uint64_t at)
{
	struct record r = flow(role, "10.0.0.7");

	r.flow.fail_mark[role == FLOW_SERVER ? FLOW_FAIL_RST_SENT : FLOW_FAIL_RST_BEFORE] =
		(struct flow_mark){at, at};
	clock_events_add(events, &r);
}

/* Answers until a reset, and again after two seconds; the client hears of it `later`. */
static void outage(struct clock_events *client, struct clock_events *server, uint64_t at,
		   int64_t ahead, uint64_t later)
{
	uint64_t there = at + (uint64_t)ahead;

	answered(server, FLOW_SERVER, there, there + S(5));
	answered(client, FLOW_CLIENT, at + later, at + S(5) + later);
	reset(server, FLOW_SERVER, there + S(5.1));
	reset(client, FLOW_CLIENT, at + S(5.1) + later);
	answered(server, FLOW_SERVER, there + S(8), there + S(11));
	answered(client, FLOW_CLIENT, at + S(8) + later, at + S(11) + later);
}

static void match(struct clock_events *first, struct clock_events *second, struct clock_offset *out)
{
	clock_events_end(first);
	clock_events_end(second);
	clock_match(first, second, out);
	free(first);
	free(second);
}

static void an_outage_tells_the_offset(void **state)
{
	struct clock_events *client = new_events(), *server = new_events();
	struct clock_offset offset;

	(void)state;
	outage(client, server, S(100), (int64_t)S(3600), MS(0.4));
	match(client, server, &offset);
	assert_true(offset.nr >= 5);
	assert_in_range((uint64_t)(offset.offset_ns + (int64_t)S(3600)), MS(0.3), MS(0.5));
	assert_true(offset.error_ns <= MS(2));
}

static void it_is_the_same_from_the_other_side(void **state)
{
	struct clock_events *client = new_events(), *server = new_events();
	struct clock_offset offset;

	(void)state;
	outage(client, server, S(100), -(int64_t)S(3.4), MS(0.4));
	match(server, client, &offset);
	assert_true(offset.nr >= 5);
	assert_true(offset.offset_ns <= -(int64_t)S(3.4) && offset.offset_ns >= -(int64_t)S(3.401));
}

static void processes_behind_one_address_are_one_side(void **state)
{
	struct clock_events *client = new_events(), *server = new_events();
	struct clock_offset offset;

	(void)state;
	outage(client, server, S(100), (int64_t)S(7), MS(1));
	/* Another worker of the gateway, whose answers lie within those of the first. */
	answered(client, FLOW_CLIENT, S(109), S(110));
	match(client, server, &offset);
	assert_true(offset.nr >= 5);
}

static void what_does_not_agree_tells_nothing(void **state)
{
	struct clock_events *client = new_events(), *server = new_events();
	struct clock_offset offset;
	uint64_t t = S(100);

	(void)state;
	for (int i = 0; i < 20; i++) {
		t += S(2) + hash_u64((uint64_t)i) % S(5);
		answered(client, FLOW_CLIENT, t, t);
		answered(server, FLOW_SERVER, t + hash_u64(t) % S(2000), t + hash_u64(t) % S(2000));
	}
	match(client, server, &offset);
	assert_int_equal(offset.nr, 0);
}

/* A probe every second agrees with itself at every whole second: which one it is cannot be told. */
static void a_steady_beat_tells_nothing(void **state)
{
	struct clock_events *client = new_events(), *server = new_events();
	struct clock_offset offset;

	(void)state;
	for (uint64_t i = 0; i < 30; i++) {
		answered(client, FLOW_CLIENT, S(100 + i), S(100 + i));
		answered(server, FLOW_SERVER, S(100 + i), S(100 + i));
	}
	match(client, server, &offset);
	assert_int_equal(offset.nr, 0);
}

static void addresses_and_sides_are_kept_apart(void **state)
{
	struct clock_events *one = new_events(), *two = new_events();
	struct record r = flow(FLOW_CLIENT, "127.0.0.1");
	struct clock_offset offset;

	(void)state;
	outage(one, one, S(100), 0, 0);
	for (uint32_t i = 0; i < two->nr; i++)
		two->series[i].addr[15]++;
	r.flow.ok_mark = (struct flow_mark){S(1), S(2)};
	clock_events_add(two, &r);
	assert_int_equal(two->nr, 0);
	match(one, two, &offset);
	assert_int_equal(offset.nr, 0);
}

/* Times are whatever a file says. */
static void extreme_times_are_survived(void **state)
{
	struct clock_events *client = new_events(), *server = new_events();
	const uint64_t times[] = {1, INT64_MAX, (uint64_t)INT64_MAX + 2, UINT64_MAX};
	struct clock_offset offset;

	(void)state;
	for (int i = 0; i < 4; i++) {
		answered(client, FLOW_CLIENT, times[i], times[i]);
		answered(server, FLOW_SERVER, times[3 - i], times[3 - i]);
		reset(server, FLOW_SERVER, times[i]);
	}
	match(client, server, &offset);
	assert_int_equal(offset.nr, 0);
}

static void its_limits_hold(void **state)
{
	struct clock_events *events = new_events(), *other = new_events();
	struct clock_offset offset;
	struct record r;

	(void)state;
	for (uint32_t i = 0; i < 2 * CLOCK_SERIES; i++) {
		r = flow(FLOW_SERVER, "10.0.0.7");
		r.flow.endpoint.port = (uint16_t)(1 + i);
		r.flow.ok_mark = (struct flow_mark){S(1), S(2)};
		clock_events_add(events, &r);
	}
	for (uint32_t i = 0; i < 2 * CLOCK_EDGES; i++) {
		r.flow.endpoint.port = 1;
		r.flow.ok_mark = (struct flow_mark){S(10 + i), S(10 + i)};
		clock_events_add(events, &r);
	}
	assert_int_equal(events->nr, CLOCK_SERIES);
	assert_int_equal(events->series[0].nr, CLOCK_EDGES);
	match(events, other, &offset);
	assert_int_equal(offset.nr, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_outage_tells_the_offset),
		cmocka_unit_test(it_is_the_same_from_the_other_side),
		cmocka_unit_test(processes_behind_one_address_are_one_side),
		cmocka_unit_test(what_does_not_agree_tells_nothing),
		cmocka_unit_test(a_steady_beat_tells_nothing),
		cmocka_unit_test(addresses_and_sides_are_kept_apart),
		cmocka_unit_test(extreme_times_are_survived),
		cmocka_unit_test(its_limits_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
