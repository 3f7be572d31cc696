/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * report_json.h - a report as one line of JSON, as docs/schema/memswell.schema.json describes it.
 */
#ifndef MEMSWELL_REPORT_JSON_H
#define MEMSWELL_REPORT_JSON_H

#include <stddef.h>

#include "model/report.h"

/* No line is longer, its newline included. */
#define REPORT_LINE_MAX	      8192
#define REPORT_SCHEMA_VERSION "1.3.0"

/*
 * Write `report` and a newline into `line`, which has REPORT_LINE_MAX + 1 bytes; a NUL follows.
 * What would be longer loses detail in a fixed order (enum trim in report_sections.h: rules that
 * found nothing, evidence, then details, scores, paths, lists) and says "truncated":true. Returns the number of bytes
 * without the NUL; 0 for a kind out of range.
 */
size_t report_json(const struct report *report, char *line);

#endif
