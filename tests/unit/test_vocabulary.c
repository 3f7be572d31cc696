/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/record.h"
#include "model/vocabulary.h"

#define ALL_HAVE_WORDS(name, type, nr)                                                             \
	do {                                                                                       \
		for (int i = 0; i < (nr); i++)                                                     \
			assert_string_not_equal(name((enum type)i), "unknown");                    \
		assert_string_equal(name((enum type)(nr)), "unknown");                             \
		assert_string_equal(name((enum type) - 1), "unknown");                             \
	} while (0)

static void every_value_has_a_word_and_no_other_has(void **state)
{
	(void)state;
	ALL_HAVE_WORDS(verdict_class_name, verdict_class, NR_VERDICT_CLASSES);
	ALL_HAVE_WORDS(verdict_cause_name, verdict_cause, NR_VERDICT_CAUSES);
	ALL_HAVE_WORDS(verdict_level_name, verdict_level, NR_VERDICT_LEVELS);
	ALL_HAVE_WORDS(incident_status_name, incident_status, NR_INCIDENT_STATUSES);
	ALL_HAVE_WORDS(growth_level_name, growth_level, NR_GROWTH_LEVELS);
	ALL_HAVE_WORDS(moment_kind_name, moment_kind, NR_MOMENT_KINDS);
	ALL_HAVE_WORDS(action_kind_name, action_kind, NR_ACTION_KINDS);
	ALL_HAVE_WORDS(flow_fail_name, flow_fail, NR_FLOW_FAILS);
	ALL_HAVE_WORDS(flow_status_name, flow_status, NR_FLOW_STATUSES);
	ALL_HAVE_WORDS(probe_state_name, probe_state, NR_PROBE_STATES);
	ALL_HAVE_WORDS(listener_state_name, listener_state, NR_LISTENER_STATES);
	assert_string_equal(runtime_name(RUNTIME_NODEJS), "nodejs");
	assert_string_equal(runtime_name(NR_RUNTIMES), "unknown");
	assert_string_equal(verdict_cause_name(CAUSE_NONE), "");
}

static void levels_follow_confidence(void **state)
{
	(void)state;
	assert_int_equal(verdict_level_of(1), LEVEL_CONFIRMED);
	assert_int_equal(verdict_level_of(0.9), LEVEL_CONFIRMED);
	assert_int_equal(verdict_level_of(0.89), LEVEL_PROBABLE);
	assert_int_equal(verdict_level_of(0.7), LEVEL_PROBABLE);
	assert_int_equal(verdict_level_of(0.69), LEVEL_POSSIBLE);
	assert_int_equal(verdict_level_of(0), LEVEL_POSSIBLE);
}

static void kinds_without_layout_have_none(void **state)
{
	(void)state;
	assert_null(record_layout(RECORD_NONE));
	assert_null(record_layout(NR_RECORD_KINDS));
	for (int kind = RECORD_NONE + 1; kind < NR_RECORD_KINDS; kind++)
		assert_non_null(record_layout((enum record_kind)kind));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_has_a_word_and_no_other_has),
		cmocka_unit_test(levels_follow_confidence),
		cmocka_unit_test(kinds_without_layout_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
