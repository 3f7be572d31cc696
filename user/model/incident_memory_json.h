/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* incident_memory_json.h - the numbers of an incident; for incident_json.c. */
#ifndef MEMSWELL_INCIDENT_MEMORY_JSON_H
#define MEMSWELL_INCIDENT_MEMORY_JSON_H

#include "model/report_sections.h"

void incident_memory_json(struct line *line, const struct report_incident *incident);
/* Nothing is written where nothing was predicted, or no pool was full. */
void incident_forecast_json(struct line *line, const struct report_forecast *forecast);
void incident_pool_json(struct line *line, const struct report_pool *pool);

#endif
