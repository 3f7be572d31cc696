/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_sockets.c - the socket and HTTP programs on real loopback connections, written to in
 * crafted pieces. Both ends belong to this process, so both roles are checked at once.
 */
#include "pairs.h"

#include <sys/sendfile.h>
#include <sys/wait.h>

/* A connection made before the programs were attached. */
static struct pair old;

/* Both ends counted the same traffic, and no failure. */
static void expect_both(const struct pair *pair, uint64_t requests, uint64_t responses,
			uint64_t request_bytes, uint64_t response_bytes)
{
	struct wire_flow_stats both[2] = {server_of(pair), client_of(pair)};

	for (int i = 0; i < 2; i++) {
		assert_int_equal(both[i].requests, requests);
		assert_int_equal(both[i].responses, responses);
		assert_int_equal(both[i].request_bytes, request_bytes);
		assert_int_equal(both[i].response_bytes, response_bytes);
		assert_int_equal(sum_fails(&both[i]), 0);
		assert_int_equal(both[i].opened, 1);
	}
}

static void expect_closed(const struct pair *pair)
{
	struct wire_flow_stats server = server_of(pair), client = client_of(pair);

	assert_int_equal(server.opened, server.closed);
	assert_int_equal(client.opened, client.closed);
}

/* ---- what is counted ---- */

static void counts_a_kept_connection_on_both_sides(void **state)
{
	struct pair pair = open_pair(AF_INET);
	struct wire_flow_stats server;

	(void)state;
	for (int i = 0; i < 3; i++) {
		ask(&pair, GET);
		answer(&pair, OK);
	}
	expect_both(&pair, 3, 3, 3 * strlen(GET), 3 * strlen(OK));
	server = server_of(&pair);
	assert_int_equal(server.status[WIRE_STATUS_2XX], 3);
	assert_int_equal(server.max_request_bytes, strlen(GET));
	assert_int_not_equal(server.latency_sum_ns, 0);
	close_pair(&pair);
	expect_closed(&pair);
}

static void counts_ipv6(void **state)
{
	struct pair pair = open_pair(AF_INET6);

	(void)state;
	ask(&pair, GET);
	answer(&pair, OK);
	expect_both(&pair, 1, 1, strlen(GET), strlen(OK));
	close_pair(&pair);
}

static void counts_behind_ip_options(void **state)
{
	struct pair pair = open_pair(AF_INET);
	const uint8_t nops[8] = {1, 1, 1, 1, 1, 1, 1, 0};

	(void)state;
	assert_int_equal(setsockopt(pair.client, IPPROTO_IP, IP_OPTIONS, nops, sizeof(nops)), 0);
	assert_int_equal(setsockopt(pair.server, IPPROTO_IP, IP_OPTIONS, nops, sizeof(nops)), 0);
	ask(&pair, GET);
	answer(&pair, OK);
	expect_both(&pair, 1, 1, strlen(GET), strlen(OK));
	close_pair(&pair);
}

static void counts_one_byte_segments(void **state)
{
	struct pair pair = open_pair(AF_INET);

	(void)state;
	for (const char *byte = POST; *byte; byte++)
		ask(&pair, (const char[]){*byte, '\0'});
	for (const char *byte = OK; *byte; byte++)
		answer(&pair, (const char[]){*byte, '\0'});
	expect_both(&pair, 1, 1, strlen(POST), strlen(OK));
	close_pair(&pair);
}

static void counts_a_body_that_looks_like_a_request_as_body(void **state)
{
	struct pair pair = open_pair(AF_INET);

	(void)state;
	ask(&pair, POST);
	ask(&pair, GET);
	answer(&pair, OK);
	expect_both(&pair, 1, 1, strlen(POST) + strlen(GET), strlen(OK));
	assert_int_equal(server_of(&pair).max_request_bytes, strlen(POST) + strlen(GET));
	close_pair(&pair);
}

