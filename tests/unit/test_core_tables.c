/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_core_tables.c - the small parts of the core: names, losses, ids, text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/container.h"
#include "core/exetab.h"
#include "core/heartbeat.h"
#include "model/text.h"
#include "core/ulid.h"

static void containers_of_two_hierarchies_differ(void **state)
{
	struct containers *t = calloc(1, sizeof(*t));
	struct cgroup_id v1 = {.id = 5, .hierarchy = 4}, v2 = {.id = 5}, none = {.id = 0};

	(void)state;
	assert_non_null(t);
	assert_int_not_equal(container_get(t, &v1, 1), container_get(t, &v2, 1));
	assert_int_equal(container_get(t, &v1, 1), container_find(t, &v1));
	assert_int_equal(container_get(t, &none, 1), 0);
	free(t);
}

static void full_containers_drop_the_unused_and_keep_the_used(void **state)
{
	struct containers *t = calloc(1, sizeof(*t));
	struct cgroup_id id = {.id = 0, .hierarchy = 0};
	struct cgroup_id first = {.id = 1, .hierarchy = 0}, second = {.id = 2};

	(void)state;
	assert_non_null(t);
	for (id.id = 1; id.id <= CONTAINER_MAX; id.id++)
		t->all[container_get(t, &id, id.id)].refs = 1;
	assert_int_equal(container_get(t, &id, 5000), 0);
	assert_int_equal(t->refused, 1);
	t->all[container_find(t, &second)].refs = 0;
	assert_int_not_equal(container_get(t, &id, 5000), 0);
	assert_int_equal(container_find(t, &second), 0);
	assert_int_not_equal(container_find(t, &first), 0);
	free(t);
}

static void reclaim_counts_the_last_minute(void **state)
{
	struct container c = {0};

	(void)state;
	container_reclaimed(&c, 7, 100 * NSEC_PER_SEC);
	container_reclaimed(&c, 5, 130 * NSEC_PER_SEC);
	assert_int_equal(container_reclaim_ns(&c, 140 * NSEC_PER_SEC), 12);
	assert_int_equal(container_reclaim_ns(&c, 165 * NSEC_PER_SEC), 5);
	assert_int_equal(container_reclaim_ns(&c, UINT64_MAX), 0);
}

static void paths_are_kept_once_and_given_back(void **state)
{
	struct exetab *t = calloc(1, sizeof(*t));
	uint16_t a = exetab_take(t, "/bin/a", 7);

	(void)state;
	assert_int_equal(exetab_take(t, "/bin/a", 7), a);
	assert_int_not_equal(exetab_take(t, "/bin/b", 7), a);
	assert_int_equal(exetab_take(t, "", 1), 0);
	exetab_put(t, a);
	assert_string_equal(t->exes[a].path, "/bin/a");
	exetab_put(t, a);
	assert_string_equal(t->exes[a].path, "");
	for (int i = 0; i < EXETAB_SIZE + 10; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/x/%d", i);
		exetab_take(t, path, sizeof(path));
	}
	assert_int_equal(t->refused, 11);
	exetab_put(t, 0);
	free(t);
}

static void losses_add_up_sorted_and_the_rest_goes_to_other(void **state)
{
	struct heartbeat h = {0};
	struct report_heartbeat report;
	struct record_loss loss = {.stream = "ring", .count = 2};
	uint64_t sum = 0;

	(void)state;
	for (int i = 99; i >= 0; i--) {
		snprintf(loss.reason, sizeof(loss.reason), "r%02d", i);
		heartbeat_loss(&h, &loss);
		heartbeat_loss(&h, &loss);
	}
	assert_int_equal(heartbeat_events_lost(&h), 400);
	strcpy(loss.stream, "output");
	heartbeat_loss(&h, &loss);
	assert_true(heartbeat_due(&h, NSEC_PER_SEC, &report));
	assert_false(heartbeat_due(&h, 2 * NSEC_PER_SEC, &report));
	assert_int_equal(report.nr_losses, HEARTBEAT_LOSSES);
	for (uint32_t i = 0; i < report.nr_losses; i++)
		sum += report.losses[i].count;
	assert_int_equal(sum, 402);
}

