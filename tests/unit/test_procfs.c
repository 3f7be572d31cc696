/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_procfs.c - text of /proc, also as a hostile process would have it; and the mount table. */
#include <unistd.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "source/mounts.h"
#include "source/privilege.h"
#include "source/procfs.h"

static char out[256];

/* Without a terminating NUL behind it, so that reading past the end is seen. */
static int cgroup_of(const char *text, uint32_t hierarchy)
{
	size_t len = strlen(text);
	char *exact = test_malloc(len ? len : 1);
	int err;

	memcpy(exact, text, len);
	strcpy(out, "untouched");
	err = procfs_parse_cgroup(exact, len, hierarchy, out, sizeof(out));
	test_free(exact);
	return err;
}

static void v1_and_v2_lines_are_told_apart(void **state)
{
	static const char text[] = "14:name=systemd:/init\n4:memory:/kubepods/pod1\n0::/unified\n";

	(void)state;
	assert_int_equal(cgroup_of(text, 4), 0);
	assert_string_equal(out, "/kubepods/pod1");
	assert_int_equal(cgroup_of(text, 0), 0);
	assert_string_equal(out, "/unified");
	assert_int_equal(cgroup_of(text, 1), -ENOENT);
	assert_string_equal(out, "untouched");
}

static void a_path_from_above_our_namespace_is_refused(void **state)
{
	static const char text[] = "4:memory:/..\n3:cpu:/../../kubepods/pod1\n0::/..a/b\n";

	(void)state;
	assert_int_equal(cgroup_of(text, 4), -EXDEV);
	assert_int_equal(cgroup_of(text, 3), -EXDEV);
	assert_string_equal(out, "untouched");
	assert_int_equal(cgroup_of(text, 0), 0);
	assert_string_equal(out, "/..a/b");
}

static void a_path_may_hold_colons_and_other_lines_numbers(void **state)
{
	(void)state;
	assert_int_equal(cgroup_of("0::/a:b/4:memory:/c", 0), 0);
	assert_string_equal(out, "/a:b/4:memory:/c");
	assert_int_equal(cgroup_of("0::/a:b/4:memory:/c", 4), -ENOENT);
}

static void broken_cgroup_lines_are_no_answer(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n\n",
		"4",
		"4:",
		"4:memory",
		"4:memory:",
		"4:memory:x",
		"x:memory:/a",
		":memory:/a",
		"44444444444444:memory:/a",
		"-4:memory:/a",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(cgroup_of(texts[i], 4), -ENOENT);
}

static void a_cgroup_name_is_made_utf8_and_cut(void **state)
{
	char text[2048] = "4:memory:/";

	(void)state;
	memset(text + 10, 0xff, 1000);
	assert_int_equal(cgroup_of(text, 4), 0);
	assert_true(strlen(out) < sizeof(out));
	assert_memory_equal(out, "/\xef\xbf\xbd", 4);
}

static void a_start_time_is_found_behind_any_name(void **state)
{
	static const char text[] =
		"42 (a) S 1 2) (x y) R 1 42 42 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 "
		"987654 1 2 3";
	uint64_t ticks = 0;

	(void)state;
	assert_int_equal(procfs_parse_start_ticks(text, strlen(text), &ticks), 0);
	assert_int_equal(ticks, 987654);
	for (size_t len = 0; len < strlen(text) - 12; len++)
		assert_int_equal(procfs_parse_start_ticks(text, len, &ticks), -EINVAL);
}

static void a_deleted_executable_keeps_its_name(void **state)
{
	static const char gone[] = "/usr/bin/node (deleted)", odd[] = " (deleted)";

	(void)state;
	procfs_clean_exe(gone, strlen(gone), out, sizeof(out));
	assert_string_equal(out, "/usr/bin/node");
	procfs_clean_exe(odd, strlen(odd), out, sizeof(out));
	assert_string_equal(out, " (deleted)");
	procfs_clean_exe("/a\xff", 3, out, sizeof(out));
	assert_string_equal(out, "/a\xef\xbf\xbd");
}

static void we_are_who_we_are(void **state)
{
	struct proc_id self = {.tgid = (uint32_t)getpid()};
	char text[1024], path[64];
	uint64_t ticks;
	ssize_t len;
	struct stat st;

	(void)state;
	len = procfs_read_file("/proc/self/stat", text, sizeof(text));
	assert_true(len > 0);
	assert_int_equal(procfs_parse_start_ticks(text, (size_t)len, &ticks), 0);
	self.start_ns = ticks * (1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK)) + 5;
	assert_true(procfs_is_alive(&self));
	assert_int_equal(procfs_exe(&self, path, sizeof(path), &st), 0);
	len = procfs_cmdline(&self, text, sizeof(text));
	assert_true(len > 0 && text[len - 1] == '\0');
	assert_non_null(strstr(text, "test_procfs"));
	assert_true(procfs_environ(&self, text, sizeof(text)) >= 0);
	assert_int_equal(procfs_cmdline(&self, text, 3), 2);
	/* the same pid at another time is another process */
	self.start_ns += 1000000000ULL;
	assert_false(procfs_is_alive(&self));
	assert_int_equal(procfs_exe(&self, path, sizeof(path), &st), -ENOENT);
	assert_int_equal(procfs_cmdline(&self, text, sizeof(text)), -ENOENT);
	assert_int_equal(procfs_environ(&self, text, sizeof(text)), -ENOENT);
}