static void counts_pipelined_requests(void **state)
{
	struct pair pair = open_pair(AF_INET);

	(void)state;
	for (int i = 0; i < 3; i++)
		ask(&pair, GET);
	for (int i = 0; i < 3; i++)
		answer(&pair, OK);
	expect_both(&pair, 3, 3, 3 * strlen(GET), 3 * strlen(OK));
	close_pair(&pair);
	assert_int_equal(fails_of(client_of(&pair)), 0);
}

static void interim_responses_are_not_final(void **state)
{
	static const char both[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n";
	struct pair pair = open_pair(AF_INET);
	struct wire_flow_stats client;

	(void)state;
	ask(&pair, POST);
	answer(&pair, "HTTP/1.1 100 Continue\r\n\r\n");
	ask(&pair, "the body");
	answer(&pair, OK);
	ask(&pair, POST);
	answer(&pair, both);
	client = client_of(&pair);
	assert_int_equal(client.responses, 2);
	assert_int_equal(client.status[WIRE_STATUS_1XX], 2);
	assert_int_equal(client.status[WIRE_STATUS_2XX], 1);
	assert_int_equal(client.status[WIRE_STATUS_4XX], 1);
	assert_int_equal(client.response_bytes, 25 + strlen(OK) + strlen(both));
	close_pair(&pair);
}

static void gateway_statuses_are_failures(void **state)
{
	struct pair pair = open_pair(AF_INET);
	struct wire_flow_stats server;

	(void)state;
	for (int status = 500; status <= 505; status++) {
		char text[64];

		snprintf(text, sizeof(text), "HTTP/1.1 %d Reason\r\n\r\n", status);
		ask(&pair, GET);
		answer(&pair, text);
	}
	server = server_of(&pair);
	assert_int_equal(server.fail[WIRE_FAIL_STATUS], 3);
	assert_int_equal(server.status[WIRE_STATUS_502], 1);
	assert_int_equal(server.status[WIRE_STATUS_503], 1);
	assert_int_equal(server.status[WIRE_STATUS_504], 1);
	assert_int_equal(server.status[WIRE_STATUS_5XX], 3);
	assert_int_equal(client_of(&pair).fail[WIRE_FAIL_STATUS], 3);
	close_pair(&pair);
}

static void counts_a_response_by_sendfile(void **state)
{
	struct pair pair = open_pair(AF_INET);
	FILE *file = tmpfile();

	(void)state;
	fputs(OK, file);
	for (int i = 0; i < 20000; i++)
		fputs("HTTP/1.1 502", file);
	fflush(file);
	ask(&pair, GET);
	assert_int_equal(sendfile(pair.server, fileno(file), &(off_t){0}, strlen(OK) + 20000 * 12),
			 strlen(OK) + 20000 * 12);
	hear(pair.client, strlen(OK) + 20000 * 12);
	expect_both(&pair, 1, 1, strlen(GET), strlen(OK) + 20000 * 12);
	fclose(file);
	close_pair(&pair);
}

/* ---- failures ---- */

static void a_reset_before_the_response(void **state)
{
	struct pair pair = open_pair(AF_INET);
	struct wire_flow_stats server;

	(void)state;
	ask(&pair, GET);
	reset_fd(&pair.server);
	assert_int_equal(client_of(&pair).fail[WIRE_FAIL_RST_BEFORE], 1);
	assert_int_equal(client_of(&pair).fail[WIRE_FAIL_RST_REUSED], 0);
	server = server_of(&pair);
	assert_int_equal(server.requests, 1);
	assert_int_equal(server.fail[WIRE_FAIL_RST_BEFORE], 1);
	assert_int_equal(server.fail[WIRE_FAIL_RST_SENT], 1);
	close_pair(&pair);
	assert_int_equal(fails_of(client_of(&pair)), 1);
	expect_closed(&pair);
}

/* What the kernel does for a process that dies with a request unread. */
static void a_close_with_the_request_unread(void **state)
{
	struct pair pair = open_pair(AF_INET);

	(void)state;
	assert_int_equal(send(pair.client, GET, strlen(GET), 0), strlen(GET));
	usleep(10000);
	close_fd(&pair.server);
	assert_int_equal(client_of(&pair).fail[WIRE_FAIL_RST_BEFORE], 1);
	assert_int_equal(server_of(&pair).requests, 1);
	assert_int_equal(server_of(&pair).fail[WIRE_FAIL_RST_BEFORE], 1);
	close_pair(&pair);
}

static void a_fin_before_the_response(void **state)
{
	struct pair pair = open_pair(AF_INET);

	(void)state;
	ask(&pair, GET);
	close_fd(&pair.server);
	assert_int_equal(client_of(&pair).fail[WIRE_FAIL_FIN_BEFORE], 1);
	assert_int_equal(client_of(&pair).fail[WIRE_FAIL_FIN_REUSED], 0);
	assert_int_equal(server_of(&pair).fail[WIRE_FAIL_FIN_BEFORE], 1);
	close_pair(&pair);
	assert_int_equal(fails_of(client_of(&pair)), 1);
	assert_int_equal(fails_of(server_of(&pair)), 1);
	expect_closed(&pair);
}

static void a_reset_in_mid_response(void **state)
{
	struct pair pair = open_pair(AF_INET);

	(void)state;
	ask(&pair, GET);
	answer(&pair, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nbegin");
	reset_fd(&pair.server);
	assert_int_equal(client_of(&pair).fail[WIRE_FAIL_RST_MID], 1);
	assert_int_equal(server_of(&pair).fail[WIRE_FAIL_RST_SENT], 1);
	close_pair(&pair);
	assert_int_equal(fails_of(client_of(&pair)), 1);
}

/* The status line was not complete: a proxy was still reading the header. */
static void a_reset_within_the_status_line_is_before(void **state)
{
	struct pair pair = open_pair(AF_INET);

	(void)state;
	ask(&pair, GET);
	answer(&pair, "HTTP/1.1 20");
	reset_fd(&pair.server);
	assert_int_equal(client_of(&pair).fail[WIRE_FAIL_RST_BEFORE], 1);
	close_pair(&pair);
}

static void failures_of_a_reused_connection_are_marked(void **state)
{
	struct pair reset = open_pair(AF_INET), fin = open_pair(AF_INET);

	(void)state;
	ask(&reset, GET);
	answer(&reset, OK);
	ask(&reset, GET);
	reset_fd(&reset.server);
	assert_int_equal(client_of(&reset).fail[WIRE_FAIL_RST_BEFORE], 1);
	assert_int_equal(client_of(&reset).fail[WIRE_FAIL_RST_REUSED], 1);
	ask(&fin, GET);
	answer(&fin, OK);
	ask(&fin, GET);
	close_fd(&fin.server);
	assert_int_equal(client_of(&fin).fail[WIRE_FAIL_FIN_BEFORE], 1);
	assert_int_equal(client_of(&fin).fail[WIRE_FAIL_FIN_REUSED], 1);
	close_pair(&reset);
	close_pair(&fin);
}

/* The keep-alive race: the server closes the idle connection, the client writes all the same. */
static void a_request_after_the_fin_fails_once(void **state)
{
	struct pair pair = open_pair(AF_INET);
	struct wire_flow_stats client;

	(void)state;
	ask(&pair, GET);
	answer(&pair, OK);
	close_fd(&pair.server);
	usleep(1000);
	send(pair.client, GET, strlen(GET), MSG_NOSIGNAL);
	usleep(1000);
	close_pair(&pair);
	client = client_of(&pair);
	assert_int_equal(client.requests, 2);
	assert_int_equal(client.fail[WIRE_FAIL_FIN_BEFORE], 1);
	assert_int_equal(client.fail[WIRE_FAIL_FIN_REUSED], 1);
	assert_int_equal(sum_fails(&client), 2);
	expect_closed(&pair);
}

static void a_client_that_gives_up_abandons_its_request(void **state)
{
	struct pair pair = open_pair(AF_INET);

	(void)state;
	ask(&pair, GET);
	close_fd(&pair.client);
	close_pair(&pair);
	assert_int_equal(client_of(&pair).fail[WIRE_FAIL_ABANDONED], 1);
	assert_int_equal(fails_of(client_of(&pair)), 1);
	assert_int_equal(server_of(&pair).fail[WIRE_FAIL_ABANDONED], 1);
	expect_closed(&pair);
}

static void a_client_that_only_stops_sending_gets_its_answer(void **state)
{
	struct pair pair = open_pair(AF_INET);

	(void)state;
	ask(&pair, GET);
	shutdown(pair.client, SHUT_WR);
	answer(&pair, OK);
	close_fd(&pair.server);
	expect_both(&pair, 1, 1, strlen(GET), strlen(OK));
	close_pair(&pair);
	assert_int_equal(fails_of(client_of(&pair)), 0);
}

static void closing_idle_connections_is_no_failure(void **state)
{
	struct pair pair = open_pair(AF_INET);

	(void)state;
	ask(&pair, GET);
	answer(&pair, OK);
	close_fd(&pair.server);
	close_fd(&pair.client);
	expect_both(&pair, 1, 1, strlen(GET), strlen(OK));
	close_pair(&pair);
	expect_closed(&pair);
}

static void a_refused_connect(void **state)
{
	uint16_t port;
	int listener = open_listener(AF_INET, &port);
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct wire_flow_stats client;
	int fd;

	(void)state;
	close(listener);
	address.sin_port = htons(port);
	for (int i = 0; i < 3; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), -1);
		close(fd);
	}
	client = harness_flow(&harness, WIRE_ROLE_CLIENT, port, getpid());
	assert_int_equal(client.fail[WIRE_FAIL_REFUSED], 3);
	assert_int_equal(client.requests, 0);
	assert_int_equal(client.opened, 3);
	assert_int_equal(client.closed, 3);
}

