// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * test_tables.c - the tables that stand in for local storage (Linux 5.10): that entries go with
 * what they belong to, what a full one does, and how owners get to accepted sockets. That they count as
 * storage does, the other tests show with MEMSWELL_TEST_TABLES.
 */
#define HARNESS_MORE "lifecycle_exit", "memory_tasks"
#include "pairs.h"

#include <sys/wait.h>

/* The beginning of struct sock_state. */
struct entry {
	struct wire_proc owner;
	uint32_t slot;
	uint32_t flags;
	uint8_t rest[112];
};
#define REFINED (1U << 0)

static int old_listener;
static uint16_t old_port;

/* Entries of sockets whose owner is this process; only those that no use has shown, if asked. */
static uint32_t nr_sockets(bool only_unrefined)
{
	int fd = bpf_map__fd(harness.bpf->maps.sock_state_table);
	uint64_t key, next, *last = NULL;
	struct entry entry;
	uint32_t nr = 0;

	while (!bpf_map_get_next_key(fd, last, &next)) {
		key = next;
		last = &key;
		if (!bpf_map_lookup_elem(fd, &key, &entry))
			nr += entry.owner.tgid == (uint32_t)getpid() &&
			      !(only_unrefined && entry.flags & REFINED);
	}
	return nr;
}

static void run_iterator(struct bpf_program *program)
{
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	char records[4096];
	int fd = bpf_iter_create(bpf_link__fd(link));

	while (read(fd, records, sizeof(records)) > 0)
		;
	close(fd);
	bpf_link__destroy(link);
}

static bool has_task(pid_t pid)
{
	char state[512];

	assert_true(bpf_map__value_size(harness.bpf->maps.task_state_table) <= sizeof(state));
	return !bpf_map_lookup_elem(bpf_map__fd(harness.bpf->maps.task_state_table), &pid, state);
}

/* First: it needs a listener that has no storage yet. */
static void accepted_sockets_of_an_old_listener_start_with_its_owner(void **state)
{
	int client;

	(void)state;
	run_iterator(harness_files(&harness));
	assert_int_equal(nr_sockets(true), 1); /* the listener */
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect_to(old_listener, client), 0);
	assert_int_equal(send(client, GET, strlen(GET), 0), strlen(GET));
	assert_int_equal(nr_sockets(true), 2); /* and what nobody has accepted or read yet */
	assert_int_equal(nr_sockets(false), 3);
	close(client);
	close(old_listener);
	usleep(10000);
	assert_int_equal(nr_sockets(false), 0);
}

static void a_closed_socket_takes_its_entry_along(void **state)
{
	struct pair pair = open_pair(AF_INET), reset = open_pair(AF_INET6);

	(void)state;
	ask(&pair, GET);
	answer(&pair, OK);
	ask(&reset, GET);
	assert_int_equal(nr_sockets(false), 4);
	reset_fd(&reset.server);
	close_pair(&reset);
	assert_int_equal(nr_sockets(false), 2);
	close_fd(&pair.server);
	close_fd(&pair.client);
	close_pair(&pair);
	usleep(10000);
	assert_int_equal(nr_sockets(false), 0);
}

static void a_refused_socket_takes_its_entry_along(void **state)
{
	struct pair pair = open_pair(AF_INET);
	uint16_t port = pair.port;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons(port)};
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	close_pair(&pair);
	usleep(10000);
	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), -1);
	assert_int_equal(
		harness_flow(&harness, WIRE_ROLE_CLIENT, port, getpid()).fail[WIRE_FAIL_REFUSED],
		1);
	assert_int_equal(nr_sockets(false), 1); /* it may be tried again */
	close(client);
	assert_int_equal(nr_sockets(false), 0);
}

static void an_ended_process_takes_its_entry_along(void **state)
{
	pid_t child = fork();

	(void)state;
	if (!child) {
		pause();
		_exit(0);
	}
	assert_false(has_task(child));
	run_iterator(harness.bpf->progs.memory_tasks);
	assert_true(has_task(child));
	assert_true(has_task(getpid()));
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_false(has_task(child));
	assert_true(has_task(getpid()));
}

/* Last: it begins anew with a table that is too small. */
static void what_does_not_fit_is_a_loss(void **state)
{
	struct pair pairs[4];

	(void)state;
	harness_free(&harness);
	harness_max_sockets = 2;
	assert_int_equal(harness_load(&harness) || harness_enter_cgroup(&harness), 0);
	assert_int_equal(harness_attach(&harness), 0);
	for (int i = 0; i < 4; i++) {
		pairs[i] = open_pair(AF_INET);
		ask(&pairs[i], GET);
	}
	assert_true(harness_losses(&harness, WIRE_LOSS_SOCKET_STORAGE) >= 8 - 2);
	for (int i = 0; i < 4; i++)
		close_pair(&pairs[i]);
}

static int setup(void **state)
{
	(void)state;
	setenv("MEMSWELL_TEST_TABLES", "1", 1);
	close_range(3, ~0U, 0); /* sockets that came from whoever runs this */
	if (harness_load(&harness) || harness_enter_cgroup(&harness))
		return -1;
	old_listener = open_listener(AF_INET, &old_port);
	return harness_attach(&harness);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted_sockets_of_an_old_listener_start_with_its_owner),
		cmocka_unit_test(a_closed_socket_takes_its_entry_along),
		cmocka_unit_test(a_refused_socket_takes_its_entry_along),
		cmocka_unit_test(an_ended_process_takes_its_entry_along),
		cmocka_unit_test(what_does_not_fit_is_a_loss),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
