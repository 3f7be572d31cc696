/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * record_json.h - a record as one line of JSON and back, bit by bit. The format of recordings.
 *
 * {"k":"task","t":123456789,"pid":42,...}: kind, time, then the fields of record_layout() in their
 * order, those that are zero or empty left out. Decoding trusts nothing: it takes any order and any
 * white space, and refuses what is unknown, missing, doubled, of the wrong type or out of range.
 */
#ifndef MEMSWELL_RECORD_JSON_H
#define MEMSWELL_RECORD_JSON_H

#include <stddef.h>
#include <sys/types.h>

#include "model/record.h"

/* No line is longer, its newline included: encoding stays below by the sizes in record.h. */
#define RECORD_LINE_MAX	 16384
#define RECORD_ERROR_MAX 192

/*
 * Write `record` and a newline into `line` (RECORD_LINE_MAX bytes always suffice; a NUL follows).
 * Returns the number of bytes without the NUL, -EINVAL for a kind without layout, -ENOSPC.
 */
ssize_t record_json_encode(const struct record *record, char *line, size_t size);

/*
 * Read one line of `len` bytes, newline not included. 0 and *out set; or -EINVAL (-ENOMEM when
 * memory ran out), *out untouched and one line in `error` (RECORD_ERROR_MAX bytes) that names the
 * field and what was expected there. It never repeats bytes of the line.
 */
int record_json_decode(const char *line, size_t len, struct record *out, char *error);

#endif
