/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * load_failure.h - which program or map a kernel refused and why, read from the messages of libbpf:
 * it returns no more than an errno, and they are text for people.
 */
#ifndef MEMSWELL_LOAD_FAILURE_H
#define MEMSWELL_LOAD_FAILURE_H

#include "model/record.h"

struct load_failure {
	const char *what; /* "program" or "map"; NULL: no message was about one */
	char name[64];
	char reason[RECORD_TEXT_LEN]; /* valid UTF-8 */
};

/*
 * Take a message, whatever it is about. Of several about a program the one with the verifier's log tells
 * most, then the first.
 */
void load_failure_read(struct load_failure *failure, const char *message);

#endif
