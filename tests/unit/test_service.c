/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_service.c - listeners coming and going, and which of them an upstream address means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/service.h"
#include "model/address.h"

static struct endpoint endpoint(const char *addr, uint16_t port, uint32_t netns)
{
	struct endpoint e = {.netns = netns, .port = port};

	assert_true(address_parse(addr, e.addr));
	return e;
}

static enum service_match match(const char *local, uint32_t local_ns, const char *upstream,
				uint32_t upstream_ns)
{
	struct endpoint l = endpoint(local, 80, local_ns);
	struct endpoint u = endpoint(upstream, 80, upstream_ns);

	return service_match(&l, &u);
}

static struct services *new_services(void)
{
	struct services *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	return t;
}

static struct service *listener(struct services *t, uint64_t ts_ns, struct endpoint local,
				uint64_t sock_id, enum listener_state state, uint64_t *outage_ns)
{
	struct record_listener l = {
		.owner = {1, 100 + (uint32_t)sock_id},
		.local = local,
		.sock_id = sock_id,
		.state = (uint8_t)state,
	};

	return service_listener(t, ts_ns, &l, outage_ns);
}

static void wildcards_take_what_they_can_be_reached_on(void **state)
{
	(void)state;
	assert_int_equal(match("127.0.0.1", 1, "127.0.0.1", 1), MATCH_EXACT);
	assert_int_equal(match("0.0.0.0", 1, "127.0.0.1", 1), MATCH_WILDCARD);
	assert_int_equal(match("::", 1, "127.0.0.1", 1), MATCH_WILDCARD);
	assert_int_equal(match("::", 1, "::1", 1), MATCH_WILDCARD);
	assert_int_equal(match("127.0.0.1", 1, "::1", 1), MATCH_EXACT);
	assert_int_equal(match("::1", 1, "127.0.0.1", 1), MATCH_EXACT);
	assert_int_equal(match("0.0.0.0", 1, "2001:db8::1", 1), MATCH_NONE);
	assert_int_equal(match("10.0.0.1", 1, "10.0.0.2", 1), MATCH_NONE);
}

static void unknown_namespace_matches_any(void **state)
{
	(void)state;
	assert_int_equal(match("10.0.0.1", 0, "10.0.0.1", 1), MATCH_EXACT);
	assert_int_equal(match("0.0.0.0", 1, "10.0.0.1", 0), MATCH_WILDCARD);
}

static void loopback_never_crosses_namespaces(void **state)
{
	(void)state;
	assert_int_equal(match("10.0.0.1", 1, "10.0.0.1", 2), MATCH_CROSS_EXACT);
	assert_int_equal(match("0.0.0.0", 1, "10.0.0.1", 2), MATCH_CROSS_WILDCARD);
	assert_int_equal(match("127.0.0.1", 1, "127.0.0.1", 2), MATCH_NONE);
	assert_int_equal(match("0.0.0.0", 1, "127.0.0.1", 2), MATCH_NONE);
	assert_int_equal(match("::", 1, "::1", 2), MATCH_NONE);
}

static void own_namespace_is_preferred(void **state)
{
	struct services *t = new_services();
	struct endpoint here = endpoint("0.0.0.0", 80, 1);
	struct endpoint there = endpoint("10.0.0.1", 80, 2);
	struct endpoint upstream = endpoint("10.0.0.1", 80, 1);
	struct service *found[SERVICE_FOUND_MAX];
	uint64_t outage;

	(void)state;
	listener(t, 1, there, 1, LISTENER_UP, &outage);
	assert_int_equal(service_find(t, &upstream, found), 1);
	assert_int_equal(found[0]->local.netns, 2);
	listener(t, 1, here, 2, LISTENER_UP, &outage);
	assert_int_equal(service_find(t, &upstream, found), 1);
	assert_int_equal(found[0]->local.netns, 1);
	free(t);
}

