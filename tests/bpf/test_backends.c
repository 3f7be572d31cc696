/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_backends.c - clients that speak something else than HTTP/1: turns, open connections, and
 * that neither a server nor a failure of theirs is counted.
 */
#include "pairs.h"

#include <sys/wait.h>
#include <time.h>

#define PING "*1\r\n$4\r\nPING\r\n"
#define PONG "+PONG\r\n"

/* Connections made before the programs were attached. */
static struct pair old_redis, old_http;

static struct wire_flow_stats backend_of(const struct pair *pair)
{
	return harness_flow(&harness, WIRE_ROLE_BACKEND, pair->port, 0);
}

static uint64_t measured(const struct wire_flow_stats *stats)
{
	uint64_t sum = 0;

	for (int i = 0; i < WIRE_LATENCY_BUCKETS; i++)
		sum += stats->latency[i];
	return sum;
}

static void expect_turns(const struct pair *pair, uint64_t requests, uint64_t responses,
			 uint64_t latencies)
{
	struct wire_flow_stats stats = backend_of(pair);

	assert_int_equal(stats.requests, requests);
	assert_int_equal(stats.responses, responses);
	assert_int_equal(measured(&stats), latencies);
	assert_int_equal(sum_fails(&stats), 0);
}

/* Nothing of it is taken for HTTP. */
static void expect_no_http(const struct pair *pair)
{
	assert_int_equal(server_of(pair).opened, 0);
	assert_int_equal(client_of(pair).opened, 0);
}

static void counts_the_turns_of_a_client(void **state)
{
	struct pair pair = open_pair(AF_INET);
	struct wire_flow_stats stats;

	(void)state;
	for (int i = 0; i < 3; i++) {
		ask(&pair, PING);
		expect_turns(&pair, (uint64_t)i + 1, (uint64_t)i, (uint64_t)i);
		answer(&pair, PONG);
	}
	expect_turns(&pair, 3, 3, 3);
	stats = backend_of(&pair);
	assert_int_equal(stats.request_bytes, 3 * strlen(PING));
	assert_int_equal(stats.response_bytes, 3 * strlen(PONG));
	assert_int_equal(stats.max_request_bytes, strlen(PING));
	assert_int_equal(stats.opened, 1);
	assert_int_equal(stats.closed, 0);
	close_pair(&pair);
	assert_int_equal(backend_of(&pair).closed, 1);
	expect_turns(&pair, 3, 3, 3);
	expect_no_http(&pair);
}

static void counts_ipv6(void **state)
{
	struct pair pair = open_pair(AF_INET6);

	(void)state;
	ask(&pair, PING);
	answer(&pair, PONG);
	expect_turns(&pair, 1, 1, 1);
	close_pair(&pair);
}

/* MySQL, SMTP: what comes before the first request answers none. */
static void a_greeting_is_no_response(void **state)
{
	struct pair pair = open_pair(AF_INET);

	(void)state;
	answer(&pair, "220 mail ESMTP\r\n");
	answer(&pair, "more of it\r\n");
	expect_turns(&pair, 0, 0, 0);
	assert_int_equal(backend_of(&pair).opened, 1);
	ask(&pair, "EHLO a\r\n");
	expect_turns(&pair, 1, 0, 0);
	answer(&pair, "250-mail\r\n");
	answer(&pair, "250 OK\r\n");
	expect_turns(&pair, 1, 1, 1);
	close_pair(&pair);
	expect_no_http(&pair);
}

