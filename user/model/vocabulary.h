/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vocabulary.h - the closed sets of words in our output, and their spelling.
 *
 * Closed within a major schema version. vocabulary.c holds the spellings; nothing else spells them.
 */
#ifndef MEMSWELL_VOCABULARY_H
#define MEMSWELL_VOCABULARY_H

enum verdict_class {
	VERDICT_UNEXPLAINED = 0,
	VERDICT_MEMORY_DEATH,
	VERDICT_UPSTREAM_DOWN_NONMEMORY,
	VERDICT_KEEPALIVE_RACE,
	NR_VERDICT_CLASSES
};

enum verdict_cause {
	CAUSE_NONE = 0,
	CAUSE_HEAP_LEAK,
	CAUSE_NATIVE_LEAK,
	CAUSE_UNKNOWN_GROWTH,
	NR_VERDICT_CAUSES
};

/* confirmed >= 0.9, probable >= 0.7, possible below */
enum verdict_level { LEVEL_POSSIBLE = 0, LEVEL_PROBABLE, LEVEL_CONFIRMED, NR_VERDICT_LEVELS };

enum incident_status { STATUS_ONGOING = 0, STATUS_RECOVERED, NR_INCIDENT_STATUSES };

enum growth_level { GROWTH_NONE = 0, GROWTH_SUSPECTED, GROWTH_PROBABLE, NR_GROWTH_LEVELS };

enum moment_kind {
	MOMENT_GROWTH_ONSET = 0,
	MOMENT_PREDICTION,
	MOMENT_OOM_MARK,
	MOMENT_V8_FATAL,
	MOMENT_SIGNAL,
	MOMENT_EXIT,
	MOMENT_LISTENER_DOWN,
	MOMENT_FIRST_RESET,
	MOMENT_FIRST_REFUSED,
	MOMENT_FIRST_FAILURE,
	MOMENT_LAST_FAILURE,
	MOMENT_LISTENER_UP,
	MOMENT_RECOVERED,
	NR_MOMENT_KINDS
};

enum action_kind { ACTION_MITIGATE = 0, ACTION_DIAGNOSE, ACTION_PREVENT, NR_ACTION_KINDS };

/* Each returns a static word, "unknown" out of range; never NULL. */
const char *verdict_class_name(enum verdict_class class);
const char *verdict_cause_name(enum verdict_cause cause); /* "" for CAUSE_NONE */
const char *verdict_level_name(enum verdict_level level);
const char *incident_status_name(enum incident_status status);
const char *growth_level_name(enum growth_level level);
const char *moment_kind_name(enum moment_kind kind);
const char *action_kind_name(enum action_kind kind);

/* Level of a confidence in 0..1. */
enum verdict_level verdict_level_of(double confidence);

#endif
