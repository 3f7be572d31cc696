/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_top_rows.c - what top keeps from tick to tick, and the rows it makes of it. */
#include "view/top_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB_BYTES (1024ULL * 1024)

static struct top_table *table;
static struct top_row rows[TOP_PROCESSES_MAX];

static int setup(void **state)
{
	(void)state;
	table = calloc(1, sizeof(*table));
	return table ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(table);
	return 0;
}

static struct overview_process process(uint32_t tgid, const char *comm, uint16_t port, uint64_t mib)
{
	struct overview_process p = {
		.proc = {.id = {tgid * 10ULL, tgid},
			 .comm = comm,
			 .exe_path = "/usr/bin/x",
			 .cgroup_path = "/shop",
			 .workload = &workload_unknown,
			 .memcg = {7, 0}},
		.anon_bytes = mib * MIB_BYTES,
	};

	p.service.port = port;
	return p;
}

/* One tick with these processes. */
static void tick(uint64_t now_ns, const struct overview_process *all, uint32_t nr)
{
	top_table_begin(table, now_ns);
	for (uint32_t i = 0; i < nr; i++)
		top_table_process(table, &all[i]);
	top_table_end(table);
}

static uint32_t query(enum top_view view, enum top_sort sort, const char *filter)
{
	struct top_query q = {.view = view, .sort = sort, .filter = filter};

	return top_table_rows(table, &q, rows, TOP_PROCESSES_MAX);
}

static void workers_of_one_address_are_one_service(void **state)
{
	struct overview_process all[] = {process(1, "node", 3000, 50), process(2, "node", 3000, 70),
					 process(3, "cron", 0, 5)};

	(void)state;
	all[0].requests_per_s = all[1].requests_per_s = (struct measure){10, true};
	all[0].failures = all[1].failures = 4;
	tick(1, all, 3);
	assert_int_equal(query(TOP_SERVICES, TOP_BY_FATE, ""), 1);
	assert_string_equal(rows[0].name, "node:3000");
	assert_int_equal(rows[0].nr_processes, 2);
	assert_int_equal(rows[0].anon_bytes, 120 * MIB_BYTES);
	assert_true(rows[0].requests_per_s == 20);
	assert_int_equal(rows[0].failures, 4);
	assert_int_equal(query(TOP_PROCESSES, TOP_BY_MEMORY, ""), 3);
	assert_string_equal(rows[0].name, "node 2");
}

static void a_container_is_measured_by_its_own_limit(void **state)
{
	struct overview_process p = process(1, "node", 3000, 50);

	(void)state;
	p.ceiling = (struct report_ceiling){CEILING_HEAP_FLAG, 80 * MIB_BYTES};
	p.ceiling_used_bytes = 50 * MIB_BYTES;
	p.memcg_limit_bytes = 300 * MIB_BYTES;
	p.memcg_usage_bytes = 60 * MIB_BYTES;
	tick(1, &p, 1);
	assert_int_equal(query(TOP_CONTAINERS, TOP_BY_FATE, ""), 1);
	assert_string_equal(rows[0].name, "/shop");
	assert_int_equal(rows[0].ceiling_bytes, 300 * MIB_BYTES);
	assert_int_equal(query(TOP_SERVICES, TOP_BY_FATE, ""), 1);
	assert_int_equal(rows[0].ceiling_bytes, 80 * MIB_BYTES);
}

static void who_fails_first_stands_first(void **state)
{
	struct overview_process all[] = {process(1, "big", 1, 900), process(2, "full", 2, 90),
					 process(3, "soon", 3, 20), process(4, "later", 4, 20)};

	(void)state;
	all[1].ceiling = (struct report_ceiling){CEILING_CGROUP, 100 * MIB_BYTES};
	all[1].ceiling_used_bytes = 90 * MIB_BYTES;
	all[2].exhaustion_s = (struct measure){30, true};
	all[3].exhaustion_s = (struct measure){300, true};
	tick(1, all, 4);
	assert_int_equal(query(TOP_SERVICES, TOP_BY_FATE, ""), 4);
	assert_string_equal(rows[0].name, "soon:3");
	assert_string_equal(rows[1].name, "later:4");
	assert_string_equal(rows[2].name, "full:2");
	assert_string_equal(rows[3].name, "big:1");
}

static void a_filter_finds_by_name_path_address_and_pid(void **state)
{
	struct overview_process all[] = {process(11, "node", 3000, 50),
					 process(22, "java", 8080, 70)};

	(void)state;
	tick(1, all, 2);
	assert_int_equal(query(TOP_SERVICES, TOP_BY_FATE, "JAV"), 1);
	assert_string_equal(rows[0].name, "java:8080");
	assert_int_equal(query(TOP_SERVICES, TOP_BY_FATE, "3000"), 1);
	assert_int_equal(query(TOP_PROCESSES, TOP_BY_FATE, "22"), 1);
	assert_int_equal(query(TOP_SERVICES, TOP_BY_FATE, "/shop"), 2);
	assert_int_equal(query(TOP_SERVICES, TOP_BY_FATE, "nothing"), 0);
}

static void histories_of_a_group_end_at_the_same_tick(void **state)
{
	struct overview_process all[] = {process(1, "node", 3000, 10), process(2, "node", 3000, 1)};

	(void)state;
	tick(1, all, 1);
	tick(2, all, 2);
	assert_int_equal(query(TOP_SERVICES, TOP_BY_FATE, ""), 1);
	assert_int_equal(rows[0].nr_history, 2);
	assert_int_equal(rows[0].history_kib[0], 10 * 1024);
	assert_int_equal(rows[0].history_kib[1], 11 * 1024);
}

