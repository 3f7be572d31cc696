/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_personality.c - what gateways answer when a leg fails: nginx and haproxy as measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/personality.h"

static uint16_t status(const char *comm, enum leg_failure leg)
{
	return personality_of(comm)->status[leg];
}

static void nginx_answers_502_but_504_for_timeouts(void **state)
{
	(void)state;
	assert_int_equal(status("nginx", LEG_REFUSED), 502);
	assert_int_equal(status("nginx", LEG_UNREACHABLE), 502);
	assert_int_equal(status("nginx", LEG_RESET), 502);
	assert_int_equal(status("nginx", LEG_RESET_REUSED), 502);
	assert_int_equal(status("nginx", LEG_CONNECT_TIMEOUT), 504);
	assert_int_equal(status("nginx", LEG_READ_TIMEOUT), 504);
	assert_int_equal(status("nginx", LEG_NO_LIVE), 502);
}

static void haproxy_answers_503_for_connects(void **state)
{
	(void)state;
	assert_int_equal(status("haproxy", LEG_REFUSED), 503);
	assert_int_equal(status("haproxy", LEG_UNREACHABLE), 503);
	assert_int_equal(status("haproxy", LEG_RESET), 502);
	assert_int_equal(status("haproxy", LEG_RESET_REUSED), 502);
	assert_int_equal(status("haproxy", LEG_CONNECT_TIMEOUT), 503);
	assert_int_equal(status("haproxy", LEG_READ_TIMEOUT), 504);
	assert_int_equal(status("haproxy", LEG_NO_LIVE), 503);
	assert_true(personality_of("haproxy")->connects > 1);
}

static void envoy_answers_503_for_all_but_slowness(void **state)
{
	(void)state;
	for (int leg = LEG_REFUSED; leg < NR_LEG_FAILURES; leg++)
		assert_int_equal(status("envoy", leg), leg == LEG_READ_TIMEOUT ? 504 : 503);
}

static void apache_closes_after_a_reused_connection(void **state)
{
	(void)state;
	assert_int_equal(status("httpd", LEG_RESET_REUSED), PERSONALITY_CLOSES);
	assert_int_equal(status("apache2", LEG_RESET), 502);
	assert_int_equal(status("apache2", LEG_REFUSED), 503);
}

static void every_known_gateway_answers_a_gateway_status(void **state)
{
	static const char *const comms[] = {"nginx",   "openresty", "haproxy", "envoy",
					    "traefik", "apache2",   "httpd",   "caddy"};

	(void)state;
	for (size_t i = 0; i < sizeof(comms) / sizeof(comms[0]); i++) {
		assert_true(personality_of(comms[i])->known);
		assert_true(personality_of(comms[i])->connects > 0);
		for (int leg = LEG_REFUSED; leg < NR_LEG_FAILURES; leg++)
			if (status(comms[i], leg) != PERSONALITY_CLOSES)
				assert_in_range(status(comms[i], leg), 502, 504);
	}
}

static void other_programs_are_generic(void **state)
{
	static const char *const comms[] = {"node", "", "nginx2", "ngin", "python3"};

	(void)state;
	for (size_t i = 0; i < sizeof(comms) / sizeof(comms[0]); i++) {
		assert_string_equal(personality_of(comms[i])->name, "generic");
		assert_false(personality_of(comms[i])->known);
	}
}

static void only_failures_before_an_answer_have_a_status(void **state)
{
	(void)state;
	assert_int_equal(personality_leg(FLOW_FAIL_REFUSED), LEG_REFUSED);
	assert_int_equal(personality_leg(FLOW_FAIL_FIN_BEFORE), LEG_RESET);
	assert_int_equal(personality_leg(FLOW_FAIL_NO_PORT), LEG_UNREACHABLE);
	assert_int_equal(personality_leg(FLOW_FAIL_RST_MID), LEG_NONE);
	assert_int_equal(personality_leg(FLOW_FAIL_FIN_MID), LEG_NONE);
	assert_int_equal(personality_leg(FLOW_FAIL_ABANDONED), LEG_NONE);
	assert_int_equal(personality_leg(FLOW_FAIL_RST_REUSED), LEG_NONE);
	assert_int_equal(personality_leg(FLOW_FAIL_STATUS), LEG_NONE);
	assert_int_equal(personality_leg(NR_FLOW_FAILS), LEG_NONE);
	assert_int_equal(personality_of("nginx")->status[LEG_NONE], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nginx_answers_502_but_504_for_timeouts),
		cmocka_unit_test(haproxy_answers_503_for_connects),
		cmocka_unit_test(envoy_answers_503_for_all_but_slowness),
		cmocka_unit_test(apache_closes_after_a_reused_connection),
		cmocka_unit_test(every_known_gateway_answers_a_gateway_status),
		cmocka_unit_test(other_programs_are_generic),
		cmocka_unit_test(only_failures_before_an_answer_have_a_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
