/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pairs.h - real loopback connections for tests, written to in crafted pieces, and what was counted
 * of them. Both ends belong to the test, so both roles are checked at once.
 */
#ifndef MEMSWELL_TEST_PAIRS_H
#define MEMSWELL_TEST_PAIRS_H

#include "harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define GET  "GET /cart HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST /cart HTTP/1.1\r\nContent-Length: 40\r\n\r\n"
#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

struct pair {
	int listener;
	int client;
	int server;
	uint16_t port;
};

/* Bound to a port that this program never had: counters are found by port, and they stay. */
static inline int bind_new_port(const struct sockaddr_in6 *wanted, socklen_t size, uint16_t *port)
{
	static bool had[65536];
	struct sockaddr_in6 address;
	int fd;

	for (;;) {
		address = *wanted;
		fd = socket(wanted->sin6_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
		assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
		*port = ntohs(address.sin6_port);
		if (!had[*port])
			break;
		close(fd);
	}
	had[*port] = true;
	return fd;
}

static inline int open_listener(int family, uint16_t *port)
{
	struct sockaddr_in6 address = {.sin6_family = (sa_family_t)family};
	socklen_t size = family == AF_INET6 ? sizeof(address) : sizeof(struct sockaddr_in);
	int fd;

	if (family == AF_INET6)
		address.sin6_addr = in6addr_loopback;
	else
		((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = bind_new_port(&address, size, port);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static inline int connect_to(int listener, int fd)
{
	struct sockaddr_in6 address;
	socklen_t size = sizeof(address);

	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	return connect(fd, (struct sockaddr *)&address, size);
}

static inline struct pair open_pair(int family)
{
	struct pair pair;
	int one = 1;

	pair.listener = open_listener(family, &pair.port);
	pair.client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(pair.client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	assert_int_equal(connect_to(pair.listener, pair.client), 0);
	pair.server = accept(pair.listener, NULL, NULL);
	assert_true(pair.server >= 0);
	setsockopt(pair.server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return pair;
}

static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Abort with a reset instead of a FIN. */
static inline void reset_fd(int *fd)
{
	struct linger linger = {.l_onoff = 1};

	setsockopt(*fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close_fd(fd);
}

static inline void close_pair(struct pair *pair)
{
	close_fd(&pair->client);
	close_fd(&pair->server);
	close_fd(&pair->listener);
}

static inline void hear(int fd, size_t bytes)
{
	char buffer[4096];

	while (bytes) {
		ssize_t nr = recv(fd, buffer, bytes < sizeof(buffer) ? bytes : sizeof(buffer), 0);

		assert_true(nr > 0);
		bytes -= (size_t)nr;
	}
}

/* Send as one segment and wait until the other end has it. */
static inline void say(int from, int to, const char *text)
{
	assert_int_equal(send(from, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	hear(to, strlen(text));
}

static inline void ask(const struct pair *pair, const char *text)
{
	say(pair->client, pair->server, text);
}

static inline void answer(const struct pair *pair, const char *text)
{
	say(pair->server, pair->client, text);
}

static inline struct wire_flow_stats server_of(const struct pair *pair)
{
	return harness_flow(&harness, WIRE_ROLE_SERVER, pair->port, 0);
}

static inline struct wire_flow_stats client_of(const struct pair *pair)
{
	return harness_flow(&harness, WIRE_ROLE_CLIENT, pair->port, 0);
}

static inline uint64_t sum_fails(const struct wire_flow_stats *stats)
{
	uint64_t sum = 0;

	for (int i = 0; i < NR_WIRE_FAILS; i++)
		sum += stats->fail[i];
	return sum;
}

static inline uint64_t fails_of(struct wire_flow_stats stats)
{
	return sum_fails(&stats);
}

#endif
