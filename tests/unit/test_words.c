/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_words.c - no word of the vocabulary and no rule of the core goes without plain words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/rules.h"
#include "model/record.h"
#include "model/vocabulary.h"
#include "view/words.h"

/* Words are the word itself where a table lacks it. */
static void assert_known(const char *words, const char *name)
{
	if (words == name)
		fail_msg("no plain words for %s", name);
	assert_null(strchr(words, '_'));
}

static void every_word_of_the_vocabulary_is_known(void **state)
{
	(void)state;
	for (int i = 0; i < NR_VERDICT_CLASSES; i++) {
		const char *name = verdict_class_name((enum verdict_class)i);

		assert_known(class_words(name), name);
	}
	for (int i = CAUSE_NONE + 1; i < NR_VERDICT_CAUSES; i++) {
		const char *name = verdict_cause_name((enum verdict_cause)i);

		assert_known(cause_words(name), name);
	}
	for (int i = 0; i < NR_MOMENT_KINDS; i++) {
		const char *name = moment_kind_name((enum moment_kind)i);

		assert_known(moment_words(name), name);
	}
	for (int i = CEILING_NONE + 1; i < NR_CEILING_SOURCES; i++) {
		const char *name = ceiling_source_name((enum ceiling_source)i);

		assert_known(ceiling_words(name), name);
	}
	for (int i = 0; i < NR_INCIDENT_STATUSES; i++) {
		const char *name = incident_status_name((enum incident_status)i);

		assert_known(status_words(name), name);
	}
	for (int i = 0; i < NR_FLOW_FAILS; i++) {
		const char *name = flow_fail_name((enum flow_fail)i);

		assert_known(failure_words(name), name);
	}
}

static void every_rule_of_the_core_is_told_in_words(void **state)
{
	const struct verdict_rules tables[RULE_TABLES] = {rules_memory(), rules_cause(),
							  rules_other()};

	(void)state;
	for (int i = 0; i < RULE_TABLES; i++) {
		for (size_t r = 0; r < tables[i].nr; r++) {
			char buffer[300];
			struct text t;

			text_init(&t, buffer, sizeof(buffer));
			if (!text_add_rule(&t, tables[i].rows[r].name, 0.5))
				fail_msg("no words for rule %s", tables[i].rows[r].name);
			assert_true(t.len > 10 && t.len < 200);
			assert_null(strchr(buffer, '#'));
			assert_null(strchr(buffer, '_'));
		}
	}
}

static void memory_is_blamed_by_the_classes_that_do_so(void **state)
{
	(void)state;
	assert_true(class_is_memory("memory_death"));
	assert_true(class_is_memory("memory_stall"));
	assert_true(class_is_memory("gc_thrash"));
	assert_true(class_is_memory("supervisor_memory_restart"));
	assert_true(class_is_memory("node_pressure_victim"));
	assert_false(class_is_memory("unexplained"));
	assert_false(class_is_memory("keepalive_race"));
	assert_false(class_is_memory("of another version"));
}

static void unknown_words_are_shown_as_they_are(void **state)
{
	char buffer[80];
	struct text t;

	(void)state;
	text_init(&t, buffer, sizeof(buffer));
	assert_string_equal(class_words("of_tomorrow"), "of_tomorrow");
	assert_false(text_add_rule(&t, "of_tomorrow", 1));
	assert_string_equal(buffer, "");
}

static void values_have_their_unit(void **state)
{
	static const struct {
		enum unit unit;
		double value;
		const char *text;
	} rows[] = {
		{UNIT_PERCENT, 0.89967, "90 %"},
		{UNIT_TIMES, 7.6, "7.6 times"},
		{UNIT_BYTES, 167772160, "160 MiB"},
		{UNIT_BYTES_PER_S, 3749395, "3.6 MiB/s"},
		{UNIT_SECONDS, 2.1, "2.1 s"},
		{UNIT_MS, 31, "31 ms"},
		{UNIT_NUMBER, 428, "428"},
		{UNIT_NUMBER, 0.5, "0.5"},
		{UNIT_NUMBER, -3, "-3"},
		{UNIT_YES, 1, "yes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char buffer[80];
		struct text t;

		text_init(&t, buffer, sizeof(buffer));
		text_add_unit(&t, rows[i].unit, rows[i].value);
		assert_string_equal(buffer, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_of_the_vocabulary_is_known),
		cmocka_unit_test(every_rule_of_the_core_is_told_in_words),
		cmocka_unit_test(memory_is_blamed_by_the_classes_that_do_so),
		cmocka_unit_test(unknown_words_are_shown_as_they_are),
		cmocka_unit_test(values_have_their_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
