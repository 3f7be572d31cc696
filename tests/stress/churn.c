/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * churn.c - makes a known number of things that come and go, and says how many it made:
 *
 *	churn processes N       N children that end at once
 *	churn cgroups N ROOT    N memory cgroups below ROOT, each entered by one child
 *	churn connections N     N HTTP requests, each on a connection of its own
 *	churn alive N           N children that wait, until standard input ends
 *	churn mixed S ROOT      all four, gently, for S seconds
 *
 * One line of JSON at the end is the truth: who made how many. Every child dies with its parent. At
 * most SLOTS cgroups exist at a time, named c0 and so on, so whoever cleans up knows their names.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLOTS	       8
#define CLIENT_BATCH   500 /* connections of one client process: its flows come and go with it */
#define MAX_ALIVE      20000
#define MIXED_ALIVE    200
#define MIXED_ROUND_MS 100

struct totals {
	uint64_t processes;
	uint64_t cgroups;
	uint64_t connections;
	uint64_t alive;
};

static void fail(const char *what)
{
	fprintf(stderr, "churn: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* fork(), and the child dies with us. */
static pid_t child(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		fail("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

static void await(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			fail("waitpid");
	if (status)
		errno = ECHILD, fail("a child failed");
}

static void make_processes(uint64_t nr, struct totals *totals)
{
	for (uint64_t i = 0; i < nr; i++) {
		pid_t pid = child();

		if (!pid)
			_exit(0);
		await(pid);
		totals->processes++;
	}
}

static void enter(const char *cgroup)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		_exit(1);
	_exit(0);
}

static void remove_cgroup(const char *path)
{
	for (int i = 0; rmdir(path); i++) {
		if (errno != EBUSY || i == 1000)
			fail(path);
		usleep(1000);
	}
}

static void make_cgroups(uint64_t nr, const char *root, struct totals *totals)
{
	for (uint64_t i = 0; i < nr; i++) {
		char path[400];
		pid_t pid;

		snprintf(path, sizeof(path), "%s/c%llu", root,
			 (unsigned long long)(totals->cgroups % SLOTS));
		if (mkdir(path, 0755))
			fail(path);
		pid = child();
		if (!pid)
			enter(path);
		await(pid);
		remove_cgroup(path);
		totals->cgroups++;
		totals->processes++;
	}
}

/* Connections ---------------------------------------------------------------------------------- */

static struct sockaddr_in loopback(uint32_t host, uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + host),
	};
}

static int listen_anywhere(uint16_t *port)
{
	struct sockaddr_in local = {.sin_family = AF_INET};
	socklen_t size = sizeof(local);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof(local)) || listen(fd, 512) ||
	    getsockname(fd, (struct sockaddr *)&local, &size))
		fail("listen");
	*port = ntohs(local.sin_port);
	return fd;
}

static void serve(int listener)
{
	static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	char request[256];

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			_exit(1);
		if (read(fd, request, sizeof(request)) > 0)
			(void)!write(fd, response, sizeof(response) - 1);
		(void)!read(fd, request, 1); /* the client closes first */
		close(fd);
	}
}

/* Who closes first keeps the pair of addresses for a minute: so both ends have many addresses. */
static void request_once(uint16_t port, uint64_t number)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: churn\r\n\r\n";
	struct sockaddr_in from = loopback(1 + number % 200, 0);
	struct sockaddr_in to = loopback(300 + number % 50, port);
	const int yes = 1;
	char response[256];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes)) ||
	    bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    write(fd, request, sizeof(request) - 1) < 0 ||
	    read(fd, response, sizeof(response)) < 12)
		_exit(1);
	close(fd);
}

static void make_connections(uint64_t nr, struct totals *totals)
{
	uint16_t port;
	int listener = listen_anywhere(&port);
	pid_t server = child();

	if (!server)
		serve(listener);
	for (uint64_t made = 0; made < nr;) {
		uint64_t batch = nr - made < CLIENT_BATCH ? nr - made : CLIENT_BATCH;
		pid_t client = child();

		if (!client) {
			for (uint64_t i = 0; i < batch; i++)
				request_once(port, totals->connections + i);
			_exit(0);
		}
		await(client);
		made += batch;
		totals->connections += batch;
		totals->processes++;
	}
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	close(listener);
	totals->processes++;
}

/* Alive ---------------------------------------------------------------------------------------- */

static pid_t waiting[MAX_ALIVE];
static uint32_t nr_waiting;

static void add_waiting(uint64_t nr, struct totals *totals)
{
	for (uint64_t i = 0; i < nr && nr_waiting < MAX_ALIVE; i++) {
		pid_t pid = child();

		if (!pid)
			for (;;)
				pause();
		waiting[nr_waiting++] = pid;
		totals->alive++;
		totals->processes++;
	}
}

static void end_waiting(uint32_t nr)
{
	for (; nr && nr_waiting; nr--) {
		pid_t pid = waiting[--nr_waiting];

		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

static void keep_alive(uint64_t nr, struct totals *totals)
{
	char byte;

	add_waiting(nr, totals);
	printf("{\"ready\":%u}\n", nr_waiting);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	end_waiting(nr_waiting);
}

/* All of it ------------------------------------------------------------------------------------ */

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void mix(double seconds, const char *root, struct totals *totals)
{
	double end_s = now_s() + seconds;

	add_waiting(MIXED_ALIVE, totals);
	while (now_s() < end_s) {
		make_processes(15, totals);
		make_cgroups(2, root, totals);
		make_connections(20, totals);
		end_waiting(5);
		add_waiting(5, totals);
		usleep(MIXED_ROUND_MS * 1000);
	}
	end_waiting(nr_waiting);
}

static void usage(void)
{
	fputs("usage: churn processes N | cgroups N ROOT | connections N | alive N | mixed S "
	      "ROOT\n",
	      stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	struct totals totals = {0};
	const char *what = argc > 2 ? argv[1] : "";
	double nr = argc > 2 ? atof(argv[2]) : 0;
	bool has_root = argc > 3;

	/* a terminal's or the rig's end must not leave children behind: they die with us */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!strcmp(what, "processes"))
		make_processes((uint64_t)nr, &totals);
	else if (!strcmp(what, "cgroups") && has_root)
		make_cgroups((uint64_t)nr, argv[3], &totals);
	else if (!strcmp(what, "connections"))
		make_connections((uint64_t)nr, &totals);
	else if (!strcmp(what, "alive"))
		keep_alive((uint64_t)nr, &totals);
	else if (!strcmp(what, "mixed") && has_root)
		mix(nr, argv[3], &totals);
	else
		usage();
	printf("{\"pid\":%d,\"processes\":%llu,\"cgroups\":%llu,\"connections\":%llu,\"alive\":%"
	       "llu}\n",
	       getpid(), (unsigned long long)totals.processes, (unsigned long long)totals.cgroups,
	       (unsigned long long)totals.connections, (unsigned long long)totals.alive);
	return 0;
}
