/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_connects.c - connects that fail, and why: at a full accept queue, in the network, for want
 * of a local port.
 */
#include "pairs.h"

#include <linux/if.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#define MAX_CONNECTS 8

/* Clients that nobody accepts. */
struct crowd {
	int fds[MAX_CONNECTS];
	int nr;
};

/* A listener of any address, with room for two: one more than it asks for. */
static int open_small_listener(int family, uint16_t *port)
{
	struct sockaddr_in6 address = {.sin6_family = (sa_family_t)family}; /* any, in both */
	socklen_t size = family == AF_INET6 ? sizeof(address) : sizeof(struct sockaddr_in);
	int fd = bind_new_port(&address, size, port);

	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static struct sockaddr_in loopback(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons(port)};

	return address;
}

static void add_client(struct crowd *crowd, uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), -1);
	assert_int_equal(errno, EINPROGRESS);
	crowd->fds[crowd->nr++] = fd;
}

static void dismiss(struct crowd *crowd)
{
	for (int i = 0; i < crowd->nr; i++)
		close(crowd->fds[i]);
	crowd->nr = 0;
}

static uint64_t overflows(uint16_t port, pid_t pid)
{
	return harness_flow(&harness, WIRE_ROLE_SERVER, port, pid).fail[WIRE_FAIL_ACCEPT_FULL];
}

/* Once per SYN that is dropped; TCP repeats one after a second. */
static void a_full_accept_queue_counts_each_syn(int family)
{
	uint32_t nr_flows = harness_nr_flows(&harness);
	struct crowd crowd = {.nr = 0};
	struct wire_flow_stats server;
	struct pair pair;

	pair.listener = open_small_listener(family, &pair.port);
	add_client(&crowd, pair.port);
	add_client(&crowd, pair.port);
	assert_int_equal(overflows(pair.port, 0), 0);
	assert_int_equal(harness_nr_flows(&harness), nr_flows);
	add_client(&crowd, pair.port);
	assert_int_equal(overflows(pair.port, getpid()), 1);
	add_client(&crowd, pair.port);
	assert_int_equal(overflows(pair.port, getpid()), 2);
	server = server_of(&pair);
	assert_int_equal(server.opened, server.closed);
	assert_int_equal(server.opened, 1); /* so that user space finds the slot */
	assert_int_equal(harness_nr_flows(&harness), nr_flows + 1);

	/* accepted sockets have the same flow, and are followed from their first byte */
	pair.client = crowd.fds[0];
	pair.server = accept(pair.listener, NULL, NULL);
	fcntl(pair.client, F_SETFL, 0);
	ask(&pair, GET);
	answer(&pair, OK);
	server = server_of(&pair);
	assert_int_equal(server.responses, 1);
	assert_int_equal(server.opened, 2);
	assert_int_equal(server.closed, 1);
	assert_int_equal(harness_nr_flows(&harness), nr_flows + 2); /* and the client's */
	assert_int_equal(overflows(pair.port, 0), 2);
	dismiss(&crowd);
	close(pair.server);
	close(pair.listener);
	assert_int_equal(server_of(&pair).closed, 2);
}

static void a_full_accept_queue_counts_at_the_server(void **state)
{
	(void)state;
	a_full_accept_queue_counts_each_syn(AF_INET);
}

static void a_full_accept_queue_of_both_families(void **state)
{
	(void)state;
	a_full_accept_queue_counts_each_syn(AF_INET6);
}

/* Who accepts is another process; who made the listener answers for all. */
static void a_full_accept_queue_counts_for_its_creator(void **state)
{
	struct crowd crowd = {.nr = 0};
	struct pair pair;
	char buffer[sizeof(GET)];
	int status;
	pid_t worker;

	(void)state;
	pair.listener = open_small_listener(AF_INET, &pair.port);
	for (int i = 0; i < 3; i++)
		add_client(&crowd, pair.port);
	worker = fork();
	if (!worker) {
		int fd = accept(pair.listener, NULL, NULL);

		recv(fd, buffer, strlen(GET), MSG_WAITALL);
		_exit(send(fd, OK, strlen(OK), 0) != (ssize_t)strlen(OK));
	}
	fcntl(crowd.fds[0], F_SETFL, 0);
	assert_int_equal(send(crowd.fds[0], GET, strlen(GET), 0), strlen(GET));
	hear(crowd.fds[0], strlen(OK));
	assert_int_equal(waitpid(worker, &status, 0), worker);
	assert_int_equal(status, 0);
	assert_int_equal(overflows(pair.port, getpid()), 1);
	assert_int_equal(overflows(pair.port, worker), 0);
	assert_int_equal(harness_flow(&harness, WIRE_ROLE_SERVER, pair.port, worker).responses, 1);
	dismiss(&crowd);
	close(pair.listener);
}

/* ---- the network's answers ---- */

struct datagram {
	struct iphdr ip;
	struct tcphdr tcp;
};

/* The next SYN that comes in for that port. */
static struct datagram catch_syn(int raw, uint16_t port)
{
	struct datagram datagram;

	do {
		assert_true(recv(raw, &datagram, sizeof(datagram), 0) == sizeof(datagram));
	} while (datagram.tcp.dest != htons(port) || !datagram.tcp.syn || datagram.tcp.ack);
	return datagram;
}

static uint16_t checksum(const void *data, size_t size)
{
	const uint16_t *words = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < size / 2; i++)
		sum += words[i];
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t) ~(sum + (sum >> 16));
}

