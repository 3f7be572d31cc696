/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* check_json.h - `memswell check -o json`, and the words that its two views share. */
#ifndef MEMSWELL_CHECK_JSON_H
#define MEMSWELL_CHECK_JSON_H

#include <stdio.h>

#include "model/host.h"

/* One line, as docs/schema/check.schema.json describes it. */
void check_json_print(const struct host *host, FILE *to);

/* ok, degraded, no_privilege, unsupported or failed. */
const char *check_status(const struct host *host);
uint32_t check_attached(const struct host *host);
/* v1, hybrid, v2 or none. */
const char *check_cgroup_mode(enum host_cgroup_mode mode);

#endif