static void pieces_of_a_message_are_one_turn(void **state)
{
	struct pair pair = open_pair(AF_INET);
	struct wire_flow_stats stats;

	(void)state;
	/* "P" may become PUT or POST: it is kept until the next byte tells */
	for (const char *byte = "PING\r\n"; *byte; byte++)
		ask(&pair, (const char[]){*byte, '\0'});
	for (const char *byte = PONG; *byte; byte++)
		answer(&pair, (const char[]){*byte, '\0'});
	ask(&pair, "X");
	answer(&pair, "Y");
	expect_turns(&pair, 2, 2, 2);
	stats = backend_of(&pair);
	assert_int_equal(stats.request_bytes, strlen("PING\r\n") + 1);
	assert_int_equal(stats.response_bytes, strlen(PONG) + 1);
	close_pair(&pair);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void the_latency_is_that_of_the_first_byte(void **state)
{
	struct pair pair = open_pair(AF_INET);
	uint64_t began_ns = now_ns(), first_ns;

	(void)state;
	ask(&pair, PING);
	usleep(30000);
	answer(&pair, "+PO");
	first_ns = now_ns() - began_ns;
	usleep(30000);
	answer(&pair, "NG\r\n");
	assert_in_range(backend_of(&pair).latency_sum_ns, 30000000, first_ns);
	close_pair(&pair);
}

/* QUIT is answered by the close; also where the other side resets. */
static void the_last_turn_ends_with_the_connection(void **state)
{
	struct pair quits = open_pair(AF_INET), dies = open_pair(AF_INET);

	(void)state;
	ask(&quits, PING);
	answer(&quits, PONG);
	ask(&quits, "QUIT\r\n");
	expect_turns(&quits, 2, 1, 1);
	close_pair(&quits);
	expect_turns(&quits, 2, 2, 1);
	ask(&dies, PING);
	reset_fd(&dies.server);
	expect_turns(&dies, 1, 1, 0);
	assert_int_equal(backend_of(&dies).closed, 1);
	close_pair(&dies);
}

static void open_connections_are_told_per_destination(void **state)
{
	struct pair pair = open_pair(AF_INET);
	int clients[4], servers[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(connect_to(pair.listener, clients[i]), 0);
		servers[i] = accept(pair.listener, NULL, NULL);
		say(clients[i], servers[i], PING);
	}
	assert_int_equal(backend_of(&pair).opened, 4);
	assert_int_equal(backend_of(&pair).requests - backend_of(&pair).responses, 4);
	for (int i = 0; i < 4; i++) {
		close(servers[i]);
		close(clients[i]);
	}
	assert_int_equal(backend_of(&pair).closed, 4);
	assert_int_equal(backend_of(&pair).requests, backend_of(&pair).responses);
	close_pair(&pair);
}

static void a_failed_backend_raises_no_alarm(void **state)
{
	struct pair pair = open_pair(AF_INET);

	(void)state;
	usleep(150000);
	ring_buffer__consume(harness.rings);
	harness.nr_alarms = 0;
	ask(&pair, PING);
	answer(&pair, PONG);
	ask(&pair, PING);
	reset_fd(&pair.client); /* its own reset is told by the tracepoint too */
	close_pair(&pair);
	ring_buffer__consume(harness.rings);
	assert_int_equal(harness.nr_alarms, 0);
	expect_turns(&pair, 2, 2, 1);
	expect_no_http(&pair);
}

static void a_server_of_another_protocol_takes_no_slot(void **state)
{
	struct pair client_first = open_pair(AF_INET), server_first = open_pair(AF_INET6);
	uint32_t nr_flows = harness_nr_flows(&harness);

	(void)state;
	ask(&client_first, "\x16\x03\x01\x02 hello");
	answer(&client_first, OK);
	ask(&client_first, GET);
	reset_fd(&client_first.server);
	answer(&server_first, "220 mail ESMTP\r\n");
	ask(&server_first, GET);
	reset_fd(&server_first.server);
	close_pair(&client_first);
	close_pair(&server_first);
	expect_no_http(&client_first);
	expect_no_http(&server_first);
	assert_int_equal(harness_nr_flows(&harness), nr_flows + 2); /* one for each client */
}

/* A connection made before the fork counts for who uses it. */
static void the_process_that_writes_is_the_owner(void **state)
{
	struct pair pair = open_pair(AF_INET);
	int status;
	pid_t worker = fork();

	(void)state;
	if (!worker)
		_exit(send(pair.client, PING, strlen(PING), 0) != (ssize_t)strlen(PING));
	assert_int_equal(waitpid(worker, &status, 0), worker);
	assert_int_equal(status, 0);
	hear(pair.server, strlen(PING));
	answer(&pair, PONG);
	expect_turns(&pair, 1, 1, 1);
	assert_int_equal(harness_flow(&harness, WIRE_ROLE_BACKEND, pair.port, worker).responses, 1);
	close_pair(&pair);
	assert_int_equal(harness_flow(&harness, WIRE_ROLE_BACKEND, pair.port, worker).closed, 1);
}

static void adopt_sockets(void)
{
	struct bpf_link *link = bpf_program__attach_iter(harness_files(&harness), NULL);
	char records[4096];
	int fd = bpf_iter_create(bpf_link__fd(link));

	while (read(fd, records, sizeof(records)) > 0)
		;
	close(fd);
	bpf_link__destroy(link);
}

/* Only after a whole turn it is sure that they are not in the middle of HTTP. */
static void connections_older_than_us_are_learned(void **state)
{
	(void)state;
	adopt_sockets();
	answer(&old_redis, "+OK\r\n");
	ask(&old_redis, PING);
	expect_turns(&old_redis, 0, 0, 0);
	answer(&old_redis, PONG);
	ask(&old_redis, PING);
	answer(&old_redis, PONG);
	expect_turns(&old_redis, 1, 1, 1);
	assert_int_equal(backend_of(&old_redis).opened, 1);
	assert_int_equal(harness_nr_flows(&harness), 1); /* the server's end is no client */
	expect_no_http(&old_redis);
	close_pair(&old_redis);
	assert_int_equal(backend_of(&old_redis).closed, 1);

	answer(&old_http, "rest of a response");
	answer(&old_http, "and more of it");
	ask(&old_http, GET);
	answer(&old_http, OK);
	assert_int_equal(client_of(&old_http).responses, 1);
	assert_int_equal(server_of(&old_http).responses, 1);
	assert_int_equal(backend_of(&old_http).opened, 0);
	close_pair(&old_http);
}

/* Last: it leaves no free slot for backends behind. */
static void backends_cannot_take_the_slots_of_http(void **state)
{
	int fd = bpf_map__fd(harness.bpf->maps.free_backend_slots);
	struct pair redis = open_pair(AF_INET), http = open_pair(AF_INET);
	uint32_t slot;

	(void)state;
	while (!bpf_map_lookup_and_delete_elem(fd, NULL, &slot))
		assert_true(slot >= HARNESS_FIRST_BACKEND);
	ask(&redis, PING);
	ask(&http, GET);
	answer(&http, OK);
	assert_int_equal(backend_of(&redis).opened, 0);
	assert_int_equal(client_of(&http).responses, 1);
	assert_int_equal(harness_losses(&harness, WIRE_LOSS_BACKEND_TABLE), 1);
	assert_int_equal(harness_losses(&harness, WIRE_LOSS_FLOW_TABLE), 0);
	close_pair(&redis);
	close_pair(&http);
}

static int setup(void **state)
{
	(void)state;
	if (harness_load(&harness) || harness_enter_cgroup(&harness))
		return -1;
	old_redis = open_pair(AF_INET);
	old_http = open_pair(AF_INET);
	return harness_attach(&harness);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_older_than_us_are_learned),
		cmocka_unit_test(counts_the_turns_of_a_client),
		cmocka_unit_test(counts_ipv6),
		cmocka_unit_test(a_greeting_is_no_response),
		cmocka_unit_test(pieces_of_a_message_are_one_turn),
		cmocka_unit_test(the_latency_is_that_of_the_first_byte),
		cmocka_unit_test(the_last_turn_ends_with_the_connection),
		cmocka_unit_test(open_connections_are_told_per_destination),
		cmocka_unit_test(a_failed_backend_raises_no_alarm),
		cmocka_unit_test(a_server_of_another_protocol_takes_no_slot),
		cmocka_unit_test(the_process_that_writes_is_the_owner),
		cmocka_unit_test(backends_cannot_take_the_slots_of_http),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
