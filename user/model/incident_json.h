/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* incident_json.h - the sections of an incident. Used by report_json.c. */
#ifndef MEMSWELL_INCIDENT_JSON_H
#define MEMSWELL_INCIDENT_JSON_H

#include "model/report_sections.h"

/* Everything after the envelope, into the object that is open. */
void incident_json(struct line *line, const struct report_incident *incident);

#endif