static void wildcards_of_two_other_namespaces_are_nobody(void **state)
{
	struct services *t = new_services();
	struct endpoint upstream = endpoint("10.0.0.1", 80, 1);
	struct service *found[SERVICE_FOUND_MAX];
	uint64_t outage;

	(void)state;
	listener(t, 1, endpoint("0.0.0.0", 80, 2), 1, LISTENER_UP, &outage);
	assert_int_equal(service_find(t, &upstream, found), 1);
	listener(t, 1, endpoint("0.0.0.0", 80, 3), 2, LISTENER_UP, &outage);
	assert_int_equal(service_find(t, &upstream, found), 0);
	/* An address that one of them is known to answer on decides. */
	listener(t, 1, endpoint("10.0.0.1", 80, 3), 3, LISTENER_UP, &outage);
	assert_int_equal(service_find(t, &upstream, found), 2);
	assert_int_equal(found[0]->local.netns, 3);
	free(t);
}

static void outage_is_from_last_down_to_first_up(void **state)
{
	struct services *t = new_services();
	struct endpoint e = endpoint("127.0.0.1", 80, 1);
	struct service *s;
	uint64_t outage;

	(void)state;
	s = listener(t, 10, e, 1, LISTENER_UP, &outage);
	assert_int_equal(outage, 0);
	listener(t, 20, e, 1, LISTENER_DOWN, &outage);
	assert_false(s->up);
	listener(t, 50, e, 2, LISTENER_UP, &outage);
	assert_int_equal(outage, 30);
	assert_int_equal(service_restarts(s, 60), 1);
	assert_int_equal(s->newest_owner.tgid, 102);
	assert_int_equal(service_restarts(s, 50 + 601 * NSEC_PER_SEC), 0);
	free(t);
}

static void second_listener_of_one_address_keeps_it_up(void **state)
{
	struct services *t = new_services();
	struct endpoint e = endpoint("127.0.0.1", 80, 1);
	struct service *s;
	uint64_t outage;

	(void)state;
	s = listener(t, 10, e, 1, LISTENER_UP, &outage);
	listener(t, 11, e, 2, LISTENER_UP, &outage);
	listener(t, 12, e, 1, LISTENER_DOWN, &outage);
	assert_true(s->up);
	assert_int_equal(s->down_ns, 0);
	listener(t, 13, e, 2, LISTENER_DOWN, &outage);
	assert_false(s->up);
	free(t);
}

static void found_by_several_holders_is_one_socket(void **state)
{
	struct services *t = new_services();
	struct endpoint e = endpoint("127.0.0.1", 80, 1);
	struct service *s;
	uint64_t outage;

	(void)state;
	listener(t, 10, e, 1, LISTENER_FOUND, &outage);
	s = listener(t, 10, e, 1, LISTENER_FOUND, &outage);
	assert_int_equal(s->nr_socks, 1);
	listener(t, 12, e, 1, LISTENER_DOWN, &outage);
	assert_false(s->up);
	free(t);
}

static void newest_members_stay(void **state)
{
	struct services *t = new_services();
	struct endpoint e = endpoint("127.0.0.1", 80, 1);
	struct service *s = service_get(t, &e, 1);
	bool newest = false;

	(void)state;
	for (uint32_t i = 1; i <= 100; i++) {
		struct proc_id id = {.start_ns = i, .tgid = i};

		service_serve(s, &id, i, false);
	}
	assert_int_equal(s->nr_members, SERVICE_MEMBERS);
	for (int i = 0; i < SERVICE_MEMBERS; i++) {
		assert_true(s->members[i].proc.tgid > 100 - SERVICE_MEMBERS);
		newest |= s->members[i].proc.tgid == 100;
	}
	assert_true(newest);
	free(t);
}

