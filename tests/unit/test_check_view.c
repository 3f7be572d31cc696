/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_check_view.c - what a person and a program read of a host, whatever the host is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "sink/check_view.h"

static struct host host;

static char *printed(bool json)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_int_equal(check_view_print(&host, json, to), 0);
	fclose(to);
	return text;
}

static void add_hook(const char *name, enum probe_state state, const char *why,
		     const char *consequence)
{
	struct host_hook *hook = &host.hooks[host.nr_hooks++];

	snprintf(hook->name, sizeof(hook->name), "%s", name);
	snprintf(hook->why, sizeof(hook->why), "%s", why);
	hook->state = state;
	hook->consequence = consequence;
	hook->fix = "buy another kernel";
}

static void make_host(void)
{
	memset(&host, 0, sizeof(host));
	host.version = "1.2";
	strcpy(host.kernel.release, "6.1.0");
	strcpy(host.kernel.arch, "x86_64");
	host.kernel.perf_event_paranoid = HOST_UNKNOWN;
	host.kernel.unprivileged_bpf_disabled = 2;
	host.nr_cpus = 2;
	host.capabilities[host.nr_capabilities++] = (struct host_capability){.name = "CAP_X",
									     .purpose = "x",
									     .without = "no x",
									     .kernels = "all",
									     .running = "dropped",
									     .held = true};
	add_hook("exit", PROBE_ATTACHED, "", "deaths are not seen");
	host_add_memory(&host, "core", (struct memory_row[]){{"procs", 10, 3000}, {"x", 0, 96}}, 2);
	host.maps[host.nr_maps++] = (struct host_map){
		.name = "m", .type = "array", .limit = 5, .bytes = 9000, .mapped_bytes = 4096};
	host.maps[host.nr_maps++] = (struct host_map){.name = "s",
						      .type = "sk_storage",
						      .bytes = 1000,
						      .each = "socket",
						      .each_bytes = 512};
}

static void whole_host_says_that_it_works_and_nothing_is_missing(void **state)
{
	char *text;

	(void)state;
	make_host();
	text = printed(false);
	assert_ptr_equal(strstr(text, "memswell 1.2 works here: 1 of 1 hooks attached\n"), text);
	assert_null(strstr(text, "MISSING"));
	free(text);
}

static void what_is_missing_comes_first_with_consequence_and_remedy(void **state)
{
	char *text, *missing, *rest;

	(void)state;
	make_host();
	add_hook("http_ingress", PROBE_UNAVAILABLE, "CAP_Y is missing", "no HTTP is counted");
	add_hook("http_egress", PROBE_UNAVAILABLE, "CAP_Y is missing", "no HTTP is counted");
	add_hook("v8_oom", PROBE_UNAVAILABLE, "no uprobes", "only SIGABRT shows");
	host.capabilities[0].held = false;
	host.limitations[host.nr_limitations++] =
		(struct host_limitation){"a small disk", "less is kept", "a larger one"};
	text = printed(false);
	assert_ptr_equal(
		strstr(text, "memswell 1.2 works here, with less: 1 of 4 hooks attached\n"), text);
	missing = strstr(text, "\nMISSING\n");
	rest = strstr(text, "\nHOST\n");
	assert_true(missing && rest && missing < rest);
	assert_non_null(strstr(missing, "hook http_ingress, http_egress\n"
					"      because  CAP_Y is missing\n"
					"      so       no HTTP is counted\n"
					"      remedy   buy another kernel\n"));
	assert_non_null(strstr(missing, "hook v8_oom\n"));
	assert_non_null(strstr(missing, "a small disk\n      so       less is kept\n"));
	assert_non_null(strstr(missing, "CAP_X\n      so       no x\n"));
	free(text);
}

static void where_it_cannot_run_the_reason_is_the_first_line(void **state)
{
	char *text;

	(void)state;
	make_host();
	host.hooks[0].state = PROBE_UNAVAILABLE;
	strcpy(host.hooks[0].why, "not tried");
	strcpy(host.error, "missing privilege: needs CAP_Z");
	host.exit_code = 3;
	text = printed(false);
	assert_ptr_equal(
		strstr(text, "memswell 1.2 cannot run here: missing privilege: needs CAP_Z\n"),
		text);
	/* what was not tried is not missing */
	assert_null(strstr(text, "hook exit\n"));
	assert_non_null(strstr(text, "RSS"));
	free(text);
}

