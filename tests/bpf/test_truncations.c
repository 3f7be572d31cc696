/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_truncations.c - servers that end while a response is under way: what is a truncation, what
 * is none, and that client and server never count one truncation twice.
 */
#include "pairs.h"

#include <linux/sockios.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#define LARGE_HEAD "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"

/* A server in a process of its own, which alone holds its end of the connection. */
struct served {
	struct pair pair;
	pid_t server;
	int ready; /* a byte comes when it is done */
};

typedef void (*serve_fn)(int fd);

static void serve(const struct pair *pair, int ready, serve_fn fn)
{
	char buffer[sizeof(GET)];
	int fd = accept(pair->listener, NULL, NULL);

	if (recv(fd, buffer, strlen(GET), MSG_WAITALL) != (ssize_t)strlen(GET))
		_exit(1);
	fn(fd);
	if (write(ready, "", 1) != 1)
		_exit(1);
	pause();
	_exit(0);
}

static struct served start(serve_fn fn)
{
	struct served served = {.pair.server = -1};
	char byte;
	int ready[2], one = 1;

	served.pair.listener = open_listener(AF_INET, &served.pair.port);
	assert_int_equal(pipe(ready), 0);
	served.server = fork();
	if (!served.server)
		serve(&served.pair, ready[1], fn);
	close(ready[1]);
	served.ready = ready[0];
	served.pair.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(served.pair.client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	assert_int_equal(connect_to(served.pair.listener, served.pair.client), 0);
	assert_int_equal(send(served.pair.client, GET, strlen(GET), 0), strlen(GET));
	assert_int_equal(read(served.ready, &byte, 1), 1);
	return served;
}

static void end(struct served *served)
{
	int status;

	kill(served->server, SIGKILL);
	assert_int_equal(waitpid(served->server, &status, 0), served->server);
}

static void finish(struct served *served)
{
	close(served->ready);
	close_pair(&served->pair);
}

/* All that comes until the end of file, or -1 for a reset. */
static ssize_t drain(int fd)
{
	char buffer[65536];
	ssize_t sum = 0, nr;

	while ((nr = recv(fd, buffer, sizeof(buffer), 0)) > 0)
		sum += nr;
	return nr < 0 ? -1 : sum;
}

static uint64_t truncated_by_server(const struct served *served)
{
	return harness_flow(&harness, WIRE_ROLE_SERVER, served->pair.port, served->server)
		.fail[WIRE_FAIL_FIN_MID];
}

static uint64_t truncated_by_reset(const struct served *served)
{
	return client_of(&served->pair).fail[WIRE_FAIL_RST_MID];
}

/* ---- what the server does before it ends ---- */

/* More than the client takes: it never reads. */
static void fill(int fd)
{
	static const char body[65536];

	if (send(fd, LARGE_HEAD, strlen(LARGE_HEAD), 0) < 0)
		_exit(1);
	while (send(fd, body, sizeof(body), MSG_DONTWAIT) > 0)
		;
}

static void fill_and_close(int fd)
{
	fill(fd);
	close(fd);
}

/* Complete, but the first half waits for a delayed ACK, and the second, held by Nagle, for that. */
static void answer_in_halves(int fd)
{
	size_t half = strlen(OK) / 2;
	int zero = 0, unsent = 0;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &zero, sizeof(zero));
	if (send(fd, OK, half, 0) < 0 || send(fd, OK + half, strlen(OK) - half, 0) < 0)
		_exit(1);
	if (ioctl(fd, SIOCOUTQNSD, &unsent) || !unsent)
		_exit(1);
}

/* Waits until the client has acknowledged, or not. */
static void answer_some(int fd)
{
	int unacked = 1;

	if (send(fd, LARGE_HEAD, strlen(LARGE_HEAD), 0) < 0)
		_exit(1);
	while (!ioctl(fd, SIOCOUTQ, &unacked) && unacked)
		usleep(1000);
}

/* ---- tests ---- */

static void a_killed_server_that_could_not_write_all(void **state)
{
	struct served served = start(fill);

	(void)state;
	assert_int_equal(truncated_by_server(&served), 0);
	end(&served);
	assert_int_equal(truncated_by_server(&served), 1);
	assert_in_range(drain(served.pair.client), strlen(LARGE_HEAD) + 65536, 500000000);
	finish(&served);
	assert_int_equal(truncated_by_server(&served), 1);
	assert_int_equal(truncated_by_reset(&served), 0);
	assert_int_equal(fails_of(client_of(&served.pair)), 0);
	assert_int_equal(fails_of(server_of(&served.pair)), 1);
}

