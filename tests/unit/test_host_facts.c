/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_host_facts.c - hosts told by what their files say, and what is made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "source/host_facts.h"

#define V1_MEMORY "33 31 0:29 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
#define V1_CPU	  "32 31 0:28 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
#define V2_BESIDE "41 31 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
#define V2_ALONE  "30 23 0:26 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw\n"
#define CGROUPS	  "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t2\t1\nmemory\t"

struct host_kind {
	const char *what;
	struct host_cgroup_texts texts;
	enum host_cgroup_mode mode;
	int memory_version;
	const char *memory;
	bool in_children, disabled;
};

static const struct host_kind kinds[] = {
	{"pure v1",
	 {V1_CPU V1_MEMORY, CGROUPS "2\t9\t1\n", "", ""},
	 HOST_CGROUP_V1,
	 1,
	 "/sys/fs/cgroup/memory",
	 true,
	 false},
	{"hybrid, memory on v1",
	 {V1_CPU V1_MEMORY V2_BESIDE, CGROUPS "2\t9\t1\n", "", ""},
	 HOST_CGROUP_HYBRID,
	 1,
	 "/sys/fs/cgroup/memory",
	 true,
	 false},
	{"hybrid, memory on v2",
	 {V1_CPU V2_BESIDE, CGROUPS "0\t9\t1\n", "cpuset memory pids", "memory"},
	 HOST_CGROUP_HYBRID,
	 2,
	 "/sys/fs/cgroup/unified",
	 true,
	 false},
	{"pure v2",
	 {V2_ALONE, CGROUPS "0\t9\t1\n", "cpu io memory pids", "cpu memory pids"},
	 HOST_CGROUP_V2,
	 2,
	 "/sys/fs/cgroup",
	 true,
	 false},
	{"pure v2, not handed down",
	 {V2_ALONE, "", "cpu memory", "cpu"},
	 HOST_CGROUP_V2,
	 2,
	 "/sys/fs/cgroup",
	 false,
	 false},
	{"no memory controller",
	 {V2_ALONE, "", "cpu memory_hotplug pids", "cpu"},
	 HOST_CGROUP_V2,
	 0,
	 "",
	 false,
	 false},
	{"disabled at boot",
	 {V2_ALONE, CGROUPS "0\t1\t0\n", "cpu pids", ""},
	 HOST_CGROUP_V2,
	 0,
	 "",
	 false,
	 true},
	{"v1 without memory",
	 {V1_CPU, CGROUPS "0\t1\t1\n", "", ""},
	 HOST_CGROUP_V1,
	 0,
	 "",
	 false,
	 false},
	{"nothing mounted", {"", "", "", ""}, HOST_CGROUP_NONE, 0, "", false, false},
};

static void each_kind_of_host_is_told_by_its_mounts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct host_kind *kind = &kinds[i];
		struct host_cgroups out = {0};

		host_facts_cgroups(&kind->texts, &out);
		if (out.mode != kind->mode || out.memory_version != kind->memory_version ||
		    strcmp(out.memory, kind->memory) != 0 ||
		    out.memory_in_children != kind->in_children ||
		    out.memory_disabled != kind->disabled)
			fail_msg("%s: mode %d, memory v%d at '%s', children %d, disabled %d",
				 kind->what, out.mode, out.memory_version, out.memory,
				 out.memory_in_children, out.memory_disabled);
	}
}

static void mount_point_of_any_bytes_is_valid_text(void **state)
{
	struct host_cgroup_texts texts = {
		"30 23 0:26 / /a\\012\\033[2J\xff rw - cgroup2 cgroup2 rw\n", "", "memory", ""};
	struct host_cgroups out = {0};

	(void)state;
	host_facts_cgroups(&texts, &out);
	assert_int_equal(out.mode, HOST_CGROUP_V2);
	assert_null(strchr(out.v2, '\xff'));
}