static void full_table_drops_the_idle_and_refuses_when_all_listen(void **state)
{
	struct services *t = new_services();
	struct endpoint first = endpoint("10.0.0.1", 1, 1);
	struct endpoint more = endpoint("10.0.0.1", 60000, 1);
	uint64_t outage;

	(void)state;
	for (uint16_t i = 1; i <= SERVICE_MAX; i++)
		assert_non_null(
			listener(t, i, endpoint("10.0.0.1", i, 1), i, LISTENER_UP, &outage));
	assert_null(service_get(t, &more, 5000));
	assert_int_equal(t->refused, 1);
	listener(t, 6000, first, 1, LISTENER_DOWN, &outage);
	assert_non_null(service_get(t, &more, 7000));
	free(t);
}

static void what_is_counted_at_an_address_counts_at_its_wildcard(void **state)
{
	(void)state;
	struct services *t = new_services();
	uint64_t outage;
	struct service *any = listener(t, 1000, endpoint("::", 80, 1), 1, LISTENER_FOUND, &outage);
	struct endpoint addresses[] = {endpoint("10.0.0.7", 80, 1), endpoint("2001:db8::7", 80, 1)};
	struct endpoint elsewhere = endpoint("10.0.0.7", 80, 2);
	struct service *v4 = service_get(t, &addresses[0], 2000);
	struct service *v6 = service_get(t, &addresses[1], 2000);
	struct service *other = service_get(t, &elsewhere, 2000);
	struct proc_id master = any->newest_owner, worker = {.start_ns = 5, .tgid = 500};

	service_serve(v4, &worker, 2000, false);
	service_serve(v6, &master, 2000, false);
	service_count_requests(t, v4, 3);
	service_count_requests(t, v6, 4);
	service_count_requests(t, other, 5);
	assert_ptr_equal(service_bound(t, v4), any);
	assert_ptr_equal(service_bound(t, any), any);
	assert_ptr_equal(service_bound(t, other), other);
	assert_int_equal(any->requests, 7);
	assert_int_equal(v4->requests, 3);

	service_count_death(t, &(struct service_death){worker, 3000, DEATH_OOM_KILL_CGROUP});
	assert_int_equal(any->deaths[DEATH_OOM_KILL_CGROUP], 1);
	assert_int_equal(v4->deaths[DEATH_OOM_KILL_CGROUP], 1);
	assert_int_equal(v6->deaths[DEATH_OOM_KILL_CGROUP], 0);
	/* Whoever listens takes all its addresses with it. */
	service_count_death(t, &(struct service_death){master, 4000, DEATH_EXIT});
	assert_int_equal(v6->died_ns[DEATH_EXIT], 4000);
	assert_int_equal(any->deaths[DEATH_EXIT], 1);
	assert_int_equal(v4->deaths[DEATH_EXIT], 1);
	assert_int_equal(v6->deaths[DEATH_EXIT], 1);
	assert_int_equal(other->deaths[DEATH_EXIT], 0);
	free(t);
}

static void restarts_are_counted_beyond_the_window(void **state)
{
	(void)state;
	struct services *t = new_services();
	struct endpoint local = endpoint("10.0.0.1", 80, 1);
	struct service *s = NULL;
	uint64_t outage;

	for (uint64_t i = 1; i <= 20; i++) {
		s = listener(t, i * 1000, local, i, LISTENER_UP, &outage);
		listener(t, i * 1000 + 500, local, i, LISTENER_DOWN, &outage);
	}
	assert_int_equal(s->restarts, 19);
	free(t);
}

static struct endpoint on_node(struct endpoint e, uint16_t node)
{
	e.node = node;
	return e;
}