/* The kernel resets where bytes were left unread: then the client knows, and it alone counts. */
static void a_killed_server_with_unread_bytes_resets(void **state)
{
	struct served served = start(fill);

	(void)state;
	assert_int_equal(send(served.pair.client, "more", 4, 0), 4);
	usleep(10000);
	end(&served);
	assert_int_equal(truncated_by_server(&served), 0);
	assert_int_equal(truncated_by_reset(&served), 1);
	finish(&served);
	assert_int_equal(truncated_by_server(&served) + truncated_by_reset(&served), 1);
}

/* What it wrote is on its way, and who closes alive has its reasons. */
static void a_close_by_a_living_server_is_none(void **state)
{
	struct served served = start(fill_and_close);

	(void)state;
	end(&served);
	assert_int_equal(truncated_by_server(&served), 0);
	finish(&served);
}

static void a_complete_answer_not_yet_sent_is_none(void **state)
{
	struct pair pair = open_pair(AF_INET);
	int zero = 0, status;
	pid_t server;

	(void)state;
	ask(&pair, GET);
	answer(&pair, OK);
	setsockopt(pair.client, IPPROTO_TCP, TCP_QUICKACK, &zero, sizeof(zero));
	ask(&pair, GET);
	server = fork();
	if (!server) {
		answer_in_halves(pair.server);
		_exit(0);
	}
	close_fd(&pair.server); /* the child holds the last reference */
	assert_int_equal(waitpid(server, &status, 0), server);
	assert_int_equal(status, 0);
	assert_int_equal(drain(pair.client), strlen(OK));
	assert_int_equal(server_of(&pair).responses, 2);
	assert_int_equal(fails_of(server_of(&pair)), 0);
	assert_int_equal(fails_of(client_of(&pair)), 0);
	close_pair(&pair);
}

/* A limit: a head that was sent ahead of its body is not searched for the length. */
static void a_body_of_unknown_length_that_stopped_is_not_seen(void **state)
{
	struct served served = start(answer_some);

	(void)state;
	end(&served);
	assert_int_equal(drain(served.pair.client), strlen(LARGE_HEAD));
	finish(&served);
	assert_int_equal(fails_of(client_of(&served.pair)), 0);
	assert_int_equal(fails_of(server_of(&served.pair)), 0);
}

/* ---- known lengths ---- */

#define PIECE 4096

/* A head that announces `length`, with the beginning of a body: PIECE bytes in all. */
static const char *long_answer(const char *length, const char *fields)
{
	static char text[PIECE + 1];
	int size = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\n%scontent-length: %s\r\n\r\n",
			    fields, length);

	memset(text + size, 'x', PIECE - (size_t)size);
	return text;
}

static void send_piece(int fd, const char *text)
{
	int unacked = 1;

	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		_exit(1);
	while (!ioctl(fd, SIOCOUTQ, &unacked) && unacked)
		usleep(1000);
}

static void trickle(int fd)
{
	send_piece(fd, long_answer("100000", ""));
	for (int i = 0; i < 5; i++)
		send_piece(fd, long_answer("0", "") + 100);
}

/* More than the client takes, at the first write and later. */
static void fill_measured(int fd)
{
	static const char body[65536];

	if (send(fd, long_answer("1000000000", ""), PIECE, 0) < 0)
		_exit(1);
	while (send(fd, body, sizeof(body), MSG_DONTWAIT) > 0)
		;
}

static void a_trickled_body_that_stops_is_the_clients_to_count(void **state)
{
	struct served served = start(trickle);

	(void)state;
	assert_int_equal(fails_of(client_of(&served.pair)), 0);
	end(&served);
	assert_int_equal(drain(served.pair.client), PIECE + 5 * (PIECE - 100));
	assert_int_equal(client_of(&served.pair).fail[WIRE_FAIL_FIN_MID], 1);
	finish(&served);
	assert_int_equal(fails_of(client_of(&served.pair)), 1);
	assert_int_equal(fails_of(server_of(&served.pair)), 0);
}

/* Also where the server still held back some of it: only one of both counts. */
static void a_measured_truncation_counts_once(void **state)
{
	struct served served = start(fill_measured);

	(void)state;
	end(&served);
	assert_in_range(drain(served.pair.client), PIECE + 65536, 500000000);
	finish(&served);
	assert_int_equal(client_of(&served.pair).fail[WIRE_FAIL_FIN_MID], 1);
	assert_int_equal(fails_of(client_of(&served.pair)), 1);
	assert_int_equal(fails_of(server_of(&served.pair)), 0);
}

/* The answer, `more` bytes after it, then a FIN of the server. What the client counts. */
static struct wire_flow_stats cut(struct pair *pair, const char *request, const char *text,
				  int more)
{
	ask(pair, request);
	answer(pair, text);
	for (; more > 0; more -= PIECE)
		answer(pair, long_answer("0", "") + (more < PIECE ? PIECE - more : 0));
	close_fd(&pair->server);
	assert_int_equal(drain(pair->client), 0);
	assert_int_equal(fails_of(server_of(pair)), 0);
	close_pair(pair);
	return client_of(pair);
}