/* A full accept queue drops the SYN; who gives up at once raced another address. */
static void a_connect_given_up_late_timed_out(void **state)
{
	uint16_t port;
	int listener = open_listener(AF_INET, &port);
	int fds[6];

	(void)state;
	listen(listener, 0);
	for (int i = 0; i < 6; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect_to(listener, fds[i]);
	}
	close(fds[5]);
	assert_int_equal(
		harness_flow(&harness, WIRE_ROLE_CLIENT, port, 0).fail[WIRE_FAIL_CONNECT_TIMEOUT],
		0);
	usleep(150000);
	for (int i = 0; i < 5; i++)
		close(fds[i]);
	assert_in_range(
		harness_flow(&harness, WIRE_ROLE_CLIENT, port, 0).fail[WIRE_FAIL_CONNECT_TIMEOUT],
		3, 4);
	close(listener);
}

/* Only a client with a flow to that server was about to speak HTTP. */
static void a_reset_before_any_byte_counts_for_known_flows(void **state)
{
	struct pair pair = open_pair(AF_INET);
	int fd = socket(AF_INET, SOCK_STREAM, 0), accepted;

	(void)state;
	connect_to(pair.listener, fd);
	accepted = accept(pair.listener, NULL, NULL);
	reset_fd(&accepted);
	close(fd);
	assert_int_equal(client_of(&pair).fail[WIRE_FAIL_RST_BEFORE], 0);
	ask(&pair, GET);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	connect_to(pair.listener, fd);
	accepted = accept(pair.listener, NULL, NULL);
	reset_fd(&accepted);
	close(fd);
	assert_int_equal(client_of(&pair).fail[WIRE_FAIL_RST_BEFORE], 1);
	assert_int_equal(client_of(&pair).requests, 2);
	close_pair(&pair);
	expect_closed(&pair);
}