static void masks_are_read_as_hex(void **state)
{
	static const char text[] = "CapPrm:\t00000000\nCapEff:\t000001ffffffffff\nCapBnd:\t1\n";
	uint64_t mask;

	(void)state;
	assert_int_equal(procfs_parse_hex_line(text, strlen(text), "CapEff:", &mask), 0);
	assert_true(mask == 0x1ffffffffffULL);
	assert_int_equal(procfs_parse_hex_line(text, strlen(text), "CapAmb:", &mask), -ENOENT);
	assert_int_equal(procfs_parse_hex_line("CapEff:\tz", 9, "CapEff:", &mask), -EINVAL);
	assert_int_equal(procfs_parse_hex_line("CapEff:", 7, "CapEff:", &mask), -EINVAL);
}

static void missing_capabilities_are_named(void **state)
{
	const uint64_t bpf = 1ULL << 39, sys_admin = 1ULL << 21;

	(void)state;
	assert_int_equal(privilege_missing(0, out, sizeof(out)), 2);
	assert_string_equal(out, "CAP_BPF, CAP_PERFMON");
	assert_int_equal(privilege_missing(bpf, out, sizeof(out)), 1);
	assert_string_equal(out, "CAP_PERFMON");
	assert_int_equal(privilege_missing(sys_admin, out, sizeof(out)), 0);
	assert_string_equal(out, "");
}

static int mount_of(const char *text, const char *type, const char *option)
{
	strcpy(out, "untouched");
	return mounts_parse_mountinfo(text, strlen(text), type, option, out, sizeof(out));
}

static void a_mount_is_found_by_type_and_option(void **state)
{
	static const char text[] =
		"22 27 0:21 / /proc rw,relatime - proc proc rw\n"
		"30 27 0:26 / /sys/fs/cgroup/memory rw shared:9 master:2 - cgroup cgroup "
		"rw,memory\n"
		"31 27 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
		"32 27 0:28 / /mnt/a\\040b rw - cgroup2 none rw\n";

	(void)state;
	assert_int_equal(mount_of(text, "cgroup", "memory"), 0);
	assert_string_equal(out, "/sys/fs/cgroup/memory");
	assert_int_equal(mount_of(text, "cgroup", "cpuacct"), 0);
	assert_string_equal(out, "/sys/fs/cgroup/cpu");
	assert_int_equal(mount_of(text, "cgroup2", NULL), 0);
	assert_string_equal(out, "/mnt/a b");
	assert_int_equal(mount_of(text, "cgroup", "mem"), -ENOENT);
	assert_int_equal(mount_of(text, "tracefs", NULL), -ENOENT);
	assert_string_equal(out, "untouched");
}

/* What a container sees: its own cgroup, mounted by its runtime, and the host's root, given to it. */
static void the_mount_that_shows_most_is_taken(void **state)
{
	static const char own_namespace[] =
		"30 27 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
		"31 27 0:26 /../../.. /host/cgroup ro - cgroup2 cgroup rw\n"
		"32 27 0:26 /../.. /elsewhere ro - cgroup2 cgroup rw\n";
	static const char hosts_namespace[] =
		"30 27 0:26 /kubepods/pod1/c1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
		"31 27 0:26 / /host/cgroup ro - cgroup2 cgroup rw\n";
	static const char part[] = "30 27 0:26 /kubepods/pod1/c1 /a ro - cgroup2 cgroup rw\n"
				   "31 27 0:26 /kubepods /b ro - cgroup2 cgroup rw\n";

	(void)state;
	assert_int_equal(mount_of(own_namespace, "cgroup2", NULL), 0);
	assert_string_equal(out, "/host/cgroup");
	assert_int_equal(mount_of(hosts_namespace, "cgroup2", NULL), 0);
	assert_string_equal(out, "/host/cgroup");
	assert_int_equal(mount_of(part, "cgroup2", NULL), 0);
	assert_string_equal(out, "/b");
}

static void broken_mount_lines_are_skipped(void **state)
{
	static char text[9000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(mount_of(text, "cgroup2", NULL), -ENOENT);
	strcpy(text + 8000, "\n\n - \n1 2 3 4 5 6 7 -\n1 2 3 4 5 6 -  cgroup2\n"
			    "1 2 0:3 / /ok rw - cgroup2 none rw");
	assert_int_equal(mount_of(text, "cgroup2", NULL), 0);
	assert_string_equal(out, "/ok");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v1_and_v2_lines_are_told_apart),
		cmocka_unit_test(a_path_from_above_our_namespace_is_refused),
		cmocka_unit_test(a_path_may_hold_colons_and_other_lines_numbers),
		cmocka_unit_test(broken_cgroup_lines_are_no_answer),
		cmocka_unit_test(a_cgroup_name_is_made_utf8_and_cut),
		cmocka_unit_test(a_start_time_is_found_behind_any_name),
		cmocka_unit_test(a_deleted_executable_keeps_its_name),
		cmocka_unit_test(we_are_who_we_are),
		cmocka_unit_test(masks_are_read_as_hex),
		cmocka_unit_test(missing_capabilities_are_named),
		cmocka_unit_test(a_mount_is_found_by_type_and_option),
		cmocka_unit_test(the_mount_that_shows_most_is_taken),
		cmocka_unit_test(broken_mount_lines_are_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
