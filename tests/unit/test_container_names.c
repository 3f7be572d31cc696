/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_container_names.c - a host's root directory of our own: what is read there and what is refused,
 * and when it is read again.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "source/container_names.h"

#define ID	"5e32fc305b83657eae72a74317f302151590b8b760424e5caf61548c6d97add3"
#define S	1000000000ULL
#define TASKS	"run/containerd/io.containerd.runtime.v2.task/k8s.io"
#define NAME	"{\"annotations\":{\"io.kubernetes.cri.container-name\":\"api\"}}"
#define POD	"{\"annotations\":{\"io.kubernetes.cri.sandbox-name\":\"web-0\"}}"
#define CRI_ROW 0

static char root[] = "/tmp/memswell-test-XXXXXX";
static int root_fd;

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *format, ...)
{
	char command[1024];
	va_list args;
	int len = snprintf(command, sizeof(command), "cd %s && ", root);

	va_start(args, format);
	vsnprintf(command + len, sizeof(command) - (size_t)len, format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

static int make_root(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root_fd < 0;
}

static int remove_root(void **state)
{
	(void)state;
	close(root_fd);
	run("rm -rf %s", root);
	return 0;
}

static int empty_root(void **state)
{
	(void)state;
	run("rm -rf run var && mkdir -p %s/%s", TASKS, ID);
	return 0;
}

static int opens(const char *id)
{
	int fd = host_files_open_beneath(root_fd, CRI_ROW, id);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static void only_a_regular_file_of_its_own_is_opened(void **state)
{
	(void)state;
	assert_int_equal(opens(ID), -ENOENT);
	run("echo {} >%s/%s/config.json", TASKS, ID);
	assert_int_equal(opens(ID), 0);
	run("cd %s/%s && mv config.json x && ln -s x config.json", TASKS, ID);
	assert_int_equal(opens(ID), -ELOOP);
	run("cd %s/%s && ln -sf /etc/passwd config.json", TASKS, ID);
	assert_int_equal(opens(ID), -ELOOP);
	run("cd %s/%s && rm config.json && mkfifo config.json", TASKS, ID);
	assert_int_equal(opens(ID), -EINVAL);
	run("cd %s/%s && rm config.json && mkdir config.json", TASKS, ID);
	assert_int_equal(opens(ID), -EINVAL);
	run("cd %s/%s && rmdir config.json && truncate -s 1048577 config.json", TASKS, ID);
	assert_int_equal(opens(ID), -EFBIG);
	run("cd %s && rm -r %s && mkdir y && echo {} >y/config.json && ln -s y %s", TASKS, ID, ID);
	assert_int_equal(opens(ID), -ELOOP);
}

static void an_id_is_no_path(void **state)
{
	char id[WORKLOAD_ID_LEN];

	(void)state;
	run("echo {} >%s/config.json; echo {} >%s/%s/config.json", TASKS, TASKS, ID);
	assert_int_equal(opens(""), -EINVAL);
	assert_int_equal(opens("."), -EINVAL);
	assert_int_equal(opens("../../../../../etc"), -EINVAL);
	snprintf(id, sizeof(id), "%.61s/..", ID);
	assert_int_equal(opens(id), -EINVAL);
	snprintf(id, sizeof(id), "%sa", ID);
	assert_int_equal(opens(id), -EINVAL);
	assert_int_equal(host_files_open_beneath(root_fd, 9999, ID), -EINVAL);
}

/* As administrators move /var/lib/docker, seen from a container that has the host's root at another place. */
static void links_to_a_directory_stay_within_the_hosts_root(void **state)
{
	(void)state;
	run("mkdir -p data && mv run/containerd data/ && ln -s /data/containerd run/containerd && "
	    "echo {} >data/containerd/%s/%s/config.json",
	    TASKS + strlen("run/containerd/"), ID);
	assert_int_equal(opens(ID), 0);
	run("rm run/containerd && ln -s ../../../../../../%s/data/containerd run/containerd", root);
	assert_int_equal(opens(ID), -ENOENT);
	run("rm -r data");
}

/* ---- asking again ---- */

static struct record_container told;
static uint32_t nr_told;

static void on_record(void *arg, const struct record *record)
{
	(void)arg;
	assert_int_equal(record->kind, RECORD_CONTAINER);
	told = record->container;
	nr_told++;
}

struct names {
	struct host_files files;
	struct container_names names;
	struct batch batch;
};

static uint32_t records(struct names *n)
{
	nr_told = 0;
	batch_emit(&n->batch, on_record, NULL);
	return nr_told;
}

static void begin(struct names *n)
{
	memset(n, 0, sizeof(*n));
	assert_int_equal(host_files_start(&n->files, root), 0);
	container_names_init(&n->names, &n->files);
}

static void end(struct names *n)
{
	container_names_free(&n->names);
	host_files_stop(&n->files);
	batch_free(&n->batch);
}

static uint32_t add(struct names *n, const char *id, uint64_t now_ns)
{
	struct workload container = {.runtime = CONTAINER_RUNTIME_UNKNOWN};

	strcpy(container.container_id, id);
	container_names_add(&n->names, &container, now_ns, &n->batch);
	return records(n);
}

static uint32_t tick(struct names *n, uint64_t now_ns)
{
	container_names_tick(&n->names, now_ns, &n->batch);
	return records(n);
}

static void what_is_there_is_told_at_once_and_once(void **state)
{
	struct names n;

	(void)state;
	begin(&n);
	run("echo '%s' >%s/%s/config.json", NAME, TASKS, ID);
	assert_int_equal(add(&n, ID, S), 1);
	assert_string_equal(told.id, ID);
	assert_string_equal(told.name, "api");
	assert_int_equal(told.runtime, CONTAINER_RUNTIME_CONTAINERD);
	for (uint64_t s = 2; s < 600; s++)
		assert_int_equal(tick(&n, s * S), 0);
	end(&n);
}

static void what_is_not_there_yet_is_asked_for_again(void **state)
{
	struct names n;
	uint64_t s = 100;

	(void)state;
	begin(&n);
	assert_int_equal(add(&n, ID, s * S), 0);
	assert_int_equal(tick(&n, (s + 1) * S), 0);
	run("echo '%s' >%s/%s/config.json", POD, TASKS, ID);
	assert_int_equal(tick(&n, (s + 2) * S), 0); /* not its turn: 1, then 2 s later */
	assert_int_equal(tick(&n, (s + 3) * S), 1);
	assert_string_equal(told.pod_name, "web-0");
	assert_string_equal(told.name, "");
	assert_int_equal(tick(&n, (s + 7) * S), 0); /* nothing new */
	run("echo '%s' >%s/%s/config.json", NAME, TASKS, ID);
	assert_int_equal(tick(&n, (s + 15) * S), 1);
	assert_string_equal(told.name, "api");
	assert_int_equal(n.names.waiting.nr, 0);
	end(&n);
}

static void it_is_given_up_after_the_last_try(void **state)
{
	struct names n;
	uint64_t s;

	(void)state;
	begin(&n);
	assert_int_equal(add(&n, ID, 0), 0);
	for (s = 1; s < 10000 && n.names.waiting.nr; s++)
		tick(&n, s * S);
	assert_in_range(s, 1 << (CONTAINER_NAMES_TRIES - 2), 1 << CONTAINER_NAMES_TRIES);
	end(&n);
}

static void a_tick_asks_for_so_many_and_no_more(void **state)
{
	struct names n;
	uint32_t nr = 0;
	char id[WORKLOAD_ID_LEN];

	(void)state;
	begin(&n);
	for (uint32_t i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "%064x", i);
		run("mkdir -p %s/%s && echo '%s' >%s/%s/config.json", TASKS, id, NAME, TASKS, id);
		nr += add(&n, id, S);
	}
	assert_int_equal(nr, CONTAINER_NAMES_PER_TICK);
	for (uint64_t s = 1; s < 4; s++) {
		uint32_t now = tick(&n, S + s);

		assert_true(now <= CONTAINER_NAMES_PER_TICK);
		nr += now;
	}
	assert_int_equal(nr, 100);
	end(&n);
}

static void without_the_child_nothing_is_known_and_nothing_breaks(void **state)
{
	struct names n;

	(void)state;
	begin(&n);
	host_files_stop(&n.files);
	run("echo '%s' >%s/%s/config.json", NAME, TASKS, ID);
	assert_int_equal(add(&n, ID, S), 0);
	assert_int_equal(tick(&n, 100 * S), 0);
	assert_int_equal(host_files_open(&n.files, CRI_ROW, ID), -EPIPE);
	end(&n);
}

static void the_hosts_root_is_a_directory(void **state)
{
	struct host_files files;

	(void)state;
	assert_int_equal(host_files_start(&files, "/etc/passwd"), -ENOTDIR);
	assert_int_equal(host_files_start(&files, "/nowhere"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(only_a_regular_file_of_its_own_is_opened, empty_root),
		cmocka_unit_test_setup(an_id_is_no_path, empty_root),
		cmocka_unit_test_setup(links_to_a_directory_stay_within_the_hosts_root, empty_root),
		cmocka_unit_test_setup(what_is_there_is_told_at_once_and_once, empty_root),
		cmocka_unit_test_setup(what_is_not_there_yet_is_asked_for_again, empty_root),
		cmocka_unit_test_setup(it_is_given_up_after_the_last_try, empty_root),
		cmocka_unit_test_setup(a_tick_asks_for_so_many_and_no_more, empty_root),
		cmocka_unit_test_setup(without_the_child_nothing_is_known_and_nothing_breaks,
				       empty_root),
		cmocka_unit_test_setup(the_hosts_root_is_a_directory, empty_root),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
