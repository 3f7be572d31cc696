/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * words.h - the closed vocabulary of lines in plain words, for people. A word that this version does
 * not know is shown as it is, so a newer agent's lines can be read.
 */
#ifndef MEMSWELL_WORDS_H
#define MEMSWELL_WORDS_H

#include <stdbool.h>

#include "model/text.h"

/* What a value of a rule or of a field of evidence is. */
enum unit {
	UNIT_NONE = 0,
	UNIT_NUMBER,
	UNIT_PERCENT, /* of a share, 0..1 */
	UNIT_TIMES,
	UNIT_BYTES,
	UNIT_BYTES_PER_S,
	UNIT_SECONDS,
	UNIT_MS,
	UNIT_YES, /* 1 yes, 0 no */
	NR_UNITS
};

/* "Memory death", "heap leak", "limit too small": of a class, a cause, a status, a moment, ... */
const char *class_words(const char *class);
const char *cause_words(const char *cause);
const char *status_words(const char *status);
const char *moment_words(const char *kind);
const char *ceiling_words(const char *source);
const char *failure_words(const char *fail);
const char *field_words(const char *field, enum unit *unit);

/* Is memory what such a verdict blames? */
bool class_is_memory(const char *class);

/*
 * What a rule found, as half a sentence with `value` in its place: "the kernel's OOM killer chose
 * it". False, and nothing added, if the rule is not known.
 */
bool text_add_rule(struct text *t, const char *rule, double value);

void text_add_unit(struct text *t, enum unit unit, double value);

#endif