/* ---- owners, slots, events ---- */

static void run_worker(const struct pair *pair)
{
	char buffer[sizeof(GET)];

	if (recv(pair->server, buffer, strlen(GET), MSG_WAITALL) != (ssize_t)strlen(GET) ||
	    send(pair->server, OK, strlen(OK), 0) != (ssize_t)strlen(OK))
		_exit(1);
	_exit(0);
}

/* The listener's creator is not the process that serves. */
static void the_worker_that_reads_is_the_owner(void **state)
{
	struct pair pair = open_pair(AF_INET);
	int status;
	pid_t worker;

	(void)state;
	worker = fork();
	if (!worker)
		run_worker(&pair);
	assert_int_equal(send(pair.client, GET, strlen(GET), 0), strlen(GET));
	hear(pair.client, strlen(OK));
	assert_int_equal(waitpid(worker, &status, 0), worker);
	assert_int_equal(status, 0);
	assert_int_equal(harness_flow(&harness, WIRE_ROLE_SERVER, pair.port, worker).requests, 1);
	assert_int_equal(harness_flow(&harness, WIRE_ROLE_SERVER, pair.port, worker).responses, 1);
	assert_int_equal(harness_flow(&harness, WIRE_ROLE_SERVER, pair.port, getpid()).requests, 0);
	assert_int_equal(harness_flow(&harness, WIRE_ROLE_CLIENT, pair.port, getpid()).requests, 1);
	close_pair(&pair);
}

