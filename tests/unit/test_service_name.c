/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_service_name.c - what made a pod, told from its name; and which of several names is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/service_name.h"

static void owner_is(const char *pod, const char *expected)
{
	char out[SERVICE_NAME_LEN];

	service_name_pod_owner(pod, "node-1", out);
	if (strcmp(out, expected) != 0)
		fail_msg("%s: %s, expected %s", pod, out, expected);
}

static void what_controllers_add_is_taken_off(void **state)
{
	(void)state;
	owner_is("checkout-7d4b9c6f5d-x2x9k", "checkout"); /* Deployment */
	owner_is("shop-api-5b8cd9f4b-zq2lm", "shop-api");
	owner_is("coredns-6d4b75cb6d-4mtdm", "coredns");
	owner_is("kube-proxy-4tq7x", "kube-proxy");  /* DaemonSet, Job, ReplicaSet */
	owner_is("backup-28473920-8xkzp", "backup"); /* CronJob */
	owner_is("backup-1618585500-8xkzp", "backup");
	owner_is("redis-0", "redis"); /* StatefulSet */
	owner_is("kafka-broker-112", "kafka-broker");
	owner_is("etcd-node-1", "etcd"); /* static */
	owner_is("kube-apiserver-node-1", "kube-apiserver");
}

static void what_does_not_look_like_it_is_left(void **state)
{
	(void)state;
	owner_is("web", "web");
	owner_is("my-redis", "my-redis");
	owner_is("api-server", "api-server");
	owner_is("app-2024", "app-2024");
	owner_is("app-007", "app-007");
	owner_is("worker-x2x9", "worker-x2x9");	    /* four */
	owner_is("worker-x2x9kk", "worker-x2x9kk"); /* six */
	owner_is("worker-x2a9k", "worker-x2a9k");   /* no vowels */
	owner_is("worker-x2y9k", "worker-x2y9k");
	owner_is("x2x9k", "x2x9k");
	owner_is("-x2x9k", "-x2x9k");
	owner_is("0", "0");
	owner_is("-0", "-0");
	owner_is("-", "-");
	owner_is("", "");
	owner_is("node-1", "node");
	/* the last part is a suffix, the one before it is a name of somebody's own */
	owner_is("web-v2-x2x9k", "web-v2");
	owner_is("web-1234-x2x9k", "web-1234");
	owner_is("web-77777777-x2x9k", "web");
	owner_is("web-7d4b9c6-x2x9k", "web-7d4b9c6");	      /* seven */
	owner_is("web-7d4b9c6f5dd-x2x9k", "web-7d4b9c6f5dd"); /* eleven */
	owner_is("web-7d4b9c6f5x-x2x9k", "web-7d4b9c6f5x");
}

static void only_the_last_number_is_an_ordinal(void **state)
{
	(void)state;
	owner_is("shard-1-0", "shard-1");
}

static struct workload workload;
static struct service_name_facts facts;

static void begin(void)
{
	memset(&workload, 0, sizeof(workload));
	facts = (struct service_name_facts){&workload,	      "node-1", "",
					    NAME_SOURCE_NONE, "node",	3000};
}

static void name_is(const char *expected, bool is_name)
{
	char out[SERVICE_NAME_LEN];

	assert_int_equal(service_name_tell(&facts, out), is_name);
	assert_string_equal(out, expected);
}

static void the_most_deliberate_name_is_taken(void **state)
{
	(void)state;
	begin();
	name_is("node:3000", false);
	strcpy(workload.systemd_unit, "shop.service");
	name_is("shop", true);
	strcpy(workload.container_name, "shop-web-1");
	name_is("shop-web-1", true);
	facts.told = "api";
	facts.told_source = NAME_SOURCE_PM2;
	name_is("api", true);
	strcpy(workload.pod_name, "checkout-7d4b9c6f5d-x2x9k");
	name_is("checkout", true);
	facts.told_source = NAME_SOURCE_OTEL;
	name_is("api", true);
}

static void units_that_are_no_services_name_nothing(void **state)
{
	static const char *const others[] = {"session-3.scope", "user@1000.service", ".service",
					     "init.scope"};

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		strcpy(workload.systemd_unit, others[i]);
		name_is("node:3000", false);
	}
	strcpy(workload.systemd_unit, "getty@tty1.service");
	name_is("getty@tty1", true);
	facts.comm = "";
	workload.systemd_unit[0] = '\0';
	name_is("unknown:3000", false);
}

static void a_long_name_is_cut(void **state)
{
	char out[SERVICE_NAME_LEN], pod[WORKLOAD_POD_LEN];

	(void)state;
	memset(pod, 'x', sizeof(pod) - 1);
	pod[sizeof(pod) - 1] = '\0';
	service_name_pod_owner(pod, "", out);
	assert_int_equal(strlen(out), sizeof(out) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_controllers_add_is_taken_off),
		cmocka_unit_test(what_does_not_look_like_it_is_left),
		cmocka_unit_test(only_the_last_number_is_an_ordinal),
		cmocka_unit_test(the_most_deliberate_name_is_taken),
		cmocka_unit_test(units_that_are_no_services_name_nothing),
		cmocka_unit_test(a_long_name_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