static void add_loss(struct heartbeat *h, const char *stream, const char *reason)
{
	struct record_loss loss = {.count = 1};

	strcpy(loss.stream, stream);
	strcpy(loss.reason, reason);
	heartbeat_loss(h, &loss);
}

static void what_takes_nothing_from_a_verdict_is_no_lost_event(void **state)
{
	struct heartbeat h = {0};

	(void)state;
	add_loss(&h, "output", "slow_consumer");
	add_loss(&h, "task_storage", "no_memory_or_busy");
	add_loss(&h, "program", "socket_recv_owner");
	assert_int_equal(heartbeat_events_lost(&h), 0);
	add_loss(&h, "program", "lifecycle_exit");
	assert_int_equal(heartbeat_events_lost(&h), 1);
}

static void ids_sort_by_time_and_differ_by_seed(void **state)
{
	struct ulid_seed a = {0}, b = {0};
	char early[ULID_LEN], late[ULID_LEN], other[ULID_LEN];

	(void)state;
	ulid_seed_add(&a, "a", 1);
	ulid_seed_add(&b, "b", 1);
	ulid_format(&a, 1700000000000, early);
	ulid_format(&a, 1700000000001, late);
	ulid_format(&b, 1700000000000, other);
	assert_true(strcmp(early, late) < 0);
	assert_string_not_equal(early, other);
	assert_int_equal(strlen(early), 26);
	assert_int_equal(strspn(early, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 26);
	assert_memory_equal(early, other, 10);
}

static void text_ends_before_the_character_that_does_not_fit(void **state)
{
	char buffer[8];
	struct text t;

	(void)state;
	text_init(&t, buffer, sizeof(buffer));
	text_add(&t, "%s", "ab\xe2\x82\xac\xe2\x82\xac"); /* ab and two euro signs: 8 bytes */
	assert_string_equal(buffer, "ab\xe2\x82\xac");
	text_add(&t, "%s", "cdef");
	text_add(&t, "%s", "more");
	assert_true(strlen(buffer) < sizeof(buffer));
}

static const char *spelled(void (*add)(struct text *, uint64_t), uint64_t value)
{
	static char buffer[64];
	struct text t;

	text_init(&t, buffer, sizeof(buffer));
	add(&t, value);
	return buffer;
}

static void text_spells_quantities_without_locale(void **state)
{
	struct endpoint e = {.addr = {[15] = 1}, .port = 80};
	char buffer[64];
	struct text t;

	(void)state;
	assert_string_equal(spelled(text_add_bytes, 0), "0 bytes");
	assert_string_equal(spelled(text_add_bytes, 18974), "18.5 KiB");
	assert_string_equal(spelled(text_add_bytes, 300 * MIB + MIB / 2), "300.5 MiB");
	assert_string_equal(spelled(text_add_bytes, 2048 * MIB), "2048 MiB");
	assert_string_equal(spelled(text_add_bytes, 20480 * MIB), "20 GiB");
	assert_string_equal(spelled(text_add_bytes, UINT64_MAX), "17179869184 GiB");
	assert_string_equal(spelled(text_add_duration, 0), "0 ms");
	assert_string_equal(spelled(text_add_duration, 14 * NSEC_PER_MSEC), "14 ms");
	assert_string_equal(spelled(text_add_duration, 38149999999), "38.1 s");
	assert_string_equal(spelled(text_add_duration, 750 * NSEC_PER_SEC), "12.5 min");
	assert_string_equal(spelled(text_add_duration, 9000 * NSEC_PER_SEC), "2.5 h");
	text_init(&t, buffer, sizeof(buffer));
	text_add_rate(&t, 3.5 * (double)MIB);
	text_add(&t, " ");
	text_add_rate(&t, 0.02 * (double)MIB);
	text_add(&t, " ");
	text_add_rate(&t, 17.5);
	assert_string_equal(buffer, "3.5 MiB/s 1.2 MiB/min 61.5 KiB/h");
	text_init(&t, buffer, sizeof(buffer));
	text_add_decimal(&t, 7.64);
	text_add(&t, " ");
	text_add_decimal(&t, 12);
	text_add(&t, " ");
	text_add_endpoint(&t, &e);
	assert_string_equal(buffer, "7.6 12 [::1]:80");
}

#define ID "8d5e957f297893487bd98fa830fa6413ce86ac63ecd0a1c7b2d9c8b3f9d2e1a0"

static uint16_t add_path(struct containers *t, uint64_t number, const char *path)
{
	uint16_t i = container_get(t, &(struct cgroup_id){.id = number}, 1);

	container_set_path(t, i, path, strlen(path));
	return i;
}

static void what_a_runtime_says_goes_to_all_cgroups_of_the_container(void **state)
{
	static const struct record_container name = {.runtime = CONTAINER_RUNTIME_CONTAINERD,
						     .id = ID,
						     .name = "api",
						     .pod_name = "web-0"};
	static const struct record_container image = {.id = ID, .image = "shop:1"};
	struct containers *t = calloc(1, sizeof(*t));
	uint16_t outer, inner, users, later;

	(void)state;
	outer = add_path(t, 1, "/kubepods/podu/" ID);
	inner = add_path(t, 2, "/kubepods/podu/" ID "/system.slice/a.service");
	users = add_path(t, 3, "/user.slice/user@5.service/docker-" ID ".scope");
	container_tell(t, 0, &name);
	container_tell(t, 0, &image);
	later = add_path(t, 4, "/kubepods/podu/" ID "/b.service");
	container_tell(t, 1, &(struct record_container){.id = ID, .name = "of another node"});
	assert_string_equal(t->all[outer].workload.container_name, "api");
	assert_string_equal(t->all[inner].workload.container_name, "api");
	assert_string_equal(t->all[inner].workload.systemd_unit, "a.service");
	assert_string_equal(t->all[users].workload.container_name, "");
	assert_string_equal(t->all[later].workload.pod_name, "web-0");
	assert_string_equal(t->all[later].workload.image, "shop:1");
	assert_string_equal(t->all[later].workload.systemd_unit, "b.service");
	assert_int_equal(t->all[later].workload.runtime, CONTAINER_RUNTIME_CONTAINERD);
	free(t);
}

static void removed_ones_leave_with_their_last_process(void **state)
{
	struct containers *t = calloc(1, sizeof(*t));
	struct cgroup_id used = {.id = 1}, unused = {.id = 2}, next = {.id = 3};
	uint16_t i = container_get(t, &used, 1);

	(void)state;
	t->all[i].refs = 2;
	container_get(t, &unused, 1);
	container_remove(t, &unused);
	assert_int_equal(container_find(t, &unused), 0);
	container_remove(t, &unused);
	container_remove(t, &used);
	container_put(t, i);
	assert_int_equal(container_find(t, &used), i);
	container_put(t, i);
	assert_int_equal(container_find(t, &used), 0);
	assert_int_equal(container_get(t, &next, 1), i);
	assert_int_equal(container_get(t, &unused, 1), 2);
	assert_int_equal(t->nr, 2);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(containers_of_two_hierarchies_differ),
		cmocka_unit_test(full_containers_drop_the_unused_and_keep_the_used),
		cmocka_unit_test(what_a_runtime_says_goes_to_all_cgroups_of_the_container),
		cmocka_unit_test(removed_ones_leave_with_their_last_process),
		cmocka_unit_test(reclaim_counts_the_last_minute),
		cmocka_unit_test(paths_are_kept_once_and_given_back),
		cmocka_unit_test(losses_add_up_sorted_and_the_rest_goes_to_other),
		cmocka_unit_test(what_takes_nothing_from_a_verdict_is_no_lost_event),
		cmocka_unit_test(ids_sort_by_time_and_differ_by_seed),
		cmocka_unit_test(text_ends_before_the_character_that_does_not_fit),
		cmocka_unit_test(text_spells_quantities_without_locale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