/* In flight is visible as soon as the owner is: at the read. */
static void a_request_counts_when_it_is_read(void **state)
{
	struct pair pair = open_pair(AF_INET);

	(void)state;
	assert_int_equal(send(pair.client, GET, strlen(GET), 0), strlen(GET));
	assert_int_equal(server_of(&pair).requests, 0);
	hear(pair.server, strlen(GET));
	assert_int_equal(server_of(&pair).requests, 1);
	assert_int_equal(server_of(&pair).request_bytes, strlen(GET));
	close_pair(&pair);
}

static uint32_t adopt_sockets(void)
{
	struct bpf_program *program = harness_files(&harness);
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	struct wire_socket sockets[32];
	uint32_t nr_old = 0;
	ssize_t size;
	int fd = bpf_iter_create(bpf_link__fd(link));

	while ((size = read(fd, sockets, sizeof(sockets))) > 0) {
		for (size_t i = 0; i < (size_t)size / sizeof(sockets[0]); i++)
			nr_old += sockets[i].owner.tgid == (uint32_t)getpid() &&
				  (sockets[i].local.port == old.port ||
				   sockets[i].remote.port == old.port);
	}
	close(fd);
	bpf_link__destroy(link);
	return nr_old;
}

static void sockets_older_than_us_are_adopted(void **state)
{
	(void)state;
	assert_int_equal(adopt_sockets(), 3); /* listener, both ends */
	answer(&old, "rest of a response that began before");
	ask(&old, GET);
	answer(&old, OK);
	expect_both(&old, 1, 1, strlen(GET), strlen(OK));
	assert_int_equal(harness_flow(&harness, WIRE_ROLE_SERVER, old.port, getpid()).requests, 1);
	ask(&old, GET);
	reset_fd(&old.server);
	assert_int_equal(client_of(&old).fail[WIRE_FAIL_RST_REUSED], 1);
	close_pair(&old);
	expect_closed(&old);
}