static struct wire_flow_stats cut_new(const char *request, const char *text, int more)
{
	struct pair pair = open_pair(AF_INET);

	return cut(&pair, request, text, more);
}

static int head_size(const char *text)
{
	return (int)(strstr(text, "\r\n\r\n") + 4 - text);
}

static void only_the_last_byte_makes_a_body_whole(void **state)
{
	char length[16];
	int size = head_size(long_answer("9000", ""));

	(void)state;
	for (int missing = 0; missing <= 1; missing++) {
		struct wire_flow_stats stats;

		snprintf(length, sizeof(length), "%d", PIECE + 5000 - size + missing);
		stats = cut_new(GET, long_answer(length, ""), 5000);
		assert_int_equal(stats.fail[WIRE_FAIL_FIN_MID], missing);
		assert_int_equal(fails_of(stats), missing);
	}
}

static void answers_of_no_known_length_are_not_cut(void **state)
{
	static const char *const numbers[] = {"4294967396",
					      "99999999999999999999",
					      "2147483648",
					      "18446744073709551715",
					      "-5",
					      "5000, 5000",
					      ""};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		assert_int_equal(fails_of(cut_new(GET, long_answer(numbers[i], ""), 0)), 0);
	assert_int_equal(fails_of(cut_new(GET, long_answer("9000", "Content-Length: 1\r\n"), 0)),
			 0);
	assert_int_equal(
		fails_of(cut_new(GET, long_answer("9000", "Transfer-Encoding: chunked\r\n"), 0)),
		0);
	assert_int_equal(fails_of(cut_new(GET, long_answer("5\r\nX: 9000", ""), 0)), 0);
	assert_int_equal(fails_of(cut_new("HEAD / HTTP/1.1\r\n\r\n", long_answer("9000", ""), 0)),
			 0);
}

static void each_answer_of_a_kept_connection_is_measured(void **state)
{
	struct pair pair = open_pair(AF_INET6);
	struct wire_flow_stats stats;

	(void)state;
	ask(&pair, GET);
	answer(&pair, long_answer("8000", ""));
	answer(&pair, long_answer("0", ""));
	ask(&pair, GET);
	answer(&pair, OK);
	ask(&pair, POST);
	stats = cut(&pair, "the body of the request", long_answer("9000", ""), 0);
	assert_int_equal(stats.fail[WIRE_FAIL_FIN_MID], 1);
	assert_int_equal(fails_of(stats), 1);
}

/* A whole answer after a long one: the end that was expected before is forgotten. */
static void a_short_answer_ends_what_was_expected(void **state)
{
	struct pair pair = open_pair(AF_INET);

	(void)state;
	ask(&pair, GET);
	answer(&pair, long_answer("900000", ""));
	assert_int_equal(fails_of(cut(&pair, GET, OK, 0)), 0);
}

static void a_reset_or_a_close_of_the_client_is_no_fin(void **state)
{
	struct pair pair = open_pair(AF_INET);
	struct wire_flow_stats stats;

	(void)state;
	ask(&pair, GET);
	answer(&pair, long_answer("9000", ""));
	reset_fd(&pair.server);
	usleep(10000);
	stats = client_of(&pair);
	assert_int_equal(stats.fail[WIRE_FAIL_RST_MID], 1);
	assert_int_equal(stats.fail[WIRE_FAIL_FIN_MID], 0);
	close_pair(&pair);
	pair = open_pair(AF_INET);
	ask(&pair, GET);
	answer(&pair, long_answer("9000", ""));
	close_fd(&pair.client);
	usleep(10000);
	close_pair(&pair);
	assert_int_equal(fails_of(client_of(&pair)), 0);
}

static int setup(void **state)
{
	(void)state;
	if (harness_load(&harness) || harness_enter_cgroup(&harness))
		return -1;
	return harness_attach(&harness);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_killed_server_that_could_not_write_all),
		cmocka_unit_test(a_killed_server_with_unread_bytes_resets),
		cmocka_unit_test(a_close_by_a_living_server_is_none),
		cmocka_unit_test(a_complete_answer_not_yet_sent_is_none),
		cmocka_unit_test(a_body_of_unknown_length_that_stopped_is_not_seen),
		cmocka_unit_test(a_trickled_body_that_stops_is_the_clients_to_count),
		cmocka_unit_test(a_measured_truncation_counts_once),
		cmocka_unit_test(only_the_last_byte_makes_a_body_whole),
		cmocka_unit_test(answers_of_no_known_length_are_not_cut),
		cmocka_unit_test(each_answer_of_a_kept_connection_is_measured),
		cmocka_unit_test(a_short_answer_ends_what_was_expected),
		cmocka_unit_test(a_reset_or_a_close_of_the_client_is_no_fin),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
