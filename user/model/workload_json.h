/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* workload_json.h - the attributes of a workload, into the object that is open. */
#ifndef MEMSWELL_WORKLOAD_JSON_H
#define MEMSWELL_WORKLOAD_JSON_H

#include "model/report_sections.h"
#include "model/workload.h"

/* NULL: the same as an unknown one. */
void line_workload(struct line *line, const struct workload *workload);

#endif