static void lockdown_is_the_word_in_brackets(void **state)
{
	char word[16];

	(void)state;
	host_facts_lockdown("none [integrity] confidentiality\n", word, sizeof(word));
	assert_string_equal(word, "integrity");
	host_facts_lockdown("", word, sizeof(word));
	assert_string_equal(word, "");
	host_facts_lockdown("none integrity]", word, sizeof(word));
	assert_string_equal(word, "");
	host_facts_lockdown("[0123456789012345678901234567890]", word, sizeof(word));
	assert_true(strlen(word) < sizeof(word));
}

static void make_usual(struct host *host)
{
	memset(host, 0, sizeof(*host));
	host->cgroups = (struct host_cgroups){
		.mode = HOST_CGROUP_V2, .memory_version = 2, .memory_in_children = true};
	host->self.initial_pid_namespace = host->self.initial_cgroup_namespace = true;
}

static bool limited(struct host *host, const char *word)
{
	bool found = false;

	host->nr_limitations = 0;
	host_facts_limitations(host);
	for (uint32_t i = 0; i < host->nr_limitations; i++) {
		assert_true(*host->limitations[i].consequence && *host->limitations[i].fix);
		found |= strstr(host->limitations[i].what, word) != NULL;
	}
	return found;
}

static void what_a_host_lacks_is_named_with_consequence_and_fix(void **state)
{
	static struct host host;

	(void)state;
	make_usual(&host);
	host_facts_limitations(&host);
	assert_int_equal(host.nr_limitations, 0);
	host.cgroups.memory_in_children = false;
	assert_true(limited(&host, "hand the memory controller down"));
	make_usual(&host);
	host.cgroups.memory_version = 0;
	assert_true(limited(&host, "no mounted hierarchy"));
	host.cgroups.memory_disabled = true;
	assert_true(limited(&host, "disabled"));
	assert_false(limited(&host, "no mounted hierarchy"));
	make_usual(&host);
	host.self.initial_pid_namespace = false;
	assert_true(limited(&host, "PID namespace"));
	make_usual(&host);
	host.self.initial_cgroup_namespace = false;
	assert_true(limited(&host, "cgroup namespace"));
	host.cgroups.root_is_seen = true;
	assert_false(limited(&host, "cgroup namespace"));
	make_usual(&host);
	strcpy(host.kernel.lockdown, "confidentiality");
	assert_true(limited(&host, "lockdown"));
	memset(&host, 0, sizeof(host));
	assert_true(limited(&host, "no cgroup file system"));
}

static void this_host_can_be_asked_without_privilege(void **state)
{
	static struct host host;

	(void)state;
	host_facts(&host);
	assert_true(host.kernel.release[0] && host.kernel.arch[0]);
	assert_true(host.nr_cpus > 0);
	assert_true(host.nr_capabilities >= 4);
	for (uint32_t i = 0; i < host.nr_capabilities; i++)
		assert_true(*host.capabilities[i].purpose && *host.capabilities[i].without);
}

/* The first directory of the table that is there; another root is said with it. */
static void names_are_read_where_the_runtime_keeps_them(void **state)
{
	static struct host host = {
		.runtimes = {{.name = "podman"}, {.name = "docker"}, {.name = "lxc"}},
		.nr_runtimes = 3};
	char root[] = "/tmp/memswell-test-XXXXXX", command[256], expected[HOST_PATH_LEN];

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(command, sizeof(command),
		 "mkdir -p %s/var/lib/containers/storage/overlay-containers", root);
	assert_int_equal(system(command), 0);
	host_facts_metadata(&host, root);
	snprintf(expected, sizeof(expected), "%s/var/lib/containers/storage/overlay-containers",
		 root);
	assert_string_equal(host.runtimes[0].metadata, expected);
	assert_string_equal(host.runtimes[1].metadata, "");
	assert_string_equal(host.runtimes[2].metadata, "");
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_host_is_told_by_its_mounts),
		cmocka_unit_test(mount_point_of_any_bytes_is_valid_text),
		cmocka_unit_test(lockdown_is_the_word_in_brackets),
		cmocka_unit_test(what_a_host_lacks_is_named_with_consequence_and_fix),
		cmocka_unit_test(this_host_can_be_asked_without_privilege),
		cmocka_unit_test(names_are_read_where_the_runtime_keeps_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