static void another_node_needs_the_exact_address(void **state)
{
	struct endpoint upstream = endpoint("10.0.0.7", 80, 1), loop = endpoint("127.0.0.1", 80, 1);
	struct endpoint exact = on_node(endpoint("10.0.0.7", 80, 1), 1);
	struct endpoint any = on_node(endpoint("0.0.0.0", 80, 1), 1);
	struct endpoint far_loop = on_node(loop, 1);
	struct services *t = new_services();
	struct service *found[SERVICE_FOUND_MAX];
	uint64_t outage;

	(void)state;
	assert_int_equal(service_match(&exact, &upstream), MATCH_NODE_EXACT);
	assert_int_equal(service_match(&any, &upstream), MATCH_NODE_WILDCARD);
	assert_int_equal(service_match(&far_loop, &loop), MATCH_NONE);
	listener(t, 1000, any, 1, LISTENER_FOUND, &outage);
	assert_int_equal(service_find(t, &upstream, found), 0);
	service_get(t, &exact, 1000);
	assert_int_equal(service_find(t, &upstream, found), 2);
	free(t);
}

/* Bridges of containers have the same addresses everywhere. */
static void an_address_of_the_same_node_is_meant_first(void **state)
{
	struct endpoint upstream = endpoint("172.17.0.2", 80, 1);
	struct endpoint here = endpoint("172.17.0.2", 80, 2);
	struct endpoint there = on_node(endpoint("172.17.0.2", 80, 2), 1);
	struct services *t = new_services();
	struct service *found[SERVICE_FOUND_MAX];

	(void)state;
	service_get(t, &there, 1000);
	service_get(t, &here, 1000);
	assert_int_equal(service_find(t, &upstream, found), 1);
	assert_int_equal(found[0]->local.node, 0);
	free(t);
}

static void an_address_on_two_nodes_at_once_is_nobodys(void **state)
{
	struct endpoint upstream = endpoint("10.0.0.7", 80, 1);
	struct endpoint one = on_node(upstream, 1), two = on_node(upstream, 2);
	struct services *t = new_services();
	struct service *found[SERVICE_FOUND_MAX];
	uint64_t outage;

	(void)state;
	listener(t, 1000, one, 1, LISTENER_UP, &outage);
	listener(t, 5000, two, 1, LISTENER_UP, &outage);
	assert_int_equal(service_find(t, &upstream, found), 0);
	free(t);
}

static void an_address_that_moved_is_its_newest_holders(void **state)
{
	struct endpoint upstream = endpoint("10.0.0.7", 80, 1);
	struct endpoint one = on_node(upstream, 1), two = on_node(upstream, 2);
	struct services *t = new_services();
	struct service *found[SERVICE_FOUND_MAX];
	uint64_t outage;

	(void)state;
	listener(t, 1000, one, 1, LISTENER_UP, &outage);
	listener(t, 2000, one, 1, LISTENER_DOWN, &outage);
	assert_int_equal(service_find(t, &upstream, found), 1);
	assert_int_equal(found[0]->local.node, 1);
	listener(t, 5000, two, 1, LISTENER_UP, &outage);
	assert_int_equal(service_find(t, &upstream, found), 1);
	assert_int_equal(found[0]->local.node, 2);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wildcards_take_what_they_can_be_reached_on),
		cmocka_unit_test(unknown_namespace_matches_any),
		cmocka_unit_test(loopback_never_crosses_namespaces),
		cmocka_unit_test(own_namespace_is_preferred),
		cmocka_unit_test(wildcards_of_two_other_namespaces_are_nobody),
		cmocka_unit_test(outage_is_from_last_down_to_first_up),
		cmocka_unit_test(second_listener_of_one_address_keeps_it_up),
		cmocka_unit_test(found_by_several_holders_is_one_socket),
		cmocka_unit_test(newest_members_stay),
		cmocka_unit_test(what_is_counted_at_an_address_counts_at_its_wildcard),
		cmocka_unit_test(restarts_are_counted_beyond_the_window),
		cmocka_unit_test(full_table_drops_the_idle_and_refuses_when_all_listen),
		cmocka_unit_test(another_node_needs_the_exact_address),
		cmocka_unit_test(an_address_of_the_same_node_is_meant_first),
		cmocka_unit_test(an_address_on_two_nodes_at_once_is_nobodys),
		cmocka_unit_test(an_address_that_moved_is_its_newest_holders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
