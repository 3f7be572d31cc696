/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_vocabulary.c - every value has a word, and the schema the same words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "model/record.h"
#include "model/schema.h"
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
	ALL_HAVE_WORDS(ceiling_source_name, ceiling_source, NR_CEILING_SOURCES);
	ALL_HAVE_WORDS(death_kind_name, death_kind, NR_DEATH_KINDS);
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

/* The schema's list of words at a path of keys, separated by spaces. */
static json_t *schema_at(const char *path)
{
	static json_t *schema;
	char keys[256];
	json_t *at;

	if (!schema)
		schema = json_loadb(schema_json, schema_json_len, 0, NULL);
	assert_non_null(schema);
	at = schema;
	snprintf(keys, sizeof(keys), "$defs %s", path);
	for (char *key = strtok(keys, " "); key; key = strtok(NULL, " "))
		at = json_object_get(at, key);
	if (!at)
		fail_msg("the schema has no %s", path);
	return at;
}

typedef const char *(*word_fn)(int value);

#define WORD_OF(name, type)                                                                        \
	static const char *name##_of(int value)                                                    \
	{                                                                                          \
		return name((enum type)value);                                                     \
	}
WORD_OF(verdict_class_name, verdict_class)
WORD_OF(verdict_cause_name, verdict_cause)
WORD_OF(verdict_level_name, verdict_level)
WORD_OF(incident_status_name, incident_status)
WORD_OF(growth_level_name, growth_level)
WORD_OF(ceiling_source_name, ceiling_source)
WORD_OF(moment_kind_name, moment_kind)
WORD_OF(action_kind_name, action_kind)
WORD_OF(flow_fail_name, flow_fail)
WORD_OF(flow_status_name, flow_status)

/* Every word but "" stands in the schema's enum, and no other string does. */
static void assert_enum(const char *path, word_fn word, int nr)
{
	json_t *words = schema_at(path);
	size_t strings = 0, expected = 0, i;
	json_t *value;

	json_array_foreach(words, i, value) strings += json_is_string(value);
	for (int v = 0; v < nr; v++) {
		bool found = !*word(v);

		expected += !found;
		json_array_foreach(words, i, value) found |=
			json_is_string(value) && strcmp(json_string_value(value), word(v)) == 0;
		if (!found)
			fail_msg("%s lacks %s", path, word(v));
	}
	assert_int_equal(strings, expected);
}

static void assert_keys(const char *path, word_fn word, int nr)
{
	for (int v = 0; v < nr; v++)
		if (!json_object_get(schema_at(path), word(v)))
			fail_msg("%s lacks %s", path, word(v));
}

#define INCIDENT "memswell.incident properties "

static void the_schema_has_every_word_and_no_other(void **state)
{
	(void)state;
	assert_enum("verdict_class enum", verdict_class_name_of, NR_VERDICT_CLASSES);
	assert_enum("verdict_cause enum", verdict_cause_name_of, NR_VERDICT_CAUSES);
	assert_enum("ceiling_source enum", ceiling_source_name_of, NR_CEILING_SOURCES);
	assert_enum(INCIDENT "status enum", incident_status_name_of, NR_INCIDENT_STATUSES);
	assert_enum(INCIDENT "verdict properties level enum", verdict_level_name_of,
		    NR_VERDICT_LEVELS);
	assert_enum(INCIDENT "timeline items properties kind enum", moment_kind_name_of,
		    NR_MOMENT_KINDS);
	assert_enum(INCIDENT "actions items properties kind enum", action_kind_name_of,
		    NR_ACTION_KINDS);
	assert_enum("memswell.growth properties growth properties level enum", growth_level_name_of,
		    NR_GROWTH_LEVELS);
	assert_keys("impact properties upstream_failures properties", flow_fail_name_of,
		    NR_FLOW_FAILS);
	assert_keys("impact properties client_responses properties", flow_status_name_of,
		    NR_FLOW_STATUSES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_has_a_word_and_no_other_has),
		cmocka_unit_test(levels_follow_confidence),
		cmocka_unit_test(kinds_without_layout_have_none),
		cmocka_unit_test(the_schema_has_every_word_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
