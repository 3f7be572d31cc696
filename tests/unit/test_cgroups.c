/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_cgroups.c - a cgroup is named once, only by the hierarchy of its number, and its end is told once. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "source/cgroups.h"
#include "source/mounts.h"

#define ROOT_ID 1 /* of every hierarchy */

static struct record told;
static uint32_t nr_told;
static struct host_files no_files = {.fd = -1};

static void on_record(void *arg, const struct record *record)
{
	(void)arg;
	told = *record;
	nr_told++;
}

static uint32_t name(struct cgroups *cgroups, uint64_t id, uint32_t hierarchy)
{
	struct cgroup_id memcg = {.id = id, .hierarchy = hierarchy};
	struct batch batch = {0};

	nr_told = 0;
	cgroups_name(cgroups, &memcg, NULL, 1, &batch);
	batch_emit(&batch, on_record, NULL);
	batch_free(&batch);
	return nr_told;
}

/* Tables that look only into cgroup2; skips where it cannot be had. */
static void look_into_cgroup2(struct cgroups *cgroups)
{
	char path[64];

	cgroups_init(cgroups, &no_files);
	if (cgroups->mount_fd >= 0)
		close(cgroups->mount_fd);
	cgroups->mount_fd = mounts_open_cgroup2();
	cgroups->mount_is_v2 = true;
	if (cgroups->mount_fd < 0 ||
	    mounts_cgroup_path(cgroups->mount_fd, ROOT_ID, path, sizeof(path))) {
		cgroups_free(cgroups);
		skip(); /* no privilege, or no cgroup2 */
	}
}

static void number_of_another_hierarchy_names_nobody(void **state)
{
	struct cgroups cgroups;

	(void)state;
	look_into_cgroup2(&cgroups);
	assert_true(mounts_is_cgroup2(cgroups.mount_fd));
	assert_int_equal(name(&cgroups, ROOT_ID, 4), 0);
	assert_int_equal(name(&cgroups, ROOT_ID, 0), 1);
	assert_string_equal(told.cgroup.path, "/");
	assert_int_equal(told.cgroup.memcg.hierarchy, 0);
	cgroups_free(&cgroups);
}

static void each_is_named_once(void **state)
{
	struct cgroups cgroups;

	(void)state;
	look_into_cgroup2(&cgroups);
	assert_int_equal(name(&cgroups, ROOT_ID, 0), 1);
	assert_int_equal(name(&cgroups, ROOT_ID, 0), 0);
	assert_int_equal(name(&cgroups, 0, 0), 0);
	assert_int_equal(name(&cgroups, UINT64_MAX - 1, 0), 0);
	cgroups_free(&cgroups);
}

static uint32_t tick(struct cgroups *cgroups)
{
	struct batch batch = {0};

	nr_told = 0;
	cgroups_tick(cgroups, 1, &batch);
	batch_emit(&batch, on_record, NULL);
	batch_free(&batch);
	return nr_told;
}

/* Of our own in cgroup2. */
static void what_is_removed_is_told_once(void **state)
{
	struct cgroups cgroups;
	struct stat st;
	char name_of[64];
	uint32_t nr = 0;

	(void)state;
	look_into_cgroup2(&cgroups);
	snprintf(name_of, sizeof(name_of), "memswell-test-%d", getpid());
	if (mkdirat(cgroups.mount_fd, name_of, 0755)) {
		cgroups_free(&cgroups);
		skip();
	}
	assert_int_equal(fstatat(cgroups.mount_fd, name_of, &st, 0), 0);
	assert_int_equal(name(&cgroups, ROOT_ID, 0), 1);
	assert_int_equal(name(&cgroups, st.st_ino, 0), 1);
	assert_string_equal(told.cgroup.path + 1, name_of);
	for (int i = 0; i < 3; i++)
		assert_int_equal(tick(&cgroups), 0);
	assert_int_equal(unlinkat(cgroups.mount_fd, name_of, AT_REMOVEDIR), 0);
	for (int i = 0; i < 3 && !nr; i++)
		nr += tick(&cgroups);
	assert_int_equal(nr, 1);
	assert_int_equal(told.kind, RECORD_CGROUP);
	assert_int_equal(told.cgroup.removed, 1);
	assert_int_equal(told.cgroup.memcg.id, st.st_ino);
	assert_int_equal(tick(&cgroups), 0);
	assert_int_equal(cgroups.told.nr, 1);
	cgroups_free(&cgroups);
}

static void directory_elsewhere_is_no_cgroup2(void **state)
{
	(void)state;
	assert_false(mounts_is_cgroup2(-1));
	assert_false(mounts_is_cgroup2(STDIN_FILENO));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(number_of_another_hierarchy_names_nobody),
		cmocka_unit_test(each_is_named_once),
		cmocka_unit_test(what_is_removed_is_told_once),
		cmocka_unit_test(directory_elsewhere_is_no_cgroup2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
