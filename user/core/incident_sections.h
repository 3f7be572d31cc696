/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * incident_sections.h - the parts that the report of an incident is made of: one file fills one
 * part, incident_report.c puts them together. Each reads the incident and adds to `out`; none
 * decides anything. The later ones read what the earlier ones filled.
 */
#ifndef MEMSWELL_INCIDENT_SECTIONS_H
#define MEMSWELL_INCIDENT_SECTIONS_H

#include "core/state.h"

/* What is told of the culprit if somebody died, else of who serves there now. */
const struct growth_story *incident_growth(const struct incident *incident);
const struct traffic_story *incident_traffic(const struct incident *incident);
const struct ceilings *incident_ceilings(const struct incident *incident);

/* incident_memory.c: memory, explanation of its growth, forecast, pool. */
void incident_fill_memory(const struct core *core, const struct incident *incident,
			  struct report_incident *out);

/* incident_timeline.c; `impact` is the one of the whole incident. */
void incident_fill_timeline(const struct incident *incident, const struct impact *impact,
			    struct report_incident *out);

/* incident_evidence.c */
void incident_fill_evidence(const struct core *core, const struct incident *incident,
			    const struct impact *impact, struct report_incident *out);

/* incident_text.c: one sentence: what happened, why we think so, who was hit, is it over. */
void incident_summary(const struct incident *incident, struct report_incident *out);

struct text;
void text_add_signal(struct text *t, int32_t sig); /* "SIGKILL", "signal 40" */

#endif