static json_t *parsed(void)
{
	char *text = printed(true);
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(json);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	free(text);
	return json;
}

static const char *status_of(int exit_code)
{
	static char status[32];
	json_t *json;

	host.exit_code = exit_code;
	json = parsed();
	snprintf(status, sizeof(status), "%s", json_string_value(json_object_get(json, "status")));
	json_decref(json);
	return status;
}

static void status_is_a_word_for_programs(void **state)
{
	(void)state;
	make_host();
	assert_string_equal(status_of(0), "ok");
	assert_string_equal(status_of(1), "failed");
	assert_string_equal(status_of(3), "no_privilege");
	assert_string_equal(status_of(4), "unsupported");
	add_hook("oom", PROBE_UNAVAILABLE, "no", "kills are not seen");
	assert_string_equal(status_of(0), "degraded");
	assert_string_equal(status_of(5), "degraded");
}

static uint64_t sum_of(const json_t *ceilings, const char *list, const char *key)
{
	uint64_t sum = 0;
	size_t i;
	json_t *row;

	json_array_foreach(json_object_get(ceilings, list), i, row) sum +=
		(uint64_t)json_integer_value(json_object_get(row, key));
	return sum;
}

static void sums_are_those_of_the_parts(void **state)
{
	json_t *json, *ceilings;

	(void)state;
	make_host();
	json = parsed();
	ceilings = json_object_get(json, "ceilings");
	assert_int_equal(check_view_rss_ceiling(&host), 3000 + 96 + 4096);
	assert_int_equal(check_view_map_ceiling(&host), 9000 + 1000);
	assert_int_equal(json_integer_value(json_object_get(ceilings, "rss_bytes")),
			 sum_of(ceilings, "tables", "bytes") +
				 sum_of(ceilings, "maps", "mapped_bytes"));
	assert_int_equal(json_integer_value(json_object_get(ceilings, "map_bytes")),
			 sum_of(ceilings, "maps", "bytes"));
	json_decref(json);
}

/* The fullest host that there can be still is one JSON document. */
static void fullest_host_fits(void **state)
{
	json_t *json;

	(void)state;
	make_host();
	memset(host.error, 0x01, sizeof(host.error) - 1);
	while (host.nr_hooks < HOST_MAX_HOOKS)
		add_hook("hook", PROBE_UNAVAILABLE, "", "consequence of some length, as they are");
	for (uint32_t i = 0; i < host.nr_hooks; i++) {
		memset(host.hooks[i].why, 0x02, sizeof(host.hooks[i].why) - 1);
		memset(host.hooks[i].variant, '"', sizeof(host.hooks[i].variant) - 1);
	}
	while (host.nr_maps < HOST_MAX_MAPS)
		host.maps[host.nr_maps++] = host.maps[0];
	while (host.nr_memory < HOST_MAX_MEMORY)
		host.memory[host.nr_memory++] = host.memory[0];
	while (host.nr_capabilities < HOST_MAX_CAPABILITIES)
		host.capabilities[host.nr_capabilities++] = host.capabilities[0];
	while (host.nr_limitations < HOST_MAX_LIMITATIONS)
		host.limitations[host.nr_limitations++] =
			(struct host_limitation){"what", "consequence", "fix"};
	json = parsed();
	assert_int_equal(json_array_size(json_object_get(json, "hooks")), HOST_MAX_HOOKS);
	json_decref(json);
}

static void broken_output_is_an_error(void **state)
{
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	make_host();
	assert_true(check_view_print(&host, false, full) < 0);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_host_says_that_it_works_and_nothing_is_missing),
		cmocka_unit_test(what_is_missing_comes_first_with_consequence_and_remedy),
		cmocka_unit_test(where_it_cannot_run_the_reason_is_the_first_line),
		cmocka_unit_test(status_is_a_word_for_programs),
		cmocka_unit_test(sums_are_those_of_the_parts),
		cmocka_unit_test(fullest_host_fits),
		cmocka_unit_test(broken_output_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