/* As a router would say it of that packet. */
static void send_unreachable(const struct datagram *datagram, uint8_t code)
{
	struct {
		struct icmphdr icmp;
		struct datagram cause;
	} message = {.icmp = {.type = ICMP_DEST_UNREACH, .code = code}, .cause = *datagram};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = datagram->ip.saddr};
	int raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	message.icmp.checksum = checksum(&message, sizeof(message));
	assert_int_equal(sendto(raw, &message, sizeof(message), 0, (struct sockaddr *)&address,
				sizeof(address)),
			 sizeof(message));
	close(raw);
}

/* Of a connect that has not ended otherwise; on a busy machine the answer takes a moment. */
static int socket_error(int fd)
{
	struct pollfd waiting = {.fd = fd};
	socklen_t size = sizeof(int);
	int err = 0;

	poll(&waiting, 1, 2000);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size);
	return err;
}

static void what_the_network_refuses_is_unreachable(void **state)
{
	static const struct {
		uint8_t code;
		int err;
		enum wire_fail fail;
	} answers[] = {
		{ICMP_HOST_UNREACH, EHOSTUNREACH, WIRE_FAIL_UNREACHABLE},
		{ICMP_NET_UNREACH, ENETUNREACH, WIRE_FAIL_UNREACHABLE},
		{ICMP_HOST_UNKNOWN, EHOSTDOWN, WIRE_FAIL_UNREACHABLE},
		{ICMP_HOST_ISOLATED, ENONET, WIRE_FAIL_UNREACHABLE},
		{ICMP_PORT_UNREACH, ECONNREFUSED, WIRE_FAIL_REFUSED},
		{ICMP_PROT_UNREACH, ENOPROTOOPT, WIRE_FAIL_CONNECT_TIMEOUT},
	};
	int raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP);

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct crowd crowd = {.nr = 0};
		struct wire_flow_stats client;
		struct datagram syn;
		uint16_t port;
		int listener = open_small_listener(AF_INET, &port);

		for (int k = 0; k < 3; k++) { /* the third finds no room and waits */
			add_client(&crowd, port);
			syn = catch_syn(raw, port);
		}
		send_unreachable(&syn, answers[i].code);
		assert_int_equal(socket_error(crowd.fds[2]), answers[i].err);
		client = harness_flow(&harness, WIRE_ROLE_CLIENT, port, getpid());
		assert_int_equal(client.fail[answers[i].fail], 1);
		assert_int_equal(sum_fails(&client), 1);
		assert_int_equal(client.opened, client.closed);
		dismiss(&crowd);
		close(listener);
	}
	close(raw);
}

/* ---- local ports ---- */

#define ONLY_PORT "40000 40000\n"
#define TARGET	  18080

/* A network of its own, where one port is all there is to connect from. */
static int enter_small_network(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd, err;

	if (unshare(CLONE_NEWNET))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	err = ioctl(fd, SIOCSIFFLAGS, &lo);
	close(fd);
	fd = open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY);
	if (err || write(fd, ONLY_PORT, strlen(ONLY_PORT)) != (ssize_t)strlen(ONLY_PORT))
		return -1;
	close(fd);
	return 0;
}

/* The errno of a connect() from that network. */
static int connect_from_small(bool blocking, int *fd)
{
	struct sockaddr_in address = loopback(TARGET);

	*fd = socket(AF_INET, SOCK_STREAM | (blocking ? 0 : SOCK_NONBLOCK), 0);
	return connect(*fd, (struct sockaddr *)&address, sizeof(address)) ? errno : 0;
}

static void use_up_ports(void)
{
	struct sockaddr_in address = loopback(TARGET);
	int listener, fd;

	if (enter_small_network())
		_exit(1);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 8))
		_exit(2);
	if (connect_from_small(true, &fd) || accept(listener, NULL, NULL) < 0)
		_exit(3);
	if (connect_from_small(true, &fd) != EADDRNOTAVAIL)
		_exit(4);
	close(fd);
	if (connect_from_small(false, &fd) != EADDRNOTAVAIL)
		_exit(5);
	_exit(0); /* that one is closed by the exit */
}

static void without_a_local_port_a_connect_fails_for_that(void **state)
{
	struct wire_flow_stats client;
	int status;
	pid_t child = fork();

	(void)state;
	if (!child)
		use_up_ports();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	client = harness_flow(&harness, WIRE_ROLE_CLIENT, TARGET, child);
	assert_int_equal(client.fail[WIRE_FAIL_NO_PORT], 2);
	assert_int_equal(sum_fails(&client), 2);
	assert_int_equal(client.opened, client.closed);
}

/* A connect that its own side gives up at once has a port, and is no failure. */
static void a_connect_given_up_at_once_is_none(void **state)
{
	struct crowd crowd = {.nr = 0};
	uint16_t port;
	int listener = open_small_listener(AF_INET, &port);

	(void)state;
	for (int i = 0; i < 3; i++)
		add_client(&crowd, port);
	dismiss(&crowd);
	assert_int_equal(fails_of(harness_flow(&harness, WIRE_ROLE_CLIENT, port, 0)), 0);
	close(listener);
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
		cmocka_unit_test(a_full_accept_queue_counts_at_the_server),
		cmocka_unit_test(a_full_accept_queue_of_both_families),
		cmocka_unit_test(a_full_accept_queue_counts_for_its_creator),
		cmocka_unit_test(what_the_network_refuses_is_unreachable),
		cmocka_unit_test(without_a_local_port_a_connect_fails_for_that),
		cmocka_unit_test(a_connect_given_up_at_once_is_none),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
