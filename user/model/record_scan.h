/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* record_scan.h - the fast way to read a line that record_json_encode() wrote. */
#ifndef MEMSWELL_RECORD_SCAN_H
#define MEMSWELL_RECORD_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "model/record.h"

/*
 * True and *out set if the line (without newline) has the exact form the encoder gives it and holds
 * nothing that needs unescaping. False, with *out undefined, says nothing about the line: the
 * general decoder has to look at it.
 */
bool record_scan(const char *line, size_t len, struct record *out);

#endif