static void a_history_keeps_the_newest(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= TOP_HISTORY + 3; i++) {
		struct overview_process p = process(1, "node", 3000, i);

		tick(i, &p, 1);
	}
	assert_int_equal(query(TOP_SERVICES, TOP_BY_FATE, ""), 1);
	assert_int_equal(rows[0].nr_history, TOP_HISTORY);
	assert_int_equal(rows[0].history_kib[TOP_HISTORY - 1], (TOP_HISTORY + 3) * 1024);
}

static void who_died_leaves_the_list(void **state)
{
	struct overview_process all[] = {process(1, "node", 3000, 10), process(2, "java", 1, 1)};

	(void)state;
	tick(1, all, 2);
	tick(2, all, 1);
	assert_int_equal(query(TOP_PROCESSES, TOP_BY_FATE, ""), 1);
}

static void latencies_become_percentiles_and_fade(void **state)
{
	struct overview_process p = process(1, "node", 3000, 10);
	struct record record = {.kind = RECORD_FLOW};

	(void)state;
	tick(1, &p, 1);
	record.flow.proc = p.proc.id;
	record.flow.role = FLOW_SERVER;
	record.flow.responses = 100;
	record.flow.latency[10] = 90; /* 512 to 1024 us */
	record.flow.latency[14] = 10; /* 8 to 16 ms */
	top_table_record(table, &record);
	query(TOP_SERVICES, TOP_BY_FATE, "");
	assert_true(rows[0].p50_us.value > 512 && rows[0].p50_us.value < 1024);
	assert_true(rows[0].p95_us.value > 8192 && rows[0].p95_us.value < 16384);
	for (uint64_t i = 2; i < 60; i++)
		tick(i, &p, 1);
	query(TOP_SERVICES, TOP_BY_FATE, "");
	assert_false(rows[0].p95_us.has);
}

static void tell_incident(const char *id, enum incident_record record)
{
	struct report report = {.kind = REPORT_INCIDENT};

	strcpy(report.incident.id, id);
	strcpy(report.incident.summary, "node died");
	report.incident.record = record;
	top_table_report(table, &report);
}

static void incidents_stay_until_they_close(void **state)
{
	(void)state;
	tell_incident("A", INCIDENT_OPEN);
	tell_incident("B", INCIDENT_OPEN);
	tell_incident("A", INCIDENT_UPDATE);
	assert_int_equal(table->nr_incidents, 2);
	tell_incident("A", INCIDENT_CLOSE);
	assert_int_equal(table->nr_incidents, 1);
	assert_string_equal(table->incidents[0].id, "B");
	for (int i = 0; i < 2 * TOP_INCIDENTS_MAX; i++)
		tell_incident((char[]){'a' + i % 26, 'a' + i / 26, '\0'}, INCIDENT_OPEN);
	assert_int_equal(table->nr_incidents, TOP_INCIDENTS_MAX);
}

static void what_finds_no_room_is_counted(void **state)
{
	(void)state;
	top_table_begin(table, 1);
	for (uint32_t i = 1; i <= TOP_PROCESSES_MAX + 5; i++) {
		struct overview_process p = process(i, "node", 3000, 1);

		top_table_process(table, &p);
	}
	top_table_end(table);
	assert_int_equal(table->hidden, 5);
	assert_int_equal(query(TOP_PROCESSES, TOP_BY_FATE, ""), TOP_PROCESSES_MAX);
}

static void rows_are_called_as_their_operator_calls_them(void **state)
{
	static const struct workload pod = {.pod_name = "checkout-7d4b9c6f5d-x2x9k",
					    .pod_namespace = "shop",
					    .container_name = "api"};
	static const struct workload container = {.container_name = "shop-web-1"};
	struct overview_process p = process(1, "node", 3000, 50);

	(void)state;
	p.proc.workload = &pod;
	strcpy(p.proc.service_name, "checkout");
	tick(1, &p, 1);
	assert_int_equal(query(TOP_SERVICES, TOP_BY_FATE, "x2x9k"), 1);
	assert_string_equal(rows[0].name, "checkout");
	assert_int_equal(query(TOP_CONTAINERS, TOP_BY_FATE, "checkout"), 1);
	assert_string_equal(rows[0].name, "shop/checkout-7d4b9c6f5d-x2x9k/api");
	assert_int_equal(query(TOP_CONTAINERS, TOP_BY_FATE, "other"), 0);
	p.proc.workload = &container;
	tick(2, &p, 1);
	assert_int_equal(query(TOP_CONTAINERS, TOP_BY_FATE, ""), 1);
	assert_string_equal(rows[0].name, "shop-web-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(workers_of_one_address_are_one_service, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_container_is_measured_by_its_own_limit, setup,
						teardown),
		cmocka_unit_test_setup_teardown(who_fails_first_stands_first, setup, teardown),
		cmocka_unit_test_setup_teardown(a_filter_finds_by_name_path_address_and_pid, setup,
						teardown),
		cmocka_unit_test_setup_teardown(histories_of_a_group_end_at_the_same_tick, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_history_keeps_the_newest, setup, teardown),
		cmocka_unit_test_setup_teardown(who_died_leaves_the_list, setup, teardown),
		cmocka_unit_test_setup_teardown(latencies_become_percentiles_and_fade, setup,
						teardown),
		cmocka_unit_test_setup_teardown(incidents_stay_until_they_close, setup, teardown),
		cmocka_unit_test_setup_teardown(what_finds_no_room_is_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(rows_are_called_as_their_operator_calls_them, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