static void listeners_are_told(void **state)
{
	uint16_t port;
	int listener;

	(void)state;
	ring_buffer__consume(harness.rings);
	memset(harness.nr_listeners, 0, sizeof(harness.nr_listeners));
	listener = open_listener(AF_INET, &port);
	ring_buffer__consume(harness.rings);
	assert_int_equal(harness.nr_listeners[WIRE_LISTENER_UP], 1);
	assert_int_equal(harness.nr_listeners[WIRE_LISTENER_DOWN], 0);
	close(listener);
	ring_buffer__consume(harness.rings);
	assert_int_equal(harness.nr_listeners[WIRE_LISTENER_DOWN], 1);
}

static void alarms_are_rare(void **state)
{
	struct pair pair = open_pair(AF_INET);

	(void)state;
	usleep(150000);
	ring_buffer__consume(harness.rings);
	harness.nr_alarms = 0;
	for (int i = 0; i < 50; i++) {
		ask(&pair, GET);
		answer(&pair, "HTTP/1.1 503 Busy\r\n\r\n");
	}
	ring_buffer__consume(harness.rings);
	assert_in_range(harness.nr_alarms, 1, 4 * harness.nr_cpus);
	close_pair(&pair);
}

/* Last: it leaves no free slot behind. */
static void without_a_free_slot_the_overflow_slot_counts(void **state)
{
	struct wire_flow_stats overflow = {0};
	struct pair pair = open_pair(AF_INET);
	uint32_t slot;

	(void)state;
	while (!bpf_map_lookup_and_delete_elem(bpf_map__fd(harness.bpf->maps.free_flow_slots), NULL,
					       &slot))
		;
	ask(&pair, GET);
	answer(&pair, OK);
	close_pair(&pair);
	harness_add_slot(&harness, WIRE_FLOW_OVERFLOW_SLOT, &overflow);
	assert_int_equal(overflow.requests, 2);
	assert_int_equal(overflow.responses, 2);
	assert_int_equal(overflow.opened, overflow.closed);
	assert_int_equal(harness_losses(&harness, WIRE_LOSS_FLOW_TABLE), 2);
}

static int setup(void **state)
{
	(void)state;
	if (harness_load(&harness) || harness_enter_cgroup(&harness))
		return -1;
	old = open_pair(AF_INET);
	return harness_attach(&harness);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets_older_than_us_are_adopted),
		cmocka_unit_test(counts_a_kept_connection_on_both_sides),
		cmocka_unit_test(counts_ipv6),
		cmocka_unit_test(counts_behind_ip_options),
		cmocka_unit_test(counts_one_byte_segments),
		cmocka_unit_test(counts_a_body_that_looks_like_a_request_as_body),
		cmocka_unit_test(counts_pipelined_requests),
		cmocka_unit_test(interim_responses_are_not_final),
		cmocka_unit_test(gateway_statuses_are_failures),
		cmocka_unit_test(counts_a_response_by_sendfile),
		cmocka_unit_test(a_reset_before_the_response),
		cmocka_unit_test(a_close_with_the_request_unread),
		cmocka_unit_test(a_fin_before_the_response),
		cmocka_unit_test(a_reset_in_mid_response),
		cmocka_unit_test(a_reset_within_the_status_line_is_before),
		cmocka_unit_test(failures_of_a_reused_connection_are_marked),
		cmocka_unit_test(a_request_after_the_fin_fails_once),
		cmocka_unit_test(a_client_that_gives_up_abandons_its_request),
		cmocka_unit_test(a_client_that_only_stops_sending_gets_its_answer),
		cmocka_unit_test(closing_idle_connections_is_no_failure),
		cmocka_unit_test(a_refused_connect),
		cmocka_unit_test(a_connect_given_up_late_timed_out),
		cmocka_unit_test(a_reset_before_any_byte_counts_for_known_flows),
		cmocka_unit_test(the_worker_that_reads_is_the_owner),
		cmocka_unit_test(a_request_counts_when_it_is_read),
		cmocka_unit_test(listeners_are_told),
		cmocka_unit_test(alarms_are_rare),
		cmocka_unit_test(without_a_free_slot_the_overflow_slot_counts),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
